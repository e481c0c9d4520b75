"""The immutable snapshot of an app's files, and the rules for a path."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.errors import UserError

MAX_PATH_CHARS = 200
MAX_DEPTH = 12
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_FILES = 2_000

# Names that git, NTFS or HFS+ read as ".git"; writing one would plant hooks or configuration.
_GIT_NAMES = {".git", "git~1", ".gitmodules"}


def path_problem(path: str) -> str | None:
    """Return why `path` may not be in a tree, as a clause that follows the path; None when it may."""
    if not path or len(path) > MAX_PATH_CHARS:
        return f"must have 1 to {MAX_PATH_CHARS} characters"
    if path.startswith("/") or "\\" in path or ":" in path:
        return "must be relative, with forward slashes and no drive"
    if any(unicodedata.category(char).startswith("C") for char in path):
        return "has control or invisible characters"
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        return f"is deeper than {MAX_DEPTH} folders"
    for part in parts:
        if part in ("", ".", ".."):
            return "has an empty, '.' or '..' part"
        if part.casefold().rstrip(" .") in _GIT_NAMES:
            return "would reach into git's own files"
        if part != part.strip() or part.endswith("."):
            return "has a part that begins or ends with a space, or ends with a dot"
    return None


LOCKS = {
    "package-lock.json": "package.json", "npm-shrinkwrap.json": "package.json", "yarn.lock": "package.json",
    "pnpm-lock.yaml": "package.json", "bun.lock": "package.json", "uv.lock": "pyproject.toml", "poetry.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml", "Pipfile.lock": "Pipfile", "Cargo.lock": "Cargo.toml", "composer.lock": "composer.json",
    "Gemfile.lock": "Gemfile", "go.sum": "go.mod",
}  # fmt: skip
"""Files with the exact versions of packages, and what a tool writes them from."""


def is_secret(path: str) -> bool:
    """Say whether a file by its name holds what nobody else should read: `.env` and its like, without the examples."""
    name = path.rpartition("/")[2]
    return name.startswith(".env") and not name.endswith((".example", ".sample", ".template"))


def is_lock(path: str) -> bool:
    """Say whether a file by its name holds the exact versions of packages: long, and read by nobody."""
    return path.rpartition("/")[2] in {*LOCKS, "requirements.lock"}


def check_paths(paths: Iterable[str]) -> None:
    """
    Check a whole tree's paths, also against each other.

    Raises:
        UserError: names the first path that cannot be there, and why.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in sorted(paths):
        if problem := path_problem(path):
            raise UserError(f"The path {path[:80]!r} {problem}.")
        key = path.casefold()
        if key in seen:
            raise UserError(f"The paths {seen[key]!r} and {path!r} differ only in upper and lower case.")
        seen[key] = path
        parts = key.split("/")
        for depth in range(1, len(parts)):
            folders.setdefault("/".join(parts[:depth]), path)
    for key, path in seen.items():
        if key in folders:
            raise UserError(f"{path!r} cannot be a file and the folder of {folders[key]!r} at once.")
    if len(seen) > MAX_FILES:
        raise UserError(f"The app would have {len(seen)} files; the limit is {MAX_FILES}.")


@dataclass(frozen=True, eq=False)
class FileTree(Mapping[str, bytes]):
    """An immutable snapshot: path -> content. Equal to any mapping of the same paths to the same bytes."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    def __getitem__(self, path: str) -> bytes:
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def text(self, path: str) -> str | None:
        """Return a file's text, or None when it is absent or not UTF-8."""
        try:
            return self.files[path].decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            return None

    def changed(self, changes: Mapping[str, bytes | None]) -> "FileTree":
        """
        Return a new tree with `changes` applied; None deletes.

        Raises:
            UserError: a path is not allowed, or a file is too big.
        """
        files = dict(self.files)
        for path, content in changes.items():
            if content is None:
                files.pop(path, None)
                continue
            if len(content) > MAX_FILE_BYTES:
                raise UserError(f"{path} would have {len(content):,} bytes; the limit is {MAX_FILE_BYTES:,}.")
            files[path] = content
        check_paths(files)
        return FileTree(files)

    def changes_to(self, other: "FileTree") -> dict[str, bytes | None]:
        """Return what turns this tree into `other`: new content by path, None for what goes."""
        changes: dict[str, bytes | None] = {path: None for path in self.files if path not in other.files}
        return changes | {path: body for path, body in other.files.items() if self.files.get(path) != body}
