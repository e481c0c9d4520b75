"""What a command is given, what it gives back, and what several of them do."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from adapters.store.messages import Messages, plain
from adapters.store.turns import Turns
from bot.lines import Lines
from core import steering
from core.chat import Form
from core.messages import Action, Doc, Para, Signal, TurnRequest, TurnResult
from core.sessions import Author, Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.inbox import Inbox


QUEUED = ":queued"
"""How the key of the card of a turn that waits ends."""
MOST_RENUMBERED = 3


@dataclass(frozen=True)
class Call:
    """
    One use of a command. `turn_id` is for a turn that it starts; `target` is what it applies to, '' for the latest.

    `said` is the person's own sentence where the command is a word of one, and `people` are those whom it mentions; `agreed` says
    that a second person is for it.
    """

    inbox: "Inbox"
    tx: "AsyncConnection"
    session: Session
    author: Author
    turn_id: str
    target: str = ""
    owns: bool = True
    said: str = ""
    people: tuple[Author, ...] = ()
    agreed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a command did: the turn it started, and what to tell the person. `query` is answered after the transaction."""

    turn_id: str = ""
    doc: Doc | None = None
    form: Form | None = None
    query: str = ""


Command = Callable[[Call], Awaitable[Outcome]]


def said(text: str, mark: str = "✅") -> Outcome:
    """Return an outcome that is one sentence."""
    return Outcome(doc=plain(text, mark))


async def drop_turn(
    call: Call, request: TurnRequest, how: Literal["stopped", "dropped", "withdrawn"] = "withdrawn"
) -> None:
    """End a turn that has not started; its workflow finds it finished. What was added to one that is withdrawn stays."""
    turns = call.inbox.turns
    await turns.change(call.tx, await with_added(call, request))
    await turns.finish(call.tx, TurnResult(request.turn_id, how, "Removed from the queue."))
    await call.inbox.messages.mark(call.tx, request.turn_id, "⏹️")
    if how == "withdrawn":
        late, _ = steering.unheard(await turns.told(call.tx, request.turn_id, 0), 0)
        await on_their_own(call.tx, request, late, call.inbox.lines, call.inbox.messages)
    key = f"{request.turn_id}{QUEUED}"
    if await call.inbox.messages.by_key(call.tx, key):
        await call.inbox.messages.post(call.tx, call.session.id, key, "notice", plain("Removed from the queue.", "⏹️"))
    await renumber(call.tx, call.session.id, call.inbox.turns, call.inbox.messages)


async def with_added(call: Call, request: TurnRequest) -> TurnRequest:
    """Return what a turn is asked with all that was said to it until now."""
    told = await call.inbox.turns.told(call.tx, request.turn_id, 0)
    return replace(request, added=steering.counted([*request.added, *(signal for _, signal in told)]))


async def on_their_own(
    tx: Any, request: TurnRequest, late: Sequence[tuple[int, Signal]], lines: Lines, messages: Messages
) -> None:
    """Let what was said to a turn, and is not part of it, become turns of their own."""
    for number, signal in late:
        again = f"{request.turn_id}-{number}"
        text = steering.corrected(signal.text) if signal.said == request.message else signal.text
        await lines.join(
            tx,
            TurnRequest(again, request.session_id, "message", text, signal.author, request.link, said=signal.said),
        )
        await messages.move(tx, signal.said, again, "👀")


def queued(turn_id: str, position: int) -> Doc:
    """Return the card of a turn that waits."""
    return Doc((Para(f"Queued, position {position}."),), "🕒", (Action("drop", turn_id),))


async def renumber(tx: Any, session_id: str, turns: Turns, messages: Messages) -> None:
    """Let the cards of those who come next say where they are by now; the rest is told when it is nearer."""
    waiting = [request.turn_id for request, running in await turns.waiting(tx, session_id) if not running]
    for position, turn_id in enumerate(waiting[:MOST_RENUMBERED], 1):
        found = await messages.by_key(tx, f"{turn_id}{QUEUED}")
        if found is not None and found.doc.actions and found.doc != queued(turn_id, position):
            await messages.post(tx, session_id, found.key, "notice", queued(turn_id, position), turn_id=turn_id)
