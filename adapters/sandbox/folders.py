"""Write a tree to a folder that a sandbox may read."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.errors import OutsideError
from core.files import FileTree

MOST_FILES = 100_000


def write_files(tree: FileTree, folder: Path) -> None:
    """Write a tree into an empty folder, readable for everybody, links and modes of git left out."""
    try:
        for path, content in tree.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for place, folders, names in os.walk(folder):
            Path(place).chmod(0o755)
            for name in names:
                (Path(place) / name).chmod(0o644)
            del folders
    except OSError as error:
        raise OutsideError(f"The app's files could not be written: {error.strerror}.") from error


def plain_files(folder: Path) -> None:
    """Remove whatever is no plain file, and let everybody read the rest: what code of others wrote may be links."""
    for place, folders, files in os.walk(folder):
        # What belongs to the container's user is readable already, and not ours to change without root.
        with contextlib.suppress(PermissionError):
            Path(place).chmod(0o755)
        for name in [*folders, *files]:
            path = Path(place, name)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                path.unlink()
            elif path.is_file():
                with contextlib.suppress(PermissionError):
                    path.chmod(0o644)


def too_much(folder: Path, most_bytes: int) -> bool:
    """Say whether a folder takes more room than `most_bytes`, or has so many files that it cannot be looked through."""
    stored = files = 0
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with contextlib.suppress(OSError):
                stored += Path(place, name).lstat().st_blocks * 512
            files += 1
            if stored > most_bytes or files > MOST_FILES:
                return True
    return False


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
        shutil.rmtree(folder, ignore_errors=True)
