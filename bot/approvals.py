"""Messages of guests, which wait for the owner's word."""

import time
from dataclasses import replace
from typing import Literal

from adapters.store.messages import plain
from bot.calls import Call, Outcome, drop_turn, said
from core.chat import Choice, Form

APPROVAL, APPROVAL_SECONDS = ":approval", 3_600
"""How the key of an approval's card ends, and how long the message waits."""
DECISIONS = {
    "allow": "Let this message through, once", "invite": "Let {who} drive this thread from now on", "deny": "Say no",
}  # fmt: skip


async def allow(call: Call) -> Outcome:
    """Let one message of a guest through."""
    return await _decide(call, "allowed")


async def invite(call: Call) -> Outcome:
    """Let a guest's message through, and everything they say from now on."""
    return await _decide(call, "invited")


async def deny(call: Call) -> Outcome:
    """Refuse a guest's message."""
    return await _decide(call, "denied")


async def _decide(call: Call, state: Literal["allowed", "invited", "denied"]) -> Outcome:
    """Carry out the owner's word; the card says who gave it, and its buttons go."""
    inbox, tx = call.inbox, call.tx
    found = await inbox.people.waiting(tx, call.target, call.session.id)
    if not call.owns or found is None:
        return said("Only who started this thread can decide that.", "❗")
    if found.state != "open":
        return said("That is decided already.", "❗")
    guest = found.event.author
    late = time.time() - found.created > APPROVAL_SECONDS
    words = {
        "allowed": f"{call.author.name} let this message of {guest.name} through.",
        "invited": f"{call.author.name} invited {guest.name}.",
        "denied": f"{call.author.name} said no to {guest.name}'s message.",
    }
    text = f"{guest.name}'s message waited for too long; they can send it again." if late else words[state]
    text += time.strftime(" (%H:%M UTC)", time.gmtime())
    await inbox.people.decide(tx, found.id, "dropped" if late else state)
    await inbox.messages.post(tx, call.session.id, f"{found.id}{APPROVAL}", "notice", plain(text, "🔑"))
    if late or state == "denied":
        await inbox.messages.mark(tx, f"{found.id}", "⛔")
        return Outcome()
    if state == "invited":
        await inbox.people.put(tx, call.session.id, guest, "invited")
    return Outcome(await inbox.say(tx, call.session, found.event, found.id))


async def review(call: Call) -> Outcome:
    """Show the whole of a guest's message beside what can become of it, where the platform has forms."""
    found = await call.inbox.people.waiting(call.tx, call.target, call.session.id)
    if not call.owns or found is None:
        return said("Only who started this thread can decide that.", "❗")
    if found.state != "open":
        return said("That is decided already.", "❗")
    who = found.event.author.name
    files = "".join(f"\n📎 {file.name}" for file in found.event.files)
    decisions = {verb: words.format(who=who) for verb, words in DECISIONS.items()}
    return Outcome(
        doc=plain("Decide with the buttons above.", "🔑"),
        form=Form(
            "decide", "A guest's message", [Choice("decision", "What becomes of it", decisions, "allow")],
            about=f"{who} would like me to do this:\n{found.event.text}{files}", target=found.id, submit="Decide",
        ),
    )  # fmt: skip


async def decide(call: Call) -> Outcome:
    """Carry out what was chosen in the form of `review`."""
    chosen = dict(part.partition("=")[::2] for part in call.target.split("&"))
    verb = chosen.get("decision", "")
    if verb not in DECISIONS:
        return said("I did not understand what becomes of that message; use the buttons on its card.", "❗")
    word = {"allow": allow, "invite": invite, "deny": deny}[verb]
    return await word(replace(call, target=chosen.get("target", "")))


async def withdraw(call: Call) -> Outcome:
    """Take the owner's word back while the message that was let through still waits for its turn."""
    found = await call.inbox.people.waiting(call.tx, call.target, call.session.id)
    waiting = await call.inbox.turns.waiting(call.tx, call.session.id)
    mine = [request for request, running in waiting if request.turn_id == call.target and not running]
    if call.owns and found is not None and found.state == "allowed" and mine:
        await drop_turn(call, mine[0])
        await call.inbox.people.decide(call.tx, found.id, "dropped")
        text = f"{call.author.name} took that back; {found.event.author.name}'s message is not carried out."
        await call.inbox.messages.post(call.tx, call.session.id, f"{found.id}{APPROVAL}", "notice", plain(text, "🔑"))
    return Outcome()
