"""
Chat platforms: what they report (`Event`), what they are asked to show (`Part`), and the port between (`ChatPort`).

An adapter translates; it keeps no state of the product. Ids of a platform leave it as opaque strings only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.errors import OutsideError
from core.messages import Attachment, Doc
from core.sessions import Author, Session, ThreadKey

EventKind = Literal["message", "edited", "deleted", "reaction_added", "reaction_removed", "command", "closed"]
CLOSED = "closed:"
"""How the thread of a session begins that has none any more: it could not be opened, or it was deleted."""
OPENING = "new:"
"""A thread whose key begins with this is still to be opened; what follows names the message to open it from, or is an id."""

ANYWHERE = ("❌",)
"""Reactions that count on any message of a thread; all others only on the bot's own."""

ON_MESSAGE = "message:"
"""A target that begins so names one of our messages by its remote id, for commands that are given on a message."""


@dataclass(frozen=True)
class Event:
    """
    What a platform reports.

    A thread that is `closed` is gone, or all threads of a channel where `thread.thread` is empty.
    `id` is the same each time the platform reports the same thing. `remote_id` is the platform's message: the person's own,
    or the one reacted on; `message_id` is ours, where the platform is ours too. An empty `thread.thread` is looked up by
    `remote_id`. A command has its verb in `text` and its argument in `target`. `begins` says that it may open a session:
    the bot was called by name or by a command, or nobody else is there. `people` are those whom the text mentions by their id, the
    bot excepted. `caveat` is said when it does open one. `at` is the platform's time in Unix seconds. `replied_to` is the
    message of somebody else that this one answers. `removable` says that the platform lets us take this reaction off again.
    """

    id: str
    thread: ThreadKey
    author: Author
    kind: EventKind = "message"
    text: str = ""
    link: str = ""
    message_id: int = 0
    remote_id: str = ""
    emoji: str = ""
    target: str = ""
    files: tuple[Attachment, ...] = ()
    roles: tuple[str, ...] = ()
    people: tuple[Author, ...] = ()
    begins: bool = False
    mentioned: bool = False
    for_others: bool = False
    caveat: str = ""
    at: float = 0.0
    replied_to: str = ""
    removable: bool = False


@dataclass(frozen=True)
class Picture:
    """A file to send along. `alt` says what a picture shows; empty for a file that is none."""

    name: str
    content: bytes
    alt: str = ""


@dataclass(frozen=True)
class Part:
    """One message on the platform: the body that its API takes, and the files that go with it."""

    name: str
    body: dict[str, Any]
    files: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Outgoing:
    """A message of ours as a renderer gets it: the document, its turn, its files, and whose turn it is."""

    doc: Doc
    turn_id: str = ""
    files: tuple[Picture, ...] = ()
    person: str = ""


@dataclass(frozen=True)
class Choice:
    """One setting of a form: its name, what people read, and the values with their labels."""

    name: str
    label: str
    values: Mapping[str, str]
    chosen: str


@dataclass(frozen=True)
class Entry:
    """Words that a form asks for, on one line or on several; `hint` stands where nothing is written yet."""

    name: str
    label: str
    hint: str = ""
    lines: bool = False


@dataclass(frozen=True)
class Form:
    """
    What a modal asks; its answer comes back as the command `verb` with `name=value` pairs, that of `build` as a wish.

    `about` is read before the choices, and what a person said in `quoted`; `target`, if any, comes back as the pair `target=…`.
    """

    verb: str
    title: str
    choices: Sequence[Choice]
    entries: Sequence[Entry] = ()
    about: str = ""
    quoted: str = ""
    target: str = ""
    submit: str = "Save"


@dataclass(frozen=True)
class Answer:
    """What the person who gave a command or pressed a button is told, privately where the platform can."""

    doc: Doc | None = None
    form: Form | None = None


@dataclass(frozen=True)
class Past:
    """
    What a thread looks like now: what people wrote and reacted, oldest first; and which messages are there.

    `remote_ids` are all messages since `since`, in Unix seconds: one that we know from then and that is not among them
    was deleted. `partial` are (message, emoji) where not all who reacted are told.
    """

    events: tuple[Event, ...] = ()
    remote_ids: frozenset[str] = frozenset()
    since: float = float("inf")
    partial: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Rate:
    """How often something may be done: `per_second` on the long run, `burst` at once; counted per `scope`."""

    per_second: float
    burst: float
    scope: Literal["thread", "channel", "workspace"]


@dataclass(frozen=True)
class Capabilities:
    """
    How fast a platform wants to be asked, for each kind of call and for all of them together, and for how many seconds
    a message of ours should be edited.

    After `editable_seconds` a card that still changes is posted anew.
    """

    post: Rate
    edit: Rate
    edit_in_thread: Rate
    react: Rate
    calls: Rate
    editable_seconds: float = float("inf")


class RateLimited(OutsideError):
    """The platform asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"rate limited for {seconds:.1f} s", retryable=True)
        self.seconds = seconds


class Missing(OutsideError):
    """The message or the channel is gone, deleted by somebody."""


class NotAllowed(OutsideError):
    """A scope or a permission is missing; the text names it."""


class Revoked(OutsideError):
    """The token does not work any more; nothing will go through until an operator gives another."""


class ChatPort(Protocol):
    """One platform. Every call but `render` may raise OutsideError, or one of its kinds above."""

    platform: str
    capabilities: Capabilities

    def render(self, message: Outgoing) -> tuple[Part, ...]:
        """Return the messages that show `message`, each within the platform's limits; pure."""
        ...

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        """
        Open the thread that `key` asks for; return its id and the remote id of the message that it hangs on.

        That is the message which `key` names, or a new one made of `root`. Again with the same nonce opens no second one.
        """
        ...

    def plain(self, part: Part) -> Part:
        """Return a part as nothing but text, for a platform that refuses it as it is; pure."""
        ...

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        """Post a message and return its remote id."""
        ...

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        """Return the remote id of a message whose posting ended in doubt, '' when it did not go through."""
        ...

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        """Bring a message of ours to `part`."""
        ...

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        """Delete a message of ours; one that is gone is fine."""
        ...

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        """Put a reaction of ours on a message, or take it away; being so already is fine."""
        ...

    async def tell(self, key: ThreadKey, person: str, text: str) -> None:
        """Write to a person alone, outside of the thread that it is about."""
        ...

    async def working(self, key: ThreadKey, text: str) -> None:
        """Show that the bot works on something, as the platform does where it does; an empty text ends it."""
        ...

    async def history(self, key: ThreadKey, after: str) -> Past:
        """Return what happened in a thread; at least all that people wrote after the remote id `after`."""
        ...

    async def places(self, since: float) -> tuple[ThreadKey, ...]:
        """Return the channels in which the bot may have been called since a time, in Unix seconds; keys without thread."""
        ...

    async def called(self, place: ThreadKey, since: float) -> tuple[Event, ...]:
        """Return the messages of a channel that would have begun a thread since a time, oldest first."""
        ...

    async def problem(self) -> str:
        """Return what keeps people from being heard now, '' for nothing."""
        ...

    async def disconnect(self) -> None:
        """Take nothing in any more, because the token is lost."""
        ...

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return the bytes of a file that somebody attached."""
        ...


@dataclass(frozen=True)
class Accepted:
    """
    What became of an event: its session (None when it was not for the bot), the turn it belongs to ('' for none), what
    to tell the person at once. `new` is False for a repetition. `taken_off` are reactions of the person on the message that are
    to be taken off: the one that did nothing, or that this one excludes.
    """

    session: Session | None = None
    turn_id: str = ""
    new: bool = True
    answer: Answer = Answer()
    taken_off: tuple[str, ...] = ()
