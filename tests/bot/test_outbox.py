"""Delivery to a platform: a port that remembers what it was asked, and fails on demand; the database is real."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.messages import Messages
from adapters.store.outbox import Outbox
from adapters.store.people import People
from adapters.store.sessions import Sessions
from bot.outbox import Bucket, Courier
from core.chat import (
    CLOSED,
    OPENING,
    Event,
    Missing,
    NotAllowed,
    Picture,
    Rate,
    RateLimited,
    Revoked,
)  # fmt: skip
from core.clock import SYSTEM, Clock
from core.errors import OutsideError
from core.messages import Action, Doc
from core.sessions import Author, Session, ThreadKey
from core.thread.transcript import plain
from tests.servers.fake_chat import KEY, QUICK, FakePort


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

    async def settled(self, seconds: float = 60) -> None:
        """Wait until nothing is pending."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            if not await self.courier.outbox.pending("fake"):
                return
        raise AssertionError(await self.courier.outbox.pending("fake"))


@contextlib.asynccontextmanager
async def at_work(lite: Database, port: FakePort, key: ThreadKey = KEY, clock: Clock = SYSTEM) -> AsyncIterator[Desk]:
    sessions, messages, people = Sessions(lite), Messages(lite), People(lite)
    async with lite.write() as tx:
        session = await sessions.open(tx, key, "Shop")
        await people.put(tx, session.id, Author("u1", "Ann"), "owner")
    accepted: list[Event] = []
    lost: list[Revoked] = []

    async def enclose(_: Session, doc: Doc) -> tuple[Picture, ...]:
        return (Picture("a.diff", b"+"),) if "with a file" in str(doc) else ()

    async def accept(event: Event) -> None:
        accepted.append(event)
        if event.kind == "closed":
            async with lite.write() as tx:
                await sessions.bind(tx, session, f"{CLOSED}{key.thread}")

    early = EarlyReactions(lite)
    courier = Courier(port, lite, sessions, messages, people, Outbox(lite), early, enclose, accept, lost.append, clock)
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
            await desk.settled()
        # Once something could be said, what was refused is said too.
        assert port.texts() == ["d", "a", "c"]
        # Nobody misses what somebody has deleted, and of what is refused the owner hears once, not each time.
        assert [person for person, _ in port.told] == ["u1"]
        assert port.told[0][1].startswith("I could not write in “Shop”: no")


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


async def test_a_thread_that_may_not_be_opened_is_not_asked_for_again_and_again(lite: Database) -> None:
    port = FakePort(fail={"open_thread": [NotAllowed("not_in_channel")] * 50})
    async with at_work(lite, port, replace(KEY, thread=f"{OPENING}1")) as desk:
        await desk.post("p", "build a shop", "person", mark="👀", author="Ann")
        for step in range(8):
            await desk.post("card", f"step {step}", "progress")
            await asyncio.sleep(0.3)
        await desk.post("a", "done")
        await asyncio.sleep(1)
        assert port.calls.count("open_thread") == 1
        assert port.told == [
            ("u1", "I could not open a thread for “Shop”: not_in_channel Once that is fixed, ask again.")
        ]
        # Who asks again gets another thread; this one is over.
        assert [(one.kind, one.thread) for one in desk.accepted] == [("closed", desk.session.key)]
        port.fail.clear()
        await desk.post("b", "done after all")
        await desk.settled()
        assert port.texts() == []
        assert port.calls.count("open_thread") == 1


async def test_a_card_whose_answer_got_lost_does_not_stay_as_it_was_then(lite: Database) -> None:
    async with at_work(lite, FakePort(lost_answers=1)) as desk:
        await desk.post("card", "Starting", "progress")
        while not desk.port.calls.count("post"):
            await asyncio.sleep(0.01)
        await desk.post("card", "Reading the app → Planning", "progress")
        await desk.settled()
        assert desk.port.texts() == ["Reading the app → Planning"]


async def test_a_card_that_comes_after_its_answer_is_not_shown(lite: Database) -> None:
    async with at_work(lite, FakePort()) as desk:
        await desk.post("t1:reply", "done", turn_id="t1")
        await desk.settled()
        await desk.post("t1:progress", "Planning", "progress", turn_id="t1")
        await desk.post("t2:progress", "Planning the next", "progress", turn_id="t2")
        await desk.settled()
        assert desk.port.texts() == ["done", "Planning the next"]


async def test_an_answer_whose_form_is_refused_arrives_as_plain_text(lite: Database) -> None:
    port = FakePort(fail={"post": [OutsideError("Slack answered 400 invalid_blocks.")]})
    async with at_work(lite, port) as desk:
        async with lite.write() as tx:
            doc = replace(plain("It is done"), actions=(Action("undo"),))
            await desk.messages.post(tx, desk.session.id, "a", "reply", doc)
        await desk.settled()
        assert [part.body for part in port.there.values()] == [{"text": "It is done", "buttons": []}]
        assert port.told == []


async def test_the_text_does_not_wait_for_its_pictures(lite: Database) -> None:
    drawn = asyncio.Event()

    async def enclose(_: Session, doc: Doc) -> tuple[Picture, ...]:
        await drawn.wait()
        return (Picture("diff.png", b"+"),)

    async with at_work(lite, FakePort()) as desk:
        desk.courier.enclose = enclose
        await desk.post("a", "It is done")
        while not desk.port.texts():
            await asyncio.sleep(0.01)
        assert [part.files for part in desk.port.there.values()] == [()]
        drawn.set()
        await desk.settled()
        assert [[one.name for one in part.files] for part in desk.port.there.values()] == [["diff.png"]]
        assert desk.port.calls.count("post") == 1


async def test_a_limit_on_edits_holds_for_all_threads_of_the_workspace(lite: Database) -> None:
    port = FakePort(fail={"edit": [RateLimited(30.0)]})
    async with at_work(lite, port) as desk:
        for text in ("one", "two"):
            await desk.post("card", text, "progress")
            await asyncio.sleep(0.5)
        await desk.post("card", "three", "progress")
        await asyncio.sleep(1)
        assert port.calls.count("edit") == 1


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


async def test_files_that_are_refused_are_not_tried_again_while_there_is_no_token(lite: Database) -> None:
    slow = replace(QUICK, post=Rate(2, 1, "thread"))
    async with at_work(lite, FakePort(capabilities=slow, fail={"post": [NotAllowed("I lack Attach Files.")]})) as desk:
        await desk.post("a", "with a file")
        await desk.settled()
        assert [part.files for part in desk.port.there.values()] == [(), ()]
        assert desk.port.texts() == [
            "with a file",
            "I could not attach the files: I lack Attach Files. Whoever runs me can grant it; `doctor` lists what is missing.",
        ]


async def test_an_answer_that_is_refused_without_its_files_too_is_told_to_the_owner(lite: Database) -> None:
    refused = NotAllowed("I lack Send Messages in Threads.")
    slow = replace(QUICK, post=Rate(2, 1, "thread"))
    async with at_work(lite, FakePort(capabilities=slow, fail={"post": [refused, refused]})) as desk:
        await desk.post("a", "with a file")
        await desk.settled()
        assert desk.port.texts() == []
        assert len(desk.port.told) == 1
        assert "I lack Send Messages in Threads." in desk.port.told[0][1]


async def test_a_lost_token_ends_the_delivery_and_loses_nothing(lite: Database) -> None:
    async with at_work(lite, FakePort(fail={"post": [Revoked("no")]})) as desk:
        await desk.post("a", "hello")
        await asyncio.sleep(1)
        assert len(desk.lost) == 1
        assert desk.port.calls.count("post") == 1
        assert len(await desk.courier.outbox.pending("fake")) == 1


def test_a_bucket_gives_its_burst_and_keeps_some_for_others() -> None:
    bucket = Bucket(Rate(1, 3, "thread"))
    for _ in range(2):
        assert bucket.wait(keep=1) == 0
        bucket.take()
    assert 0.5 < bucket.wait(keep=1) <= 1
    assert bucket.wait() == 0
    bucket.take()
    assert 0.5 < bucket.wait() <= 1
    bucket.empty(5)
    assert bucket.wait() == pytest.approx(6, abs=0.1)


async def test_a_courier_that_is_woken_while_it_is_ended_ends(lite: Database) -> None:
    for _ in range(5):
        async with at_work(lite, FakePort()) as desk:
            await asyncio.sleep(0.3)
            # The context manager cancels it in the same round of the loop.
            desk.courier.wake()
