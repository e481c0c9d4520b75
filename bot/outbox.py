"""
Brings the transcript to a platform: every message once, in order, and what changes as seldom as the platform wants.

A row of the transcript says what people shall see. Delivering it means making the platform show that: post what is
missing, edit what differs, delete what is gone. So a crash, a lost answer or an outage needs no special care: the next
look does what is left. Where an answer was lost, the platform is asked whether the message is there before it is posted.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.messages import Messages
from adapters.store.outbox import Delivery, Outbox
from adapters.store.people import People
from adapters.store.sessions import Sessions
from core.chat import (
    CLOSED,
    OPENING,
    ChatPort,
    Event,
    Missing,
    NotAllowed,
    Outgoing,
    Part,
    Picture,
    Rate,
    RateLimited,
    Revoked,
)
from core.clock import SYSTEM, Clock
from core.errors import OutsideError
from core.messages import Doc, Para, ProgressCard, Quote
from core.sessions import Author, Session, ThreadKey
from core.thread.transcript import Message, plain

log = logging.getLogger(__name__)
POLL_SECONDS, LOOK_SECONDS = 0.5, 0.1
MOST_AT_ONCE, MOST_PER_LOOK = 16, 4
"""How many sessions are delivered to side by side, and how many are begun with at once: whoever says something waits for that."""
LOOKING_SHARE, LOOKS_PER_SECOND = 0.05, 50
"""How much of the time may go into looking at what waits: the more it is, the more seldom it is looked at."""
PAUSES = (0.5, 1, 2, 5, 10, 30, 60)
TOLD_SECONDS = 3_600
PICTURES_SECONDS = 0.3
"""How long the text of an answer waits for its pictures."""
GIVEN_UP_SECONDS = 24 * 3_600
MARK = "mark"
Value = TypeVar("Value")
Known = dict[str, Delivery]
"""The parts of a message that are on the platform, or may be, by name."""
Enclose = Callable[[Session, Doc], Awaitable[tuple[Picture, ...]]]


class Bucket:
    """Tokens that come back at a rate."""

    def __init__(self, rate: Rate, clock: Clock = SYSTEM) -> None:
        self._clock, self._rate, self._tokens, self._filled = clock, rate, rate.burst, clock.steady()

    def left(self) -> float:
        """Return how many tokens there are."""
        now = self._clock.steady()
        self._tokens = min(self._rate.burst, self._tokens + (now - self._filled) * self._rate.per_second)
        self._filled = now
        return self._tokens

    def wait(self, keep: float = 0.0) -> float:
        """Return the seconds until there is a token besides the `keep` that stay for others, 0 if there is one."""
        return max(0.0, (1 + keep - self.left()) / self._rate.per_second)

    def take(self) -> None:
        """Take a token."""
        self._tokens -= 1

    def empty(self, seconds: float) -> None:
        """Give no token for a while: the platform has said so."""
        self._tokens = -seconds * self._rate.per_second
        self._filled = self._clock.steady()


class NotYet(Exception):
    """There is no token; try again after some seconds. Nothing went wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class Courier:
    """Delivers the messages of one platform."""

    port: ChatPort
    database: Database
    sessions: Sessions
    messages: Messages
    people: People
    outbox: Outbox
    early: EarlyReactions
    enclose: Enclose
    accept: Callable[[Event], Awaitable[object]]
    revoked: Callable[[Revoked], None]
    clock: Clock = SYSTEM

    def __post_init__(self) -> None:
        self.lost = False
        self._news = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, int] = {}
        self._looked: dict[str, float] = {}
        self._waits: dict[str, dict[int, float]] = {}
        """For each session the newest change that was looked at, and which of its rows wait until when."""
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._told: dict[str, float] = {}
        """When a session's owner was last told of a refusal."""
        self._bare: dict[int, NotAllowed] = {}
        """Rows whose files the platform has refused: they go without."""
        self._calls = Bucket(self.port.capabilities.calls, self.clock)

    def wake(self) -> None:
        """Look at once: something was written."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while not self.lost:
                self._news.clear()
                began = self.clock.steady()
                try:
                    self._start(await self.outbox.pending(self.port.platform))
                except Exception:
                    log.exception("outbox_not_read")
                # A burst of news is one look.
                await asyncio.sleep(max(LOOK_SECONDS, (self.clock.steady() - began) / LOOKING_SHARE))
                await self._rest()
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _rest(self) -> None:
        soonest = min((when for rows in self._waits.values() for when in rows.values()), default=float("inf"))
        seconds = min(POLL_SECONDS, max(soonest - self.clock.steady(), 0.05))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def _start(self, pending: dict[str, int]) -> None:
        """Deliver each session's rows in order, sessions side by side; `pending` has each session's newest change."""
        now = self.clock.steady()
        self._looked = {session_id: when for session_id, when in self._looked.items() if session_id in pending}
        self._waits = {session_id: rows for session_id, rows in self._waits.items() if session_id in pending}
        self._seen = {session_id: seen for session_id, seen in self._seen.items() if session_id in pending}
        # With hundreds of threads that wait for the platform, each is looked at more seldom.
        pause = len(pending) / LOOKS_PER_SECOND
        most = min(MOST_AT_ONCE, self._calls.left(), len(self._busy) + MOST_PER_LOOK)
        for session_id, newest in pending.items():
            if self.lost or len(self._busy) >= most:
                return
            due = (
                newest > self._seen.get(session_id, 0) or min(self._waits.get(session_id, {}).values(), default=0) < now
            )
            if session_id not in self._busy and due and now - self._looked.get(session_id, 0.0) >= pause:
                self._seen[session_id], self._looked[session_id] = newest, now
                task = asyncio.create_task(self._session(session_id))
                self._busy[session_id] = task
                task.add_done_callback(partial(self._done, session_id))

    def _done(self, session_id: str, task: asyncio.Task[None]) -> None:
        self._busy.pop(session_id)
        self._news.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_failed", exc_info=error)

    async def _session(self, session_id: str) -> None:
        """Deliver one session's rows; a reply never overtakes another, a card or a mark holds nobody up."""
        rows, now = await self.outbox.rows(session_id), self.clock.steady()
        waited = self._waits.get(session_id, {})
        waits = self._waits[session_id] = {number: waited[number] for number, *_ in rows if waited.get(number, 0) > now}
        session = await self._in_its_thread(session_id, [number for number, *_ in rows]) if rows else None
        if session is None:
            return
        held, early = 0.0, dict[tuple[str, bool], float]()
        for number, kind, shown in rows:
            ordered = kind in ("reply", "notice")
            if held and ordered:
                waits[number] = max(held, waits.get(number, 0.0))
            elif number not in waits and (
                seconds := early.get((kind, shown)) or self._too_early(session.key, kind, shown)
            ):
                # Thousands may wait: what cannot be said now is not even read.
                early[kind, shown] = seconds
                waits[number] = self.clock.steady() + seconds
            elif number not in waits and (row := await self.outbox.row(number)) is not None:
                await self._tried(session, row, self._settled(session, row))
                if self.lost:
                    return
            if ordered:
                held = waits.get(number, held)

    async def _settled(self, session: Session, row: Message) -> None:
        await self._deliver(session, row)
        await self.outbox.settle(row, "sent")

    async def _tried(self, session: Session, row: Message, work: Awaitable[Value]) -> Value | None:
        """Do some work for a row; whatever keeps it from being done is noted, and when to try again."""
        try:
            return await work
        except NotYet as wait:
            self._wait(row, wait.seconds)
        except Revoked as error:
            self._give_up(error)
        except OutsideError as error:
            await self._trouble(session, row, error)
        except Exception as error:
            log.exception("delivery_broken")
            await self._trouble(session, row, OutsideError(repr(error)[:200], retryable=True))
        return None

    async def _in_its_thread(self, session_id: str, rows: Sequence[int]) -> Session | None:
        """Return the session, its thread opened if it was begun by a command; None if that has to wait."""
        session = await self.sessions.get(session_id)
        if session.key.thread.startswith(CLOSED):
            log.warning("delivery_dropped", extra={"session": session_id, "why": "its thread is gone"})
            await self.outbox.drop(session_id)
            return None
        if not session.key.thread.startswith(OPENING):
            return session
        first, waits = rows[0], self._waits[session_id]
        row = None if first in waits else await self.outbox.row(first)
        opened = await self._tried(session, row, self._opened(session)) if row is not None else None
        if opened is None:
            until = waits.setdefault(first, self.clock.steady() + PAUSES[0])
            waits.update(dict.fromkeys(rows, until))
        return opened

    def _give_up(self, error: Revoked) -> None:
        if not self.lost:
            self.lost = True
            self.revoked(error)

    async def _trouble(self, session: Session, row: Message, error: OutsideError) -> None:
        """Settle a row that did not go through, or let it wait."""
        opening = session.key.thread.startswith(OPENING)
        if isinstance(error, Missing) and not opening:
            log.warning("delivery_dropped", extra={"row": row.id, "why": str(error)})
            await self.outbox.settle(row, "dropped")
            return
        old = self.clock.now() - row.created > GIVEN_UP_SECONDS and row.attempts > len(PAUSES)
        if isinstance(error, NotAllowed) or not error.retryable or old:
            log.error("delivery_refused", extra={"row": row.id, "why": str(error), "session": session.id})
            if isinstance(error, NotAllowed) and row.kind == "person" and not opening:
                await self._say_denied(session, "react", error)
            if row.kind == "reply" or opening:
                await self._tell_owner(session, error)
            if opening:
                # Who asks again gets another thread: this one must not open by itself later.
                await self.accept(Event(f"{session.id}:closed", session.key, Author("", "nobody"), "closed"))
            # Last: whoever is killed before tells it again.
            await self.outbox.settle(row, "failed")
            return
        seconds = error.seconds if isinstance(error, RateLimited) else PAUSES[min(row.attempts, len(PAUSES) - 1)]
        log.info("delivery_waits", extra={"row": row.id, "seconds": seconds, "why": str(error)})
        self._wait(row, seconds)
        await self.outbox.failed(row)

    def _wait(self, row: Message, seconds: float) -> None:
        self._waits.setdefault(row.session_id, {})[row.id] = self.clock.steady() + seconds

    async def _deliver(self, session: Session, row: Message) -> None:
        if row.kind == "person":
            await self._marked(session, row)
            return
        denied = self._bare.get(row.id)
        known = await self.outbox.delivered(row.id)
        if row.kind == "progress" and not known and await self.outbox.answered(row.turn_id):
            # A card that comes after its answer says nothing any more.
            return
        files: tuple[Picture, ...] = ()
        try:
            if not denied:
                files, known = await self._enclosed(session, row, known)
            await self._as_it_can(session, row, known, files)
        except NotAllowed as error:
            if not files:
                self._bare.pop(row.id, None)
                raise
            # Without the right to attach files people still get the answer, as soon as there is a token for it.
            self._bare[row.id] = error
            raise NotYet(0.0) from error
        if denied:
            del self._bare[row.id]
            await self._say_denied(session, "attach the files", denied)

    async def _enclosed(self, session: Session, row: Message, known: Known) -> tuple[tuple[Picture, ...], Known]:
        """
        Return a message's files, and what of it is shown by then.

        Where drawing takes a while the text is said first, and the pictures follow.
        """
        drawing = asyncio.ensure_future(self.enclose(session, row.doc))
        try:
            await asyncio.wait([drawing], timeout=PICTURES_SECONDS)
            if not drawing.done() and not known:
                await self._as_it_can(session, row, known, ())
                known = await self.outbox.delivered(row.id)
            return await drawing, known
        finally:
            drawing.cancel()

    async def _as_it_can(self, session: Session, row: Message, known: Known, files: tuple[Picture, ...]) -> None:
        """Show a message; as plain text where the platform refuses its form."""
        parts = self.port.render(Outgoing(row.doc, row.turn_id, files, row.author))
        try:
            await self._shown(session, row, known, parts)
        except OutsideError as error:
            plain = tuple(map(self.port.plain, parts))
            refused = not error.retryable and not isinstance(error, Missing | NotAllowed | Revoked | RateLimited)
            if not refused or plain == parts:
                raise
            log.error("rich_answer_refused", extra={"row": row.id, "why": str(error), "session": session.id})
            await self._shown(session, row, await self.outbox.delivered(row.id), plain)

    async def _tell_owner(self, session: Session, error: OutsideError) -> None:
        """An answer that its thread does not take must not vanish: who started the thread hears of it alone, once an hour."""
        if self.clock.steady() < self._told.get(session.id, float("-inf")) + TOLD_SECONDS:
            return
        self._told[session.id] = self.clock.steady()
        async with self.database.read() as connection:
            owners = await self.people.owners(connection, session.id)
        text = (
            f"I could not write in “{session.title}”: {error} Nothing is lost; once that is fixed, say “status” there."
        )
        if session.key.thread.startswith(OPENING):
            text = f"I could not open a thread for “{session.title}”: {error} Once that is fixed, ask again."
        for owner in owners:
            try:
                await self.port.tell(session.key, owner.id, text)
            except OutsideError as refused:
                log.warning("owner_not_told", extra={"session": session.id, "why": str(refused)})

    async def _say_denied(self, session: Session, what: str, error: NotAllowed) -> None:
        """Say once in a thread what is missing there."""
        text = f"I could not {what}: {error} Whoever runs me can grant it; `doctor` lists what is missing."
        async with self.database.write() as tx:
            key = f"{session.id}:denied:{what}"
            if await self.messages.by_key(tx, key) is None:
                await self.messages.post(tx, session.id, key, "notice", plain(text, "❗"))

    async def _marked(self, session: Session, row: Message) -> None:
        """Bring the bot's reaction on a person's message to the row's mark."""
        if not row.remote_id:
            return
        known = (await self.outbox.delivered(row.id)).get(MARK)
        shown = known.digest if known else ""
        if shown == row.mark:
            return
        self._take(session.key, ("react", 0))
        if row.mark:
            await self._limited("react", session.key, self.port.react(session.key, row.remote_id, row.mark, True))
        if shown:
            if row.mark:
                # The second call of one token.
                self._calls.take()
            await self._limited("react", session.key, self.port.react(session.key, row.remote_id, shown, False))
        await self.outbox.put(row.id, Delivery(MARK, "", row.mark, self.clock.now()))

    async def _shown(self, session: Session, row: Message, known: Known, parts: Sequence[Part]) -> None:
        for part in parts:
            await self._part(session, row, known.get(part.name), part)
        for name in set(known) - {part.name for part in parts}:
            if known[name].remote_id:
                await self.port.delete(session.key, known[name].remote_id)
            await self.outbox.forget(row.id, name)
        if row.kind == "progress":
            step = next((one.progress.step for one in row.doc.blocks if isinstance(one, ProgressCard)), "")
            self._calls.take()
            await self.port.working(session.key, step if row.doc.actions else "")

    async def _part(self, session: Session, row: Message, known: Delivery | None, part: Part) -> None:
        """Post a part, or edit it if it differs."""
        digest = _digest(part)
        if known is not None and known.remote_id:
            if known.digest == digest:
                return
            if self.clock.now() - known.tried < self.port.capabilities.editable_seconds:
                try:
                    await self._edited(session, row, replace(known, digest=digest), part)
                    return
                except Missing:
                    # Somebody deleted it: it is shown anew.
                    known = None
            else:
                await self.port.delete(session.key, known.remote_id)
                known = None
        await self._posted(session, row, known, part)

    async def _edited(self, session: Session, row: Message, known: Delivery, part: Part) -> None:
        if row.kind == "progress":
            self._take(session.key, ("edit_in_thread", 0), ("edit", 1 if row.doc.actions else 0))
        await self._limited("edit", session.key, self.port.edit(session.key, known.remote_id, part))
        await self.outbox.put(row.id, known)

    async def _posted(self, session: Session, row: Message, known: Delivery | None, part: Part) -> None:
        self._take(session.key, ("post", 1 if row.kind == "progress" else 0))
        remote_id, in_doubt = "", known is not None
        if known is None:
            known = Delivery(part.name, "", "", self.clock.now())
            await self.outbox.put(row.id, known)
        else:
            remote_id = await self.port.find(session.key, part, _nonce(row.id, known), known.tried)
        remote_id = remote_id or await self._limited(
            "post", session.key, self.port.post(session.key, part, _nonce(row.id, known))
        )
        # What was posted in doubt may say what the message said then.
        there = replace(known, remote_id=remote_id, digest="" if in_doubt else _digest(part))
        await self.outbox.put(row.id, there)
        if in_doubt:
            await self._edited(session, row, replace(there, digest=_digest(part)), part)
        if early := await self.early.waiting(remote_id):
            for event in early:
                # Its id was claimed by nobody: it was not known yet what it is on.
                await self.accept(event)
            await self.early.forget(remote_id)

    async def _opened(self, session: Session) -> Session:
        """Open the thread of a session that was begun by a command."""
        self._take(session.key, ("post", 0))
        first = await self.messages.first_said(session.id)
        root, *more = self.port.render(Outgoing(_opening(first) if first else plain(session.title)))
        thread, remote_id = await self.port.open_thread(session.key, session.title, root, _hash(session.id))
        key = replace(session.key, thread=thread)
        # Where a message opens the thread it is there, as its author wrote it.
        named = session.key.thread.startswith(f"{OPENING}at:")
        for number, part in enumerate(() if named else more, 1):
            nonce = _hash(f"{session.id}/{number}")
            if not await self.port.find(key, part, nonce, session.created):
                await self.port.post(key, part, nonce)
        async with self.database.write() as tx:
            await self.sessions.bind(tx, session, thread)
        await self.outbox.hang_on(session.id, remote_id)
        self.wake()
        return await self.sessions.get(session.id)

    async def _limited(self, kind: str, key: ThreadKey, call: Awaitable[Value]) -> Value:
        """Make a call; a refusal for its rate counts for all that would make the same."""
        try:
            return await call
        except RateLimited as error:
            self._bucket(kind, key).empty(error.seconds)
            raise

    def _take(self, key: ThreadKey, *kinds: tuple[str, float]) -> None:
        """Take a token of each kind, or none; the numbers are tokens that must stay for what matters more."""
        if seconds := self._dry(key, *kinds):
            raise NotYet(seconds)
        for bucket in (*(self._bucket(kind, key) for kind, _ in kinds), self._calls):
            bucket.take()

    def _too_early(self, key: ThreadKey, kind: str, shown: bool) -> float:
        """Return how long a row has to wait for tokens, as far as that is known without reading it."""
        if kind == "person":
            return self._dry(key, ("react", 0))
        if not shown:
            return self._dry(key, ("post", 1 if kind == "progress" else 0))
        return self._dry(key, ("edit_in_thread", 0), ("edit", 0)) if kind == "progress" else 0.0

    def _dry(self, key: ThreadKey, *kinds: tuple[str, float]) -> float:
        """Return the seconds until there is a token of each kind, 0 if there is."""
        return max(self._calls.wait(), *(self._bucket(kind, key).wait(keep) for kind, keep in kinds))

    def _bucket(self, kind: str, key: ThreadKey) -> Bucket:
        rate: Rate = getattr(self.port.capabilities, kind)
        within = {"workspace": key.workspace, "channel": key.channel, "thread": str(key)}[rate.scope]
        return self._buckets.setdefault((kind, within), Bucket(rate, self.clock))


def _opening(row: Message) -> Doc:
    """Return what the thread of a command begins with: the words of who gave it."""
    text = " ".join(block.text for block in row.doc.blocks if isinstance(block, Para))
    return Doc((Para(f"{row.author} asks:"), Quote(text)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _nonce(message_id: int, known: Delivery) -> str:
    """Return what makes posting idempotent: the same for each try of one posting, another after a deletion."""
    return _hash(f"{message_id}/{known.part}/{known.tried}")


def _digest(part: Part) -> str:
    files = [(one.name, hashlib.sha256(one.content).hexdigest()) for one in part.files]
    return _hash(json.dumps([part.body, files], sort_keys=True))
