"""Which commit a wish to undo or redo means."""

import pytest

from core.errors import UserError
from core.history import Clash, Commit, latest_turn, reversal
from core.undoing import explain_clashes, explain_sides, original_title
from tests.conftest import ANN


def commit(turn: str, undoes: str = "", redoes: str = "") -> Commit:
    return Commit(f"c-{turn}", (), turn, ANN, 0, turn, undoes, redoes)


BUILD, CHANGE = commit("t1"), commit("t2")
UNDO = commit("t3", undoes="t2")
REDO = commit("t4", redoes="t2")


def test_any_turn_can_be_undone_once() -> None:
    assert reversal([CHANGE, BUILD], "t1", "undo").commit == BUILD
    with pytest.raises(UserError, match="already undone"):
        reversal([UNDO, CHANGE, BUILD], "t2", "undo")


def test_only_an_undone_turn_can_be_redone() -> None:
    found = reversal([UNDO, CHANGE, BUILD], "t2", "redo")
    assert (found.wish, found.target, found.commit) == ("redo", "t2", UNDO)
    with pytest.raises(UserError, match="nothing to redo"):
        reversal([REDO, UNDO, CHANGE, BUILD], "t2", "redo")


def test_undoing_an_undo_is_a_redo_and_undoing_a_redo_an_undo() -> None:
    assert reversal([UNDO, CHANGE, BUILD], "t3", "undo").wish == "redo"
    found = reversal([REDO, UNDO, CHANGE, BUILD], "t4", "undo")
    assert (found.wish, found.target, found.commit) == ("undo", "t2", REDO)
    assert reversal([UNDO, CHANGE, BUILD], "t3", "redo").commit == UNDO


def test_a_turn_without_a_commit_cannot_be_taken_back() -> None:
    with pytest.raises(UserError, match="changed nothing"):
        reversal([BUILD], "t9", "undo")


def test_the_latest_turn_is_the_newest_that_still_stands() -> None:
    people = Commit("c-x", (), "By hand", ANN, 0)
    assert latest_turn([people, CHANGE, BUILD], "undo") == "t2"
    assert latest_turn([UNDO, CHANGE, BUILD], "undo") == "t1"
    assert latest_turn([UNDO, CHANGE, BUILD], "redo") == "t2"
    assert latest_turn([REDO, UNDO, CHANGE, BUILD], "undo") == "t2"
    with pytest.raises(UserError, match="nothing to redo"):
        latest_turn([CHANGE, BUILD], "redo")
    with pytest.raises(UserError, match="nothing to undo"):
        latest_turn([], "undo")


def test_titles_do_not_pile_up_marks() -> None:
    assert original_title("Redo: Undo: Build a shop") == "Build a shop"


def test_a_clash_shows_both_sides() -> None:
    clash = Clash("a.py", "x = 1", "")
    assert explain_sides([clash]) == "a.py\nnow in the app:\n    x = 1\nthe other side:\n    (nothing)"


def test_a_clash_is_told_in_four_lines_without_code() -> None:
    turns = ("Redo: Add an assignee", "Rename tasks to jobs", "Add a colour " + "x" * 80, "Add an assignee")
    clashes = [Clash(f"{name}.py", "x = 1", "y = 2", turns) for name in "abcde"]
    assert explain_clashes(clashes, "“Add a priority” cannot be undone on its own").split("\n") == [
        "“Add a priority” cannot be undone on its own: later work changed the same lines.",
        "Files: a.py, b.py, c.py and 2 more",
        "Changed since by: “Add an assignee”, “Rename tasks to jobs” and 1 more",
        "Nothing was changed. What would you like?",
    ]
    long = explain_clashes([Clash("a.py", "", "", (turns[2],))], "It does not fit")
    assert long.split("\n")[2] == f"Changed since by: “{turns[2][:59]}…”"
    assert len(explain_clashes([Clash("a.py", "", "")], "It does not fit").split("\n")) == 3
