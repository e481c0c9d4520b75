"""Trees, diffs, merges and commit messages in pygit2's terms. No database here."""

import difflib
import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

import pygit2
from pygit2.enums import DiffFind, FileMode, MergeFavor, ObjectType

from core.errors import UserError
from core.files import MAX_FILES, FileTree, check_paths, path_problem
from core.history import Clash, Commit, Diff, Draft
from core.manifests import BESIDE_PATH, MANIFEST_PATH, AppManifest, read_manifest
from core.merging import merged_manifest
from core.messages import FileChange
from core.sessions import Author

log = logging.getLogger(__name__)
MAX_DIFF_CHARS = 400_000
MAX_CLASH_LINES = 3_000
BOT = pygit2.Signature("Threadwright", "bot@threadwright.invalid")
_STATUS: dict[str, Literal["added", "changed", "removed", "renamed"]] = {"A": "added", "D": "removed", "R": "renamed"}


def read_tree(tree: pygit2.Tree) -> FileTree:
    """
    Return the files of a git tree; symbolic links and submodules are left out, they are never followed.

    Every tree that is read comes through here, of whatever commit, so this is where paths are checked.

    Raises:
        UserError: the tree has a path that may not be in an app, or more files than one may have.
    """
    files = dict(_files(tree))
    check_paths(files)
    return FileTree(files)


def _files(tree: pygit2.Tree) -> Iterator[tuple[str, bytes]]:
    """Walk step by step: people's repositories may be nested deeper than Python calls."""
    left, count = [("", tree)], 0
    while left:
        prefix, folder = left.pop()
        for entry in folder:
            path = prefix + _name_of(entry, prefix)
            if isinstance(entry, pygit2.Tree):
                if problem := path_problem(path):
                    raise UserError(f"The path {path[:80]!r} {problem}.")
                left.append((f"{path}/", entry))
            elif isinstance(entry, pygit2.Blob) and entry.filemode != FileMode.LINK:
                count += 1
                if count > MAX_FILES:
                    raise UserError(f"The commit has more than {MAX_FILES} files.")
                yield path, entry.data


def _name_of(entry: pygit2.Object, prefix: str) -> str:
    try:
        return entry.raw_name.decode() if entry.raw_name is not None else ""
    except UnicodeDecodeError as error:
        raise UserError(f"A name in {prefix or 'the app'} is not UTF-8: {entry.raw_name!r}.") from error


def write_tree(
    repository: pygit2.Repository,
    base: pygit2.Tree | None,
    changes: Mapping[str, bytes | None],
    executable: Collection[str] = (),
) -> pygit2.Oid:
    """Return the tree that `changes` make of `base`; the modes of existing files are kept."""
    index = pygit2.Index()
    if base is not None:
        index.read_tree(base)
    for path, content in changes.items():
        if content is None:
            if path in index:
                index.remove(path)
            continue
        # A file in the place of a link is a file: its text would become where the link leads.
        mode = index[path].mode if path in index else FileMode.BLOB
        mode = mode if mode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE) else FileMode.BLOB
        mode = FileMode.BLOB_EXECUTABLE if path in executable else mode
        index.add(pygit2.IndexEntry(path, repository.create_blob(content), mode))
    check_paths(path for path, content in changes.items() if content is not None)
    return index.write_tree(repository)


def write_commit(
    repository: pygit2.Repository, draft: Draft, tree: pygit2.Oid, parents: list[str | pygit2.Oid]
) -> pygit2.Oid:
    """Write the commit of a draft; the person is its author, the bot its committer."""
    now = int(time.time())
    name = _one_line(draft.author.name).translate({ord("<"): None, ord(">"): None})
    author = pygit2.Signature(name or "someone", _address(draft.author), now)
    committer = pygit2.Signature(BOT.name, BOT.email, now)
    return repository.create_commit(None, author, committer, commit_message(draft), tree, [str(one) for one in parents])


def commit_message(draft: Draft) -> str:
    """Return title, body and trailers."""
    trailers = [
        ("Turn-Id", draft.turn_id),
        ("Author-User", f"{draft.author.name} <{draft.author.id}>"),
        *(("Co-authored-by", f"{one.name} <{_address(one)}>") for one in draft.helpers),
        ("Message-Link", draft.link),
        ("Model", draft.model),
        ("Prompt-Variant", draft.variant),
        ("Undoes", draft.undoes),
        ("Redoes", draft.redoes),
    ]
    lines = [f"{name}: {_one_line(value)}" for name, value in trailers if value]
    parts = [_one_line(draft.title), _prose(draft.body), "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _prose(text: str) -> str:
    """
    Return text that git cannot take for anything else.

    A line of dashes would end the message for git's trailer parser; a line like `Name: value` would be one.
    """
    clean = "".join(char for char in text if char.isprintable() or char == "\n")
    return "\n".join(
        f" {line}" if line.startswith("---") or re.match(r"[A-Za-z-]+:", line) else line
        for line in clean.strip().split("\n")
    )


def _one_line(text: str) -> str:
    """Keep a value inside its line: a line break in a name would forge a trailer."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split()).lstrip("-")


def _address(author: Author) -> str:
    local = "".join(char for char in author.id if char.isalnum() or char in "-_.") or "someone"
    return f"{local}@users.threadwright.invalid"


def read_commit(commit: pygit2.Commit) -> Commit:
    """Return a git commit in the product's terms."""
    # Trailers of people's own commits mean nothing to us.
    trailers = commit.message_trailers if _words(commit.committer.raw_email) == BOT.email else {}
    who = trailers.get("Author-User", "")
    name, _, user = who.rpartition(" <")
    by = commit.author
    author = Author(user.rstrip(">"), name) if name else Author(_words(by.raw_email), _words(by.raw_name))
    return Commit(
        id=str(commit.id),
        parents=tuple(str(one) for one in commit.parent_ids),
        title=_message(commit).split("\n", 1)[0],
        author=author,
        when=commit.commit_time,
        turn_id=trailers.get("Turn-Id", ""),
        undoes=trailers.get("Undoes", ""),
        redoes=trailers.get("Redoes", ""),
        link=trailers.get("Message-Link", ""),
        model=trailers.get("Model", ""),
    )


def _message(commit: pygit2.Commit) -> str:
    """Return the message of a commit, whatever it says of its encoding: other people's history has all kinds."""
    return _words(commit.raw_message)


def _words(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def diff_trees(repository: pygit2.Repository, old: pygit2.Tree, new: pygit2.Tree) -> Diff:
    """Return the diff with renames; patches are taken one by one, the whole text at once would hold the GIL."""
    diff = old.diff_to_tree(new)
    diff.find_similar(flags=DiffFind.FIND_RENAMES)
    files, texts, left = [], list[str](), MAX_DIFF_CHARS
    for patch in filter(None, diff):
        delta = patch.delta
        _, added, removed = patch.line_stats
        status = _STATUS.get(delta.status_char(), "changed")
        before, after = _printable(delta.old_file.path), _printable(delta.new_file.path)
        path = before if status == "removed" else after
        files.append(FileChange(path, status, added, removed, before if status == "renamed" else ""))
        text = patch.text or ""
        if left > 0:
            texts.append(text[:left])
        left -= len(text)
    if left < 0:
        texts.append(f"\n... {-left:,} more characters are not shown here; clone or export the app to see all.\n")
    return Diff(tuple(files), "".join(texts))


def _printable(path: str) -> str:
    """Return a path of any commit without characters that would steer a terminal or cannot be stored."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


Written = Callable[[AppManifest, str], str | None]
"""Returns what a file of an app is, by its manifest and path, where that follows from the manifest; None elsewhere."""


def merge(
    repository: pygit2.Repository,
    base: pygit2.Tree,
    ours: pygit2.Tree,
    theirs: pygit2.Tree,
    *,
    prevails: bool = False,
    written: Written | None = None,
) -> pygit2.Oid | tuple[Clash, ...]:
    """
    Merge three trees; where both sides changed the same lines nothing is merged and the clashes return.

    If `theirs` prevails its lines are taken there instead. An app's manifest is merged by its fields, and files that are on both
    sides as they are `written` from it are written anew.
    """
    index = repository.merge_trees(base, ours, theirs, favor=MergeFavor.THEIRS if prevails else MergeFavor.NORMAL)
    for sides in list(index.conflicts or ()):
        path = next(side.path for side in sides if side is not None)
        texts = [_content(repository, side) for side in sides]
        if path in (MANIFEST_PATH, BESIDE_PATH) and (merged := merged_manifest(*texts, prevails=prevails)):
            del index.conflicts[path]
            index.add(pygit2.IndexEntry(path, repository.create_blob(merged), FileMode.BLOB))
    if written is not None:
        _write_anew(repository, index, (base, ours, theirs), written)
    if prevails and index.conflicts:
        # What one side removed and the other changed is not settled by lines.
        for sides in list(index.conflicts):
            _, _, wanted = sides
            del index.conflicts[next(side.path for side in sides if side is not None)]
            if wanted is not None:
                index.add(pygit2.IndexEntry(wanted.path, wanted.id, wanted.mode))
    if not index.conflicts:
        return index.write_tree(repository)
    return tuple(_clash(repository, *sides) for sides in index.conflicts)


def _write_anew(
    repository: pygit2.Repository, index: pygit2.Index, sides: tuple[pygit2.Tree, ...], written: Written
) -> None:
    """Write what both sides changed anew from the merged manifest, if each side's is just what its manifest says: no hand was at it."""
    clashing = {next(side.path for side in three if side is not None) for three in index.conflicts or ()}
    if MANIFEST_PATH in clashing or MANIFEST_PATH not in index:
        return
    blob = repository[index[MANIFEST_PATH].id]
    assert isinstance(blob, pygit2.Blob)
    after, *both = [read_manifest(one) for one in (blob.data, *(_file(side, MANIFEST_PATH) for side in sides[1:]))]
    if after is None or None in both:
        return
    base, *changed = sides
    touched = [{delta.new_file.path for delta in base.diff_to_tree(side).deltas} for side in changed]
    for path in (touched[0] & touched[1]) - {MANIFEST_PATH, BESIDE_PATH}:
        if any(
            _said(written, one, path) != _file(side, path)
            for one, side in zip(both, changed, strict=True)
            if one is not None
        ):
            continue
        content = _said(written, after, path)
        if path in clashing:
            del index.conflicts[path]
        if content is not None:
            index.add(pygit2.IndexEntry(path, repository.create_blob(content), FileMode.BLOB))
        elif path in index:
            index.remove(path)


def _said(written: Written, manifest: AppManifest, path: str) -> bytes | None:
    try:
        text = written(manifest, path)
    except Exception:
        # Whatever is wrong with a manifest, by lines it can be merged.
        log.exception("not_written_anew", extra={"path": path})
        return b""
    return None if text is None else text.encode()


def _file(tree: pygit2.Tree, path: str) -> bytes | None:
    """Return a file of a tree, None where there is none."""
    found = tree[path] if path in tree else None  # noqa: SIM401 - a tree has no get
    return found.data if isinstance(found, pygit2.Blob) else None


def _clash(
    repository: pygit2.Repository,
    base: pygit2.IndexEntry | None,
    ours: pygit2.IndexEntry | None,
    theirs: pygit2.IndexEntry | None,
) -> Clash:
    path = next(str(side.path) for side in (ours, theirs, base) if side is not None)
    texts = [_lines(repository, side) for side in (base, ours, theirs)]
    return Clash(path, _side(texts[0], texts[1]), _side(texts[0], texts[2]))


def _lines(repository: pygit2.Repository, side: pygit2.IndexEntry | None) -> list[str]:
    return _content(repository, side).decode("utf-8", "replace").splitlines()


def _content(repository: pygit2.Repository, side: pygit2.IndexEntry | None) -> bytes:
    if side is None:
        return b""
    blob = repository[side.id]
    assert isinstance(blob, pygit2.Blob)
    return blob.data


def _side(base: list[str], side: list[str]) -> str:
    """Return the lines in which a side differs from the common base, at most twelve; '(removed)' when it has none."""
    opcodes = difflib.SequenceMatcher(None, base[:MAX_CLASH_LINES], side[:MAX_CLASH_LINES], autojunk=True).get_opcodes()
    changed = [line for kind, _, _, start, end in opcodes if kind != "equal" for line in side[start:end]]
    if not changed:
        return "(removed)"
    return "\n".join(changed[:12] + (["..."] if len(changed) > 12 else []))


def tree_of(repository: pygit2.Repository, commit: str | None) -> pygit2.Tree:
    """Return a commit's tree; the empty tree for None."""
    found = repository[commit] if commit else repository[repository.TreeBuilder().write()]
    tree = found.peel(ObjectType.TREE)
    assert isinstance(tree, pygit2.Tree)
    return tree
