"""
A disk of its own for what an app stores: a file system in a file, so that the kernel itself holds the limit.

Needs root, mkfs.ext4 and loop devices. Where those are missing, the bot counts what an app has stored instead.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from adapters.host.folders import remove
from core.errors import OutsideError

OPTIONS = "loop,nosuid,nodev,noatime,discard"
OVERHEAD, LEAST_BYTES = 1.1, 4 * 1024 * 1024
"""What the file system needs for itself."""
NEARLY_FULL = 0.02
PAUSES = (0.05, 0.1, 0.2, 0.4)
PROBE_BYTES = 8 * 1024 * 1024
DATA_BYTES = 512 * 1024 * 1024
"""What an app may store."""


def why_no_disks(folder: Path) -> str:
    """Try a disk below `folder`; return why there are none here, '' if there are."""
    if os.geteuid() != 0:
        return "the bot is not root"
    try:
        probe = Path(tempfile.mkdtemp(prefix=".disk-", dir=folder))
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"
    try:
        attach(probe / "data", probe / "data.img", PROBE_BYTES)
        detach(probe / "data")
    except OutsideError as error:
        return str(error)
    finally:
        remove(probe)
    return ""


def attach(data: Path, image: Path, most_bytes: int) -> None:
    """
    Mount the disk of an app at its data folder; a new one takes over what lies in the folder. Does nothing if it is there.

    Raises:
        OutsideError: it cannot be made or mounted; says why, and the folder is as it was.
    """
    if os.path.ismount(data):
        return
    data.mkdir(parents=True, exist_ok=True)
    if not image.exists():
        fresh = image.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        try:
            with fresh.open("wb") as file:
                file.truncate(int(most_bytes * OVERHEAD) + LEAST_BYTES)
            _done(
                "mkfs.ext4", "-q", "-F", "-m", "0", "-i", "4096", "-E", "lazy_itable_init=1,lazy_journal_init=1",
                *(("-d", str(data)) if any(data.iterdir()) else ()), str(fresh),
            )  # fmt: skip
            fresh.rename(image)
        except OSError as error:
            raise OutsideError(f"a disk could not be made: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)
        # It is in the image now; under the disk it would take room twice.
        for left in data.iterdir():
            remove(left)
    for pause in PAUSES:
        # Two at once may reach for the same loop device.
        with contextlib.suppress(OutsideError):
            _done("mount", "-o", OPTIONS, str(image), str(data))
            break
        time.sleep(pause)
    else:
        _done("mount", "-o", OPTIONS, str(image), str(data))
    # A place for repairs, which an app would take for a folder of its own.
    with contextlib.suppress(OSError):
        (data / "lost+found").rmdir()


def detach(data: Path) -> None:
    """
    Unmount the disk of an app that has ended, if it has one.

    Raises:
        OutsideError: something still uses it.
    """
    if os.path.ismount(data):
        _done("umount", str(data))


def is_full(data: Path) -> bool:
    """Say whether a disk takes next to nothing more."""
    room = os.statvfs(data)
    return room.f_bavail < room.f_blocks * NEARLY_FULL or room.f_favail == 0


def _done(program: str, *arguments: str) -> None:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise OutsideError(f"{program} is not installed")
    try:
        done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutsideError(f"{program} did not end") from error
    if done.returncode:
        raise OutsideError(f"{program} failed: {done.stderr.strip()[-200:] or done.returncode}")
