"""
What generated code would try if it wanted out. Runs inside a sandbox and prints one JSON object: attempt -> what came of it.

An attempt that gets anywhere is "SUCCEEDED"; it returns what it got, or raises what kept it from it. Addresses of things
that must not be reached come as arguments: HOST:PORT pairs of services of the host, then `--`, then those of neighbours.
"""

import ctypes
import glob
import json
import os
import platform
import socket
import stat
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
ATTEMPTS = {}


class Refused(Exception):
    """The attempt came to nothing."""


def attempt(name):
    """Register an attempt under what people call it."""

    def register(function):
        ATTEMPTS[name] = function
        return function

    return register


def connect(targets):
    for host, port in targets:
        try:
            socket.create_connection((host, port), 0.5).close()
            return f"reached {host}:{port}"
        except OSError:
            continue
    raise Refused("no connection")


def call(number_x86, number_arm, *arguments):
    result = LIBC.syscall(number_x86 if X86 else number_arm, *arguments)
    if result == -1:
        raise Refused(os.strerror(ctypes.get_errno()))
    return f"returned {result}"


@attempt("reach a service of the host")
def host_service():
    return connect(HOST)


@attempt("reach another preview")
def neighbour():
    return connect(NEIGHBOURS)


@attempt("reach the metadata address")
def metadata():
    return connect([("169.254.169.254", 80), ("169.254.170.2", 80), ("fd00:ec2::254", 80)])


@attempt("resolve a name")
def resolve():
    return socket.getaddrinfo("example.com", 80)[0][4]


@attempt("reach the internet by address")
def internet():
    return connect([("1.1.1.1", 443), ("8.8.8.8", 53)])


@attempt("speak to the Docker socket")
def docker_socket():
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"):
        if os.path.exists(path):
            return path
    raise Refused("there is none")


@attempt("open a raw socket")
def raw():
    return str(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))


@attempt("open a packet socket")
def packet():
    return str(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))


@attempt("speak to the kernel over vsock")
def vsock():
    return str(socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))


@attempt("make a user namespace")
def namespace():
    return call(272, 97, 0x10000000)


@attempt("clone into new namespaces")
def clone_namespace():
    return call(56, 220, 0x10000000 | 0x00020000 | 17, 0, 0, 0, 0)


@attempt("mount a file system")
def mount():
    if LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
        return "mounted"
    raise Refused(os.strerror(ctypes.get_errno()))


@attempt("become root")
def root():
    os.setuid(0)
    return os.getuid()


@attempt("use a program that runs as root")
def suid():
    found = []
    for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib"):
        for path in glob.glob(f"{folder}/*"):
            try:
                if os.stat(path).st_mode & stat.S_ISUID:
                    found.append(path)
            except OSError:
                continue
    for path in found:
        if "su" in os.path.basename(path):
            ran = subprocess.run(
                [path, "-c", "id -u"], capture_output=True, text=True, timeout=3, stdin=subprocess.DEVNULL
            )
            if ran.stdout.strip() == "0":
                return path
    status = open("/proc/self/status").read()
    if "NoNewPrivs:\t1" not in status and found:
        return f"new rights are possible through {found[0]}"
    raise Refused("no new privileges")


@attempt("change the root folder")
def chroot():
    os.chroot("/tmp")
    return "done"


@attempt("trace another process")
def trace():
    return call(101, 117, 16, 1, 0, 0)


@attempt("read another process's environment")
def environ():
    for path in glob.glob("/proc/[0-9]*/environ"):
        if path.split("/")[2] in (str(os.getpid()), "self"):
            continue
        try:
            text = open(path, "rb").read()
        except OSError:
            continue
        if any(word in text for word in (b"SECRET", b"TOKEN", b"API_KEY", b"THREADWRIGHT")):
            return path
    raise Refused("none that could be read holds a secret")


@attempt("find a secret in the environment")
def secrets():
    found = [
        name for name in os.environ if any(word in name for word in ("SECRET", "TOKEN", "API_KEY", "THREADWRIGHT"))
    ]
    if found:
        return found
    raise Refused("none")


@attempt("read the host's secrets")
def shadow():
    for path in ("/root/.ssh/id_rsa", "/root/.docker/config.json", "/etc/shadow", "/data/secret", "/var/lib/docker"):
        try:
            os.listdir(path) if os.path.isdir(path) else open(path, "rb").read()
        except OSError:
            continue
        return path
    raise Refused("none could be read")


@attempt("change the app's files")
def own_files():
    with open(os.path.join(APP, "planted.py"), "w") as file:
        file.write("x = 1\n")
    return "written"


@attempt("change the system's files")
def system_files():
    for path in ("/etc/passwd", "/usr/bin/env", "/usr/lib/planted", "/opt/planted", "/planted"):
        try:
            open(path, "a").close()
        except OSError:
            continue
        return path
    raise Refused("read-only")


@attempt("follow a link out of the writable folder")
def link():
    os.symlink("/etc/shadow", "/tmp/link")
    return open("/tmp/link").read()[:10]


@attempt("change a setting of the kernel")
def kernel_setting():
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper",
        "/proc/sys/vm/panic_on_oom",
    ):
        try:
            open(path, "w").close()
        except OSError:
            continue
        return path
    raise Refused("read-only")


@attempt("make a device")
def device():
    os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(8, 0))
    return open("/tmp/disk", "rb").read(1)


@attempt("open a device of the host")
def devices():
    for path in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse"):
        try:
            open(path, "rb").read(1)
        except OSError:
            continue
        return path
    raise Refused("none")


@attempt("load a program into the kernel (bpf)")
def bpf():
    return call(321, 280, 0, 0, 0)


@attempt("watch the kernel (perf)")
def perf():
    return call(298, 241, 0, 0, -1, -1, 0)


@attempt("use io_uring")
def io_uring():
    return call(425, 425, 1, ctypes.create_string_buffer(256))


@attempt("use the kernel's key rings")
def keys():
    return call(250, 219, 0, -3, 1)


@attempt("read another process's memory")
def memory_of_others():
    return open("/proc/1/mem", "rb").read(1)


@attempt("end other processes")
def kill_others():
    mine = {os.getpid(), os.getppid()}
    for path in glob.glob("/proc/[0-9]*"):
        number = int(path.rsplit("/", 1)[1])
        try:
            if number not in mine and os.stat(path).st_uid != os.getuid():
                os.kill(number, 0)
                return f"may signal {number}"
        except OSError:
            continue
    raise Refused("none of another user")


@attempt("fill the memory")
def memory():
    ran = subprocess.run(
        [sys.executable, "-c", "x = bytearray(6_000_000_000); print('ATE', len(x))"], capture_output=True, text=True
    )
    if "ATE" in ran.stdout:
        return "6 GB"
    raise Refused(f"ended with {ran.returncode}")


@attempt("start processes without end")
def forks():
    children = []
    try:
        for _ in range(2_000):
            child = os.fork()
            if child == 0:
                time.sleep(10)
                os._exit(0)
            children.append(child)
    except OSError as error:
        raise Refused(f"{os.strerror(error.errno)} after {len(children)}") from error
    finally:
        for child in children:
            os.kill(child, 9)
        for child in children:
            os.waitpid(child, 0)
    return len(children)


@attempt("fill the disk")
def disk():
    try:
        with open("/tmp/fill", "wb") as file:
            for written in range(3_000):
                file.write(b"x" * 1_000_000)
        return f"{written} MB"
    except OSError as error:
        raise Refused(os.strerror(error.errno)) from error
    finally:
        if os.path.exists("/tmp/fill"):
            os.unlink("/tmp/fill")


def tried(function):
    try:
        return f"SUCCEEDED: {function()}"
    except Refused as error:
        return f"refused: {error}"
    except Exception as error:
        return f"refused: {getattr(error, 'strerror', None) or type(error).__name__}"


def run(arguments):
    """Try everything and return what came of it."""
    global HOST, NEIGHBOURS, APP
    middle = arguments.index("--")
    pairs = [(host, int(port)) for host, _, port in (one.rpartition(":") for one in arguments if one != "--")]
    HOST, NEIGHBOURS = pairs[:middle], pairs[middle:]
    APP = os.path.dirname(os.path.abspath(__file__))
    return {name: tried(function) for name, function in ATTEMPTS.items()}


if __name__ == "__main__":
    print("REPORT " + json.dumps(run(sys.argv[1:])), flush=True)
