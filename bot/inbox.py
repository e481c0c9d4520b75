"""
Where events come in: one transaction claims the event, decides what it means, and writes what follows from it.

Only when that transaction is committed may a platform hear "ok". An event that comes again changes nothing.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.engine.dbos import DbosEngine
from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.messages import DELETED, Messages, StoredMessage, plain
from adapters.store.people import People, Standing
from adapters.store.sessions import Sessions
from adapters.store.turns import Turns
from adapters.store.waivers import Waivers
from bot.approvals import APPROVAL
from bot.calls import QUEUED, Call, Outcome, drop_turn, queued
from bot.commands import ADDED, COMMANDS, ON_APPROVAL, REMOVED, UNDONE, command_in, plain_emoji, stop_all
from bot.lines import Lines
from bot.people import StartRules, asked_for, is_addressed, may_drive, with_context, with_names
from core.attachments import PASTED
from core.chat import CLOSED, ON_MESSAGE, OPENING, Accepted, Answer, Event
from core.messages import Action, Doc, Footer, Para, Quote, Signal, TurnKind, TurnRequest
from core.sessions import Author, Session
from core.starters import build_form
from core.steering import corrected
from core.wording import can_stand, inert, printable

MAX_MESSAGE_CHARS = 100_000
ACCEPTED, REFUSED = "👀", "⛔"
URGENT = ("stop", "undo", "redo")
"""What is done without a mention too, by whoever may drive."""
ALWAYS_OWNERS = ("settings", "set", "status", "help")
"""What an owner may say even to a thread that is paused: else nobody could ever open it again."""
NO_RULES = StartRules()
OFFERED = {one: {one} for one in ("waive", "keep_mine", "keep_theirs", "reconcile", "sides")} | {
    "continue": {"continue", "retry"}
}
"""Reactions that mean something only on a message that offers one of these."""
EXCLUDED = {"👍": ("👎",), "👎": ("👍",)}
"""Which reactions of the same person a reaction takes the place of."""


@dataclass
class Inbox:
    """Accepts events."""

    database: Database
    sessions: Sessions
    turns: Turns
    messages: Messages
    people: People
    engine: DbosEngine
    lines: Lines
    early: EarlyReactions
    waivers: Waivers
    rules: StartRules = NO_RULES
    look: Callable[[Session, str, str], Awaitable[Answer]] | None = None
    """Answers the commands that only look something up; outside the transaction."""
    changed: Callable[[str], None] = lambda _: None
    """Hears of every session in which something was written."""

    async def accept(self, event: Event) -> Accepted:
        """Make an event durable, and start, queue, steer, stop or answer what it asks for."""
        event = _whole(event)
        text, target = (with_names(one, event.people) for one in (event.text, event.target))
        event = replace(event, text=text, target=target, author=_called(event.author))
        async with self.database.write() as tx:
            accepted, query = await self._accept(tx, event)
        if accepted.session is not None and accepted.new:
            self.changed(accepted.session.id)
            if query and self.look is not None:
                return replace(accepted, answer=await self.look(accepted.session, query, event.target))
        return accepted

    async def _accept(self, tx: AsyncConnection, event: Event) -> tuple[Accepted, str]:
        if event.kind == "closed":
            for gone in await self.sessions.in_thread(tx, event.thread):
                await self._close(tx, gone, event)
            return Accepted(), ""
        if event.kind == "command" and event.text == "build" and not event.target.strip():
            refusal = self.rules.refusal(event)
            return Accepted(answer=Answer(plain(refusal, REFUSED)) if refusal else Answer(form=build_form())), ""
        session, reacted, refusal = await self._place(tx, event)
        if session is None:
            return Accepted(answer=Answer(plain(refusal, REFUSED) if refusal else None)), ""
        number = await self.turns.claim(tx, event.id, session.id)
        if number is None:
            return Accepted(session, new=False), ""
        # Sorts in order of arrival: the engine starts turns that were queued in one tick by their id.
        turn_id = f"{number:012d}-{re.sub(r'[^A-Za-z0-9_.-]', '-', event.id)[:80]}"
        if event.kind in ("message", "edited", "deleted"):
            if event.remote_id and event.at:
                await self.sessions.saw(tx, session, event.remote_id, event.at)
            work = {"message": self._message, "edited": self._edited, "deleted": self._deleted}[event.kind]
            return Accepted(session, await work(tx, session, event, turn_id)), ""
        if reacted is not None and not await self._is_news(tx, event, reacted):
            return Accepted(session), ""
        standing = await self.people.standing(tx, session.id, event.author.id)
        if not may_drive(session, standing) and not (standing == "owner" and event.text in ALWAYS_OWNERS):
            refused = Outcome(doc=plain(await self._closed(tx, session), REFUSED))
            off = await self._tidied(tx, event, reacted, refused)
            return Accepted(session, answer=Answer(refused.doc), taken_off=off), ""
        call = Call(self, tx, session, event.author, turn_id, event.target, standing == "owner" or _local(session))
        outcome = await (self.command(call, event) if reacted is None else self._reaction(call, event, reacted))
        if reacted is not None and _local(session) and outcome.doc is not None:
            # There nobody is answered alone.
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", outcome.doc)
        off = await self._tidied(tx, event, reacted, outcome)
        return Accepted(
            session, outcome.turn_id, answer=Answer(outcome.doc, outcome.form), taken_off=off
        ), outcome.query

    async def _place(self, tx: AsyncConnection, event: Event) -> tuple[Session | None, StoredMessage | None, str]:
        """Return the event's session, the message it reacts to, and why there is none if the person should know."""
        if event.kind in ("reaction_added", "reaction_removed", "deleted"):
            found = await (
                self.messages.by_remote(tx, event.remote_id)
                if event.remote_id
                else self.messages.get(tx, event.message_id)
            )
            if found is None:
                if event.kind != "deleted":
                    await self.early.keep(tx, event)
                return None, None, ""
            there = await self.sessions.within(tx, found.session_id)
            same = (there.key.platform, there.key.workspace) == (event.thread.platform, event.thread.workspace)
            same = same and (event.kind == "deleted" or not there.key.thread.startswith(CLOSED))
            return (there, found, "") if same else (None, None, "")
        session = await self._known(tx, event)
        if session is not None:
            return session, None, ""
        if event.kind == "command" and event.text != "build":
            return None, None, "That works in a thread of mine. /build starts one."
        if event.kind == "edited" or not (event.begins or event.thread.platform == "local"):
            return None, None, ""
        # The thread of a command that comes again may have another name by now.
        if await self.turns.claimed(tx, event.id):
            return None, None, ""
        if refusal := self.rules.refusal(event):
            return None, None, refusal
        text = event.target if event.kind == "command" else event.text
        session = await self.sessions.open(tx, event.thread, printable(text[:500]), event.at)
        if not _local(session):
            await self.people.put(tx, session.id, event.author, "owner")
        if event.caveat:
            await self.messages.post(tx, session.id, f"{session.id}:caveat", "notice", plain(event.caveat, "🔈"))
        return session, None, ""

    async def _close(self, tx: AsyncConnection, session: Session, event: Event) -> None:
        """Work no more for a thread that is gone, and say nothing more in it."""
        if session.key.thread.startswith(CLOSED):
            return
        call = Call(self, tx, session, event.author, f"{session.id}-closed")
        await stop_all(call, await self.turns.waiting(tx, session.id))
        await self.sessions.bind(tx, session, f"{CLOSED}{session.id}:{session.key.thread}")

    async def _known(self, tx: AsyncConnection, event: Event) -> Session | None:
        """Return the session that an event belongs to, also when its thread is just being opened."""
        if event.kind == "edited" and (said := await self.messages.by_remote(tx, event.remote_id)):
            there = await self.sessions.within(tx, said.session_id)
            ours = there.key.workspace == event.thread.workspace and not there.key.thread.startswith(CLOSED)
            return there if ours else None
        opening = replace(event.thread, thread=f"{OPENING}at:{event.thread.thread}")
        return await self.sessions.find(tx, event.thread) or await self.sessions.find(tx, opening)

    async def _message(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        """A message: not for us, a guest's that has to wait, or one to act on."""
        verb, _ = command_in(event.text)
        speakers, standing = await self._speaks(tx, session, event)
        if standing == "owner" and verb in ALWAYS_OWNERS:
            return await self.say(tx, session, event, turn_id)
        urgent = verb in URGENT and may_drive(session, standing) and not event.for_others
        if urgent and verb == "stop":
            urgent = bool(await self.turns.waiting(tx, session.id))
        if not is_addressed(session, event, speakers) and not urgent:
            # What people say among themselves is not answered; a model that is asked later may know of it.
            await self._posted(tx, session, event, turn_id, "", "")
            if speakers == 2 and session.listening == "auto" and not event.for_others:
                await self._say_who_is_heard(tx, session)
            return ""
        if may_drive(session, standing):
            return await self.say(tx, session, event, turn_id)
        if standing == "denied" or session.access == "nobody":
            await self._posted(tx, session, event, turn_id, "", REFUSED)
            return ""
        if unread := _unread(event):
            await self._posted(tx, session, event, turn_id, "", REFUSED)
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(unread, "❗"))
            return ""
        await self._posted(tx, session, event, turn_id, turn_id, "🔑")
        await self.people.wait(tx, turn_id, session.id, event)
        await self._ask(tx, session, event, turn_id)
        return ""

    async def _speaks(self, tx: AsyncConnection, session: Session, event: Event) -> tuple[int, Standing]:
        """Return how many people have spoken in the thread by now, and the standing of who speaks."""
        return (1, "owner") if _local(session) else await self.people.spoke(tx, session.id, event.author)

    async def _ask(self, tx: AsyncConnection, session: Session, event: Event, number: str) -> None:
        """Ask the owner about a guest's message; the card shows the whole of what would be done."""
        shown = asked_for(event)
        card = Doc(
            (Para(f"{event.author.name} would like me to do this:"), Quote(shown), Footer(await self._closed(tx, session))),
            "🔑", (Action("allow", number), Action("invite", number), Action("deny", number), Action("review", number)),
        )  # fmt: skip
        await self.messages.post(tx, session.id, f"{number}{APPROVAL}", "notice", card)

    async def _closed(self, tx: AsyncConnection, session: Session) -> str:
        owners = await self.people.owners(tx, session.id)
        name = owners[0].name if owners else "who started it"
        return f"{name} decides who drives this thread."

    async def _say_who_is_heard(self, tx: AsyncConnection, session: Session) -> None:
        text = "There are several of you now, so I only act on messages that mention me. “settings” changes that."
        key = f"{session.id}:several"
        if await self.messages.by_key(tx, key) is None:
            await self.messages.post(tx, session.id, key, "notice", plain(text, "🔈"))

    async def _posted(
        self, tx: AsyncConnection, session: Session, event: Event, key: str, turn_id: str, mark: str
    ) -> None:
        """Write a person's message into the transcript, with the mark that the bot puts on it."""
        text = event.target if event.kind == "command" else event.text
        text = text if len(text) <= MAX_MESSAGE_CHARS else text[:2_000] + " …"
        files = "".join(f"\n📎 {file.name}" for file in event.files)
        await self.messages.post(
            tx, session.id, f"{key}:person", "person", plain(printable(text) + files), author=event.author.name,
            turn_id=turn_id, remote_id=event.remote_id, mark=mark,
        )  # fmt: skip

    async def say(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        """Act on a message of somebody who may drive: a command, a new turn, a place in the queue, or a steer."""
        text = event.target if event.kind == "command" else event.text
        if problem := _problem(with_context(text, event), bool(event.files)):
            await self._posted(tx, session, event, turn_id, "", "❗")
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(problem, "❗"))
            return ""
        verb, target = command_in(text)
        if verb:
            return await self._word(tx, session, event, turn_id, verb, target)
        question, beside = _without_last(text, "btw")
        if beside:
            await self._posted(tx, session, event, turn_id, turn_id, ACCEPTED)
            return await self._start(tx, session, event, turn_id, "aside", with_context(question, event))
        text, waits = _without_last(text, "queue")
        text = with_context(text, event)
        waiting = await self.turns.waiting(tx, session.id)
        if waiting and not waits and not event.files:
            running = next((one.turn_id for one, runs in waiting if runs), waiting[0][0].turn_id)
            await self._posted(tx, session, event, turn_id, running, ACCEPTED)
            await self.engine.tell(tx, running, Signal("steer", event.author, text, f"{turn_id}:person"))
            return running
        await self._posted(tx, session, event, turn_id, turn_id, ACCEPTED)
        await self._start(tx, session, event, turn_id, "message", text)
        if waiting:
            card = queued(turn_id, len(waiting))
            await self.messages.post(tx, session.id, f"{turn_id}{QUEUED}", "notice", card, turn_id=turn_id)
        return turn_id

    async def _word(
        self, tx: AsyncConnection, session: Session, event: Event, turn_id: str, verb: str, target: str
    ) -> str:
        """A command said as a word; what it has to say is posted into the thread."""
        await self._posted(tx, session, event, turn_id, turn_id, ACCEPTED)
        standing = await self.people.standing(tx, session.id, event.author.id)
        owns = standing == "owner" or _local(session)
        outcome = await COMMANDS[verb](
            Call(self, tx, session, event.author, turn_id, target, owns, event.text, event.people)
        )
        if outcome.query:
            return await self._start(tx, session, event, turn_id, "query", outcome.query)
        if outcome.doc is not None:
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", outcome.doc)
        if outcome.turn_id not in ("", turn_id):
            await self.messages.move(tx, f"{turn_id}:person", outcome.turn_id, ACCEPTED)
        elif not outcome.turn_id:
            await self.messages.mark(tx, turn_id, outcome.doc.mark if outcome.doc else "✅")
        return outcome.turn_id

    async def command(self, call: Call, event: Event) -> Outcome:
        """A slash command, a button or a form."""
        if event.text == "build":
            await self.people.spoke(call.tx, call.session.id, event.author)
            return Outcome(await self.say(call.tx, call.session, event, call.turn_id))
        command = COMMANDS.get("continue" if event.text == "retry" else event.text)
        if command is None:
            return Outcome(doc=plain(f"I know no command {event.text[:40]!r}. “help” lists all.", "❗"))
        if event.target.startswith(ON_MESSAGE):
            message = await self.messages.by_remote(call.tx, event.target.removeprefix(ON_MESSAGE))
            if message is None or message.kind != "reply" or message.session_id != call.session.id:
                return Outcome(doc=plain("That works on an answer of mine in this thread.", "❗"))
            call = replace(call, target=message.turn_id)
        return await command(call)

    async def _reaction(self, call: Call, event: Event, message: StoredMessage) -> Outcome:
        """Reactions count on the bot's own messages, ❌ on any of the thread; 👍 and 👎 are only stored."""
        emoji, added = plain_emoji(event.emoji), event.kind == "reaction_added"
        words = ON_APPROVAL.get(emoji, ()) if added else ()
        if asked := next((one for one in message.doc.actions if one.verb in words), None):
            return await COMMANDS[asked.verb](replace(call, target=asked.target))
        if emoji == "👍" and not added and message.key.endswith(APPROVAL):
            return await COMMANDS["withdraw"](replace(call, target=message.key.removesuffix(APPROVAL)))
        verb = (ADDED if added else REMOVED).get(emoji, "")
        if verb == "fix" and any(one.verb == "fix" for one in message.doc.actions):
            return await COMMANDS[verb](replace(call, target=message.key))
        if verb in OFFERED and not OFFERED[verb] & {one.verb for one in message.doc.actions}:
            return Outcome()
        if not verb or (verb != "stop" and (message.kind not in ("reply", "progress") or not message.turn_id)):
            return Outcome()
        return await COMMANDS[verb](replace(call, target=message.turn_id))

    async def _tidied(
        self, tx: AsyncConnection, event: Event, message: StoredMessage | None, outcome: Outcome
    ) -> tuple[str, ...]:
        """
        Forget a reaction that did nothing, and the one that a new one excludes; return which the platform has to take off.

        Only where reactions are ours to take: elsewhere people would still see them. What is forgotten first is no news when the
        platform then tells that it is gone: an ↩️ that did nothing does not come back as a redo.
        """
        emoji = plain_emoji(event.emoji)
        if message is None or event.kind != "reaction_added" or not event.removable:
            return ()
        # A stop has nothing to say where it stopped something.
        stopped = ADDED.get(emoji) == "stop" and outcome.doc is None
        nothing = emoji in ADDED and not (outcome.turn_id or outcome.query or stopped)
        off = (emoji,) if nothing else EXCLUDED.get(emoji, ())
        there = [one for one in off if await self.messages.react(tx, message.id, one, event.author.id, False, event.at)]
        # As the person put it: with or without its variation selector.
        return tuple(event.emoji if one == emoji else one for one in there)

    async def _is_news(self, tx: AsyncConnection, event: Event, message: StoredMessage) -> bool:
        """Store a reaction, of whomever: one that was refused must not count when it is seen again later."""
        added = event.kind == "reaction_added"
        return await self.messages.react(tx, message.id, plain_emoji(event.emoji), event.author.id, added, event.at)

    async def _edited(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        """An edit changes what still waits; of what has started it is a correction. Unfurled links are no edit."""
        message = await self.messages.by_remote(tx, event.remote_id)
        if message is None:
            return await self._message(tx, session, event, turn_id) if event.mentioned else ""
        if message.kind != "person" or _said(message) == printable(event.text) or not event.text.strip():
            return ""
        key = message.key.removesuffix(":person")
        if (held := await self.people.waiting(tx, key, session.id)) and held.state == "open":
            now = replace(held.event, text=event.text)
            await self.people.decide(tx, held.id, "open", now)
            await self._posted(tx, session, event, key, key, "🔑")
            await self._ask(tx, session, now, key)
            return ""
        if not message.turn_id and not message.mark:
            # It was not meant for us, and may be now.
            await self.messages.supersede(tx, message.id)
            return await self._message(tx, session, event, turn_id)
        if not may_drive(session, await self.people.standing(tx, session.id, event.author.id)):
            # What was let through once was let through as it was.
            return ""
        if problem := _problem(event.text, with_files=False):
            await self.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(problem, "❗"))
            return ""
        waiting = await self.turns.waiting(tx, session.id)
        waits, whole = _queued(waiting, message), _part_of(waiting, message)
        await self._posted(tx, session, event, key, message.turn_id, "")
        text, still = _without_last(event.text, "queue")
        if waits is None and whole is None:
            # What it said before is not taken up again.
            await self.give_up(tx, session.id, message.key)
            text = corrected(event.text)
        elif waits is not None:
            wish = waits.kind == "message" and waits.message == message.key and not command_in(_said(message))[0]
            if wish and (still or not _without_last(_said(message), "queue")[1]):
                await self.turns.change(tx, replace(waits, text=text, resumes=""))
                return ""
            await drop_turn(Call(self, tx, session, event.author, turn_id), waits)
            if not wish:
                return ""
        # It goes to the turn that it is part of, else to the one at work, else it begins one.
        part = whole.turn_id if whole is not None and waits is None else ""
        to = part or next((one.turn_id for one, runs in waiting if runs), "")
        if to:
            await self.engine.tell(tx, to, Signal("steer", event.author, text, message.key))
        else:
            to = turn_id
            request = TurnRequest(to, session.id, "message", text, event.author, event.link, said=message.key)
            await self.lines.join(tx, request)
        await self.messages.move(tx, message.key, to, ACCEPTED)
        return to

    async def _deleted(self, tx: AsyncConnection, session: Session, event: Event, turn_id: str) -> str:
        """
        A deleted message that still waits is dropped, and what was added to a turn is taken out of it. Of one that has
        started it is only noted; if nothing comes of it, it is not taken up again.
        """
        message = await self.messages.by_remote(tx, event.remote_id)
        if message is None or message.kind != "person":
            return ""
        key = message.key.removesuffix(":person")
        waiting = await self.turns.waiting(tx, session.id)
        if (held := await self.people.waiting(tx, key, session.id)) and held.state == "open":
            await self.people.decide(tx, held.id, "dropped")
            gone = plain(f"{held.event.author.name} took the message back.", "🔑")
            await self.messages.post(tx, session.id, f"{key}{APPROVAL}", "notice", gone)
        elif waits := _queued(waiting, message):
            await drop_turn(Call(self, tx, session, event.author, turn_id), waits)
        elif (whole := _part_of(waiting, message)) and whole.message != message.key:
            await self.engine.tell(tx, whole.turn_id, Signal("withdraw", event.author, said=message.key))
        await self.give_up(tx, session.id, message.key)
        heard = message.doc.blocks if message.turn_id or message.mark else ()
        doc = Doc((*heard, DELETED))
        await self.messages.post(
            tx, session.id, message.key, "person", doc, author=message.author, turn_id=message.turn_id
        )
        return ""

    async def _start(
        self, tx: AsyncConnection, session: Session, event: Event, turn_id: str, kind: TurnKind, text: str
    ) -> str:
        target = event.target if event.kind != "command" else ""
        request = TurnRequest(turn_id, session.id, kind, text, event.author, event.link, target, event.files)
        if kind == "message" and (asked := await self.turns.latest(tx, session.id, ("asked",))):
            await self._settled(tx, asked)
        await self.lines.join(tx, request)
        return turn_id

    async def give_up(self, tx: AsyncConnection, session_id: str, said: str) -> None:
        """Let no turn be taken up again that the message `said` asked for."""
        for number in await self.turns.withdraw(tx, session_id, said, UNDONE):
            await self._settled(tx, number)

    async def _settled(self, tx: AsyncConnection, asked: str) -> None:
        """An answer after which something else was said has no buttons any more."""
        found = await self.messages.by_key(tx, f"{asked}:reply")
        if found is not None and found.doc.actions:
            doc = replace(found.doc, actions=())
            await self.messages.post(tx, found.session_id, found.key, found.kind, doc, turn_id=found.turn_id)

    async def notice(self, call: Call, text: str, mark: str) -> None:
        """Post a line of ours into the thread."""
        await self.messages.post(call.tx, call.session.id, f"{call.turn_id}:notice", "notice", plain(text, mark))


def _called(author: Author) -> Author:
    """Return a person with a name that is nothing but a name: it stands in sentences of ours."""
    return replace(author, name=inert(author.name)[:80] or author.id)


def _whole(value: Any) -> Any:
    """Return an event, or a part of one, in which no text has half of a UTF-16 pair: JSON can say it, no database takes it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, tuple):
        return tuple(_whole(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _whole(getattr(value, one.name)) for one in fields(value)})
    return value


def _local(session: Session) -> bool:
    return session.key.platform == "local"


Waits = list[tuple[TurnRequest, bool]]
"""The unfinished turns of a thread, and whether each one runs."""


def _queued(waiting: Waits, message: StoredMessage) -> TurnRequest | None:
    """Return the turn that the message asked for, if it has not started."""
    own = [one for one, runs in waiting if not runs and message.key in (one.message, f"{one.turn_id}:person")]
    return own[0] if own else None


def _part_of(waiting: Waits, message: StoredMessage) -> TurnRequest | None:
    """Return the unfinished turn that a message asked for or was said to."""
    for one, _ in waiting:
        if one.turn_id == message.turn_id or message.key in (one.message, *(added.said for added in one.added)):
            return one
    return None


def _said(message: StoredMessage) -> str:
    """Return the text of a person's message, without the names of its files."""
    return "".join(block.text for block in message.doc.blocks if isinstance(block, Para)).split("\n📎 ")[0]


def _without_last(text: str, word: str) -> tuple[str, bool]:
    """Return a message without a last word that says what is to be done with it (“…. queue”), and whether it had it."""
    rest = text.rstrip(" \t\n.!?")
    if not rest.lower().endswith(word):
        return text, False
    before = rest[: -len(word)].rstrip(" \t")
    alone = before.endswith((".", "!", "?", ",", "\n"))
    kept = before[:-1] if alone else ""
    return (kept, True) if kept.strip(" \t\n.!?,") else (text, False)


def _unread(event: Event) -> str:
    """Say why a guest's message cannot be decided on: its words are in a file, and who decides reads the whole of it."""
    if event.text.strip() or [file.name for file in event.files] != [PASTED]:
        return ""
    return (
        f"{event.author.name}, that came as a file. Who decides must read what you ask for; say it in shorter messages."
    )


def _problem(text: str, with_files: bool) -> str:
    """Return what is wrong with a message, '' for nothing."""
    if not text.strip() and not with_files:
        return "The message is empty. Say what you would like to have."
    if len(text) > MAX_MESSAGE_CHARS:
        return f"The message has {len(text):,} characters; I read up to {MAX_MESSAGE_CHARS:,}. Send the rest as a file, or in parts."
    if "\x00" in text or sum(not can_stand(char) and char != "\r" for char in text) > len(text) // 20:
        return "That looks like a binary file, not like text. Describe in words what you would like to have."
    return ""
