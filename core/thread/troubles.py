"""Errors of running apps: how they are told in a thread, and the wish that mends one."""

from core.chat import Event
from core.messages import Action, Doc, Footer, Para
from core.thread.decisions import Call, Decision, Say, TakeButtons, refusal
from core.thread.transcript import TROUBLE


def told(text: str, key: str, *, mends: bool = True, overfull: bool = False) -> Doc:
    """Return what is said about an error, with a way to mend it where there is one."""
    lines = (Para("The running app reported an error:"), Para(f"```\n{text}\n```"))
    if overfull:
        return Doc(lines, "⚠️")
    if not mends:
        return Doc((*lines, Footer("The built-in builder can't fix this; undo the change, or connect a model.")), "⚠️")
    return Doc((*lines, Footer("Say “fix” and I'll look into it.")), "⚠️", (Action("fix", key),))


def wish(doc: Doc) -> str:
    """Return the message that asks to mend what `told` says."""
    text = "\n".join(block.text for block in doc.blocks if isinstance(block, Para))
    return f"Please fix this. {text}"


def fix(call: Call) -> Decision:
    """Start a turn that mends an error of the running app, the latest one unless one is named."""
    trouble = call.state.messages.get(call.target) or call.state.messages.get(TROUBLE)
    if trouble is None or trouble.session_id != call.state.session.id:
        return refusal("I don't know of any error in the running app.")
    event = Event(call.turn_id, call.state.session.key, call.author, text=wish(trouble.doc))
    return Decision((TakeButtons(trouble.key),), then=Say(event, call.turn_id))
