"""Undo and redo any turn, as new commits; people's later work stays, and a clash moves nothing."""

from collections.abc import Sequence

from core.history import Clash, Committed, Draft, latest_turn, reversal
from core.messages import TurnRequest
from core.ports import MemoryStore, Repository, Tx


async def reverse_turn(tx: Tx, request: TurnRequest, repository: Repository, memory: MemoryStore) -> Committed:
    """
    Take back the turn that `request` names (the latest one when it names none), or bring it back.

    What was learned in the turn is retracted, or learned again, in the same transaction.

    Raises:
        UserError: there is nothing to take back or bring back.
    """
    assert request.kind != "message"
    log = await repository.log(request.session_id)
    found = reversal(log, request.target or latest_turn(log, request.kind), request.kind)
    undo = found.wish == "undo"
    draft = Draft(
        session_id=request.session_id,
        parent=log[0].id,
        changes={},
        title=f"{'Undo' if undo else 'Redo'}: {original_title(found.commit.title)}",
        turn_id=request.turn_id,
        author=request.author,
        link=request.link,
        undoes=found.target if undo else "",
        redoes="" if undo else found.target,
    )
    committed = await repository.reverse(tx, draft, found.commit.id)
    if not committed.clashes:
        await memory.retract(tx, request.session_id, found.target, undo)
    return committed


def original_title(title: str) -> str:
    """Strip the marks of earlier undos and redos."""
    while title.startswith(("Undo: ", "Redo: ")):
        title = title[6:]
    return title


def explain_clashes(clashes: Sequence[Clash]) -> str:
    """Return the sentence and both sides of each clash, for people."""
    files = ", ".join(clash.path for clash in clashes)
    lines = [f"Nothing was changed: later work touches the same lines in {files}."]
    for clash in clashes[:5]:
        lines.append(f"{clash.path}\nnow in the app:\n{_quoted(clash.ours)}\nthe other side:\n{_quoted(clash.theirs)}")
    return "\n\n".join(lines)


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"
