"""Turns that run and wait in a thread: dropping them, stopping them, doing one again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from core import steering
from core.messages import Action, Doc, Para, Signal, TurnRequest, TurnResult
from core.sessions import Author
from core.steering import MOST_NAMED
from core.thread.decisions import (
    Call,
    Decision,
    Effect,
    Finish,
    GiveUp,
    Join,
    Mark,
    Move,
    Post,
    Renumber,
    Rewrite,
    Tell,
    answer,
    notice,
    refusal,
)
from core.thread.state import ThreadState, Turn, Unfinished
from core.thread.transcript import QUEUED, Message, plain
from core.wording import inert, listed, quoted

RESUMABLE = ("stopped", "failed", "over_budget")
WAIVABLE = "blocked"
UNDONE = (*RESUMABLE, WAIVABLE, "asked")
"""How a turn ends that changed nothing and may be resumed, unless its message is taken back."""
REMOVED = "Removed from the queue."
MOST_RENUMBERED = 3


def queued(turn_id: str, position: int) -> Doc:
    """Return the card of a turn that waits."""
    return Doc((Para(f"Queued, position {position}."),), "🕒", (Action("drop", turn_id),))


def renumbered(waiting: Sequence[str], cards: Sequence[Message]) -> list[Post]:
    """Return the cards of the next few turns that wait, where they no longer show the turn's position."""
    shown = {card.key: card.doc for card in cards}
    posts = []
    for position, turn_id in enumerate(waiting[:MOST_RENUMBERED], 1):
        doc = shown.get(f"{turn_id}{QUEUED}")
        if doc is not None and doc.actions and doc != queued(turn_id, position):
            posts.append(Post(f"{turn_id}{QUEUED}", queued(turn_id, position), turn_id=turn_id))
    return posts


def dropped(turn: Unfinished, how: Literal["stopped", "dropped", "withdrawn"] = "withdrawn") -> tuple[Effect, ...]:
    """End a turn that has not started; what was added to one that is withdrawn stays, as turns of their own."""
    turn_id = turn.request.turn_id
    late = steering.unheard(turn.told, 0)[0] if how == "withdrawn" else ()
    return (
        Rewrite(turn.whole),
        Finish(TurnResult(turn_id, how, REMOVED)),
        Mark(turn_id, "⏹️"),
        *on_their_own(turn.request, late),
        Post(f"{turn_id}{QUEUED}", plain(REMOVED, "⏹️"), only="known"),
        Renumber(),
    )


def on_their_own(request: TurnRequest, late: Iterable[tuple[int, Signal]]) -> list[Effect]:
    """Let what was said to a turn, and is not part of it, become turns of their own."""
    effects: list[Effect] = []
    for number, signal in late:
        again = f"{request.turn_id}-{number}"
        text = steering.corrected(signal.text) if signal.said == request.message else signal.text
        turn = TurnRequest(again, request.session_id, "message", text, signal.author, request.link, said=signal.said)
        effects += [Join(turn), Move(signal.said, again, "👀")]
    return effects


def stopped(line: Sequence[Unfinished], by: Author) -> tuple[tuple[Effect, ...], str]:
    """
    Drop what waits and tell what runs to stop; also return what is left undone, '' if something runs and will say so itself.

    Where nothing runs yet the first is what was stopped, and what “continue” resumes.
    """
    running = [turn for turn in line if turn.running]
    waiting = [turn for turn in line if not turn.running]
    wishes = [wish for turn in waiting for wish in wishes_of(turn)]
    left = f"Left undone: {listed(quoted(wishes), MOST_NAMED)}." if wishes else ""
    effects: list[Effect] = []
    for at, turn in enumerate(waiting):
        effects += dropped(turn, "dropped" if at or running else "stopped")
    effects += [Tell(turn.request.turn_id, Signal("stop", by, left)) for turn in running]
    return tuple(effects), "" if running else left


def wishes_of(turn: Unfinished) -> list[str]:
    """Return what a turn is asked, and what was added to it, each on one line and shortened."""
    return [inert(text)[:60] for text in (turn.request.text, *(signal.text for signal in turn.whole.added))]


def stop(call: Call) -> Decision:
    """Stop everything in the thread; one summary says what was going on and what is left."""
    if not call.state.line:
        return answer("Nothing is running.")
    effects, left = stopped(call.state.line, call.author)
    if left:
        text = f"Stopped by {call.author.name} before it started. {left}"
        effects = (*effects, notice(call.turn_id, text, "⏹️"))
    return Decision(effects)


def drop(call: Call) -> Decision:
    """Take a message out of the queue."""
    for turn in call.state.line:
        if turn.request.turn_id == call.target and not turn.running:
            return answer(REMOVED, "⏹️").after(*dropped(turn), GiveUp(turn.request.message))
    return refusal("That one has already started; say “stop” to end it.")


def resume(call: Call) -> Decision:
    """Do a turn again; one that was stopped or failed on the way uses the work that was finished."""
    turn = call.state.turn(call.target or call.state.ended(RESUMABLE))
    if turn is None:
        return refusal("There is nothing to continue.")
    if turn.result is None:
        return refusal("That one hasn't finished yet.")
    if turn.request.session_id != call.state.session.id:
        return refusal("That turn belongs to another thread.")
    if turn.result.outcome in ("dropped", "withdrawn"):
        return refusal("That was withdrawn. Ask again if you want it after all.")
    return again(call, turn.request, kept=turn.result.outcome in RESUMABLE)


def again(call: Call, request: TurnRequest, *, kept: bool, base: str = "") -> Decision:
    """Do a request once more; `kept` uses what the models answered then, `base` is where it starts."""
    for turn in call.state.line:
        if turn.request.message == request.message:
            return Decision(turn_id=turn.request.turn_id)
    resumes = (request.resumes or request.turn_id) if kept else ""
    added = tuple(signal for signal in request.added if signal.said not in call.state.deleted)
    repeated = replace(
        request, turn_id=call.turn_id, resumes=resumes, base=base, helpers=(*request.helpers, call.author),
        said=request.message, added=added,
    )  # fmt: skip
    return Decision((Join(repeated),), call.turn_id)


def own(state: ThreadState, turn_id: str) -> Turn | None:
    """Return a turn if it is this thread's."""
    turn = state.turn(turn_id)
    return turn if turn is not None and turn.request.session_id == state.session.id else None
