"""A chat platform in memory, with the people on it; it keeps the same contract as the real ports, and fails on demand."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from core.chat import Capabilities, Event, Missing, Outgoing, Part, Past, Rate
from core.errors import OutsideError
from core.messages import Attachment, Para, ProgressCard, Quote
from core.sessions import Author, ThreadKey
from tests.servers.chat import Shown

FAST = Rate(1_000, 1_000, "thread")
QUICK = Capabilities(FAST, FAST, FAST, FAST, FAST)
KEY = ThreadKey("fake", "w", "c", "t")


@dataclass
class FakePort:
    """The ChatPort. `fail` has the errors of the next calls, by verb; None lets one through."""

    platform: str = "fake"
    capabilities: Capabilities = QUICK
    fail: dict[str, list[Exception | None]] = field(default_factory=dict)
    there: dict[str, Part] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    marks: dict[str, set[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    lost_answers: int = 0

    def render(self, message: Outgoing) -> tuple[Part, ...]:
        """Return a message as one part: its text and its buttons."""
        texts = [block.text for block in message.doc.blocks if isinstance(block, Para | Quote)]
        texts += [block.progress.step for block in message.doc.blocks if isinstance(block, ProgressCard)]
        body = {"text": " ".join(texts), "buttons": [one.verb for one in message.doc.actions]}
        return (Part("main", body, message.files),) if message.doc.blocks else ()

    def plain(self, part: Part) -> Part:
        """Return a part without its buttons."""
        return replace(part, body={**part.body, "buttons": []})

    def _called(self, verb: str) -> None:
        self.calls.append(verb)
        if self.fail.get(verb) and (error := self.fail[verb].pop(0)):
            raise error

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        """Open the one thread that there is."""
        self._called("open_thread")
        return "t-opened", await self.post(key, root, nonce)

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        """Post a message; its answer may get lost."""
        self._called("post")
        remote_id = f"m{len(self.nonces) + 1}"
        self.there[remote_id], self.nonces[nonce] = part, remote_id
        if self.lost_answers:
            self.lost_answers -= 1
            raise OutsideError("reset", retryable=True)
        return remote_id

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        """Look a message up by its nonce."""
        self._called("find")
        return self.nonces.get(nonce, "")

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        """Edit a message."""
        self._called("edit")
        if remote_id not in self.there:
            raise Missing("gone")
        self.there[remote_id] = part

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        """Delete a message."""
        self._called("delete")
        self.there.pop(remote_id, None)

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        """Put a reaction or take it away."""
        self._called("react")
        marks = self.marks.setdefault(remote_id, set())
        if present:
            marks.add(emoji)
        else:
            marks.discard(emoji)

    async def tell(self, key: ThreadKey, person: str, text: str) -> None:
        """Write to a person alone."""
        self._called("tell")
        self.told.append((person, text))

    async def working(self, key: ThreadKey, text: str) -> None:
        """Show nothing."""
        self._called("working")

    async def history(self, key: ThreadKey, after: str) -> Past:
        """Return all that people said."""
        return Past(tuple(self.said), frozenset(one.remote_id for one in self.said))

    async def places(self, since: float) -> tuple[ThreadKey, ...]:
        """Return the one channel."""
        return (ThreadKey(self.platform, KEY.workspace, KEY.channel, ""),)

    async def called(self, place: ThreadKey, since: float) -> tuple[Event, ...]:
        """Return who called the bot."""
        return tuple(one for one in self.said if one.begins and one.at >= since)

    async def problem(self) -> str:
        """There is no connection that could break."""
        return ""

    async def disconnect(self) -> None:
        """Do nothing: there is no connection."""
        self._called("disconnect")

    async def fetch(self, attachment: Attachment) -> bytes:
        """Return a file."""
        if attachment.ref not in self.files:
            raise Missing("the file is gone")
        return self.files[attachment.ref]

    def texts(self) -> list[str]:
        """Return what is there to be read."""
        return [part.body["text"] for part in self.there.values()]


class OnFake:
    """People on the platform in memory."""

    def __init__(self, port: FakePort, heard: Callable[[Event], Awaitable[object]]) -> None:
        self.port, self._heard, self._count = port, heard, itertools.count(1)

    async def say(self, who: str, text: str, files: Sequence[tuple[str, bytes]] = ()) -> str:
        """Say something, with files."""
        number = f"p{next(self._count)}"
        attached = tuple(Attachment(name, "text/plain", len(body), f"fake:{number}/{name}") for name, body in files)
        self.port.files |= {one.ref: body for one, (_, body) in zip(attached, files, strict=True)}
        event = Event(f"fake:{number}", KEY, Author(who, who), text=text, remote_id=number, files=attached)
        self.port.said.append(event)
        await self._heard(event)
        return number

    upload = say

    async def shown(self) -> list[Shown]:
        """Return the bot's messages."""
        return [
            Shown(remote_id, part.body["text"], tuple(part.body["buttons"]), tuple(one.name for one in part.files))
            for remote_id, part in self.port.there.items()
        ]

    async def marks(self, message: str) -> set[str]:
        """Return the bot's reactions."""
        return set(self.port.marks.get(message, ()))

    async def told(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        return [text for person, text in self.port.told if person == who]
