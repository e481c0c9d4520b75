"""
Runs in the sandbox: pip and npm, which unpack packages into /data and run nothing of them.

The only way out is /app/egress.sock, which the bot answers: here it becomes a proxy on a port that both understand.
Standard library only, and any Python from 3.9 on: it is started by the sandbox's own.
"""

import contextlib
import importlib.metadata
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

APP, OUT, TMP = pathlib.Path("/app"), pathlib.Path("/data"), pathlib.Path("/tmp")  # noqa: S108 - of the sandbox
MOST_FILES = 60_000
ON_THE_WAY, AUTHORITY = OUT / "on-the-way", APP / "authority.crt"
PROXY = "http://127.0.0.1:{}"


def copied(source: socket.socket, target: socket.socket) -> None:
    """Pass on what one end says until it has said all."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def listen() -> int:
    """Lead a port of this machine to the bot's socket, and return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            near, _ = server.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(APP / "egress.sock"))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=copied, args=pair, daemon=True).start()
            except (OSError, RuntimeError):
                # Too much at once; the installer tries again.
                near.close()
                far.close()

    threading.Thread(target=accept, daemon=True).start()
    return int(server.getsockname()[1])


def watch(most: int) -> None:
    """End everything once more than `most` bytes or a file too many were unpacked: a small archive can hold a huge one."""
    while True:
        size = count = 0
        for place, _, names in os.walk(OUT):
            for name in names:
                with contextlib.suppress(OSError):
                    size += os.lstat(os.path.join(place, name)).st_size
                    count += 1
        if size > most or count > MOST_FILES:
            print(f"More than {most // 1_000_000:,} MB, or {MOST_FILES:,} files, were unpacked.", flush=True)
            os.killpg(0, signal.SIGKILL)
        time.sleep(0.5)


def main() -> int:
    """Install what the order says; 0 when all of it could be."""
    order = json.loads((APP / "order.json").read_text())
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)
    threading.Thread(target=watch, args=(order["most_bytes"],), daemon=True).start()
    # What is unpacked on the way has more room there than in memory.
    ON_THE_WAY.mkdir()
    proxy = PROXY.format(listen())
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    env = {**os.environ, **dict.fromkeys(names, proxy), "NO_PROXY": "", "TMPDIR": str(ON_THE_WAY)}
    done = (not order["python"] or python(order, env, proxy)) and (not order["node"] or node(order, env))
    shutil.rmtree(ON_THE_WAY, ignore_errors=True)
    return 0 if done else 1


def python(order: dict[str, Any], env: dict[str, str], proxy: str) -> bool:
    """Let pip unpack wheels that go with what is there, and say whether it could."""
    there = sorted({f"{one.metadata['Name']}=={one.version}" for one in importlib.metadata.distributions()})
    constraints = TMP / "there.txt"
    constraints.write_text("\n".join([*there, *order["not"]]))
    command = [
        sys.executable, "-m", "pip", "install", "--isolated", "--no-input", "--disable-pip-version-check", "--no-cache-dir",
        "--no-compile", "--only-binary=:all:", "--progress-bar=off", "--quiet", "--target", str(OUT / "python"),
        "--index-url", order["pypi"], "--proxy", proxy, "--constraint", str(constraints),
        *(["--cert", str(AUTHORITY)] if AUTHORITY.exists() else []), *order["python"],
    ]  # fmt: skip
    if subprocess.run(command, env=env, cwd=TMP).returncode:
        return False
    shutil.rmtree(OUT / "python" / "bin", ignore_errors=True)
    return True


def node(order: dict[str, Any], env: dict[str, str]) -> bool:
    """Let npm unpack packages beside those that are there, and say whether it could."""
    place = OUT / "node"
    place.mkdir()
    (place / "package.json").write_text(json.dumps({"private": True, "dependencies": order["node"]}))
    command = [
        "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-bin-links", "--no-update-notifier",
        "--loglevel=error", f"--cache={ON_THE_WAY}/npm", "--registry", order["npm"],
        *(["--before", order["before"]] if order["before"] else []),
    ]  # fmt: skip
    trusted = {"NODE_EXTRA_CA_CERTS": str(AUTHORITY)} if AUTHORITY.exists() else {}
    if subprocess.run(command, env={**env, **trusted}, cwd=place).returncode:
        return False
    modules = place / "node_modules"
    # One copy of each: two Reacts in one page do not know each other's hooks.
    for name in order["there"]:
        shutil.rmtree(modules / name, ignore_errors=True)
    modules.rename(OUT / "node_modules")
    shutil.rmtree(place)
    return True


if __name__ == "__main__":
    sys.exit(main())
