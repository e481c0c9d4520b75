"""The Threads port in memory: the same rules as the rows in a database, without one."""

import contextlib
import copy
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.chat import CLOSED, Event
from core.errors import UserError
from core.messages import Doc, Signal, TurnRequest, TurnResult
from core.sessions import Author, Session, ThreadKey
from core.thread import decisions as change
from core.thread.line import UNDONE, renumbered
from core.thread.state import Held, Person, ThreadState, Turn, Unfinished, named
from core.thread.transcript import DELETED, QUEUED, REPLY, TROUBLE, Message


@dataclass
class Rows:
    """Everything that a transaction takes back when it fails."""

    sessions: dict[str, Session] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    people: dict[tuple[str, str], Person] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    reactions: dict[tuple[int, str, str], tuple[bool, float]] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[tuple[int, Signal]]] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    waived: dict[str, str] = field(default_factory=dict)
    early: list[Event] = field(default_factory=list)
    places: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    count: int = 0


class MemoryThreads:
    """Threads in memory; `submitted` are the turns that the engine was given."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.rows, self.time = Rows(), now
        self.submitted: list[str] = []

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        kept, submitted = copy.deepcopy(self.rows), list(self.submitted)
        try:
            yield None
        except BaseException:
            self.rows, self.submitted = kept, submitted
            raise

    async def find(self, tx: Any, key: ThreadKey) -> Session | None:
        return next((session for session in self.rows.sessions.values() if session.key == key), None)

    async def within(self, tx: Any, session_id: str) -> Session:
        return self.rows.sessions[session_id]

    async def in_thread(self, tx: Any, key: ThreadKey) -> list[Session]:
        mine = vars(key).items()
        return [
            session
            for session in self.rows.sessions.values()
            if all(getattr(session.key, name) == value for name, value in mine if value or name != "thread")
        ]

    async def open(self, tx: Any, key: ThreadKey, title: str, at: float) -> Session:
        number = f"s{len(self.rows.sessions)}"
        defaults: Any = self.rows.places.get((key.platform, key.channel), {})
        session = Session(number, key, title, number, created=at or self.time, **defaults)
        self.rows.sessions[number] = session
        return session

    async def claim(self, tx: Any, event_id: str, session_id: str) -> int | None:
        if event_id in self.rows.events:
            return None
        self.rows.events.append(event_id)
        return len(self.rows.events)

    async def claimed(self, tx: Any, event_id: str) -> bool:
        return event_id in self.rows.events

    async def saw(self, tx: Any, session: Session, remote_id: str, at: float) -> None:
        self.rows.sessions[session.id] = replace(self.rows.sessions[session.id], seen=remote_id)

    async def message(self, tx: Any, remote_id: str, number: int) -> Message | None:
        for message in self.rows.messages.values():
            if (remote_id and message.remote_id == remote_id) or (not remote_id and message.id == number):
                return message
        return None

    async def react(self, tx: Any, number: int, emoji: str, author_id: str, added: bool, at: float) -> bool:
        key, when = (number, emoji, author_id), at or self.time
        present, since = self.rows.reactions.get(key, (False, 0.0))
        if since > when:
            return False
        self.rows.reactions[key] = (added, when)
        return present != added

    async def keep_early(self, tx: Any, event: Event) -> None:
        self.rows.early.append(event)

    async def overdue(self, before: float) -> list[Held]:
        return [held for held in self.rows.held.values() if held.state == "open" and held.created <= before]

    async def load(self, tx: Any, session: Session, event: Event, message: Message | None) -> ThreadState:
        rows, ids = self.rows, named(event, message)
        turns = {number: rows.turns[number] for number in ids if number in rows.turns}
        latest = self._latest(session.id)
        added = [
            signal.said for turn in (*turns.values(), *([latest] if latest else [])) for signal in turn.request.added
        ]
        troubles = [one for key, one in rows.messages.items() if TROUBLE in key and one.session_id == session.id]
        wanted = {key: rows.messages[key] for key in ids if TROUBLE in key and key in rows.messages}
        shown: int = message.id if message else 0
        return ThreadState(
            rows.sessions[session.id],
            people=tuple(person for (of, _), person in rows.people.items() if of == session.id),
            line=tuple(
                Unfinished(turn.request, rows.states[number] == "running", tuple(rows.told.get(number, ())))
                for number, turn in sorted(rows.turns.items())
                if turn.request.session_id == session.id and turn.result is None and not turn.request.beside
            ),
            message=message,
            held={number: rows.held[number] for number in ids if number in rows.held},
            turns=turns,
            messages={**wanted, **({TROUBLE: troubles[-1]} if troubles else {})},
            latest=latest,
            deleted=frozenset(key for key in added if key in rows.messages and DELETED in rows.messages[key].doc.blocks),
            reactions=frozenset(
                emoji for (number, emoji, who), (there, _) in rows.reactions.items()
                if (number, who) == (shown, event.author.id) and there
            ),
            now=self.time,
        )  # fmt: skip

    def _latest(self, session_id: str) -> Turn | None:
        ended = [
            turn for _, turn in sorted(self.rows.turns.items())
            if turn.request.session_id == session_id and turn.request.kind == "message" and turn.result is not None
            and turn.result.outcome not in ("dropped", "withdrawn")
        ]  # fmt: skip
        return ended[-1] if ended else None

    async def apply(self, tx: Any, session: Session, effects: Sequence[change.Effect]) -> None:
        for effect in effects:
            getattr(self, f"_{type(effect).__name__.lower()}")(session, effect)

    def _post(self, session: Session, post: change.Post) -> None:
        before = self.rows.messages.get(post.key)
        if post.only and (before is None) != (post.only == "new"):
            return
        self.rows.count += 1
        number = before.id if before else self.rows.count
        self.rows.messages[post.key] = Message(
            number, session.id, post.key, post.turn_id, post.kind, post.author, post.doc, self.time, self.rows.count,
            post.mark or (before.mark if before else ""), post.remote_id or (before.remote_id if before else ""),
        )  # fmt: skip

    def _mark(self, session: Session, mark: change.Mark) -> None:
        for key, message in self.rows.messages.items():
            if message.turn_id == mark.turn_id and message.kind == "person":
                self.rows.messages[key] = replace(message, mark=mark.mark)

    def _move(self, session: Session, move: change.Move) -> None:
        message = self.rows.messages.get(move.key)
        if message is not None:
            self.rows.messages[move.key] = replace(message, turn_id=move.turn_id, mark=move.mark)

    def _letgo(self, session: Session, effect: change.LetGo) -> None:
        for key, message in self.rows.messages.items():
            if message.id == effect.message_id:
                self.rows.messages[key] = replace(message, remote_id="", doc=Doc(()))

    def _unreact(self, session: Session, effect: change.Unreact) -> None:
        self.rows.reactions[effect.message_id, effect.emoji, effect.author_id] = (False, effect.at or self.time)

    def _join(self, session: Session, effect: change.Join) -> None:
        request = effect.request
        waits = self._busy(session.id) and not request.beside
        self.rows.turns[request.turn_id] = Turn(request, None)
        self.rows.states[request.turn_id] = "queued" if waits else "submitted"
        self.submitted += [] if waits else [request.turn_id]

    def _busy(self, session_id: str) -> bool:
        return any(
            self.rows.states[number] in ("submitted", "running") and turn.request.session_id == session_id
            for number, turn in self.rows.turns.items()
            if not turn.request.beside
        )

    def _rewrite(self, session: Session, effect: change.Rewrite) -> None:
        turn = self.rows.turns[effect.request.turn_id]
        self.rows.turns[effect.request.turn_id] = replace(turn, request=effect.request)

    def _finish(self, session: Session, effect: change.Finish) -> None:
        self.end(effect.result)

    def _tell(self, session: Session, effect: change.Tell) -> None:
        told = self.rows.told.setdefault(effect.turn_id, [])
        self.rows.count += 1
        told.append((self.rows.count, effect.signal))

    def _giveup(self, session: Session, effect: change.GiveUp) -> None:
        for number, turn in self.rows.turns.items():
            result = turn.result
            if turn.request.session_id != session.id or result is None or result.outcome not in UNDONE:
                continue
            added = tuple(signal for signal in turn.request.added if signal.said != effect.key)
            kept = replace(turn, request=replace(turn.request, added=added))
            if turn.request.message == effect.key:
                kept = replace(kept, result=replace(result, outcome="withdrawn"))
                self._takebuttons(session, change.TakeButtons(f"{number}{REPLY}"))
            self.rows.turns[number] = kept

    def _takebuttons(self, session: Session, effect: change.TakeButtons) -> None:
        message = self.rows.messages.get(effect.key)
        if message is not None and message.doc.actions:
            self.rows.messages[effect.key] = replace(message, doc=replace(message.doc, actions=()))

    def _renumber(self, session: Session, effect: change.Renumber) -> None:
        waiting = [
            number for number, turn in sorted(self.rows.turns.items())
            if turn.request.session_id == session.id and turn.result is None and self.rows.states[number] != "running"
            and not turn.request.beside
        ]  # fmt: skip
        cards = [self.rows.messages[key] for number in waiting if (key := f"{number}{QUEUED}") in self.rows.messages]
        for post in renumbered(waiting, cards):
            self._post(session, post)

    def _heard(self, session: Session, effect: change.Heard) -> None:
        known = self.rows.people.get((session.id, effect.author.id), Person(effect.author))
        self.rows.people[session.id, effect.author.id] = replace(known, author=effect.author, spoke=True)

    def _stand(self, session: Session, effect: change.Stand) -> None:
        known = self.rows.people.get((session.id, effect.author.id), Person(effect.author))
        self.rows.people[session.id, effect.author.id] = replace(known, standing=effect.standing)

    def _hold(self, session: Session, effect: change.Hold) -> None:
        self.rows.held[effect.id] = Held(effect.id, session.id, effect.event, "open", self.time)

    def _decide(self, session: Session, effect: change.Decide) -> None:
        held = self.rows.held[effect.id]
        self.rows.held[effect.id] = replace(held, state=effect.state, event=effect.event or held.event)

    def _waive(self, session: Session, effect: change.Waive) -> None:
        self.rows.waived |= dict.fromkeys(effect.fingerprints, effect.author.name)

    def _change(self, session: Session, effect: change.Change) -> None:
        settings: Any = effect.settings
        self.rows.sessions[session.id] = replace(self.rows.sessions[session.id], **settings)
        if effect.channel:
            self.rows.places.setdefault((session.key.platform, session.key.channel), {}).update(settings)

    def _revoke(self, session: Session, effect: change.Revoke) -> None:
        self.rows.sessions[session.id] = replace(session, links_since=self.time + 1, sharing="link")

    def _close(self, session: Session, effect: change.Close) -> None:
        key = replace(session.key, thread=f"{CLOSED}{session.id}:{session.key.thread}")
        self.rows.sessions[session.id] = replace(session, key=key)

    # What the engine and the turns do, for tests.

    def start(self, turn_id: str) -> TurnRequest:
        """Let a turn that was submitted run."""
        if self.rows.states[turn_id] not in ("submitted", "running"):
            raise UserError(f"{turn_id} waits")
        self.rows.states[turn_id] = "running"
        return self.rows.turns[turn_id].request

    def end(self, result: TurnResult) -> None:
        """End a turn, and let the next of its thread go."""
        turn = self.rows.turns[result.turn_id]
        self.rows.turns[result.turn_id] = Turn(turn.request, result)
        self.rows.states[result.turn_id] = "finished"
        waiting = [
            number for number, other in sorted(self.rows.turns.items())
            if self.rows.states[number] == "queued" and other.request.session_id == turn.request.session_id
        ]  # fmt: skip
        if waiting and not self._busy(turn.request.session_id):
            self.rows.states[waiting[0]] = "submitted"
            self.submitted.append(waiting[0])

    def reply(self, session: Session, turn_id: str, doc: Doc) -> Message:
        """Post a turn's reply, as the boundary of a turn does."""
        self._post(session, change.Post(f"{turn_id}{REPLY}", doc, "reply", turn_id=turn_id, remote_id=f"r-{turn_id}"))
        return self.rows.messages[f"{turn_id}{REPLY}"]


ANN, BEN, CEM = Author("U1", "Ann"), Author("U2", "Ben"), Author("U3", "Cem")
