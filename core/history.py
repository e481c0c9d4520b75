"""Commits as the product sees them: who, why, and which turn stands or is undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from core.errors import UserError
from core.messages import FileChange
from core.sessions import Author


@dataclass(frozen=True)
class Commit:
    """One commit. `when` is in Unix seconds; `undoes` and `redoes` hold the id of the turn this one reversed."""

    id: str
    parents: tuple[str, ...]
    title: str
    author: Author
    when: int
    turn_id: str = ""
    undoes: str = ""
    redoes: str = ""
    link: str = ""
    model: str = ""


@dataclass(frozen=True)
class Draft:
    """
    A commit to be made: the changed files against `parent`, and what the trailers say.

    If it `prevails`, its lines count where the head has changed the same ones meanwhile; else that is a clash.
    """

    session_id: str
    parent: str | None
    changes: dict[str, bytes | None]
    title: str
    turn_id: str
    author: Author
    helpers: tuple[Author, ...] = ()
    body: str = ""
    link: str = ""
    model: str = ""
    variant: str = ""
    undoes: str = ""
    redoes: str = ""
    prevails: bool = False


@dataclass(frozen=True)
class Clash:
    """A file on which two sides disagree; both texts, shortened, and the titles of the commits that changed it since."""

    path: str
    ours: str
    theirs: str
    since: tuple[str, ...] = ()


@dataclass(frozen=True)
class Committed:
    """
    What a commit did: its id, or the clashes that kept the head where it was.

    `target` is the turn that it reverses; `notes` are sentences on what people brought.
    """

    commit: str = ""
    parent: str = ""
    files: tuple[FileChange, ...] = ()
    merged: bool = False
    clashes: tuple[Clash, ...] = ()
    target: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reversal:
    """What to do: reverse `commit`, which undoes or redoes the turn `target`."""

    wish: Literal["undo", "redo"]
    target: str
    commit: Commit


def reversal(log: Sequence[Commit], turn_id: str, wish: Literal["undo", "redo"]) -> Reversal:
    """
    Return the reversal that undoes or redoes a turn; `log` is newest first.

    A turn that was itself an undo or a redo stands for the turn it reversed: undoing an undo is a redo.

    Raises:
        UserError: the turn made no commit, or already is what was wished.
    """
    own = next((one for one in log if one.turn_id == turn_id), None)
    if own is None:
        raise UserError("That turn changed nothing in the app, so there is nothing to take back.")
    if own.undoes:
        return reversal(log, own.undoes, "redo")
    if own.redoes:
        return reversal(log, own.redoes, wish)
    latest = next(one for one in log if turn_id in (one.turn_id, one.undoes, one.redoes))
    if wish == "undo" and latest.undoes:
        raise UserError("That turn is already undone. Redo brings it back.")
    if wish == "redo" and not latest.undoes:
        raise UserError("That turn is in the app already; there is nothing to redo.")
    return Reversal(wish, turn_id, latest)


def latest_turn(log: Sequence[Commit], wish: Literal["undo", "redo"]) -> str:
    """
    Return the newest turn that can be undone, or the newest undone turn that can be redone.

    Raises:
        UserError: there is none.
    """
    settled: set[str] = set()
    for commit in log:
        turn = commit.undoes or commit.redoes or commit.turn_id
        if not turn or turn in settled:
            continue
        settled.add(turn)
        if bool(commit.undoes) == (wish == "redo"):
            return turn
    raise UserError(f"There is nothing to {wish} in this thread.")


def standing_after(log: Sequence[Commit], turn_id: str) -> list[str]:
    """
    Return the turns after `turn_id` that are not undone, newest first; `log` is newest first.

    Raises:
        UserError: there is none, or the turn made no commit.
    """
    if all(commit.turn_id != turn_id for commit in log):
        raise UserError("That turn changed nothing in the app, so there is no version to go back to.")
    found: list[str] = []
    settled: set[str] = set()
    for commit in takewhile(lambda one: one.turn_id != turn_id, log):
        turn = commit.undoes or commit.redoes or commit.turn_id
        if turn and turn not in settled and not commit.undoes:
            found.append(turn)
        settled.add(turn)
    if not found:
        raise UserError("Nothing stands after that turn, so there is nothing to undo.")
    return found


@dataclass(frozen=True)
class Diff:
    """Two trees rendered for people; `text` is a unified diff, cut at a limit that its last line then names."""

    files: tuple[FileChange, ...]
    text: str
