"""What people bring comes in with its history, byte for byte, or is named with the reason; nothing of it leads out."""

import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from adapters.store.database import Database
from adapters.vfs.git import GitRepository
from adapters.vfs.imports import leads_out
from adapters.vfs.program import git as run_git
from core.errors import OutsideError, UserError
from core.history import Committed, Draft
from tests.conftest import ANN


def run(*argv: str | Path, cwd: Path) -> str:
    identity = ("-c", "user.name=Cleo", "-c", "user.email=c@example.com")
    return subprocess.run(["git", *identity, *argv], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with three commits."""
    folder = tmp_path / "clone"
    folder.mkdir()
    run("init", "-q", "-b", "main", cwd=folder)
    for number in range(3):
        (folder / "index.html").write_text(f"<h1>{number}</h1>\n")
        run("add", "-A", cwd=folder)
        run("commit", "-q", "-m", f"Number {number}", cwd=folder)
    return folder


async def taken(repository: GitRepository, database: Database, source: Path, session: str = "s") -> Committed:
    async with database.write() as tx:
        draft = Draft(session, await repository.head(session), {}, "Import", "t-import", ANN)
        return await repository.import_folder(tx, draft, source)


async def test_a_history_comes_in_byte_for_byte(
    repository: GitRepository, lite: Database, clone: Path, tmp_path: Path
) -> None:
    (clone / "run.sh").write_text("#!/bin/sh\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "link.html").symlink_to("index.html")
    run("add", "-A", cwd=clone)
    run("commit", "-q", "-m", "Modes", cwd=clone)
    done = await taken(repository, lite, clone)
    assert done.commit == run("rev-parse", "HEAD", cwd=clone).strip()
    assert done.notes == ("4 commits came in with their history.",)
    await repository.export("s", tmp_path / "out")
    commits = run("rev-list", "HEAD", cwd=tmp_path / "out")
    assert commits == run("rev-list", "HEAD", cwd=clone)
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    assert os.readlink(tmp_path / "out" / "link.html") == "index.html"


async def test_many_commits_come_in_too(repository: GitRepository, lite: Database, clone: Path) -> None:
    for number in range(120):
        run("commit", "-q", "--allow-empty", "-m", f"Empty {number}", cwd=clone)
    assert (await taken(repository, lite, clone)).notes == ("123 commits came in with their history.",)
    assert len(await repository.log("s")) == 123


async def test_other_history_takes_the_place_of_the_app_and_can_be_undone(
    repository: GitRepository, lite: Database, clone: Path
) -> None:
    async with lite.write() as tx:
        await repository.commit(tx, Draft("s", None, {"old.html": b"old"}, "Old", "t1", ANN))
    done = await taken(repository, lite, clone)
    assert done.merged
    assert list(await repository.tree("s", done.commit)) == ["index.html"]
    async with lite.write() as tx:
        back = await repository.reverse(tx, Draft("s", done.commit, {}, "Undo", "t2", ANN), done.commit)
    assert await repository.tree("s", back.commit) == {"old.html": b"old"}


def an_entry(name: bytes, mode: int = 0o40000) -> Callable[[pygit2.Repository, pygit2.Oid, pygit2.Oid], pygit2.Oid]:
    """Return what writes a tree with an entry that git itself would not write."""

    def write(git: pygit2.Repository, tree: pygit2.Oid, blob: pygit2.Oid) -> pygit2.Oid:
        raw = b"%o %s\0%s" % (mode, name, (tree if mode == 0o40000 else blob).raw)
        return git.write(pygit2.enums.ObjectType.TREE, raw)

    return write


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT ", b"git~1", b"a/b", b"a\\b"])
async def test_a_commit_that_leads_out_is_not_taken_wherever_it_stands(
    repository: GitRepository, lite: Database, clone: Path, name: bytes
) -> None:
    git = pygit2.Repository(str(clone))
    blob = git.create_blob(b"evil")
    builder = git.TreeBuilder()
    builder.insert("x", blob, FileMode.BLOB)
    bad = an_entry(name)(git, builder.write(), blob)
    who = pygit2.Signature("E", "e@example.com")
    middle = git.create_commit(None, who, who, "Bad", bad, [git.head.target])
    last = git.create_commit(None, who, who, "Fine again", git[git.head.target].peel(pygit2.Tree).id, [middle])
    git.references["refs/heads/main"].set_target(last)
    done = await taken(repository, lite, clone)
    assert "Its history was not taken" in done.notes[0]
    assert [one.title for one in await repository.log("s")] == ["Import"]
    assert await repository.tree("s", done.commit) == {"index.html": b"<h1>2</h1>\n"}
    cache = pygit2.Repository(str(repository._cache("s")))
    assert middle not in cache


async def test_a_tree_with_a_path_that_leads_out_is_never_read(repository: GitRepository, lite: Database) -> None:
    """Also where it came in before anybody looked: reading is where every way out begins."""
    async with lite.write() as tx:
        await repository.commit(tx, Draft("s", None, {"a": b"a"}, "First", "t1", ANN))
    git = pygit2.Repository(str(repository._cache("s")))
    blob = git.create_blob(b"evil")
    builder = git.TreeBuilder()
    builder.insert("x", blob, FileMode.BLOB)
    who = pygit2.Signature("E", "e@example.com")
    for bad in (an_entry(b"..")(git, builder.write(), blob), an_entry(b"/etc")(git, builder.write(), blob)):
        commit = git.create_commit(None, who, who, "Bad", bad, [])
        with pytest.raises(UserError):
            await repository.tree("s", str(commit))
    deep = builder.write()
    for _ in range(1_500):
        builder = git.TreeBuilder()
        builder.insert("d", deep, FileMode.TREE)
        deep = builder.write()
    commit = git.create_commit(None, who, who, "Deep", deep, [])
    with pytest.raises(UserError, match="deeper than"):
        await repository.tree("s", str(commit))


@pytest.mark.parametrize(
    "name", ["main~0~0", "HEAD", "main^{/h}", ":/First", "@", "refs/heads/main", "-h", "", "MAIN", "0" * 41]
)
async def test_a_commit_has_its_id_or_the_name_of_a_branch(
    repository: GitRepository, lite: Database, name: str
) -> None:
    async with lite.write() as tx:
        done = await repository.commit(tx, Draft("s", None, {"a": b"a"}, "First", "t1", ANN))
    assert (
        (await repository.show("s", "main"))[0].id == (await repository.show("s", done.commit[:7]))[0].id == done.commit
    )
    with pytest.raises(UserError, match="There is no commit"):
        await repository.show("s", name)


async def test_what_an_app_cannot_have_is_named_and_stays_in_the_history(
    repository: GitRepository, lite: Database, clone: Path, tmp_path: Path
) -> None:
    (clone / "out").symlink_to("/etc/passwd")
    (clone / "up").symlink_to("../secret")
    (clone / "INDEX.html").write_text("x")
    (clone / "notes.").write_text("x")
    (clone / ".env").write_text("KEY=x")
    (clone / "big.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    Path(os.fsdecode(os.path.join(os.fsencode(clone), b"caf\xe9.txt"))).write_text("x")
    sub = tmp_path / "sub"
    sub.mkdir()
    run("init", "-q", cwd=sub)
    run("commit", "-q", "--allow-empty", "-m", "x", cwd=sub)
    run("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(sub), "lib", cwd=clone)
    run("add", "-A", cwd=clone)
    run("commit", "-q", "-m", "Odd", cwd=clone)
    done = await taken(repository, lite, clone)
    said = "\n".join(done.notes)
    for word in (
        "out",
        "up",
        "index.html",
        "notes.",
        "caf",
        ".env is part",
        "its submodules: lib",
        "Git LFS",
        "4 commits",
    ):
        assert word in said, word
    assert sorted(await repository.tree("s", done.commit)) == [".env", "INDEX.html", "big.bin"]
    assert run("rev-parse", "HEAD", cwd=clone).strip() in {one.id for one in await repository.log("s")}


async def test_what_is_not_committed_is_told(repository: GitRepository, lite: Database, clone: Path) -> None:
    (clone / "index.html").write_text("changed")
    (clone / "new.txt").write_text("x")
    (clone / ".env.local").write_text("KEY=x")
    done = await taken(repository, lite, clone)
    assert "Not committed, so not imported: index.html, new.txt." in done.notes[0]
    assert await repository.tree("s", done.commit) == {"index.html": b"<h1>2</h1>\n"}


async def test_why_there_is_no_history_is_told(
    repository: GitRepository, lite: Database, clone: Path, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    run("clone", "-q", "--depth", "1", f"file://{clone}", shallow, cwd=tmp_path)
    other = tmp_path / "sha256"
    other.mkdir()
    run("init", "-q", "--object-format=sha256", cwd=other)
    (other / "f").write_text("x")
    run("add", "-A", cwd=other)
    run("commit", "-q", "-m", "x", cwd=other)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    run("init", "-q", cwd=fresh)
    (fresh / "f").write_text("x")
    for folder, word in ((shallow, "shallow clone"), (other, "SHA-256"), (fresh, "no commit yet")):
        done = await taken(repository, lite, folder, folder.name)
        assert word in done.notes[0]
        assert len(await repository.log(folder.name)) == 1


async def test_a_worktree_has_its_history(
    repository: GitRepository, lite: Database, clone: Path, tmp_path: Path
) -> None:
    run("worktree", "add", "-q", "-b", "other", tmp_path / "tree", cwd=clone)
    assert "3 commits came in" in (await taken(repository, lite, tmp_path / "tree")).notes[-1]


async def test_a_plain_folder_comes_in_without_secrets_logs_and_what_it_ignores(
    repository: GitRepository, lite: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    for path in ("a.txt", "run.sh", ".env", ".env.local", ".env.example", "debug.log", "sub/cache/x", "sub/keep", "sub/.gitignore",
                 "node_modules/x", "venv/x", "__pycache__/x", "bin/tool"):  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("cache/\n" if path.endswith(".gitignore") else "x")
    (folder / "run.sh").chmod(0o755)
    (folder / "pipe.log").symlink_to("/etc/passwd")
    done = await taken(repository, lite, folder)
    assert list(await repository.tree("s", done.commit)) == [
        ".env.example", "a.txt", "bin/tool", "run.sh", "sub/.gitignore", "sub/keep",
    ]  # fmt: skip
    assert done.notes == ("Left out, as ignored by git, a secret or a log: .env, .env.local, debug.log, sub/cache/x.",)
    git = pygit2.Repository(str(repository._cache("s")))
    assert git[done.commit].peel(pygit2.Tree)["run.sh"].filemode == FileMode.BLOB_EXECUTABLE
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no files that could be imported"):
        await taken(repository, lite, tmp_path / "empty", "other")


async def test_a_file_in_the_place_of_a_link_is_a_file(repository: GitRepository, lite: Database, clone: Path) -> None:
    (clone / "here").symlink_to("index.html")
    run("add", "-A", cwd=clone)
    run("commit", "-q", "-m", "Link", cwd=clone)
    head = (await taken(repository, lite, clone)).commit
    async with lite.write() as tx:
        done = await repository.commit(tx, Draft("s", head, {"here": b"/etc/passwd"}, "Next", "t2", ANN))
    assert (await repository.tree("s", done.commit))["here"] == b"/etc/passwd"


async def test_messages_in_any_encoding_are_history(repository: GitRepository, lite: Database, clone: Path) -> None:
    git = pygit2.Repository(str(clone))
    tree = git[git.head.target].peel(pygit2.Tree).id
    raw = b"tree %s\nparent %s\nauthor J\xe9 <j@x> 1 +0000\ncommitter J <j@x> 1 +0000\nencoding odd-1\n\nCaf\xe9\n" % (
        str(tree).encode(), str(git.head.target).encode(),
    )  # fmt: skip
    git.references["refs/heads/main"].set_target(git.write(pygit2.enums.ObjectType.COMMIT, raw))
    await taken(repository, lite, clone)
    assert (await repository.log("s"))[0].title.startswith("Caf")


@pytest.mark.parametrize(
    ("links", "out"),
    [
        ({"a/b/sub": "../..", "evil": "a/b/sub/a/b/sub/../../../etc/passwd"}, True),
        ({"a/b/sub": "../..", "fine": "a/b/sub/index.html"}, False),
        ({"one": "two", "two": "one"}, True),
        ({"x": "a/./b//../c"}, False),
        ({"x": "a/../../b"}, True),
        ({"d": "/etc", "x": "d/passwd"}, True),
        ({"x": "a/" * 3_000}, True),
        ({"up": "a", "a/x": "../up/../../y"}, True),
    ],
)
def test_links_are_followed_as_the_kernel_follows_them(links: dict[str, str], out: bool) -> None:
    assert leads_out(list(links)[-1], links) is out


async def test_a_link_through_a_link_leads_nowhere(repository: GitRepository, lite: Database, clone: Path) -> None:
    (clone / "a/b").mkdir(parents=True)
    (clone / "a/b/sub").symlink_to("../..")
    (clone / "evil.txt").symlink_to("a/b/sub/a/b/sub/../../../../../../../../etc/passwd")
    run("add", "-A", cwd=clone)
    run("commit", "-q", "-m", "Links", cwd=clone)
    done = await taken(repository, lite, clone)
    assert any("evil.txt" in note and "leads out" in note for note in done.notes)
    git = pygit2.Repository(str(repository._cache("s")))
    assert "evil.txt" not in git[done.commit].peel(pygit2.Tree)


async def test_an_archive_keeps_what_can_be_run_and_what_is_a_link(
    repository: GitRepository, lite: Database, clone: Path, tmp_path: Path
) -> None:
    (clone / "run.sh").write_text("#!/bin/sh\n")
    (clone / "run.sh").chmod(0o755)
    (clone / "link.txt").symlink_to("index.html")
    run("add", "-A", cwd=clone)
    run("commit", "-q", "-m", "Modes", cwd=clone)
    done = await taken(repository, lite, clone)
    archive = tmp_path / "app.zip"
    archive.write_bytes(await repository.archive("s", done.commit))
    with zipfile.ZipFile(archive) as held:
        modes = {one.filename: one.external_attr >> 16 for one in held.infolist()}
        assert held.read("link.txt") == b"index.html"
    assert (modes["run.sh"], modes["index.html"]) == (0o100755, 0o100644)
    assert stat.S_ISLNK(modes["link.txt"])
    # What another commit of the history has, and what leads out, is not in it.
    git = pygit2.Repository(str(repository._cache("s")))
    builder = git.TreeBuilder(git[done.commit].peel(pygit2.Tree))
    builder.insert("out", git.create_blob(b"/etc/passwd"), FileMode.LINK)
    who = pygit2.Signature("E", "e@example.com")
    odd = git.create_commit(None, who, who, "Odd", builder.write(), [])
    archive.write_bytes(await repository.archive("s", str(odd)))
    with zipfile.ZipFile(archive) as held:
        assert "out" not in held.namelist()
    above = an_entry(b"..")(git, builder.write(), git.create_blob(b"x"))
    worse = git.create_commit(None, who, who, "Worse", above, [])
    for commit in (str(worse), "0" * 40):
        with pytest.raises(UserError):
            await repository.archive("s", commit)


def test_a_git_that_does_not_end_is_ended_with_a_sentence() -> None:
    with pytest.raises(OutsideError, match="took longer than"):
        run_git("hash-object", "--stdin", said=b"x", seconds=0.000_001)
