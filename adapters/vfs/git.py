"""The Repository port: truth is one pack per commit and the head in the database, moved by compare-and-swap."""

import asyncio
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pygit2
import sqlalchemy as sa
from pygit2.enums import SortMode
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from adapters.store.database import Database
from adapters.store.tables import git_pack, git_ref
from adapters.vfs import imports
from adapters.vfs.packs import Pack, cached_seq, locked, make_pack, refresh
from adapters.vfs.program import git as run_git
from adapters.vfs.trees import (
    BOT,
    Written,
    diff_trees,
    merge,
    read_commit,
    read_tree,
    tree_of,
    write_commit,
    write_tree,
)  # fmt: skip
from core.errors import HeadMoved, OutsideError, UserError
from core.files import FileTree, path_problem
from core.history import Clash, Commit, Committed, Diff, Draft

Value = TypeVar("Value")
Connection = AsyncConnection | AsyncSession
MAIN = "refs/heads/main"
MOST_LOOKED_AT = 200
"""How many commits are looked at for who changed a file since."""
NOTES = "refs/notes/threadwright"
KEPT = "refs/threadwright/kept/"
"""Before the id of a turn: what that turn wrote and the app did not take."""


@contextmanager
def git_errors() -> Any:
    """Translate what git and the file system raise."""
    try:
        yield
    except OSError as error:
        raise OutsideError(f"The disk of the repositories failed: {error.strerror or error}.") from error
    except (pygit2.GitError, KeyError, RecursionError) as error:
        raise OutsideError(f"git failed: {str(error)[:200]}.") from error


class GitRepository:
    """
    Every session's history. `folder` holds the caches; it may be deleted at any time.

    `written` says what generated files are, which are then written anew instead of merged by lines.
    """

    def __init__(self, database: Database, folder: Path, written: Written | None = None) -> None:
        self._database, self._folder, self._written = database, folder, written

    async def head(self, session_id: str) -> str | None:
        """Return the head commit, None before the first."""
        async with self._database.read() as connection:
            return (await self._refs(connection, session_id)).get(MAIN)

    async def tree(self, session_id: str, commit: str | None) -> FileTree:
        """Return a commit's files; the empty tree for None."""
        if commit is None:
            return FileTree()
        return await self._with(session_id, lambda git, _: read_tree(tree_of(git, _known(git, commit))))

    async def log(self, session_id: str, most: int = 1_000) -> list[Commit]:
        """Return the history of the head, newest first."""

        def walk(git: pygit2.Repository, refs: dict[str, str]) -> list[Commit]:
            if MAIN not in refs:
                return []
            found = git.walk(refs[MAIN], SortMode.TOPOLOGICAL | SortMode.TIME)
            return [read_commit(commit) for commit, _ in zip(found, range(most), strict=False)]

        return await self._with(session_id, walk)

    async def show(self, session_id: str, commit: str) -> tuple[Commit, Diff]:
        """Return a commit and its diff against its first parent; `commit` may be shortened."""

        def look(git: pygit2.Repository, _: dict[str, str]) -> tuple[Commit, Diff]:
            found = read_commit(_commit(git, _known(git, commit)))
            parent = found.parents[0] if found.parents else None
            return found, diff_trees(git, tree_of(git, parent), tree_of(git, found.id))

        return await self._with(session_id, look)

    async def diff(self, session_id: str, old: str, new: str) -> Diff:
        """Return the diff of two commits."""
        return await self._with(
            session_id, lambda git, _: diff_trees(git, tree_of(git, _known(git, old)), tree_of(git, _known(git, new)))
        )

    async def branch(self, tx: Connection, session_id: str, name: str, commit: str) -> None:
        """
        Create the branch `name` at `commit`.

        Raises:
            UserError: the name is taken or no valid branch name.
        """
        ref = f"refs/heads/{name}"
        if not pygit2.reference_is_valid_name(ref):
            raise UserError(f"{name!r} is no valid branch name.")
        await self._move(tx, session_id, ref, None, commit)

    async def branches(self, session_id: str) -> dict[str, str]:
        """Return branch name -> commit."""
        async with self._database.read() as connection:
            refs = await self._refs(connection, session_id)
        heads = "refs/heads/"
        return {name.removeprefix(heads): commit for name, commit in refs.items() if name.startswith(heads)}

    async def commit(self, tx: Connection, draft: Draft) -> Committed:
        """Commit `draft` onto the head inside `tx`; a head that moved meanwhile is merged, clashes move nothing."""

        def build(git: pygit2.Repository, head: str | None) -> str | tuple[Clash, ...]:
            mine = _drafted(git, draft)
            if head == draft.parent or head is None:
                return mine
            trees = (tree_of(git, one) for one in (draft.parent, head, mine))
            merged = merge(git, *trees, prevails=draft.prevails, written=self._written)
            if isinstance(merged, tuple):
                return _with_titles(git, merged, head, draft.parent)
            return str(write_commit(git, draft, merged, [head, mine]))

        return await self._advance(tx, draft, build)

    async def keep(self, tx: Connection, draft: Draft) -> Committed:
        """Commit `draft` beside the history, under a ref of its turn, inside `tx`; the head stays where it is."""
        return await self._advance(tx, draft, lambda git, _: _drafted(git, draft), f"{KEPT}{draft.turn_id}")

    async def reversed(self, session_id: str, commits: Sequence[str], *, prevails: bool = False) -> FileTree | None:
        """Return the files that reversing `commits`, in this order, would leave; None where that clashes. Nothing is committed."""

        def work(git: pygit2.Repository, refs: dict[str, str]) -> FileTree | None:
            tree = tree_of(git, refs.get(MAIN))
            for commit in commits:
                merged = merge(
                    git, tree_of(git, commit), tree, _before(git, commit), prevails=prevails, written=self._written
                )
                if isinstance(merged, tuple):
                    return None
                found = git[merged]
                assert isinstance(found, pygit2.Tree)
                tree = found
            return read_tree(tree)

        return await self._with(session_id, work)

    async def reverse(self, tx: Connection, draft: Draft, commit: str) -> Committed:
        """Commit the reversal of `commit` onto the head, three-way; clashes move nothing, unless the draft prevails."""

        def build(git: pygit2.Repository, head: str | None) -> str | tuple[Clash, ...]:
            merged = merge(
                git,
                tree_of(git, commit),
                tree_of(git, head),
                _before(git, commit),
                prevails=draft.prevails,
                written=self._written,
            )
            if isinstance(merged, tuple):
                return _with_titles(git, merged, head, commit)
            return str(write_commit(git, draft, merged, [head] if head else []))

        return await self._advance(tx, draft, build)

    async def import_folder(self, tx: Connection, draft: Draft, source: Path) -> Committed:
        """
        Take in a folder: a clone with its history, anything else as one commit; the notes say what did not come in, and why.

        A clone of this thread is merged with its commits. Other history comes in beside the app's own, and its files take the
        place of the app's.

        Raises:
            UserError: the folder cannot be read, or holds what an app may not have.
        """
        notes = list[str]()

        def build(git: pygit2.Repository, head: str | None) -> str | tuple[Clash, ...]:
            with tempfile.TemporaryDirectory(dir=self._folder) as place:
                quarantine = Path(place) / "import.git"
                found = imports.Fetched(None)
                if (source / ".git").exists():
                    found = imports.fetched(quarantine, source)
                    notes.extend([f"Its history was not taken: {found.why_none}."] if found.why_none else [])
                if found.commit is None:
                    return _from_folder(git, draft, head, imports.read_folder(source, quarantine), notes)
                run_git("-C", git.path, "fetch", "--quiet", "--no-write-fetch-head", str(quarantine), found.commit)
                notes.extend(imports.uncommitted(quarantine, source))
            pushed = _cleaned(pygit2.Repository(git.path), draft, found.commit, notes)
            base = git.merge_base(head, pushed) if head else None
            notes.extend(imports.notes_on_tree(read_tree(tree_of(git, pushed))))
            if base is None:
                notes.append(f"{found.commits:,} commit{'s' * (found.commits != 1)} came in with their history.")
                tree = tree_of(git, pushed).id
                return str(write_commit(git, draft, tree, [head, pushed])) if head else pushed
            if str(base) in (head, pushed):
                return pushed if str(base) == head else str(head)
            merged = merge(
                git, tree_of(git, str(base)), tree_of(git, head), tree_of(git, pushed), written=self._written
            )
            return merged if isinstance(merged, tuple) else str(write_commit(git, draft, merged, [str(head), pushed]))

        committed = await self._advance(tx, draft, build)
        return replace(committed, notes=tuple(notes))

    async def archive(self, session_id: str, commit: str) -> bytes:
        """Return a ZIP of a commit's files with their modes, and of its links that stay in the app."""

        def zipped(git: pygit2.Repository, _: dict[str, str]) -> bytes:
            tree, index, buffer = tree_of(git, _known(git, commit)), pygit2.Index(), io.BytesIO()
            held: dict[str, bytes] = dict(read_tree(tree).items())
            index.read_tree(tree)
            links = imports.links_of(git, index)
            held |= {
                path: links[path].encode()
                for path in links
                if not (path_problem(path) or imports.leads_out(path, links))
            }
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, content in sorted(held.items()):
                    # A fixed date: the same commit gives the same archive.
                    info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
                    info.external_attr = int(index[path].mode) << 16  # a link is one, and a program can be run
                    archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            return buffer.getvalue()

        return await self._with(session_id, zipped)

    async def export(self, session_id: str, target: Path) -> None:
        """
        Clone the session's repository, history and all, to `target`.

        Raises:
            UserError: the folder exists and is not empty.
        """
        if target.exists() and any(target.iterdir()):
            raise UserError(f"{target} is not empty; name a new folder.")
        if await self.head(session_id) is None:
            raise UserError("There is no app in this thread yet.")

        def clone(git: pygit2.Repository, _: dict[str, str]) -> None:
            run_git("clone", "--quiet", "--no-hardlinks", git.path, str(target))
            beside = [f"+{refs}*:{refs}*" for refs in ("refs/notes/", KEPT)]
            run_git("-C", str(target), "fetch", "--quiet", "origin", *beside)
            run_git("-C", str(target), "remote", "remove", "origin")

        await self._with(session_id, clone)

    async def _advance(
        self,
        tx: Connection,
        draft: Draft,
        build: Callable[[pygit2.Repository, str | None], str | tuple[Clash, ...]],
        ref: str = MAIN,
    ) -> Committed:
        """Build a commit on the head, store its pack and move `ref` to it, all inside `tx`."""
        session_id = draft.session_id
        refs = await self._refs(tx, session_id)
        packs = await self._packs(tx, session_id)
        head = refs.get(MAIN) if ref == MAIN else draft.parent

        def work() -> tuple[Committed, bytes, bytes]:
            with git_errors(), locked(self._cache(session_id)):
                git = refresh(self._cache(session_id), refs, packs)
                built = build(git, head)
                if isinstance(built, tuple):
                    return Committed(parent=head or "", clashes=built), b"", b""
                files = diff_trees(git, tree_of(git, head), tree_of(git, built)).files
                idx, pack = make_pack(git, head, built, self._folder) if built != head else (b"", b"")
                merged = len(_commit(git, built).parents) > 1
                return Committed(built, head or "", files, merged), idx, pack

        committed, idx, pack = await asyncio.to_thread(work)
        if pack:
            await self._store(tx, session_id, ref, refs.get(ref), committed.commit, idx, pack)
        return committed

    async def note(self, tx: Connection, session_id: str, commit: str, text: str) -> None:
        """Write the git note of a commit inside `tx`, in place of the one it has; `git log --notes=threadwright` shows it."""
        refs = await self._refs(tx, session_id)
        packs = await self._packs(tx, session_id)
        old = refs.get(NOTES)

        def work() -> tuple[str, bytes, bytes]:
            with git_errors(), locked(self._cache(session_id)):
                git = refresh(self._cache(session_id), refs, packs)
                git.create_note(text, BOT, BOT, commit, NOTES, True)
                new = str(git.references[NOTES].target)
                return new, *make_pack(git, old, new, self._folder)

        new, idx, pack = await asyncio.to_thread(work)
        await self._store(tx, session_id, NOTES, old, new, idx, pack)

    async def noted(self, session_id: str, commit: str) -> str:
        """Return the git note of a commit, '' when it has none."""

        def look(git: pygit2.Repository, refs: dict[str, str]) -> str:
            try:
                return git.lookup_note(commit, NOTES).message if NOTES in refs else ""
            except KeyError:
                return ""

        return await self._with(session_id, look)

    async def _store(
        self, tx: Connection, session_id: str, ref: str, old: str | None, new: str, idx: bytes, pack: bytes
    ) -> None:
        """Move a ref and keep the pack of what it now reaches."""
        await self._move(tx, session_id, ref, old, new)
        newest = sa.select(sa.func.coalesce(sa.func.max(git_pack.c.seq), 0) + 1).where(
            git_pack.c.session_id == session_id
        )
        seq = (await tx.execute(newest)).scalar_one()
        await tx.execute(git_pack.insert().values(session_id=session_id, seq=seq, idx=idx, pack=pack))

    async def _move(self, tx: Connection, session_id: str, ref: str, old: str | None, new: str) -> None:
        """Compare and swap one ref; None means it must not exist."""
        if old is None:
            taken = await tx.scalar(
                sa.select(git_ref.c.target).where(git_ref.c.session_id == session_id, git_ref.c.name == ref)
            )
            if taken is not None:
                raise HeadMoved(f"{ref} exists already")
            await tx.execute(git_ref.insert().values(session_id=session_id, name=ref, target=new))
            return
        moved: Any = await tx.execute(
            git_ref.update()
            .where(git_ref.c.session_id == session_id, git_ref.c.name == ref, git_ref.c.target == old)
            .values(target=new)
        )
        if moved.rowcount != 1:
            raise HeadMoved(f"{ref} moved on")

    async def _with(self, session_id: str, work: Callable[[pygit2.Repository, dict[str, str]], Value]) -> Value:
        """Run `work` in a thread on the refreshed cache."""
        async with self._database.read() as connection:
            refs = await self._refs(connection, session_id)
            packs = await self._packs(connection, session_id)

        def run() -> Value:
            with git_errors():
                with locked(self._cache(session_id)):
                    git = refresh(self._cache(session_id), refs, packs)
                if any(target not in git for target in refs.values()):
                    raise OutsideError("The cache of the thread's repository lacks what the database has.")
                return work(git, refs)

        try:
            return await asyncio.to_thread(run)
        except OutsideError:
            # A cache that was damaged, by a power cut say, is made anew from the database once.
            shutil.rmtree(self._cache(session_id), ignore_errors=True)
            async with self._database.read() as connection:
                packs = await self._packs(connection, session_id)
            return await asyncio.to_thread(run)

    def _cache(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.git"

    async def _refs(self, connection: Connection, session_id: str) -> dict[str, str]:
        rows = await connection.execute(
            sa.select(git_ref.c.name, git_ref.c.target).where(git_ref.c.session_id == session_id)
        )
        return {row.name: row.target for row in rows}

    async def _packs(self, connection: Connection, session_id: str) -> list[Pack]:
        have = await asyncio.to_thread(cached_seq, self._cache(session_id))
        rows = await connection.execute(
            sa.select(git_pack.c.seq, git_pack.c.idx, git_pack.c.pack)
            .where(git_pack.c.session_id == session_id, git_pack.c.seq > have)
            .order_by(git_pack.c.seq)
        )
        return [Pack(seq, idx, pack) for seq, idx, pack in rows]


def _known(git: pygit2.Repository, name: str) -> str:
    """Return the full id of a commit that may be shortened, or of a branch. No other way to name one is understood."""
    if not re.fullmatch(r"[0-9a-f]{4,40}", name):
        branch = f"refs/heads/{name}"
        if not pygit2.reference_is_valid_name(branch) or branch not in git.references:
            raise UserError(f"There is no commit {name[:60]!r} in this thread.")
        name = branch
    try:
        return str(git.revparse_single(name).peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise UserError(f"There is no commit {name[:60]!r} in this thread.") from error


def _drafted(git: pygit2.Repository, draft: Draft) -> str:
    """Write a draft as a commit on its own parent."""
    tree = write_tree(git, tree_of(git, draft.parent), draft.changes)
    return str(write_commit(git, draft, tree, [draft.parent] if draft.parent else []))


def _before(git: pygit2.Repository, commit: str) -> pygit2.Tree:
    """Return the tree that a commit changed."""
    parents = _commit(git, commit).parents
    return tree_of(git, str(parents[0].id) if parents else None)


def _with_titles(
    git: pygit2.Repository, clashes: tuple[Clash, ...], head: str | None, since: str | None
) -> tuple[Clash, ...]:
    """Name the commits that changed the files of clashes since a commit, newest first."""
    titles: dict[str, list[str]] = {clash.path: [] for clash in clashes}
    walk = git.walk(head, SortMode.TOPOLOGICAL) if head else ()
    if head and since:
        walk.hide(since)  # type: ignore[union-attr]
    for commit, _ in zip(walk, range(MOST_LOOKED_AT), strict=False):
        for file in diff_trees(git, _before(git, str(commit.id)), commit.tree).files:
            if file.path in titles:
                titles[file.path].append(read_commit(commit).title)
    return tuple(replace(clash, since=tuple(titles[clash.path])) for clash in clashes)


def _commit(git: pygit2.Repository, commit: str) -> pygit2.Commit:
    found = git[commit]
    assert isinstance(found, pygit2.Commit)
    return found


def _cleaned(git: pygit2.Repository, draft: Draft, commit: str, notes: list[str]) -> str:
    """Return a commit that people brought, or one on top of it without what an app cannot have."""
    tree, said = imports.cleaned(git, commit)
    notes += said
    return commit if tree == tree_of(git, commit).id else str(write_commit(git, draft, tree, [commit]))


def _from_folder(
    git: pygit2.Repository, draft: Draft, head: str | None, folder: imports.Folder, notes: list[str]
) -> str:
    """Write the files of a plain folder as one commit, those that can be run as such."""
    notes += folder.notes
    before = tree_of(git, head)
    tree = write_tree(git, before, read_tree(before).changes_to(folder.files), folder.executable)
    return str(write_commit(git, draft, tree, [head] if head else []))
