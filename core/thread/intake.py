"""
Where events come in: one transaction claims the event, loads the thread's state, decides, and applies what was decided.

Only when that transaction is committed may a platform hear "ok". An event that comes again changes nothing.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from core.chat import CLOSED, ON_MESSAGE, OPENING, Accepted, Answer, Event
from core.ports import Tx
from core.sessions import Author, Session
from core.starters import build_form
from core.thread.access import StartRules, may_drive, with_names
from core.thread.approvals import HELD_SECONDS, lapsed, overdue, who_decides
from core.thread.commands import COMMANDS, STARTS, plain_emoji, reacted
from core.thread.decisions import (
    NOTHING,
    Call,
    Close,
    Decision,
    Post,
    Query,
    Stand,
    Unreact,
    refusal,
)
from core.thread.line import stopped
from core.thread.messages import REFUSED, acted, deleted, edited, message
from core.thread.ports import Threads
from core.thread.state import ThreadState
from core.thread.transcript import NOTICE, Message, plain
from core.wording import inert, printable

NO_RULES = StartRules()
EXCLUDED = {"👍": ("👎",), "👎": ("👍",)}
"""Which reactions of the same person a reaction takes the place of."""
MEANT = frozenset(plain_emoji(command.emoji) for command in COMMANDS.values()) - {"", *EXCLUDED}
"""Reactions that are commands, and nothing else."""
REACTIONS = ("reaction_added", "reaction_removed")


@dataclass
class Intake:
    """Accepts events."""

    threads: Threads
    rules: StartRules = NO_RULES
    look: Callable[[Session, Query], Awaitable[Answer]] | None = None
    """Answers the commands that only look something up; outside the transaction."""
    changed: Callable[[str], None] = lambda _: None
    """Hears of every session in which something was written."""

    async def accept(self, event: Event) -> Accepted:
        """Make an event durable, and start, queue, steer, stop or answer what it asks for."""
        event = _whole(event)
        text, target = (with_names(words, event.people) for words in (event.text, event.target))
        event = replace(event, text=text, target=target, author=_called(event.author))
        async with self.threads.transaction() as tx:
            accepted, query = await self._accept(tx, event)
        if accepted.session is not None and accepted.new:
            self.changed(accepted.session.id)
            if query and self.look is not None:
                return replace(accepted, answer=await self.look(accepted.session, query))
        return accepted

    async def lapse(self, now: float) -> None:
        """End every wait that took too long by `now`, in Unix seconds."""
        for held in await self.threads.overdue(now - HELD_SECONDS):
            async with self.threads.transaction() as tx:
                session = await self.threads.within(tx, held.session_id)
                state = await self.threads.load(tx, session, replace(held.event, target=held.id), None)
                current = state.held.get(held.id)
                # Somebody may have decided since.
                if current is not None and current.state == "open" and lapsed(current, now):
                    await self.threads.apply(tx, session, overdue(current, now))
            self.changed(held.session_id)

    async def _accept(self, tx: Tx, event: Event) -> tuple[Accepted, Query | None]:
        if event.kind == "closed":
            for gone in await self.threads.in_thread(tx, event.thread):
                await self._close(tx, gone, event)
            return Accepted(), None
        if event.kind == "command" and event.text == "build" and not event.target.strip():
            why_not = self.rules.refusal(event)
            return Accepted(answer=Answer(plain(why_not, REFUSED)) if why_not else Answer(form=build_form())), None
        session, shown, why_not = await self._place(tx, event)
        if session is None:
            return Accepted(answer=Answer(plain(why_not, REFUSED) if why_not else None)), None
        number = await self.threads.claim(tx, event.id, session.id)
        if number is None:
            return Accepted(session, new=False), None
        if event.kind in ("message", "edited", "deleted") and event.remote_id and event.at:
            await self.threads.saw(tx, session, event.remote_id, event.at)
        if shown is not None and event.kind in REACTIONS:
            added = event.kind == "reaction_added"
            # Stored whoever it is from: one that was refused must not count when it is seen again later.
            if not await self.threads.react(tx, shown.id, plain_emoji(event.emoji), event.author.id, added, event.at):
                return Accepted(session), None
        # Sorts in order of arrival: the engine starts turns that were queued in one tick by their id.
        turn_id = f"{number:012d}-{re.sub(r'[^A-Za-z0-9_.-]', '-', event.id)[:80]}"
        decision = decide(await self.threads.load(tx, session, event, shown), event, turn_id)
        await self.threads.apply(tx, session, decision.effects)
        said = Answer(decision.doc, decision.form)
        return Accepted(session, decision.turn_id, answer=said, taken_off=decision.taken_off), decision.query

    async def _place(self, tx: Tx, event: Event) -> tuple[Session | None, Message | None, str]:
        """Return the event's session, the message that it is on, and why there is none if the person should know."""
        if event.kind in (*REACTIONS, "deleted"):
            shown = await self.threads.message(tx, event.remote_id, event.message_id)
            if shown is None:
                if event.kind != "deleted":
                    await self.threads.keep_early(tx, event)
                return None, None, ""
            there = await self.threads.within(tx, shown.session_id)
            same = (there.key.platform, there.key.workspace) == (event.thread.platform, event.thread.workspace)
            same = same and (event.kind == "deleted" or not is_closed(there))
            return (there, shown, "") if same else (None, None, "")
        session, shown = await self._known(tx, event)
        if session is not None:
            return session, shown, ""
        if event.kind == "command" and event.text not in STARTS:
            return None, None, "That only works in one of my threads. /build starts one."
        if event.kind == "edited" or not (event.begins or event.thread.platform == "local"):
            return None, None, ""
        # The thread of a command that comes again may have another name by now.
        if await self.threads.claimed(tx, event.id):
            return None, None, ""
        if why_not := self.rules.refusal(event):
            return None, None, why_not
        text = event.target if event.kind == "command" else event.text
        opened = await self.threads.open(tx, event.thread, printable(text[:500]), event.at)
        await self.threads.apply(tx, opened, started_by(event, opened))
        return opened, None, ""

    async def _known(self, tx: Tx, event: Event) -> tuple[Session | None, Message | None]:
        """Return the session that an event belongs to, also when its thread is just being opened, and the message it names."""
        named = event.remote_id if event.kind == "edited" else ""
        if event.kind == "command" and event.target.startswith(ON_MESSAGE):
            named = event.target.removeprefix(ON_MESSAGE)
        shown = await self.threads.message(tx, named, 0) if named else None
        if event.kind == "edited" and shown is not None:
            session = await self.threads.within(tx, shown.session_id)
            ours = session.key.workspace == event.thread.workspace and not is_closed(session)
            return (session, shown) if ours else (None, None)
        opening = replace(event.thread, thread=f"{OPENING}at:{event.thread.thread}")
        return await self.threads.find(tx, event.thread) or await self.threads.find(tx, opening), shown

    async def _close(self, tx: Tx, session: Session, event: Event) -> None:
        """Work no more for a thread that is gone, and say nothing more in it."""
        if not is_closed(session):
            state = await self.threads.load(tx, session, event, None)
            await self.threads.apply(tx, session, (*stopped(state.line, event.author)[0], Close()))


def decide(state: ThreadState, event: Event, turn_id: str) -> Decision:
    """Return what an event changes in a thread. `turn_id` is for a turn that it starts."""
    if event.kind == "message":
        return message(state, event, turn_id)
    if event.kind == "edited":
        return edited(state, event, turn_id)
    if event.kind == "deleted":
        return deleted(state, event)
    standing, command = state.standing(event.author.id), COMMANDS.get(event.text)
    if may_drive(state.session, standing) or (standing == "owner" and command is not None and command.always):
        call = Call(state, event, event.author, turn_id, event.target)
        decision = acted(_reaction(call) if event.kind in REACTIONS else _command(call), state)
        if event.kind in REACTIONS and state.local and decision.doc is not None:
            # There nobody is answered alone.
            decision = decision.before(Post(f"{turn_id}{NOTICE}", decision.doc))
    else:
        decision = Decision(doc=plain(who_decides(state), REFUSED))
    return _tidied(state, event, decision)


def _command(call: Call) -> Decision:
    """A slash command, a button or a form."""
    command = COMMANDS.get(call.event.text)
    if command is None:
        return refusal(f"I know no command {call.event.text[:40]!r}. “help” lists all.")
    if call.target.startswith(ON_MESSAGE):
        shown = call.state.message
        if shown is None or shown.kind != "reply" or shown.session_id != call.state.session.id:
            return refusal("That only works on one of my answers in this thread.")
        call = replace(call, target=shown.turn_id)
    return command.run(call)


def _reaction(call: Call) -> Decision:
    """A reaction counts on the bot's own messages, ❌ on any of the thread; 👍 and 👎 on a reply are only stored."""
    shown, added = call.state.message, call.event.kind == "reaction_added"
    verb, target = reacted(call.event.emoji, shown, added=added) if shown else ("", "")
    return COMMANDS[verb].run(replace(call, target=target)) if verb else NOTHING


def _tidied(state: ThreadState, event: Event, decision: Decision) -> Decision:
    """
    Forget a reaction that did nothing, and the one that a new one excludes; the platform takes off which were there.

    Only where reactions are ours to take: elsewhere people would still see them. What is forgotten first is no news when the
    platform then tells that it is gone: an ↩️ that did nothing does not come back as a redo.
    """
    shown, emoji = state.message, plain_emoji(event.emoji)
    if shown is None or event.kind != "reaction_added" or not event.removable:
        return decision
    # A stop has nothing to say where it stopped something.
    stops = emoji == COMMANDS["stop"].emoji and decision.doc is None
    nothing = emoji in MEANT and not (decision.turn_id or decision.query or stops)
    off = (emoji,) if nothing else EXCLUDED.get(emoji, ())
    there = [mark for mark in off if mark in state.reactions]
    forgotten = [Unreact(shown.id, mark, event.author.id, event.at) for mark in there]
    # As the person put it: with or without its variation selector.
    taken_off = tuple(event.emoji if mark == emoji else mark for mark in there)
    return replace(decision.before(*forgotten), taken_off=taken_off)


def started_by(event: Event, session: Session) -> tuple[Post | Stand, ...]:
    """Return what begins with a session: who started it owns it, and what its thread has to know."""
    owner = () if session.key.platform == "local" else (Stand(event.author, "owner"),)
    caveat = (Post(f"{session.id}:caveat", plain(event.caveat, "🔈")),) if event.caveat else ()
    return (*owner, *caveat)


def is_closed(session: Session) -> bool:
    """Say whether a session has no thread any more."""
    return session.key.thread.startswith(CLOSED)


def _called(author: Author) -> Author:
    """Return a person with a name that is nothing but a name: it stands in sentences of ours."""
    return replace(author, name=inert(author.name)[:80] or author.id)


def _whole(value: Any) -> Any:
    """Return an event, or a part of one, in which no text has half of a UTF-16 pair: JSON can say it, no database takes it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, tuple):
        return tuple(_whole(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{part.name: _whole(getattr(value, part.name)) for part in fields(value)})
    return value
