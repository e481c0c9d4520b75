"""What waits for somebody's word: messages of guests for the owner's, serious steps for that of a second person."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from core.chat import Choice, Event, Form
from core.messages import Action, Doc, Footer, Para, Quote
from core.sessions import Author
from core.thread.access import asked_for
from core.thread.decisions import (
    NOTHING,
    Call,
    Decide,
    Decision,
    Effect,
    Hold,
    Mark,
    Post,
    Say,
    Stand,
    answer,
    refusal,
)
from core.thread.line import dropped
from core.thread.state import Held, Person, ThreadState
from core.thread.transcript import APPROVAL, plain

HELD_SECONDS = 3_600
"""How long something waits for a word, in seconds."""
DECISIONS = {
    "allow": "Let this message through, once", "invite": "Let {who} drive this thread from now on", "deny": "Say no",
}  # fmt: skip
NOT_YOURS = "Only the person who started this thread can decide that."
DECIDED = "That has already been decided."
SECOND = ":second"
"""How the id of a serious step ends that waits for a second word."""
FOR_GOOD = ("reset_data",)
"""What nothing brings back: it is asked of who is alone, too."""


def asked(state: ThreadState, event: Event, number: str) -> Post:
    """Ask the owner about a guest's message; the card shows the whole of what would be done."""
    shown = (
        Para(f"{event.author.name} would like me to do this:"),
        Quote(asked_for(event)),
        Footer(who_decides(state)),
    )
    verbs = ("allow", "invite", "deny", "review")
    return Post(f"{number}{APPROVAL}", Doc(shown, "🔑", tuple(Action(verb, number) for verb in verbs)))


def who_decides(state: ThreadState) -> str:
    """Say whose word counts in a thread."""
    name = state.owner.name if state.owner else "who started it"
    return f"{name} decides who can drive this thread."


def allow(call: Call) -> Decision:
    """Let one message of a guest through."""
    return _decided(call, "allowed")


def invite(call: Call) -> Decision:
    """Let a guest's message through, and everything they say from now on."""
    return _decided(call, "invited")


def deny(call: Call) -> Decision:
    """Refuse a guest's message."""
    return _decided(call, "denied")


def _decided(call: Call, state: Literal["allowed", "invited", "denied"]) -> Decision:
    """Carry out the owner's word; the card says who gave it, and its buttons go."""
    held = call.state.held.get(call.target)
    if not call.owns or held is None or held.id.endswith(SECOND):
        return refusal(NOT_YOURS)
    if held.state != "open":
        return refusal(DECIDED)
    if lapsed(held, call.state.now):
        return Decision(overdue(held, call.state.now))
    guest = held.event.author
    words = {
        "allowed": f"{call.author.name} let this message of {guest.name} through.",
        "invited": f"{call.author.name} invited {guest.name}.",
        "denied": f"{call.author.name} said no to {guest.name}'s message.",
    }
    shown = (Para(f"{words[state]}{clock(call.state.now)}"), Quote(asked_for(held.event)))
    actions = (Action("uninvite", held.id),) if state == "invited" else ()
    effects: list[Effect] = [Decide(held.id, state), Post(f"{held.id}{APPROVAL}", Doc(shown, "🔑", actions))]
    if state == "denied":
        return Decision((*effects, Mark(held.id, "⛔")))
    if state == "invited":
        effects.append(Stand(guest, "invited"))
    return Decision(tuple(effects), then=Say(held.event, held.id))


def let_in(call: Call) -> Decision:
    """Let somebody drive the thread who has not asked; the owner's right."""
    person = _meant(call, call.event.people)
    if isinstance(person, Decision):
        return person
    name = person.author.name
    if person.standing in ("owner", "invited"):
        return refusal(f"{name} can already drive this thread.")
    text = f"{name} can now drive this thread; “uninvite @{name}” undoes that."
    return answer(text).after(Stand(person.author, "invited"))


def uninvite(call: Call) -> Decision:
    """Take an invitation back; the owner's right."""
    held = call.state.held.get(call.target)
    person = _meant(call, (held.event.author,) if held else call.event.people)
    if isinstance(person, Decision):
        return person
    name = person.author.name
    if person.standing != "invited":
        return refusal(f"{name} is not invited.")
    back = Stand(person.author, "guest")
    if held is None:
        return answer(f"{name} can no longer drive this thread; their messages wait for your approval again.").after(
            back
        )
    text = f"{call.author.name} took {name}'s invitation back.{clock(call.state.now)}"
    return Decision((back, Post(f"{held.id}{APPROVAL}", plain(text, "🔑"))))


def _meant(call: Call, mentioned: Sequence[Author]) -> Person | Decision:
    """Return the person who is mentioned, else the one whom the call names; or why that is nobody who could be meant."""
    if not call.owns:
        return refusal(NOT_YOURS)
    if mentioned:
        return Person(mentioned[0], call.state.standing(mentioned[0].id))
    for person in call.state.people:
        if person.author.name.casefold() == call.target.casefold():
            return person
    return refusal(f"I know nobody called {call.target} here; please mention them.")


def lapsed(held: Held, now: float) -> bool:
    """Say whether something has waited for too long."""
    return now - held.created >= HELD_SECONDS


def overdue(held: Held, now: float) -> tuple[Effect, ...]:
    """End a wait that took too long: the card says so, and its buttons go."""
    text = f"{held.event.author.name} waited too long for an answer, and can ask again.{clock(now)}"
    return Decide(held.id, "dropped"), Post(f"{held.id}{APPROVAL}", plain(text, "🔑")), Mark(held.id, "⛔")


def review(call: Call) -> Decision:
    """Show the whole of a guest's message beside what can become of it, where the platform has forms."""
    held = call.state.held.get(call.target)
    if not call.owns or held is None:
        return refusal(NOT_YOURS)
    if held.state != "open":
        return refusal(DECIDED)
    who = held.event.author.name
    decisions = {verb: words.format(who=who) for verb, words in DECISIONS.items()}
    form = Form(
        "decide", "A guest's message", [Choice("decision", "What should happen to it", decisions, "allow")],
        about=f"{who} would like me to do this:", quoted=asked_for(held.event), target=held.id, submit="Decide",
    )  # fmt: skip
    return Decision(doc=plain("Use the buttons above to decide.", "🔑"), form=form)


def decide(call: Call) -> Decision:
    """Carry out what was chosen in the form of `review`."""
    chosen = dict(part.partition("=")[::2] for part in call.target.split("&"))
    words: dict[str, Callable[[Call], Decision]] = {"allow": allow, "invite": invite, "deny": deny}
    word = words.get(chosen.get("decision", ""))
    if word is None:
        return refusal("I didn't understand that decision; use the buttons on the message's card.")
    return word(replace(call, target=chosen.get("target", "")))


def withdraw(call: Call) -> Decision:
    """Take the owner's word back while the message that was let through still waits for its turn."""
    held = call.state.held.get(call.target)
    waiting = [turn for turn in call.state.line if turn.request.turn_id == call.target and not turn.running]
    if not call.owns or held is None or held.state != "allowed" or not waiting:
        return NOTHING
    text = f"{call.author.name} took that back; {held.event.author.name}'s message is not carried out."
    card = Doc((Para(text), Quote(asked_for(held.event))), "🔑")
    return Decision((*dropped(waiting[0]), Decide(held.id, "dropped"), Post(f"{held.id}{APPROVAL}", card)))


def asked_first(call: Call, verb: str, what: str) -> Decision | None:
    """
    Ask for a second word on something serious that `verb` does; None if it can be done at once.

    It is another person's where several have a say. What cannot be undone is asked of who is alone, too.
    """
    several = call.state.others(call.author.id)
    if call.agreed or not (several or verb in FOR_GOOD):
        return None
    number = f"{call.turn_id}{SECOND}"
    event = Event(number, call.state.session.key, call.author, "command", text=verb, target=call.target)
    text = f"{call.author.name} wants to {what}. Someone else who can decide here must agree."
    if not several:
        text = f"This will {what}, and cannot be undone. Shall I? You can also say “{verb.replace('_', ' ')} yes”."
    card = Doc((Para(text),), "🔑", (Action("agree", number), Action("refuse", number)))
    return Decision((Hold(number, event), Post(f"{number}{APPROVAL}", card)))


def serious(call: Call) -> Held | Decision:
    """Return the serious step that the call is about, or why there is none to decide on."""
    held = call.state.held.get(call.target)
    if held is None or not held.id.endswith(SECOND):
        return refusal("There is nothing waiting for your agreement.")
    return held if held.state == "open" else refusal(DECIDED)


def settled(held: Held, state: Literal["allowed", "denied"], what: str, now: float) -> tuple[Effect, ...]:
    """Set what became of a serious step; the card says it, and its buttons go."""
    text = f"{held.event.author.name} {what}.{clock(now)}"
    return Decide(held.id, state), Post(f"{held.id}{APPROVAL}", plain(text, "🔑"))


def clock(now: float) -> str:
    """Return when something was decided, for people."""
    return time.strftime(" (%H:%M UTC)", time.gmtime(now))


def taken_back(held: Held) -> tuple[Effect, ...]:
    """End the wait of a message that its author deleted."""
    text = f"{held.event.author.name} took the message back."
    return Decide(held.id, "dropped"), Post(f"{held.id}{APPROVAL}", plain(text, "🔑"))
