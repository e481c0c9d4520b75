"""Folders of apps: nothing in them leads out, and none is too deep to be weighed or removed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.host.folders import (
    TooDeep,
    plain_files,
    remove,
    run_folder,
    short_folder,
    sweep,
    too_much,
    walk,
    write_files,
)
from core.errors import OutsideError
from core.files import FileTree

DEEP = 1_500


def deep(top: Path, depth: int, content: bytes = b"") -> None:
    """Nest folders deeper than a path may be long, with a file at the end."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("inside", dir_fd=here)
        below = os.open("inside", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    if content:
        file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here)
        os.write(file, content)
        os.close(file)
    os.close(here)


def test_a_tree_is_written_and_everybody_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        tmp_path.chmod(0o700)
        write_files(FileTree({"a.txt": b"a", "b/c/d.txt": b"d", "b/e.txt": b"e", "z/y.txt": b"y"}), tmp_path)
    finally:
        os.umask(before)
    found = {str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")}
    assert found == {
        "a.txt": "0o644", "b": "0o755", "b/c": "0o755", "b/c/d.txt": "0o644", "b/e.txt": "0o644", "z": "0o755",
        "z/y.txt": "0o644",
    }  # fmt: skip
    assert oct(tmp_path.stat().st_mode & 0o777) == "0o755"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "a//x", "./x", "a/./x", "a\0b"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(OutsideError):
        write_files(FileTree({path: b"x"}), inside)
    assert sorted(one.name for one in tmp_path.rglob("*")) in (["inside"], ["a", "inside"])


def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "a").symlink_to(outside)
    (inside / "b").symlink_to(outside / "file")
    for path in ("a/x", "b"):
        with pytest.raises(OutsideError):
            write_files(FileTree({path: b"x"}), inside)
    assert list(outside.iterdir()) == []


def test_folders_without_end_are_removed(tmp_path: Path) -> None:
    top, kept = tmp_path / "top", tmp_path / "kept"
    top.mkdir()
    kept.mkdir()
    (kept / "file").write_text("kept")
    deep(top, DEEP, b"x")
    (top / "link").symlink_to(kept)
    (top / "closed").mkdir()
    (top / "closed" / "file").write_text("x")
    (top / "closed").chmod(0)
    remove(top)
    assert not top.exists()
    assert (kept / "file").read_text() == "kept"


def test_what_is_no_folder_is_removed_too_and_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove(tmp_path / "link")
    remove(tmp_path / "nothing")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "kept"]


def test_room_is_counted_wherever_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 200_000)
    assert not too_much(tmp_path, 1_000_000)
    assert too_much(tmp_path, 100_000)
    # Below a path that is longer than any system call takes, and deeper than anything that is meant.
    below = tmp_path / "below"
    below.mkdir()
    for _ in range(20):
        inner = below / ("n" * 240)
        try:
            inner.mkdir()
        except OSError:
            break
        below = inner
    here = os.open(below, os.O_RDONLY)
    for _ in range(4):
        os.mkdir("m" * 240, dir_fd=here)
        further = os.open("m" * 240, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = further
    file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(file, b"x" * 900_000)
    os.close(file)
    os.close(here)
    assert too_much(tmp_path, 1_000_000)
    deep(tmp_path, DEEP)
    assert too_much(tmp_path, 1_000_000_000)
    remove(tmp_path)


def test_so_many_files_that_nobody_can_look_through_them_are_too_much(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).touch()
    assert too_much(tmp_path, 1_000_000, most_files=5)
    assert not too_much(tmp_path, 1_000_000, most_files=6)


@pytest.mark.parametrize("use", [lambda folder: list(walk(folder)), plain_files])
def test_folders_that_are_too_deep_are_refused(tmp_path: Path, use: Callable[[Path], object]) -> None:
    top = tmp_path / "top"
    top.mkdir()
    deep(top, DEEP)
    with pytest.raises(TooDeep):
        use(top)
    remove(top)


def test_only_plain_files_stay_and_everybody_may_read_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "a" / "file").chmod(0o600)
    (tmp_path / "a" / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    plain_files(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/file"]
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "a", tmp_path / "a" / "file")] == [
        "0o755",
        "0o644",
    ]


def test_the_folder_itself_may_be_read_by_everybody(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    plain_files(tmp_path)
    assert oct(tmp_path.stat().st_mode & 0o777) == "0o755"


def test_a_folder_for_sockets_has_a_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    folder = short_folder("tw-")
    assert len(os.fsencode(folder)) < 80
    remove(folder)


def test_short_folders_of_a_process_that_was_killed_are_removed_at_the_next_start(tmp_path: Path) -> None:
    ours, other = run_folder("tw-", tmp_path), tmp_path / "people"
    other.mkdir()
    (ours / "a.sock").touch()
    with (tmp_path / "run-folders").open("a") as listed:
        listed.write(f"{other}\n/nowhere/tw-gone\n")
    sweep(tmp_path)
    assert not ours.exists()
    assert other.is_dir()
    assert not (tmp_path / "run-folders").exists()
    sweep(tmp_path)
