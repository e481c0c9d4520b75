"""Taking turns back, bringing them back, settling clashes, and accepting what the checks kept out."""

import re
from dataclasses import replace
from typing import Literal

from core.findings import blocking
from core.messages import DiffText, Doc, Para, TurnRequest, TurnResult
from core.thread.decisions import Call, Decision, Effect, Join, Waive, answer, notice, refusal
from core.thread.line import WAIVABLE, again, dropped, own, stopped

FINE = re.compile(
    r"(?:(?:this|that|it) is fine|waive(?: (?:it|this|that))?)[.!]?(?:(?::|,? because|,? since)\s+(?P<why>[^\n]{1,300}))?",
    re.I | re.S,
)
IN_SPITE = (
    "An undo clashes with later work; “the other side” is what it would bring back. Bring that back, and keep what the "
    "later work was for."
)
NO_CLASH = "That change didn't clash with another one."


def undo(call: Call) -> Decision:
    """Stop what runs, then take back the target, or the latest turn."""
    return _reverse("undo", call)


def redo(call: Call) -> Decision:
    """Bring back the target, or the turn undone last."""
    return _reverse("redo", call)


def undo_to(call: Call) -> Decision:
    """Take back every turn after the target."""
    return _reverse("undo", call, beyond=True)


def _reverse(kind: Literal["undo", "redo"], call: Call, *, beyond: bool = False) -> Decision:
    """
    Queue a reversal; one that is the opposite of another that still waits, or the same as one under way, is none.

    An undo ends what is being built; a redo waits for it.
    """
    line = call.state.line
    same = [
        turn
        for turn in line
        if call.target
        and (turn.request.target, turn.request.beyond) == (call.target, beyond)
        and turn.request.kind in ("undo", "redo")
    ]
    effects: tuple[Effect, ...] = ()
    if same:
        if same[-1].request.kind == kind:
            return Decision(turn_id=same[-1].request.turn_id)
        if not same[-1].running:
            return Decision(dropped(same[-1]))
    elif kind == "undo":
        effects, left = stopped([turn for turn in line if turn.request.kind == "message"], call.author)
        if left:
            effects = (*effects, notice(call.turn_id, f"Undo comes first. {left}", "⏹️"))
    request = TurnRequest(
        call.turn_id, call.state.session.id, kind, kind, call.author, target=call.target, beyond=beyond
    )
    return Decision((*effects, Join(request)), call.turn_id)


def keep_mine(call: Call) -> Decision:
    """Settle a clash: the lines of the turn that was kept out count."""
    if (clash := _clash(call)) is None:
        return refusal(NO_CLASH)
    request, result = clash
    return again(call, _aimed(request, result.target), kept=True, base=result.parent)


def keep_theirs(call: Call) -> Decision:
    """Settle a clash: the app stays as it is."""
    return refusal(NO_CLASH) if _clash(call) is None else answer("The app stays as it is.")


def reconcile(call: Call) -> Decision:
    """Settle a clash: what the turn was for is done again, on top of what is there now."""
    if (clash := _clash(call)) is None:
        return refusal(NO_CLASH)
    request, result = clash
    if request.kind not in ("undo", "redo"):
        return again(call, _aimed(request, result.target), kept=False)
    text = f"{'Undo' if request.kind == 'undo' else 'Redo'} that, and keep what later turns did."
    about = f"{IN_SPITE}\n\n{result.message}\n\n{result.sides}"
    joined = TurnRequest(call.turn_id, request.session_id, "message", text, call.author, about=about)
    asked = notice(call.turn_id, f"{call.author.name} asked me to work it out.", "👀")
    return Decision((Join(joined), asked), call.turn_id)


def _clash(call: Call) -> tuple[TurnRequest, TurnResult] | None:
    """Return the turn that the call is about if it clashed with another one."""
    turn = own(call.state, call.target)
    return (turn.request, turn.result) if turn and turn.result and turn.result.clashed else None


def _aimed(request: TurnRequest, target: str) -> TurnRequest:
    """Return a request that names what it meant then: by now another turn may be the latest."""
    return replace(request, target=request.target or target)


def show_sides(call: Call) -> Decision:
    """Show the code of both sides of a clash, which its answer only names."""
    turn = own(call.state, call.target)
    if turn is None or turn.result is None or not turn.result.sides:
        return refusal(NO_CLASH)
    return Decision(doc=Doc((Para("Both sides of it:"), DiffText(turn.result.sides)), "🔍"))


def waive(call: Call) -> Decision:
    """Accept what kept a change out, and do the turn again with the same answers of the models."""
    turn = own(call.state, call.target or call.state.ended((WAIVABLE,)))
    result = turn.result if turn is not None else None
    findings = blocking(result.checks) if result is not None and result.outcome == WAIVABLE else ()
    if turn is None or not findings:
        return refusal("There is no blocked change to accept.")
    match = FINE.fullmatch(call.event.text.strip())
    why = (match["why"] or "") if match else ""
    fingerprints = tuple(finding.fingerprint for finding in findings)
    return again(call, turn.request, kept=True).after(Waive(fingerprints, call.author, why))
