"""The Threads port on our rows: what a decision needs is read at once, what it changes is written in order."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.messages import Messages
from adapters.store.people import People
from adapters.store.sessions import Sessions
from adapters.store.tables import reaction
from adapters.store.turns import Turns
from adapters.store.waivers import Waivers
from core.chat import CLOSED, Event
from core.clock import SYSTEM, Clock
from core.messages import TurnRequest
from core.sessions import Session, ThreadKey
from core.thread import decisions as change
from core.thread.line import MOST_RENUMBERED, UNDONE, renumbered
from core.thread.ports import Engine
from core.thread.state import Held, ThreadState, Unfinished, named
from core.thread.transcript import QUEUED, REPLY, TROUBLE, Message


class ThreadRows:
    """Reads and writes a thread through the rows of its parts."""

    def __init__(self, database: Database, engine: Engine, clock: Clock = SYSTEM) -> None:
        self.database, self.engine, self._clock = database, engine, clock
        self.sessions, self.turns, self.messages = Sessions(database), Turns(database), Messages(database)
        self.people, self.waivers, self.early = (
            People(database, clock),
            Waivers(database),
            EarlyReactions(database, clock),
        )

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that writes."""
        return self.database.write()

    async def find(self, tx: Any, key: ThreadKey) -> Session | None:
        """Return a thread's session."""
        return await self.sessions.find(tx, key)

    async def within(self, tx: Any, session_id: str) -> Session:
        """Return a session by its id."""
        return await self.sessions.within(tx, session_id)

    async def in_thread(self, tx: Any, key: ThreadKey) -> list[Session]:
        """Return the sessions of a thread or a channel."""
        return await self.sessions.in_thread(tx, key)

    async def open(self, tx: Any, key: ThreadKey, title: str, at: float) -> Session:
        """Make a thread's session."""
        return await self.sessions.open(tx, key, title, at)

    async def claim(self, tx: Any, event_id: str, session_id: str) -> int | None:
        """Claim an event."""
        return await self.turns.claim(tx, event_id, session_id)

    async def claimed(self, tx: Any, event_id: str) -> bool:
        """Say whether an event was claimed before."""
        return await self.turns.claimed(tx, event_id)

    async def saw(self, tx: Any, session: Session, remote_id: str, at: float) -> None:
        """Note the latest message that was taken in."""
        await self.sessions.saw(tx, session, remote_id, at)

    async def message(self, tx: Any, remote_id: str, number: int) -> Message | None:
        """Return a message by its platform's id, or else by its number."""
        return await (self.messages.by_remote(tx, remote_id) if remote_id else self.messages.get(tx, number))

    async def react(self, tx: Any, number: int, emoji: str, author_id: str, added: bool, at: float) -> bool:
        """Store a reaction, or that it was removed."""
        return await self.messages.react(tx, number, emoji, author_id, added, at)

    async def keep_early(self, tx: Any, event: Event) -> None:
        """Keep a reaction on a message that is not known yet."""
        await self.early.keep(tx, event)

    async def overdue(self, before: float) -> list[Held]:
        """Return what waits for a word for too long."""
        return await self.people.overdue(before)

    async def load(self, tx: Any, session: Session, event: Event, message: Message | None) -> ThreadState:
        """Read what a decision may depend on; what only buttons and reactions need is read for these alone."""
        ids = named(event, message)
        turns = await self.turns.of_ids(tx, ids)
        latest = await self.turns.latest(tx, session.id)
        line = await self.turns.waiting(tx, session.id)
        told = await self.turns.told_to(tx, [request.turn_id for request, _ in line])
        added = [
            signal.said for turn in (*turns.values(), *([latest] if latest else [])) for signal in turn.request.added
        ]
        return ThreadState(
            session,
            people=tuple(await self.people.there(tx, session.id)),
            line=tuple(Unfinished(request, runs, tuple(told.get(request.turn_id, ()))) for request, runs in line),
            message=message,
            held=await self.people.held(tx, ids, session.id),
            turns=turns,
            messages=await self._named(tx, session, event, ids),
            latest=latest,
            deleted=frozenset(await self.messages.deleted(tx, added)) if added else frozenset(),
            reactions=await self._reactions(tx, event, message),
            now=self._clock.now(),
        )

    async def _named(self, tx: Any, session: Session, event: Event, ids: Sequence[str]) -> dict[str, Message]:
        """Return the messages whose keys the event names, and the latest error of the app under `TROUBLE`."""
        if event.kind in ("message", "edited", "deleted") and event.text.strip(" /!.").casefold() != "fix":
            return {}
        found = {key: await self.messages.by_key(tx, key) for key in ids if TROUBLE in key}
        found[TROUBLE] = await self.messages.latest_with(tx, session.id, TROUBLE)
        return {key: message for key, message in found.items() if message is not None}

    async def _reactions(self, tx: Any, event: Event, message: Message | None) -> frozenset[str]:
        """Return the author's reactions on a message that are no newer than the event."""
        if message is None or event.kind != "reaction_added":
            return frozenset()
        where = [reaction.c.message_id == message.id, reaction.c.author_id == event.author.id, reaction.c.present]
        where += [reaction.c.created <= event.at] if event.at else []
        return frozenset((await tx.execute(sa.select(reaction.c.emoji).where(*where))).scalars())

    async def apply(self, tx: Any, session: Session, effects: Iterable[change.Effect]) -> None:
        """Write what was decided, in order."""
        for effect in effects:
            if isinstance(effect, change.ToLine):
                await self._apply_to_line(tx, session, effect)
            else:
                await self._apply(tx, session, effect)

    async def _apply(self, tx: Any, session: Session, effect: change.ToThread) -> None:
        match effect:
            case change.Post():
                await self._post(tx, session.id, effect)
            case change.Mark(turn_id, mark):
                await self.messages.mark(tx, turn_id, mark)
            case change.Move(key, turn_id, mark):
                await self.messages.move(tx, key, turn_id, mark)
            case change.LetGo(number):
                await self.messages.supersede(tx, number)
            case change.Unreact(number, emoji, author_id, at):
                await self.messages.react(tx, number, emoji, author_id, False, at)
            case change.TakeButtons(key):
                await self._take_buttons(tx, key)
            case change.Heard(author):
                await self.people.spoke(tx, session.id, author)
            case change.Stand(author, standing):
                await self.people.put(tx, session.id, author, standing)
            case change.Hold(number, event):
                await self.people.wait(tx, number, session.id, event)
            case change.Decide(number, state, event):
                await self.people.decide(tx, number, state, event)
            case change.Waive(fingerprints, author, why):
                await self.waivers.waive(tx, session.id, fingerprints, author, why)
            case change.Change(settings, channel):
                await self._change(tx, session, settings, channel=channel)
            case change.Revoke():
                await self.sessions.revoke_links(tx, session)
            case change.Close():
                await self.sessions.bind(tx, session, f"{CLOSED}{session.id}:{session.key.thread}")
            case _:
                assert_never(effect)

    async def _apply_to_line(self, tx: Any, session: Session, effect: change.ToLine) -> None:
        match effect:
            case change.Join(request):
                await self.join(tx, request)
            case change.Rewrite(request):
                await self.turns.change(tx, request)
            case change.Finish(result):
                await self.turns.finish(tx, result)
            case change.Tell(turn_id, signal):
                await self.engine.tell(tx, turn_id, signal)
            case change.GiveUp(key):
                for turn_id in await self.turns.withdraw(tx, session.id, key, UNDONE):
                    await self._take_buttons(tx, f"{turn_id}{REPLY}")
            case change.Renumber():
                await self.renumber(tx, session.id)
            case _:
                assert_never(effect)

    async def _post(self, tx: Any, session_id: str, post: change.Post) -> None:
        if post.only and (await self.messages.by_key(tx, post.key) is None) != (post.only == "new"):
            return
        await self.messages.post(
            tx, session_id, post.key, post.kind, post.doc, turn_id=post.turn_id, author=post.author,
            remote_id=post.remote_id, mark=post.mark,
        )  # fmt: skip

    async def _take_buttons(self, tx: Any, key: str) -> None:
        found = await self.messages.by_key(tx, key)
        if found is not None and found.doc.actions:
            doc = replace(found.doc, actions=())
            await self.messages.post(tx, found.session_id, key, found.kind, doc, turn_id=found.turn_id)

    async def _change(self, tx: Any, session: Session, settings: dict[str, str], *, channel: bool) -> None:
        await self.sessions.change(tx, session, **settings)
        if channel:
            await self.sessions.show_in_channel(tx, session.key, settings.get("verbosity", ""))
            await self.sessions.change_place(tx, session.key, **settings)

    async def renumber(self, tx: Any, session_id: str) -> None:
        """Let the cards of those who come next say where they are by now; the rest is told when it is nearer."""
        waiting = [request.turn_id for request, running in await self.turns.waiting(tx, session_id) if not running]
        cards = [await self.messages.by_key(tx, f"{turn_id}{QUEUED}") for turn_id in waiting[:MOST_RENUMBERED]]
        for post in renumbered(waiting, [card for card in cards if card is not None]):
            await self._post(tx, session_id, post)

    async def join(self, tx: Any, request: TurnRequest) -> None:
        """Put a turn at the end of its thread's line, and let it go if nothing is before it."""
        if await self.turns.add(tx, request):
            await self.engine.submit(tx, request.turn_id)

    async def go_on(self, tx: Any, session_id: str) -> None:
        """Let the thread's next turn go, unless one is at work."""
        if turn_id := await self.turns.next(tx, session_id):
            await self.engine.submit(tx, turn_id)
