"""Delivery to a platform: a port that remembers what it was asked, and fails on demand; the database is real."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.messages import Messages, plain
from adapters.store.outbox import Outbox
from adapters.store.sessions import Sessions
from bot.outbox import Bucket, Courier
from core.chat import (
    OPENING,
    Capabilities,
    Event,
    Missing,
    NotAllowed,
    Outgoing,
    Part,
    Past,
    Picture,
    Rate,
    RateLimited,
    Revoked,
)  # fmt: skip
from core.errors import OutsideError
from core.messages import Attachment, Doc, Para
from core.sessions import Author, Session, ThreadKey

FAST = Rate(1_000, 1_000, "thread")
QUICK = Capabilities(FAST, FAST, FAST, FAST)
KEY = ThreadKey("fake", "w", "c", "t")


@dataclass
class FakePort:
    """A platform in memory. `fail` has the errors of the next calls, by verb; None lets one through."""

    platform: str = "fake"
    capabilities: Capabilities = QUICK
    fail: dict[str, list[Exception | None]] = field(default_factory=dict)
    there: dict[str, Part] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    marks: dict[str, set[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lost_answers: int = 0

    def render(self, message: Outgoing) -> tuple[Part, ...]:
        text = "".join(block.text for block in message.doc.blocks if isinstance(block, Para))
        return (Part("main", {"text": text}, message.files),) if message.doc.blocks else ()

    def _called(self, verb: str) -> None:
        self.calls.append(verb)
        if self.fail.get(verb) and (error := self.fail[verb].pop(0)):
            raise error

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        self._called("open_thread")
        return "t-opened", await self.post(key, root, nonce)

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        self._called("post")
        remote_id = f"m{len(self.nonces) + 1}"
        self.there[remote_id], self.nonces[nonce] = part, remote_id
        if self.lost_answers:
            self.lost_answers -= 1
            raise OutsideError("reset", retryable=True)
        return remote_id

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        self._called("find")
        return self.nonces.get(nonce, "")

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        self._called("edit")
        if remote_id not in self.there:
            raise Missing("gone")
        self.there[remote_id] = part

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        self._called("delete")
        self.there.pop(remote_id, None)

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        self._called("react")
        marks = self.marks.setdefault(remote_id, set())
        if present:
            marks.add(emoji)
        else:
            marks.discard(emoji)

    async def working(self, key: ThreadKey, text: str) -> None:
        self._called("working")

    async def history(self, key: ThreadKey, after: str) -> Past:
        return Past()

    async def disconnect(self) -> None:
        self._called("disconnect")

    async def fetch(self, attachment: Attachment) -> bytes:
        return b""

    def texts(self) -> list[str]:
        return [part.body["text"] for part in self.there.values()]


@dataclass
class Desk:
    """A session whose messages are delivered by a courier that runs."""

    port: FakePort
    messages: Messages
    database: Database
    session: Session
    courier: Courier
    accepted: list[Event]
    lost: list[Revoked]

    async def post(self, key: str, text: str, kind: Any = "reply", **more: Any) -> None:
        async with self.database.write() as tx:
            doc = plain(text) if text else Doc(())
            await self.messages.post(tx, self.session.id, key, kind, doc, **more)
        self.courier.wake()

    async def settled(self, seconds: float = 8) -> None:
        """Wait until nothing is pending."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            if not await self.courier.outbox.pending("fake"):
                return
        raise AssertionError(await self.courier.outbox.pending("fake"))


@contextlib.asynccontextmanager
async def at_work(lite: Database, port: FakePort, key: ThreadKey = KEY) -> AsyncIterator[Desk]:
    sessions, messages = Sessions(lite), Messages(lite)
    async with lite.write() as tx:
        session = await sessions.open(tx, key, "Shop")
    accepted: list[Event] = []
    lost: list[Revoked] = []

    async def enclose(_: Session, doc: Doc) -> tuple[Picture, ...]:
        return (Picture("a.diff", b"+"),) if "with a file" in str(doc) else ()

    async def accept(event: Event) -> None:
        accepted.append(event)

    courier = Courier(port, lite, sessions, messages, Outbox(lite), EarlyReactions(lite), enclose, accept, lost.append)
    task = asyncio.create_task(courier.run())
    try:
        yield Desk(port, messages, lite, session, courier, accepted, lost)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_messages_arrive_once_and_in_order(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        for number in range(20):
            await desk.post(f"k{number}", f"reply {number}")
        await desk.settled()
        assert desk.port.texts() == [f"reply {number}" for number in range(20)]


async def test_only_the_latest_state_of_a_card_is_shown(lite: Database) -> None:
    slow = replace(QUICK, edit_in_thread=Rate(5, 1, "thread"))
    async with at_work(lite, FakePort(capabilities=slow)) as desk:
        await desk.post("card", "step 0", "progress")
        await desk.settled()
        for number in range(50):
            await desk.post("card", f"step {number}", "progress")
        await desk.settled()
        assert desk.port.texts() == ["step 49"]
        assert desk.port.calls.count("edit") < 10


async def test_an_empty_document_takes_its_message_away(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        await desk.post("note", "Queued, position 1.", "notice")
        await desk.settled()
        await desk.post("note", "", "notice")
        await desk.settled()
        assert desk.port.texts() == []


async def test_an_answer_that_got_lost_doubles_nothing(lite: Database) -> None:
    async with at_work(lite, FakePort(lost_answers=1)) as desk:
        await desk.post("k", "hello")
        await desk.settled()
        assert desk.port.texts() == ["hello"]
        assert desk.port.calls.count("find") == 1


async def test_a_reply_does_not_overtake_one_that_waits(lite: Database) -> None:
    port = FakePort(fail={"post": [OutsideError("503", retryable=True), RateLimited(0.3)]})
    async with at_work(lite, port) as desk:
        await desk.post("a", "first")
        await desk.post("b", "second")
        await desk.settled()
        assert port.texts() == ["first", "second"]


async def test_a_card_that_cannot_be_edited_holds_no_reply_up(lite: Database) -> None:
    port = FakePort()
    async with at_work(lite, port) as desk:
        await desk.post("card", "step 1", "progress")
        await desk.settled()
        port.fail["edit"] = [RateLimited(2)]
        await desk.post("card", "step 2", "progress")
        await desk.post("a", "the reply")
        deadline = time.monotonic() + 8
        while "the reply" not in port.texts():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert "step 1" in port.texts()
        await desk.settled()
        assert port.texts() == ["step 2", "the reply"]


async def test_what_is_forbidden_or_gone_is_given_up_and_the_next_goes_on(lite: Database) -> None:
    port = FakePort(fail={"post": [NotAllowed("no"), Missing("gone"), OutsideError("bad request"), None]})
    async with at_work(lite, port) as desk:
        for name in ("a", "b", "c", "d"):
            await desk.post(name, name)
            await desk.settled()
        assert port.texts() == ["d"]


async def test_without_the_right_to_attach_the_text_arrives_and_people_learn_why(lite: Database) -> None:
    port = FakePort(fail={"post": [NotAllowed("The app lacks files:write.")]})
    async with at_work(lite, port) as desk:
        await desk.post("a", "with a file")
        await desk.settled()
        await desk.settled()
        assert port.texts()[0] == "with a file"
        assert "files:write" in port.texts()[1]


async def test_a_message_that_people_deleted_is_shown_anew_when_it_changes(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        await desk.post("card", "step 1", "progress")
        await desk.settled()
        desk.port.there.clear()
        await desk.post("card", "step 2", "progress")
        await desk.settled()
        assert desk.port.texts() == ["step 2"]


async def test_a_card_that_is_too_old_to_be_edited_is_posted_anew(lite: Database) -> None:
    port = FakePort(capabilities=replace(QUICK, editable_seconds=0.2))
    async with at_work(lite, port) as desk:
        await desk.post("card", "step 1", "progress")
        await desk.settled()
        await asyncio.sleep(0.3)
        await desk.post("card", "step 2", "progress")
        await desk.settled()
        assert port.texts() == ["step 2"]
        assert "edit" not in port.calls


async def test_marks_replace_each_other_and_the_first_may_be_skipped(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        await desk.post("p", "build", "person", remote_id="theirs", mark="👀", turn_id="t1")
        await desk.settled()
        assert desk.port.marks == {"theirs": {"👀"}}
        async with lite.write() as tx:
            await desk.messages.mark(tx, "t1", "✅")
        await desk.settled()
        assert desk.port.marks == {"theirs": {"✅"}}


async def test_a_thread_is_opened_before_anything_is_said_in_it(lite: Database) -> None:
    port = FakePort(fail={"open_thread": [OutsideError("503", retryable=True)]})
    async with at_work(lite, port, replace(KEY, thread=f"{OPENING}1")) as desk:
        await desk.post("p", "build a shop", "person", mark="👀", author="Ann")
        await desk.post("a", "done")
        await desk.settled()
        await desk.settled()
        assert port.texts() == ["Ann asks: build a shop", "done"]
        assert port.marks == {"m1": {"👀"}}
        assert (await desk.courier.sessions.get(desk.session.id)).key.thread == "t-opened"


async def test_a_reaction_that_came_before_its_message_was_known_counts(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        event = Event(
            "r", replace(KEY, thread=""), Author("u", "Ann"), "reaction_added", remote_id="m1", emoji="↩️", at=2.0
        )
        async with lite.write() as tx:
            await desk.courier.early.keep(tx, event)
            await desk.courier.early.keep(tx, event)
        await desk.post("a", "done")
        await desk.settled()
        assert desk.accepted == [event]


async def test_a_lost_token_ends_the_delivery_and_loses_nothing(lite: Database) -> None:
    async with at_work(lite, FakePort(fail={"post": [Revoked("no")]})) as desk:
        await desk.post("a", "hello")
        await asyncio.sleep(1)
        assert len(desk.lost) == 1
        assert desk.port.calls.count("post") == 1
        assert len(await desk.courier.outbox.pending("fake")) == 1


def test_a_bucket_gives_its_burst_and_keeps_some_for_others() -> None:
    bucket = Bucket(Rate(1, 3, "thread"))
    assert [bucket.take(keep=1) == 0 for _ in range(3)] == [True, True, False]
    assert bucket.take() == 0
    assert 0.5 < bucket.take() <= 1
    bucket.empty(5)
    assert bucket.take() == pytest.approx(6, abs=0.1)
