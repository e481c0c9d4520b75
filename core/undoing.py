"""Undo and redo any turn, as new commits; people's later work stays, and a clash moves nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from core.errors import UserError
from core.history import Clash, Commit, Committed, Draft, Reversal, latest_turn, reversal, standing_after
from core.messages import TurnRequest
from core.ports import MemoryStore, Repository, Tx

AFTER = "after:"


async def reverse_turn(tx: Tx, request: TurnRequest, repository: Repository, memory: MemoryStore) -> Committed:
    """
    Take back the turn that `request` names (the latest one when it names none), or bring it back.

    A target `after:<turn>` means every turn that stands after that one. What was learned in a turn is retracted, or
    learned again, in the same transaction.

    Raises:
        UserError: there is nothing to take back or bring back; or of several turns one clashes, then nothing moves.
    """
    assert request.kind in ("undo", "redo")
    log = await repository.log(request.session_id)
    done = [await _reverse(tx, request, one, repository, memory) for one in _reversals(log, request)]
    if len(done) == 1:
        return done[0]
    if clashes := [clash for one in done for clash in one.clashes]:
        raise UserError(explain_clashes(clashes, "They cannot all be undone"))
    files = {file.path: file for one in done for file in one.files}
    return replace(done[-1], parent=done[0].parent, files=tuple(files.values()))


def _reversals(log: Sequence[Commit], request: TurnRequest) -> list[Reversal]:
    """Return what has to be reversed, in order."""
    assert request.kind in ("undo", "redo")
    kind: Literal["undo", "redo"] = "undo" if request.kind == "undo" else "redo"
    if request.target.startswith(AFTER):
        return [reversal(log, turn, kind) for turn in standing_after(log, request.target.removeprefix(AFTER))]
    target = request.target or latest_turn(log, kind)
    # A turn that took back several others is brought back as a whole, the oldest first.
    several = [one.undoes for one in log if one.turn_id == target and one.undoes]
    if len(several) > 1:
        return [reversal(log, turn, "redo") for turn in several]
    return [reversal(log, target, kind)]


async def _reverse(
    tx: Tx, request: TurnRequest, found: Reversal, repository: Repository, memory: MemoryStore
) -> Committed:
    undo = found.wish == "undo"
    draft = Draft(
        session_id=request.session_id,
        parent=None,
        changes={},
        title=f"{'Undo' if undo else 'Redo'}: {original_title(found.commit.title)}",
        turn_id=request.turn_id,
        author=request.author,
        link=request.link,
        undoes=found.target if undo else "",
        redoes="" if undo else found.target,
        prevails=bool(request.base),
    )
    committed = await repository.reverse(tx, draft, found.commit.id)
    if not committed.clashes:
        await memory.retract(tx, request.session_id, found.target, undo)
    return replace(committed, target=found.target)


def original_title(title: str) -> str:
    """Strip the marks of earlier undos and redos."""
    while title.startswith(("Undo: ", "Redo: ")):
        title = title[6:]
    return title


def reversed_commits(log: Sequence[Commit], request: TurnRequest) -> list[Commit]:
    """Return the commits that a wish to undo or redo reverses, in order."""
    return [one.commit for one in _reversals(log, request)]


def explain_clashes(clashes: Sequence[Clash], what: str) -> str:
    """Return a few lines for people: what cannot be done, which files and which later turns are in the way."""
    titles = list(dict.fromkeys(original_title(title) for clash in clashes for title in clash.since))
    lines = [
        f"{what}: later work changed the same lines.",
        f"Files: {_listed([clash.path for clash in clashes], MOST_FILES)}",
    ]
    if titles:
        lines.append(f"Changed since by: {_listed([f'“{_cut(title)}”' for title in titles], MOST_TURNS)}")
    return "\n".join([*lines, "Nothing was changed. What would you like?"])


def explain_sides(clashes: Sequence[Clash]) -> str:
    """Return both sides of each clash, for a model."""
    return "\n\n".join(
        f"{clash.path}\nnow in the app:\n{_quoted(clash.ours)}\nthe other side:\n{_quoted(clash.theirs)}"
        for clash in clashes[:5]
    )


MOST_FILES, MOST_TURNS, TITLE_CHARS = 3, 2, 60


def _cut(title: str) -> str:
    return title if len(title) <= TITLE_CHARS else f"{title[: TITLE_CHARS - 1].rstrip()}…"


def _listed(names: Sequence[str], most: int) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"
