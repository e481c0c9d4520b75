"""What can be set in a thread, and serious steps: what its app has stored, and who may open the preview."""

from collections.abc import Mapping
from dataclasses import replace

from core.chat import Choice, Form
from core.messages import Action, TurnRequest
from core.sessions import Session
from core.steering import MOST_NAMED
from core.thread.approvals import asked_first, lapsed, overdue, serious, settled
from core.thread.decisions import Call, Change, Decision, Join, Query, Revoke, answer, refusal
from core.thread.line import wishes_of
from core.thread.state import Held
from core.thread.transcript import plain
from core.wording import listed, quoted

ACCESS = {
    "owner": "only who started it", "invited": "who started it and whom they let in",
    "everyone": "everyone in the channel", "nobody": "nobody, it is paused",
}  # fmt: skip
LISTENING = {
    "auto": "every message while one person talks, else mentions", "always": "every message", "mention": "mentions only",
}  # fmt: skip
VERBOSITY = {"answer": "the answer", "steps": "the answer and the steps", "everything": "steps and every file"}
SHARING = {"link": "people with a link from this thread", "public": "everyone"}
CHOICES = {"access": ACCESS, "listening": LISTENING, "verbosity": VERBOSITY, "sharing": SHARING}
LABELS = {
    "access": "Who may drive", "listening": "I listen to", "verbosity": "I show", "sharing": "The preview opens for",
    "scope": "Applies to",
}  # fmt: skip
SCOPE = {"thread": "this thread", "channel": "this thread and new ones in this channel"}
"""What is shown changes in the channel's other threads too, unless somebody chose there."""
SERIOUS = {"reset_data": "delete everything the running app has stored", "set": "open the preview for everyone"}
"""What one person alone does not do where several have a say, by verb."""


def settings_form(session: Session) -> Form:
    """Return the form that changes a session's settings."""
    choices = [Choice(name, LABELS[name], values, getattr(session, name)) for name, values in CHOICES.items()]
    return Form("set", "Settings of this thread", [*choices, Choice("scope", LABELS["scope"], SCOPE, "thread")])


def settings_lines(session: Session) -> str:
    """Return the settings in words, one a line."""
    return "\n".join(f"{LABELS[name]}: {values[getattr(session, name)]}" for name, values in CHOICES.items())


def settings_text(session: Session) -> str:
    """Return the settings in words, and how to change them where there is no form."""
    how = "; ".join(f"set {name} {'|'.join(values)}" for name, values in CHOICES.items())
    return f"{settings_lines(session)}\nChange them by saying, for example: {how}."


def wanted_settings(text: str) -> dict[str, str]:
    """Return the settings that `name=value&…` or `name value` asks for; unknown names and values are left out."""
    pairs = [part.replace("=", " ", 1).split() for part in text.split("&")]
    known: Mapping[str, Mapping[str, str]] = {**CHOICES, "scope": SCOPE}
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in known.get(pair[0], ())}


def status(call: Call) -> Decision:
    """Say what is running and waiting, and who may drive."""
    state = call.state
    lines = [
        f"{'Running' if turn.running else 'Waiting'}: {listed(quoted(wishes_of(turn)), MOST_NAMED)}"
        for turn in state.line
    ]
    guests = [person.author.name for person in state.people if person.standing == "invited"]
    whose = [f"Started by {state.owner.name}."] if state.owner else []
    whose += [f"Invited: {', '.join(guests)}."] if guests else []
    text = "\n".join([*(lines or ["Nothing is running."]), *whose, settings_lines(state.session)])
    return Decision(doc=replace(plain(text, "✅"), actions=(Action("settings"),)))


def show_settings(call: Call) -> Decision:
    """Show the settings, with a form where the platform has forms."""
    doc = replace(plain(settings_text(call.state.session), "✅"), actions=(Action("settings"),))
    return Decision(doc=doc, form=settings_form(call.state.session))


def change_settings(call: Call) -> Decision:
    """Change settings of the thread, and of new threads in its channel when asked to; the owner's right."""
    session, wanted = call.state.session, wanted_settings(call.target)
    scope = wanted.pop("scope", "thread")
    if not call.owns:
        return refusal("Only the person who started this thread can change its settings.")
    if not wanted:
        return refusal(f"I don't know that setting.\n{settings_text(session)}")
    opens = wanted.get("sharing") == "public" != session.sharing
    if opens and (question := asked_first(call, "set", SERIOUS["set"])):
        return question
    changed = replace(session, **wanted)  # type: ignore[arg-type]
    lines = ["Changed.", *(f"{LABELS[name]}: {getattr(changed, name)}" for name in wanted)]
    if wanted.get("access") == "nobody":
        lines.append("You can still say “settings”, “set …”, “status” and “help” here, because you started it.")
    return answer("\n".join(lines)).after(Change(wanted, scope == "channel"))


def revoke(call: Call) -> Decision:
    """Revoke every link to the preview; the owner's right."""
    if not call.owns:
        return refusal("Only the person who started this thread can revoke its links.")
    text = "Links I've given out so far no longer open the preview. Say “preview” for a new one."
    return answer(text).after(Revoke())


def reset_data(call: Call) -> Decision:
    """Remove what the running app has stored; the owner's right."""
    if not call.owns:
        return refusal("Only the person who started this thread can delete the app's data.")
    # Somebody who is alone here can say “yes” with it.
    sure = call.target == "yes" and not call.state.others(call.author.id)
    question = asked_first(replace(call, agreed=call.agreed or sure), "reset_data", SERIOUS["reset_data"])
    return question or Decision(query=Query("reset_data"))


def agree(call: Call) -> Decision:
    """Give the second word; what was asked for is done in the name of the person who asked."""
    held = serious(call)
    if isinstance(held, Decision):
        return held
    asker, now = held.event.author, call.state.now
    if asker.id == call.author.id and call.state.others(asker.id):
        return refusal("Someone else has to agree.")
    if lapsed(held, now):
        return Decision(overdue(held, now))
    settle = settled(held, "allowed", f"wanted to {SERIOUS[held.event.text]}; {call.author.name} agreed", now)
    step = {"reset_data": reset_data, "set": change_settings}[held.event.text]
    decision = step(replace(call, author=asker, target=held.event.target, agreed=True)).after(*settle)
    if decision.query is None:
        return decision
    # Whatever happens to the bot now, it is done, and told to all.
    request = TurnRequest(call.turn_id, call.state.session.id, "query", decision.query.verb, call.author)
    return Decision((*decision.effects, Join(request)), call.turn_id)


def refuse(call: Call) -> Decision:
    """Say no to something serious, or take the wish for it back."""
    held = serious(call)
    if isinstance(held, Decision):
        return held
    return Decision(settled(held, "denied", _refused(call, held), call.state.now))


def _refused(call: Call, held: Held) -> str:
    who = "took that back" if held.event.author.id == call.author.id else f"{call.author.name} said no"
    return f"wanted to {SERIOUS[held.event.text]}; {who}"
