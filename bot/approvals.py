"""What waits for somebody's word: messages of guests for the owner's, serious steps for that of a second person."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from adapters.store.messages import plain
from adapters.store.people import Standing, Waiting
from bot.calls import Call, Outcome, drop_turn, said
from bot.people import asked_for
from core.chat import Choice, Event, Form
from core.clock import SYSTEM, Clock
from core.messages import Action, Doc, Para, Quote, TurnRequest
from core.sessions import Author

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.inbox import Inbox

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
    if not call.owns or found is None or found.id.endswith(SECOND):
        return said("Only who started this thread can decide that.", "❗")
    if found.state != "open":
        return said("That is decided already.", "❗")
    if await _lapsed(inbox, tx, found):
        return Outcome()
    guest = found.event.author
    words = {
        "allowed": f"{call.author.name} let this message of {guest.name} through.",
        "invited": f"{call.author.name} invited {guest.name}.",
        "denied": f"{call.author.name} said no to {guest.name}'s message.",
    }
    await inbox.people.decide(tx, found.id, state)
    card = Doc((Para(f"{words[state]}{_clock()}"), Quote(asked_for(found.event))), "🔑")
    if state == "invited":
        card = replace(card, actions=(Action("uninvite", found.id),))
    await inbox.messages.post(tx, call.session.id, f"{found.id}{APPROVAL}", "notice", card)
    if state == "denied":
        await inbox.messages.mark(tx, f"{found.id}", "⛔")
        return Outcome()
    if state == "invited":
        await inbox.people.put(tx, call.session.id, guest, "invited")
    return Outcome(await inbox.say(tx, call.session, found.event, found.id))


async def let_in(call: Call) -> Outcome:
    """Let somebody drive the thread who has not asked; the owner's right."""
    guest = await _meant(call)
    if isinstance(guest, Outcome):
        return guest
    author, standing = guest
    if standing in ("owner", "invited"):
        return said(f"{author.name} drives this thread already.", "❗")
    await call.inbox.people.put(call.tx, call.session.id, author, "invited")
    return said(f"{author.name} drives this thread too from now on; “uninvite @{author.name}” takes that back.")


async def uninvite(call: Call) -> Outcome:
    """Take an invitation back; the owner's right."""
    inbox, tx = call.inbox, call.tx
    found = await inbox.people.waiting(tx, call.target, call.session.id)
    guest = await _meant(replace(call, people=(found.event.author,)) if found else call)
    if isinstance(guest, Outcome):
        return guest
    author, standing = guest
    if standing != "invited":
        return said(f"{author.name} is not invited.", "❗")
    await inbox.people.put(tx, call.session.id, author, "guest")
    if found is None:
        return said(f"{author.name} does not drive this thread any more; what they say waits for your word again.")
    done = plain(f"{call.author.name} took {author.name}'s invitation back.{_clock()}", "🔑")
    await inbox.messages.post(tx, call.session.id, f"{found.id}{APPROVAL}", "notice", done)
    return Outcome()


async def _meant(call: Call) -> tuple[Author, Standing] | Outcome:
    """Return the person whom the call mentions, else the one of that name; or why that is nobody who could be meant."""
    if not call.owns:
        return said("Only who started this thread can decide that.", "❗")
    known = await call.inbox.people.there(call.tx, call.session.id)
    if call.people:
        standings = {author.id: standing for author, standing in known}
        return call.people[0], standings.get(call.people[0].id, "guest")
    for author, standing in known:
        if author.name.casefold() == call.target.casefold():
            return author, standing
    return said(f"I know nobody called {call.target} here; mention them.", "❗")


async def lapse(inbox: "Inbox", clock: Clock = SYSTEM) -> None:
    """End every wait that took too long."""
    for found in await inbox.people.overdue(clock.now() - APPROVAL_SECONDS):
        async with inbox.database.write() as tx:
            await inbox.sessions.within(tx, found.session_id)
            # Somebody may have decided since.
            if (now := await inbox.people.waiting(tx, found.id, found.session_id)) and now.state == "open":
                await _lapsed(inbox, tx, now, clock)
        inbox.changed(found.session_id)


async def _lapsed(inbox: "Inbox", tx: "AsyncConnection", found: Waiting, clock: Clock = SYSTEM) -> bool:
    """Say whether something has waited for too long; then the card says so, and its buttons go."""
    if clock.now() - found.created < APPROVAL_SECONDS:
        return False
    text = f"{found.event.author.name} waited for an answer for too long, and can ask again.{_clock()}"
    await inbox.people.decide(tx, found.id, "dropped")
    await inbox.messages.post(tx, found.session_id, f"{found.id}{APPROVAL}", "notice", plain(text, "🔑"))
    await inbox.messages.mark(tx, found.id, "⛔")
    return True


async def review(call: Call) -> Outcome:
    """Show the whole of a guest's message beside what can become of it, where the platform has forms."""
    found = await call.inbox.people.waiting(call.tx, call.target, call.session.id)
    if not call.owns or found is None:
        return said("Only who started this thread can decide that.", "❗")
    if found.state != "open":
        return said("That is decided already.", "❗")
    who = found.event.author.name
    decisions = {verb: words.format(who=who) for verb, words in DECISIONS.items()}
    return Outcome(
        doc=plain("Decide with the buttons above.", "🔑"),
        form=Form(
            "decide", "A guest's message", [Choice("decision", "What becomes of it", decisions, "allow")],
            about=f"{who} would like me to do this:", quoted=asked_for(found.event), target=found.id, submit="Decide",
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
        card = Doc((Para(text), Quote(asked_for(found.event))), "🔑")
        await call.inbox.messages.post(call.tx, call.session.id, f"{found.id}{APPROVAL}", "notice", card)
    return Outcome()


SECOND = ":second"
SERIOUS = {"reset_data": "remove what the running app has stored", "set": "open the preview for everyone"}
"""What one person alone does not do where several have a say, by verb."""
FOR_GOOD = ("reset_data",)


async def asked_first(call: Call, verb: str) -> bool:
    """
    Ask for a second word on something serious; False if it can be done at once.

    It is another person's where several have a say. What cannot be undone is asked of who is alone, too.
    """
    inbox, tx = call.inbox, call.tx
    several = await inbox.people.others(tx, call.session, call.author.id)
    if call.agreed or not (several or verb in FOR_GOOD):
        return False
    number = f"{call.turn_id}{SECOND}"
    event = Event(number, call.session.key, call.author, "command", text=verb, target=call.target)
    await inbox.people.wait(tx, number, call.session.id, event)
    text = f"{call.author.name} wants to {SERIOUS[verb]}. Somebody else who has a say here must agree."
    if not several:
        text = f"This will {SERIOUS[verb]}, and cannot be undone. Shall I? You can also say “{verb.replace('_', ' ')} yes”."
    card = Doc((Para(text),), "🔑", (Action("agree", number), Action("refuse", number)))
    await inbox.messages.post(tx, call.session.id, f"{number}{APPROVAL}", "notice", card)
    return True


async def agree(call: Call) -> Outcome:
    """Give the second word; what was asked for is done in the name of who asked."""
    found = await _serious(call)
    if isinstance(found, Outcome):
        return found
    asker = found.event.author
    if asker.id == call.author.id and await call.inbox.people.others(call.tx, call.session, asker.id):
        return said("Somebody else has to agree.", "❗")
    if await _lapsed(call.inbox, call.tx, found):
        return Outcome()
    owns = await call.inbox.people.standing(call.tx, call.session.id, asker.id) == "owner"
    await _settled(call, found, "allowed", f"wanted to {SERIOUS[found.event.text]}; {call.author.name} agreed")
    asked = replace(call, author=asker, target=found.event.target, owns=owns, agreed=True)
    outcome = await call.inbox.command(asked, found.event)
    if not outcome.query:
        return outcome
    # Whatever happens to the bot now, it is done, and told to all.
    await call.inbox.lines.join(
        call.tx, TurnRequest(call.turn_id, call.session.id, "query", outcome.query, call.author)
    )
    return Outcome(call.turn_id)


async def refuse(call: Call) -> Outcome:
    """Say no to something serious, or take the wish for it back."""
    found = await _serious(call)
    if isinstance(found, Outcome):
        return found
    who = "took that back" if found.event.author.id == call.author.id else f"{call.author.name} said no"
    return await _settled(call, found, "denied", f"wanted to {SERIOUS[found.event.text]}; {who}")


async def _serious(call: Call) -> Waiting | Outcome:
    found = await call.inbox.people.waiting(call.tx, call.target, call.session.id)
    if found is None or not found.id.endswith(SECOND):
        return said("There is nothing to agree to.", "❗")
    return found if found.state == "open" else said("That is decided already.", "❗")


async def _settled(call: Call, found: Waiting, state: str, what: str) -> Outcome:
    """Set what became of a serious step; the card says it, and its buttons go."""
    await call.inbox.people.decide(call.tx, found.id, state)
    text = f"{found.event.author.name} {what}.{_clock()}"
    await call.inbox.messages.post(call.tx, call.session.id, f"{found.id}{APPROVAL}", "notice", plain(text, "🔑"))
    return Outcome()


def _clock() -> str:
    return time.strftime(" (%H:%M UTC)", time.gmtime())
