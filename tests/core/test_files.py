"""Paths that may be in a tree, and trees that never change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.files import MAX_FILE_BYTES, MAX_FILES, FileTree, check_paths, path_problem


@pytest.mark.parametrize(
    "path", ["main.py", "a/b/c.txt", "static/app-1.js", ".gitignore", "docs/.github/x.yml", "grüße.txt"]
)
def test_ordinary_paths_are_allowed(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../../etc/passwd", "a/../b", "a//b", "./a", "a/", ".git/config", ".GIT/config", "a/.git/hooks/x", "git~1/x",
     ".git./x", ".gitmodules", "a\\b", "C:/x", "a\x00b", "a\nb", "a\u200bb", " a", "a ", "a.", "x" * 201, "/".join("a" * 13)],
)  # fmt: skip
def test_paths_that_reach_elsewhere_are_refused(path: str) -> None:
    assert path_problem(path) is not None
    with pytest.raises(UserError):
        check_paths([path])


def test_two_paths_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(UserError, match="upper and lower case"):
        check_paths(["Readme.md", "README.md"])


def test_a_file_cannot_be_a_folder_too() -> None:
    with pytest.raises(UserError, match="at once"):
        check_paths(["a", "a/b"])


def test_too_many_files_are_refused() -> None:
    with pytest.raises(UserError, match="the limit is"):
        check_paths(f"f{number}" for number in range(MAX_FILES + 1))


def test_a_changed_tree_is_a_new_tree() -> None:
    tree = FileTree({"b": b"2", "a": b"1"})
    other = tree.changed({"a": None, "c": b"3", "not there": None})
    assert list(tree) == ["a", "b"]
    assert other == {"b": b"2", "c": b"3"}
    assert tree.changes_to(other) == {"a": None, "c": b"3"}
    assert len(other) == 2


def test_a_file_that_is_too_big_is_refused() -> None:
    with pytest.raises(UserError, match="bytes; the limit is"):
        FileTree().changed({"a": b"x" * (MAX_FILE_BYTES + 1)})


def test_only_utf8_is_text() -> None:
    tree = FileTree({"a": "ä".encode(), "b": b"\xff"})
    assert (tree.text("a"), tree.text("b"), tree.text("c")) == ("ä", None, None)


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=3)),
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=3)),
)
def test_the_changes_between_two_trees_lead_from_one_to_the_other(one: dict[str, bytes], two: dict[str, bytes]) -> None:
    first, second = FileTree(one), FileTree(two)
    assert first.changed(first.changes_to(second)) == second
