"""What a decision can change in a thread, as data; and what a command is given."""

from dataclasses import dataclass, replace
from typing import Literal

from core.chat import Event, Form
from core.messages import Doc, Signal, TurnRequest, TurnResult
from core.sessions import Author
from core.thread.state import Standing, ThreadState
from core.thread.transcript import NOTICE, Kind, plain


@dataclass(frozen=True)
class Post:
    """
    Write a message, or bring the one of the same key to this.

    `only` leaves it alone where there is one already (`new`), or where there is none (`known`).
    """

    key: str
    doc: Doc
    kind: Kind = "notice"
    author: str = ""
    turn_id: str = ""
    remote_id: str = ""
    mark: str = ""
    only: Literal["", "new", "known"] = ""


@dataclass(frozen=True)
class Mark:
    """Put the bot's mark on what people wrote for a turn."""

    turn_id: str
    mark: str


@dataclass(frozen=True)
class Move:
    """Let a person's message belong to another turn, with this mark."""

    key: str
    turn_id: str
    mark: str


@dataclass(frozen=True)
class LetGo:
    """Let another row have a person's message, by its id here."""

    message_id: int


@dataclass(frozen=True)
class Unreact:
    """Forget a reaction of somebody on a message."""

    message_id: int
    emoji: str
    author_id: str
    at: float


@dataclass(frozen=True)
class Join:
    """Put a turn at the end of the line; it starts when its time has come."""

    request: TurnRequest


@dataclass(frozen=True)
class Rewrite:
    """Replace what a turn that has not started is asked."""

    request: TurnRequest


@dataclass(frozen=True)
class Finish:
    """End a turn that has not started."""

    result: TurnResult


@dataclass(frozen=True)
class Tell:
    """Send a signal to a turn."""

    turn_id: str
    signal: Signal


@dataclass(frozen=True)
class GiveUp:
    """Let no turn be resumed that the message `key` asked for; what they answered loses its buttons."""

    key: str


@dataclass(frozen=True)
class TakeButtons:
    """Take the buttons off a message."""

    key: str


@dataclass(frozen=True)
class Renumber:
    """Bring the cards of the turns that wait to their positions."""


@dataclass(frozen=True)
class Heard:
    """Note that somebody has spoken in the thread."""

    author: Author


@dataclass(frozen=True)
class Stand:
    """Give a person a standing."""

    author: Author
    standing: Standing


@dataclass(frozen=True)
class Hold:
    """Keep an event until somebody decides on it."""

    id: str
    event: Event


@dataclass(frozen=True)
class Decide:
    """Set what became of something that was held; an `event` replaces what it was."""

    id: str
    state: Literal["open", "allowed", "invited", "denied", "dropped"]
    event: Event | None = None


@dataclass(frozen=True)
class Waive:
    """Accept findings, by their fingerprints."""

    fingerprints: tuple[str, ...]
    author: Author
    why: str


@dataclass(frozen=True)
class Change:
    """Change settings of the thread, and with `channel` those of new threads in its channel."""

    settings: dict[str, str]
    channel: bool = False


@dataclass(frozen=True)
class Revoke:
    """Revoke every link to the preview."""


@dataclass(frozen=True)
class Close:
    """Let the session have no thread any more."""


ToLine = Join | Rewrite | Finish | Tell | GiveUp | Renumber
"""What changes the turns that run and wait."""
ToThread = (
    Post | Mark | Move | LetGo | Unreact | TakeButtons | Heard | Stand | Hold | Decide | Waive | Change | Revoke | Close
)
"""What changes messages, people and settings."""
Effect = ToLine | ToThread


QueryVerb = Literal["diff", "checks", "preview", "export", "bisect", "reset_data"]


@dataclass(frozen=True)
class Query:
    """A question to the bot itself; `about` is the turn that it is about, or what broke, '' for the newest and for nothing named."""

    verb: QueryVerb
    about: str = ""


@dataclass(frozen=True)
class Say:
    """A message to act on as if its author had just said it, and the id of the turn that it may begin."""

    event: Event
    turn_id: str


@dataclass(frozen=True)
class Decision:
    """
    What an event changes, in order, and what comes back to the person.

    `turn_id` is the turn that it began or belongs to. `query` is answered after the transaction. `then` is a message that was let
    through, or that a button stands for. `taken_off` are reactions that the platform is to take off.
    """

    effects: tuple[Effect, ...] = ()
    turn_id: str = ""
    doc: Doc | None = None
    form: Form | None = None
    query: Query | None = None
    then: Say | None = None
    taken_off: tuple[str, ...] = ()

    def after(self, *effects: Effect) -> "Decision":
        """Return the decision with these effects before its own."""
        return replace(self, effects=(*effects, *self.effects))

    def before(self, *effects: Effect) -> "Decision":
        """Return the decision with these effects after its own."""
        return replace(self, effects=(*self.effects, *effects))


NOTHING = Decision()


@dataclass(frozen=True)
class Call:
    """
    One use of a command.

    `event` is what gave it. `turn_id` is for a turn that it starts; `target` is what it applies to, '' for the latest. `agreed`
    says that a second person is for it.
    """

    state: ThreadState
    event: Event
    author: Author
    turn_id: str
    target: str = ""
    agreed: bool = False

    @property
    def owns(self) -> bool:
        """Say whether the thread is the caller's."""
        return self.state.owns(self.author.id)


def answer(text: str, mark: str = "✅") -> Decision:
    """Return a decision that changes nothing and says one thing."""
    return Decision(doc=plain(text, mark))


def refusal(text: str) -> Decision:
    """Return a decision that changes nothing, and why."""
    return answer(text, "❗")


def notice(turn_id: str, text: str, mark: str) -> Post:
    """Return a line of the bot's in the thread, beside a turn."""
    return Post(f"{turn_id}{NOTICE}", plain(text, mark))
