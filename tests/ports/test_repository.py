"""What every Repository must do, on both databases."""

import asyncio
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.vfs.git import GitRepository
from core.errors import HeadMoved, UserError
from core.history import Committed, Draft
from core.manifests import AppManifest, PlannedFile
from tests.conftest import ANN, BEN

LINES = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n"


@pytest.fixture
def git(database: Database, tmp_path: Path) -> GitRepository:
    (tmp_path / "git").mkdir()
    return GitRepository(database, tmp_path / "git")


async def put(
    git: GitRepository, database: Database, changes: dict[str, bytes | None], turn: str, **more: object
) -> Committed:
    """Commit onto the head, or onto `parent` where one is given."""
    parent = more.pop("parent", await git.head("s"))
    async with database.write() as tx:
        return await git.commit(tx, Draft("s", parent, changes, f"Turn {turn}", turn, ANN, **more))  # type: ignore[arg-type]


async def reverse(git: GitRepository, database: Database, commit: str, turn: str) -> Committed:
    async with database.write() as tx:
        return await git.reverse(
            tx, Draft("s", await git.head("s"), {}, f"Undo {turn}", turn, ANN, undoes=turn), commit
        )


async def test_a_commit_can_be_kept_beside_the_history(git: GitRepository, database: Database, tmp_path: Path) -> None:
    async with database.write() as tx:
        before = await git.keep(tx, Draft("s", None, {"a.txt": b"early\n"}, "Early", "t0", ANN))
    assert await git.head("s") is None
    first = await put(git, database, {"a.txt": b"one\n"}, "t1")
    await put(git, database, {"b.txt": b"two\n"}, "t2")
    async with database.write() as tx:
        # On a commit that is no longer the head.
        kept = await git.keep(tx, Draft("s", first.commit, {"a.txt": b"other\n"}, "Kept", "t3", ANN))
    assert [(one.path, one.added, one.removed) for one in kept.files] == [("a.txt", 1, 1)]
    assert [one.turn_id for one in await git.log("s")] == ["t2", "t1"]
    assert list(await git.branches("s")) == ["main"]

    # All of it survives the cache, and goes into a clone.
    shutil.rmtree(tmp_path / "git" / "s.git")
    assert await git.tree("s", before.commit[:10]) == {"a.txt": b"early\n"}
    assert await git.tree("s", kept.commit) == {"a.txt": b"other\n"}
    await git.export("s", tmp_path / "clone")
    command = ["git", "-C", str(tmp_path / "clone"), "show", "refs/threadwright/kept/t3:a.txt"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "other\n"


async def test_what_prevails_settles_also_what_one_side_removed(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"a.txt": LINES, "b.txt": b"b\n"}, "t1")
    made = await put(git, database, {"new.txt": LINES}, "t2")
    await put(git, database, {"new.txt": LINES + b"eight\n"}, "t3")
    assert (await reverse(git, database, made.commit, "t2")).clashes
    async with database.write() as tx:
        draft = Draft("s", await git.head("s"), {}, "Undo", "t4", ANN, undoes="t2", prevails=True)
        undone = await git.reverse(tx, draft, made.commit)
    assert undone.clashes == ()
    assert await git.tree("s", undone.commit) == await git.tree("s", first.commit)


def described(analysis: str, *features: str) -> bytes:
    """Return an app's manifest: its analysis is one line, so that by lines any two turns clash."""
    files = (PlannedFile(path="a.txt", role="uix", description="a page"),)
    return AppManifest(
        name="shop", title="Shop", analysis=analysis, kind="static", features=list(features), files=list(files)
    ).to_bytes()  # fmt: skip


async def test_a_turn_is_reversed_though_a_later_one_described_the_app_anew(
    git: GitRepository, database: Database
) -> None:
    await put(git, database, {"app.json": described("A shop.", "list"), "a.txt": LINES}, "t1")
    made = await put(git, database, {"app.json": described("A dark shop.", "list", "dark"), "b.txt": b"b\n"}, "t2")
    later = described("A dark shop with search.", "list", "dark", "search")
    await put(git, database, {"app.json": later, "c.txt": b"c\n"}, "t3")
    undone = await reverse(git, database, made.commit, "t2")
    assert undone.clashes == ()
    tree = await git.tree("s", undone.commit)
    assert tree["app.json"] == described("A dark shop with search.", "list", "search")
    assert sorted(tree) == ["a.txt", "app.json", "c.txt"]


async def test_a_new_session_has_no_head_no_files_and_no_history(git: GitRepository) -> None:
    assert await git.head("s") is None
    assert await git.tree("s", None) == {}
    assert await git.log("s") == []


async def test_a_commit_moves_the_head_and_tells_what_changed(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"a/b.txt": LINES, "c.txt": b"c\n"}, "t1")
    assert first.parent == ""
    assert [(one.path, one.status, one.added) for one in first.files] == [
        ("a/b.txt", "added", 7),
        ("c.txt", "added", 1),
    ]
    second = await put(git, database, {"a/b.txt": LINES + b"eight\n", "c.txt": None}, "t2")
    assert second.parent == first.commit
    assert await git.head("s") == second.commit
    assert await git.tree("s", second.commit) == {"a/b.txt": LINES + b"eight\n"}
    assert await git.tree("s", first.commit[:10]) == {"a/b.txt": LINES, "c.txt": b"c\n"}


async def test_the_log_says_who_why_and_from_which_message(git: GitRepository, database: Database) -> None:
    await put(
        git, database, {"a": b"a"}, "t1", helpers=(BEN,), link="https://chat.example/1", model="m1", variant="default", body="Because."
    )  # fmt: skip
    (commit,) = await git.log("s")
    assert (commit.title, commit.author, commit.turn_id, commit.link, commit.model) == (
        "Turn t1", ANN, "t1", "https://chat.example/1", "m1",
    )  # fmt: skip


async def test_a_line_break_in_a_name_or_title_forges_no_trailer(git: GitRepository, database: Database) -> None:
    await put(git, database, {"a": b"a"}, "t1", link="x\nUndoes: t0", model="m\n\nRedoes: t0")
    (commit,) = await git.log("s")
    assert (commit.undoes, commit.redoes) == ("", "")


async def test_a_turn_that_is_not_the_last_can_be_reversed(git: GitRepository, database: Database) -> None:
    await put(git, database, {"f": LINES}, "t1")
    middle = await put(git, database, {"f": LINES.replace(b"two", b"2")}, "t2")
    await put(git, database, {"f": LINES.replace(b"two", b"2").replace(b"seven", b"7")}, "t3")
    undone = await reverse(git, database, middle.commit, "t2")
    assert await git.tree("s", undone.commit) == {"f": LINES.replace(b"seven", b"7")}
    redone = await reverse(git, database, undone.commit, "t2")
    assert (await git.tree("s", redone.commit))["f"] == LINES.replace(b"two", b"2").replace(b"seven", b"7")


async def test_the_first_turn_can_be_reversed_too(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"f": LINES}, "t1")
    undone = await reverse(git, database, first.commit, "t1")
    assert await git.tree("s", undone.commit) == {}


async def test_a_clash_moves_nothing_and_shows_both_sides(git: GitRepository, database: Database) -> None:
    await put(git, database, {"f": LINES}, "t1")
    second = await put(git, database, {"f": LINES.replace(b"two", b"2")}, "t2")
    third = await put(git, database, {"f": LINES.replace(b"two", b"zwei")}, "t3")
    found = await reverse(git, database, second.commit, "t2")
    assert [(one.path, one.ours, one.theirs) for one in found.clashes] == [("f", "zwei", "two")]
    assert await git.head("s") == third.commit


async def test_work_committed_meanwhile_is_merged(git: GitRepository, database: Database) -> None:
    base = await put(git, database, {"f": LINES}, "t1")
    await put(git, database, {"f": LINES.replace(b"one", b"1")}, "people")
    merged = await put(git, database, {"f": LINES.replace(b"seven", b"7")}, "t2", parent=base.commit)
    assert merged.merged
    assert (await git.tree("s", merged.commit))["f"] == LINES.replace(b"one", b"1").replace(b"seven", b"7")
    clash = await put(git, database, {"f": LINES.replace(b"one", b"uno")}, "t3", parent=base.commit)
    assert [one.path for one in clash.clashes] == ["f"]
    assert await git.head("s") == merged.commit


async def test_a_rolled_back_transaction_leaves_nothing(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"f": LINES}, "t1")
    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            await git.commit(tx, Draft("s", first.commit, {"f": b"x"}, "lost", "t2", ANN))
            raise ZeroDivisionError
    assert await git.head("s") == first.commit
    again = await put(git, database, {"f": b"y"}, "t3")
    assert (await git.tree("s", again.commit))["f"] == b"y"


async def test_two_writers_of_one_thread_lose_nothing(git: GitRepository, database: Database) -> None:
    await put(git, database, {"f": LINES}, "t0")

    async def write(name: str) -> None:
        for number in range(5):
            for _ in range(50):
                try:
                    await put(git, database, {f"{name}{number}": b"x"}, f"{name}{number}")
                    break
                except HeadMoved:
                    continue

    await asyncio.gather(write("a"), write("b"))
    tree = await git.tree("s", await git.head("s"))
    assert sorted(tree) == sorted(["f", *(f"{name}{number}" for name in "ab" for number in range(5))])


async def test_the_cache_can_be_deleted_at_any_time(git: GitRepository, database: Database, tmp_path: Path) -> None:
    for number in range(3):
        last = await put(git, database, {"f": str(number).encode()}, f"t{number}")
    other = GitRepository(database, tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    assert (await other.tree("s", last.commit))["f"] == b"2"
    assert len(await other.log("s")) == 3


async def test_a_damaged_cache_heals(git: GitRepository, database: Database, tmp_path: Path) -> None:
    last = await put(git, database, {"f": LINES}, "t1")
    other = GitRepository(database, tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    await other.tree("s", last.commit)
    for pack in (tmp_path / "elsewhere" / "s.git" / "objects" / "pack").iterdir():
        # Replaced, not truncated: what is mapped into this process would take it down.
        pack.unlink()
        pack.write_bytes(b"")
    assert await other.tree("s", last.commit) == {"f": LINES}


async def test_renames_are_seen_as_renames(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"old.txt": LINES}, "t1")
    second = await put(git, database, {"old.txt": None, "new.txt": LINES}, "t2")
    diff = await git.diff("s", first.commit, second.commit)
    assert [(one.status, one.old_path, one.path) for one in diff.files] == [("renamed", "old.txt", "new.txt")]
    assert "rename from old.txt" in diff.text


async def test_a_huge_diff_is_cut_and_says_so(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"big": b"x\n" * 600_000, "small": b"s\n"}, "t1")
    _, diff = await git.show("s", first.commit)
    assert len(diff.text) < 450_000
    assert "more characters are not shown" in diff.text
    assert len(diff.files) == 2


async def test_unknown_commits_are_named(git: GitRepository, database: Database) -> None:
    await put(git, database, {"f": LINES}, "t1")
    with pytest.raises(UserError, match="no commit 'zzz'"):
        await git.show("s", "zzz")


async def test_branches_are_kept_apart_from_the_head(git: GitRepository, database: Database) -> None:
    first = await put(git, database, {"f": LINES}, "t1")
    async with database.write() as tx:
        await git.branch(tx, "s", "try", first.commit)
    second = await put(git, database, {"f": b"x"}, "t2")
    assert await git.branches("s") == {"main": second.commit, "try": first.commit}
    with pytest.raises(HeadMoved):
        async with database.write() as tx:
            await git.branch(tx, "s", "try", second.commit)
    with pytest.raises(UserError, match="no valid branch name"):
        async with database.write() as tx:
            await git.branch(tx, "s", "a..b", second.commit)


async def test_an_export_is_a_zip_or_a_clone(git: GitRepository, database: Database, tmp_path: Path) -> None:
    last = await put(git, database, {"a/b.txt": LINES}, "t1")
    archive = await git.archive("s", last.commit)
    assert archive == await git.archive("s", last.commit)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.read("a/b.txt") == LINES
    await git.export("s", tmp_path / "clone")
    log = subprocess.run(
        ["git", "-C", tmp_path / "clone", "log", "--format=%H %an %s"], capture_output=True, text=True, check=True
    )
    assert log.stdout == f"{last.commit} Ann Turn t1\n"
    assert (tmp_path / "clone" / "a" / "b.txt").read_bytes() == LINES
    assert await git.noted("s", last.commit) == ""
    for text in ("first", "second"):
        async with database.write() as tx:
            await git.note(tx, "s", last.commit, f"{text}\n")
    assert await git.noted("s", last.commit) == "second\n"
    assert list(await git.branches("s")) == ["main"]
    shutil.rmtree(tmp_path / "git")
    again = await put(git, database, {"c": b"1"}, "t2")
    assert await git.noted("s", last.commit) == "second\n"
    assert await git.noted("s", again.commit) == ""
    await git.export("s", tmp_path / "noted")
    shown = ["git", "-C", str(tmp_path / "noted"), "log", "--notes=threadwright", "--format=%N", last.commit]
    assert subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip() == "second"
    with pytest.raises(UserError, match="not empty"):
        await git.export("s", tmp_path / "clone")


async def take_in(git: GitRepository, database: Database, folder: Path) -> Committed:
    async with database.write() as tx:
        return await git.import_folder(tx, Draft("s", await git.head("s"), {}, "Import", "t-import", BEN), folder)


def commit_in(clone: Path, text: str) -> None:
    (clone / "f").write_text(text)
    subprocess.run(
        ["git", "-C", clone, "-c", "user.name=Cleo", "-c", "user.email=c@example.com", "commit", "-qam", "By hand"],
        check=True,
    )


async def test_a_clone_with_new_commits_comes_back_with_them(
    git: GitRepository, database: Database, tmp_path: Path
) -> None:
    await put(git, database, {"f": LINES}, "t1")
    await git.export("s", tmp_path / "clone")
    commit_in(tmp_path / "clone", LINES.decode().replace("one", "1"))
    forward = await take_in(git, database, tmp_path / "clone")
    assert not forward.merged
    assert (await git.log("s"))[0].author.name == "Cleo"

    await put(git, database, {"f": LINES.replace(b"one", b"1").replace(b"seven", b"7")}, "t2")
    commit_in(tmp_path / "clone", LINES.decode().replace("one", "1").replace("four", "4"))
    merged = await take_in(git, database, tmp_path / "clone")
    assert merged.merged
    assert (await git.tree("s", merged.commit))["f"] == b"1\ntwo\nthree\n4\nfive\nsix\n7\n"

    commit_in(tmp_path / "clone", LINES.decode().replace("seven", "sieben"))
    assert [one.path for one in (await take_in(git, database, tmp_path / "clone")).clashes] == ["f"]


async def test_a_hostile_repository_runs_nothing_when_it_is_imported(
    git: GitRepository, database: Database, tmp_path: Path
) -> None:
    await put(git, database, {"f": LINES}, "t1")
    source, proof = tmp_path / "hostile", tmp_path / "proof"
    subprocess.run(["git", "init", "-q", "-b", "main", source], check=True)
    settings = {
        "core.repositoryformatversion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": str(source), "remote.origin.uploadpack": f"touch {proof}; false", "core.fsmonitor": f"touch {proof}",
        "core.sshCommand": f"touch {proof}", "uploadpack.packObjectsHook": f"touch {proof}", "core.hooksPath": str(source),
    }  # fmt: skip
    for name, value in settings.items():
        subprocess.run(["git", "-C", source, "config", name, value], check=True)
    (source / ".git" / "refs" / "heads" / "main").write_text("1" * 40 + "\n")
    (source / "f").write_bytes(b"harmless\n")
    done = await take_in(git, database, source)
    assert not proof.exists()
    assert (await git.tree("s", done.commit))["f"] == b"harmless\n"


async def test_a_plain_folder_becomes_one_commit(git: GitRepository, database: Database, tmp_path: Path) -> None:
    await put(git, database, {"f": LINES, "gone": b"x"}, "t1")
    folder = tmp_path / "folder"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "node_modules" / "big.js").write_text("x")
    (folder / "f").write_bytes(LINES)
    (folder / "new.bin").write_bytes(b"\x00\xff")
    (folder / "link").symlink_to("/etc/passwd")
    done = await take_in(git, database, folder)
    assert await git.tree("s", done.commit) == {"f": LINES, "new.bin": b"\x00\xff"}
    with pytest.raises(UserError, match="not a folder"):
        await take_in(git, database, folder / "f")


def lettered(manifest: AppManifest, path: str) -> str | None:
    """Write one line with all features, and a file for each of them."""
    if path == "all.txt":
        return ", ".join(manifest.features) + "\n"
    wanted = path.removesuffix(".txt")
    return f"{wanted}\n" if wanted in manifest.features else None


def written(*features: str) -> dict[str, bytes | None]:
    """Return an app as it is written from what it has."""
    manifest = AppManifest(
        name="app", title="App", analysis="An app", kind="static", features=list(features),
        files=[PlannedFile(path="all.txt", role="uix", description="All")],
    )  # fmt: skip
    files = {path: lettered(manifest, path) for path in ("all.txt", *(f"{one}.txt" for one in "abc"))}
    return {"app.json": manifest.to_bytes(), **{path: text.encode() if text else None for path, text in files.items()}}


async def test_what_is_written_from_the_manifest_is_written_anew_and_not_merged_by_lines(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "git").mkdir()
    by_lines, anew = GitRepository(database, tmp_path / "git"), GitRepository(database, tmp_path / "git", lettered)
    await put(anew, database, written("a"), "t1")
    second = await put(anew, database, written("a", "b"), "t2")
    await put(anew, database, written("a", "b", "c"), "t3")
    assert [one.path for one in (await reverse(by_lines, database, second.commit, "t2")).clashes] == ["all.txt"]
    undone = await reverse(anew, database, second.commit, "t2")
    assert undone.clashes == ()
    expected = {path: content for path, content in written("a", "c").items() if content is not None}
    assert await anew.tree("s", undone.commit) == expected
    again = await reverse(anew, database, undone.commit, "t2")
    assert (await anew.tree("s", again.commit))["all.txt"] == b"a, b, c\n"


async def test_what_a_hand_was_at_is_not_written_anew_and_a_broken_writer_ends_no_undo(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "git").mkdir()
    git = GitRepository(database, tmp_path / "git", lettered)
    await put(git, database, written("a"), "t1")
    second = await put(git, database, written("a", "b"), "t2")
    await put(git, database, {**written("a", "b", "c"), "all.txt": b"a, b, c and a word of mine\n"}, "t3")
    assert [one.path for one in (await reverse(git, database, second.commit, "t2")).clashes] == ["all.txt"]

    def broken(manifest: AppManifest, path: str) -> str | None:
        raise StopIteration

    assert (await reverse(GitRepository(database, tmp_path / "git", broken), database, second.commit, "t2")).clashes
