"""What is known of a thread when an event comes in: everything that the decision may depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core import steering
from core.chat import Event
from core.messages import Signal, TurnRequest, TurnResult
from core.sessions import Author, Session
from core.thread.transcript import APPROVAL, PERSON, Message

Standing = Literal["owner", "invited", "guest", "denied"]


@dataclass(frozen=True)
class Person:
    """Somebody in a thread, and whether they have spoken there."""

    author: Author
    standing: Standing = "guest"
    spoke: bool = False


@dataclass(frozen=True)
class Held:
    """A message or a serious step that waits for somebody's word; `state` is open, allowed, invited, denied or dropped."""

    id: str
    session_id: str
    event: Event
    state: str
    created: float


@dataclass(frozen=True)
class Unfinished:
    """A turn that runs or waits, and the numbered signals that it was sent until now."""

    request: TurnRequest
    running: bool
    told: tuple[tuple[int, Signal], ...] = ()

    @property
    def whole(self) -> TurnRequest:
        """Return the request with what was added to it until now."""
        return replace(
            self.request, added=steering.counted([*self.request.added, *(signal for _, signal in self.told)])
        )


@dataclass(frozen=True)
class Turn:
    """A turn with its result, None while it is not finished."""

    request: TurnRequest
    result: TurnResult | None


@dataclass(frozen=True)
class ThreadState:
    """
    A thread as it stands when an event comes in.

    `line` are the unfinished turns in order, asides and queries left out. `message` is the one that the event is on. `held`,
    `turns` and `messages` have what the event names (see `named`), `messages` by key; `latest` is the thread's latest turn that
    a message asked for and nobody took back. `deleted` are the keys of deleted messages among those added to these turns.
    `reactions` are the author's own on the message. `now` is the time in Unix seconds.
    """

    session: Session
    people: tuple[Person, ...] = ()
    line: tuple[Unfinished, ...] = ()
    message: Message | None = None
    held: Mapping[str, Held] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    latest: Turn | None = None
    deleted: frozenset[str] = frozenset()
    reactions: frozenset[str] = frozenset()
    now: float = 0.0

    @property
    def local(self) -> bool:
        """Say whether it is a thread of the local chat, where whoever is there is the owner."""
        return self.session.key.platform == "local"

    @property
    def owner(self) -> Author | None:
        """Return who started the thread; nobody in the local chat."""
        return next((person.author for person in self.people if person.standing == "owner"), None)

    @property
    def running(self) -> Unfinished | None:
        """Return the turn at work, if any."""
        return next((turn for turn in self.line if turn.running), None)

    def standing(self, author_id: str) -> Standing:
        """Return what a person is here; somebody unknown is a guest."""
        return next((person.standing for person in self.people if person.author.id == author_id), "guest")

    def owns(self, author_id: str) -> bool:
        """Say whether the thread is this person's."""
        return self.local or self.standing(author_id) == "owner"

    def speakers(self, author_id: str) -> int:
        """Return how many people have spoken, this person included."""
        return 1 + sum(person.spoke and person.author.id != author_id for person in self.people)

    def others(self, author_id: str) -> int:
        """Return how many besides this person have a say."""
        shared = self.session.access in ("invited", "everyone")
        standings = ("owner", "invited") if shared else ("owner",)
        everyone = self.session.access == "everyone"
        return sum(
            person.author.id != author_id and (person.standing in standings or (everyone and person.spoke))
            for person in self.people
        )

    def ended(self, outcomes: Sequence[str]) -> str:
        """Return the id of the latest turn if it ended in one of these ways, else ''."""
        if self.latest is None or self.latest.result is None or self.latest.result.outcome not in outcomes:
            return ""
        return self.latest.request.turn_id

    def turn(self, turn_id: str) -> Turn | None:
        """Return a turn of this thread that the event names, or the latest one."""
        turn = self.turns.get(turn_id)
        if turn is None and self.latest is not None and self.latest.request.turn_id == turn_id:
            turn = self.latest
        return turn


def named(event: Event, message: Message | None) -> tuple[str, ...]:
    """Return every id that an event may mean, of turns and of what waits for a word: its target, and those of its message."""
    pairs = dict(part.partition("=")[::2] for part in event.target.split("&"))
    ids = [event.target, pairs.get("target", "")]
    if message is not None:
        ids += [message.turn_id, message.key.removesuffix(PERSON).removesuffix(APPROVAL), message.key]
        ids += [action.target for action in message.doc.actions]
    return tuple(dict.fromkeys(number for number in ids if number))
