"""
Folders that code of others may write, or that its trees are written to.

Everything here goes from folder to folder by descriptors and follows no link, so nothing leads out of the folder that was
named; and it goes step by step, so that no depth of folders is too much for it.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import OutsideError
from core.files import FileTree

MOST_FILES = 100_000
MOST_DEPTH = 100
MOST_SOCKET_FOLDER_BYTES = 60
_MADE = "run-folders"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class TooDeep(OutsideError):
    """Folders are nested deeper than anything that is meant."""


@dataclass(frozen=True)
class Found:
    """One entry of a folder: the open folder that it is in, its name there, its path below the top, and what it is."""

    within: int
    name: str
    path: str
    stat: os.stat_result
    is_folder: bool
    is_file: bool


def write_files(tree: FileTree, folder: Path) -> None:
    """Write a tree into an empty folder, readable for everybody, links and modes of git left out."""
    chain: list[tuple[str, int]] = []
    try:
        chain.append(("", os.open(folder, _FOLDER)))
        os.fchmod(chain[0][1], 0o755)
        for path, content in tree.items():
            *folders, name = _parts(path)
            same = 0
            while same < min(len(folders), len(chain) - 1) and chain[same + 1][0] == folders[same]:
                same += 1
            while len(chain) - 1 > same:
                os.close(chain.pop()[1])
            for part in folders[same:]:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=chain[-1][1])
                chain.append((part, os.open(part, _FOLDER, dir_fd=chain[-1][1])))
                os.fchmod(chain[-1][1], 0o755)
            with open(os.open(name, _NEW, 0o644, dir_fd=chain[-1][1]), "wb") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(content)
    except OSError as error:
        raise OutsideError(f"The app's files could not be written: {error.strerror}.") from error
    finally:
        for _, descriptor in chain:
            os.close(descriptor)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise OSError(0, f"the path {path[:80]!r} leads out of the app")
    return parts


def walk(folder: Path) -> Iterator[Found]:
    """
    Yield everything below a folder, each folder before what is in it.

    Raises:
        TooDeep: folders are nested deeper than `MOST_DEPTH`.
        OSError: the folder itself cannot be opened.
    """
    chain = [os.open(folder, _FOLDER)]
    left = [_entries(chain[0], "")]
    try:
        while chain:
            entry = next(left[-1], None)
            if entry is None:
                left.pop()
                os.close(chain.pop())
                continue
            yield entry
            if entry.is_folder and (inner := _opened(entry.name, chain[-1])) is not None:
                chain.append(inner)
                left.append(_entries(inner, f"{entry.path}/"))
                if len(chain) > MOST_DEPTH:
                    raise TooDeep(f"Folders are nested deeper than {MOST_DEPTH}.")
    finally:
        for descriptor in chain:
            os.close(descriptor)


def _entries(descriptor: int, prefix: str = "") -> Iterator[Found]:
    with os.scandir(descriptor) as entries:
        names = list(entries)
    for entry in names:
        with contextlib.suppress(OSError):
            stat = entry.stat(follow_symlinks=False)
            yield Found(
                descriptor, entry.name, prefix + entry.name, stat,
                entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False),
            )  # fmt: skip


def _opened(name: str, within: int) -> int | None:
    """Open a folder in an open folder, also one whose mode forbids it to its owner; None for what cannot be opened."""
    with contextlib.suppress(PermissionError):
        try:
            return os.open(name, _FOLDER, dir_fd=within)
        except PermissionError:
            handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
            try:
                Path(f"/proc/self/fd/{handle}").chmod(0o755)
            finally:
                os.close(handle)
            return os.open(name, _FOLDER, dir_fd=within)
        except OSError:
            # Gone or replaced meanwhile.
            return None
    return None


def plain_files(folder: Path) -> None:
    """
    Remove whatever is no plain file, and let everybody read the rest: what code of others wrote may be links.

    Raises:
        TooDeep: folders are nested deeper than anything that is meant.
    """
    with contextlib.suppress(PermissionError):
        folder.chmod(0o755)
    for found in walk(folder):
        # What belongs to the container's user is readable already, and not ours to change without root.
        with contextlib.suppress(PermissionError):
            if found.is_folder:
                if (inner := _opened(found.name, found.within)) is not None:
                    os.fchmod(inner, 0o755)
                    os.close(inner)
            elif found.is_file:
                file = os.open(
                    found.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=found.within
                )
                os.fchmod(file, 0o644)
                os.close(file)
            else:
                os.unlink(found.name, dir_fd=found.within)


def too_much(folder: Path, most_bytes: int, most_files: int = MOST_FILES) -> bool:
    """Say whether a folder takes more room than `most_bytes`, or has so much in it that it cannot be looked through."""
    stored = files = 0
    try:
        for found in walk(folder):
            stored += found.stat.st_blocks * 512
            files += 1
            if stored > most_bytes or files > most_files:
                return True
    except TooDeep:
        return True
    except OSError:
        return False
    return False


def remove(folder: Path) -> None:
    """
    Remove a folder with whatever is in it, at any depth; what may not be removed stays, as does what a link leads to.

    Each folder that is found is moved to the top before it is looked into: no path gets long, and nothing recurses.
    """
    try:
        top = os.open(folder, _FOLDER)
    except OSError:
        with contextlib.suppress(OSError):
            folder.unlink()
        return
    mark, count = f".gone-{secrets.token_hex(4)}-", 0
    try:
        waiting = _emptied(top, top, mark, count)
        count += len(waiting)
        while waiting:
            name = waiting.pop()
            if (inner := _opened(name, top)) is not None:
                try:
                    more = _emptied(inner, top, mark, count)
                finally:
                    os.close(inner)
                count += len(more)
                waiting += more
                with contextlib.suppress(OSError):
                    os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _emptied(folder: int, top: int, mark: str, count: int) -> list[str]:
    """Remove the files of a folder and move its folders to the top; return what those are called there."""
    moved = list[str]()
    for found in _entries(folder):
        with contextlib.suppress(OSError):
            if not found.is_folder:
                os.unlink(found.name, dir_fd=folder)
            elif folder == top:
                moved.append(found.name)
            else:
                name = f"{mark}{count + len(moved)}"
                os.rename(found.name, name, src_dir_fd=folder, dst_dir_fd=top)
                moved.append(name)
    return moved


def short_folder(prefix: str) -> Path:
    """
    Make a temporary folder with a name so short that sockets fit below it: their paths have room for 107 bytes.

    Raises:
        OutsideError: there is none, with what to do.
    """
    for place in (tempfile.gettempdir(), f"/run/user/{os.getuid()}", "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes it ours
        if len(os.fsencode(place)) <= MOST_SOCKET_FOLDER_BYTES:
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    raise OutsideError("No folder for sockets has a name that is short enough; set TMPDIR to a short one.")


def run_folder(prefix: str, data: Path) -> Path:
    """Make a short folder that is written down in the data directory, so that the next start removes it if this process is killed."""
    made = short_folder(prefix)
    with (data / _MADE).open("a", encoding="utf-8") as file:
        file.write(f"{made}\n")
    return made


def sweep(data: Path) -> None:
    """Remove the short folders of a process of this data directory that was killed."""
    listed = data / _MADE
    with contextlib.suppress(OSError):
        for line in listed.read_text(encoding="utf-8").splitlines():
            if Path(line).name.startswith("tw-"):
                remove(Path(line))
        listed.unlink()


@contextlib.contextmanager
def temporary_folder(scratch: Path, tree: FileTree) -> Iterator[Path]:
    """Hold a tree in a folder of its own."""
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=scratch))
    except OSError as error:
        raise OutsideError(f"There is no place to run the app: {error.strerror}.") from error
    try:
        write_files(tree, folder)
        yield folder
    finally:
        remove(folder)
