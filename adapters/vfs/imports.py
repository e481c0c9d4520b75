"""
Take in what people bring: a clone with its history, byte for byte, or a plain folder as one commit.

A repository of somebody else's is fetched into a quarantine first, with its own configuration out of charge. Every tree of
every commit is looked at there before any of it comes nearer: what git itself would not check out anywhere is refused.
"""

import shutil
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from adapters.host.folders import walk
from adapters.vfs.program import git
from core.errors import UserError
from core.files import MAX_FILE_BYTES, MAX_FILES, FileTree, is_secret, path_problem
from core.wording import listed

REF = "refs/threadwright/import"
MAX_COMMITS, MAX_NESTING = 20_000, 200
MOST_NAMED = 5
LEFT_FOLDERS = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__"})
LINK, SUBMODULE = FileMode.LINK, FileMode.COMMIT


@dataclass(frozen=True)
class Fetched:
    """The head of another repository in a quarantine; None with the reason why it has no history that can be taken."""

    commit: str | None
    commits: int = 0
    why_none: str = ""


def fetched(quarantine: Path, source: Path) -> Fetched:
    """Fetch the head of another repository, and look at every tree of every commit."""
    git("init", "--quiet", "--bare", str(quarantine))
    upload = "git -c safe.directory=* -c core.hooksPath=/dev/null upload-pack"
    done = git(
        "-C", str(quarantine), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc",
        f"--upload-pack={upload}", str(source.resolve()), f"+HEAD:{REF}", check=False,
    )  # fmt: skip
    repository = pygit2.Repository(str(quarantine))
    if REF not in repository.references:
        return Fetched(None, why_none=_why_none(done.stderr.decode("utf-8", "replace")))
    commit = str(repository.references[REF].peel(pygit2.Commit).id)
    try:
        commits, problem = _looked_at(repository, commit)
    except (pygit2.GitError, KeyError) as error:
        return Fetched(None, why_none=f"a commit of it cannot be read ({str(error)[:120]})")
    return Fetched(None, why_none=problem) if problem else Fetched(commit, commits)


def _why_none(said: str) -> str:
    if "shallow" in said:
        return "it is a shallow clone (run `git fetch --unshallow` in it first)"
    if "mismatched algorithms" in said:
        return "it uses SHA-256 names, which are not supported"
    if "remote ref HEAD" in said:
        return "it has no commit yet"
    return f"git could not read it ({(said.strip().splitlines() or ['no reason given'])[-1][:120]})"


def _looked_at(repository: pygit2.Repository, commit: str) -> tuple[int, str]:
    """Return how many commits there are, and what is dangerous in them, '' for nothing."""
    seen, commits = set[pygit2.Oid](), 0
    for one in repository.walk(commit):
        commits += 1
        if commits > MAX_COMMITS:
            return commits, f"it has more than {MAX_COMMITS:,} commits"
        left = [(one.tree_id, 0)]
        while left:
            name, depth = left.pop()
            if name in seen:
                continue
            seen.add(name)
            if depth > MAX_NESTING:
                return commits, f"a commit has folders nested more than {MAX_NESTING} deep"
            tree = repository[name]
            assert isinstance(tree, pygit2.Tree)
            for entry in tree:
                raw = entry.raw_name or b""
                if _is_dangerous(raw):
                    return commits, f"a commit has an entry named {raw.decode('utf-8', 'backslashreplace')!r}"
                if entry.filemode == FileMode.TREE:
                    left.append((entry.id, depth + 1))
    return commits, ""


def _is_dangerous(raw: bytes) -> bool:
    """Say whether a name leads out of its folder, or into git's own, on some system."""
    name = raw.decode("utf-8", "replace").casefold().rstrip(" .")
    return not name or b"/" in raw or b"\\" in raw or b"\0" in raw or name in (".git", "git~1")


def cleaned(repository: pygit2.Repository, commit: str) -> tuple[pygit2.Oid, list[str]]:
    """
    Return the tree of a commit without what an app cannot have, and a sentence about each such entry.

    Raises:
        UserError: the app would be too large.
    """
    index = pygit2.Index()
    index.read_tree(repository[commit].peel(pygit2.Tree))
    links = links_of(repository, index)
    notes, modules, seen = list[str](), list[str](), dict[str, str]()
    count = 0
    for entry in list(index):
        path = entry.path
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        problem = ""
        if entry.mode == SUBMODULE or path == ".gitmodules":
            modules += [shown] if entry.mode == SUBMODULE else []
            problem = "-"
        elif shown != path:
            problem = "its name is not UTF-8"
        elif said := path_problem(path):
            problem = f"its name {said}"
        elif (other := seen.setdefault(path.casefold(), path)) != path:
            problem = f"its name differs from {other!r} only in upper and lower case"
        elif entry.mode == LINK and leads_out(path, links):
            problem = "it is a link that leads out of the app"
        elif entry.mode != LINK:
            count += 1
            size = _blob(repository, entry).size
            if size > MAX_FILE_BYTES:
                raise UserError(f"{shown} has {size:,} bytes; a file may have {MAX_FILE_BYTES:,}.")
        if problem:
            index.remove(path)
        if problem.strip("-"):
            notes.append(f"{shown!r} is in the history, but not in the app: {problem}.")
    if count > MAX_FILES:
        raise UserError(f"There are {count:,} files; an app may have {MAX_FILES:,}. Import a smaller folder.")
    if modules:
        notes.append(f"It comes without its submodules: {listed(modules, MOST_NAMED)}.")
    return index.write_tree(repository), _few(notes)


def _blob(repository: pygit2.Repository, entry: pygit2.IndexEntry) -> pygit2.Blob:
    found = repository[entry.id]
    assert isinstance(found, pygit2.Blob)
    return found


MOST_LINKS, MAX_PATH_CHARS = 40, 4_096
"""How many links the kernel follows on one way, and how long a path may be."""


def links_of(repository: pygit2.Repository, index: pygit2.Index) -> dict[str, str]:
    """Return where each link of a tree leads."""
    return {
        entry.path: _blob(repository, entry).data[:MAX_PATH_CHARS].decode("utf-8", "replace")
        for entry in index if entry.mode == LINK
    }  # fmt: skip


def leads_out(path: str, links: Mapping[str, str]) -> bool:
    """Say whether a link leads out of the app, followed as the kernel does: step by step, and through the other `links`."""
    place, left, followed = path.split("/")[:-1], deque(links[path].split("/")), 1
    if not _is_inside(links[path]):
        return True
    while left:
        step = left.popleft()
        if step in ("", "."):
            continue
        if step == "..":
            if not place:
                return True
            place.pop()
            continue
        place.append(step)
        if (target := links.get("/".join(place))) is not None:
            followed += 1
            if not _is_inside(target) or followed > MOST_LINKS:
                return True
            place.pop()
            left.extendleft(reversed(target.split("/")))
    return False


def _is_inside(target: str) -> bool:
    return not target.startswith("/") and len(target) < MAX_PATH_CHARS


def notes_on_tree(tree: FileTree) -> list[str]:
    """Return what people should know of files that come in as they are."""
    notes = [
        f"{path} is part of this repository, so it is in the thread's history too. It is never served, and no model sees it; "
        "change its keys if others can read this thread."
        for path in tree
        if is_secret(path)
    ]
    pointers = [path for path, content in tree.items() if content.startswith(b"version https://git-lfs")]
    if pointers:
        notes.append(f"Only pointers of Git LFS, not the files themselves: {listed(pointers, MOST_NAMED)}.")
    return _few(notes)


def uncommitted(quarantine: Path, source: Path) -> list[str]:
    """Return a sentence about what a clone has that is not committed, and so does not come in; the source's settings stay out of it."""
    index = quarantine / "import-index"
    over = _over(quarantine, source)
    git(*over, "read-tree", REF, cwd=source, index=index)
    git(*over, "update-index", "-q", "--refresh", "--ignore-submodules", cwd=source, index=index, check=False)
    changed = git(*over, "diff-files", "--name-only", "-z", "--ignore-submodules=all", cwd=source, index=index).stdout
    fresh = git(*over, "ls-files", "-z", "--others", "--exclude-standard", cwd=source, index=index).stdout
    names = [*_split(changed), *(path for path in _split(fresh) if not _stays_out(path))]
    return (
        [f"Not committed, so not imported: {listed(names, MOST_NAMED)}. Commit them, and import again."]
        if names
        else []
    )


def _over(quarantine: Path, source: Path) -> list[str]:
    """Return what lets git look at the files of a folder with the quarantine's settings, not the folder's own."""
    return [f"--git-dir={quarantine.resolve()}", f"--work-tree={source.resolve()}", "-c", "core.bare=false"]


def _split(raw: bytes) -> list[str]:
    return [one.decode("utf-8", "backslashreplace") for one in raw.split(b"\0") if one]


def _stays_out(path: str) -> bool:
    return is_secret(path) or path.endswith(".log") or not LEFT_FOLDERS.isdisjoint(path.split("/")[:-1])


@dataclass(frozen=True)
class Folder:
    """A plain folder as it comes in: its files, which of them can be run, and what stayed out."""

    files: FileTree
    executable: frozenset[str]
    notes: tuple[str, ...]


def read_folder(source: Path, quarantine: Path) -> Folder:
    """
    Read a plain folder: without links, secrets, logs, what others made, and what its .gitignore files name.

    Raises:
        UserError: it is no folder, too large, or has a path that may not be.
    """
    if not source.is_dir():
        raise UserError(f"{source} is not a folder.")
    ignored = _ignored(source, quarantine)
    files, runs, left = dict[str, bytes](), set[str](), list[str]()
    for path, mode in _paths(source):
        # What is ignored as a whole folder is named with a slash.
        if path in ignored or any(path.startswith(one) for one in ignored if one.endswith("/")) or _stays_out(path):
            left.append(path)
            continue
        if len(files) >= MAX_FILES:
            raise UserError(f"There are more than {MAX_FILES:,} files; import a smaller folder.")
        if (size := (source / path).stat().st_size) > MAX_FILE_BYTES:
            raise UserError(f"{path} has {size:,} bytes; a file may have {MAX_FILE_BYTES:,}.")
        files[path] = (source / path).read_bytes()
        if mode & stat.S_IXUSR:
            runs.add(path)
    if not files:
        raise UserError(f"{source} has no files that could be imported.")
    notes = (f"Left out, as ignored by git, a secret or a log: {listed(sorted(left), MOST_NAMED)}.",) if left else ()
    return Folder(FileTree().changed(files), frozenset(runs), notes)


def _paths(source: Path) -> Iterator[tuple[str, int]]:
    """Yield the path and mode of every plain file, without those of folders that tools fill."""
    for found in walk(source):
        if found.is_file and found.path != ".git" and LEFT_FOLDERS.isdisjoint(found.path.split("/")[:-1]):
            yield found.path, found.stat.st_mode


def _ignored(source: Path, quarantine: Path) -> set[str]:
    """Return what the folder's .gitignore files name; folders end with a slash. Nothing where git is not installed."""
    if shutil.which("git") is None:
        return set()
    if not quarantine.exists():
        git("init", "--quiet", "--bare", str(quarantine))
    done = git(
        *_over(quarantine, source), "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory",
        cwd=source, index=quarantine / "no-index", check=False,
    )  # fmt: skip
    return set(_split(done.stdout))


def _few(notes: list[str]) -> list[str]:
    return (
        notes
        if len(notes) <= 2 * MOST_NAMED
        else [*notes[: 2 * MOST_NAMED], f"… and {len(notes) - 2 * MOST_NAMED} more of the kind."]
    )
