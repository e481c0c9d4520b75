"""The Threads port: rows in a database and rows in memory behave alike."""

from typing import Any

import pytest

from adapters.store.database import Database
from adapters.store.threads import ThreadRows
from core.chat import Event
from core.messages import Action, Doc, Para, Signal, TurnRequest, TurnResult
from core.sessions import Author, Session, ThreadKey
from core.thread import decisions as change
from core.thread.line import queued
from core.thread.ports import Threads
from core.thread.state import Person, ThreadState
from core.thread.transcript import DELETED, TROUBLE, plain
from tests.fakes.threads import MemoryThreads

KEY = ThreadKey("talk", "w", "c", "t")
ANN, BEN = Author("U1", "Ann"), Author("U2", "Ben")


class Waiting:
    """An engine that starts nothing."""

    def __init__(self) -> None:
        self.submitted: list[str] = []

    async def submit(self, tx: Any, turn_id: str) -> None:
        self.submitted.append(turn_id)

    async def tell(self, tx: Any, turn_id: str, signal: Signal) -> None:
        await self.turns.tell(tx, turn_id, signal)

    turns: Any = None


@pytest.fixture(params=["rows", "memory"])
def threads(request: pytest.FixtureRequest) -> Threads:
    if request.param == "memory":
        return MemoryThreads()
    database: Database = request.getfixturevalue("lite")
    engine = Waiting()
    rows = ThreadRows(database, engine)
    engine.turns = rows.turns
    return rows


def event(kind: Any = "message", text: str = "Build", **given: Any) -> Event:
    return Event("e1", KEY, ANN, kind, text=text, **given)


async def opened(threads: Threads) -> Session:
    async with threads.transaction() as tx:
        session = await threads.open(tx, KEY, "A thread", 5.0)
        assert await threads.find(tx, KEY) == session
    return session


async def applied(threads: Threads, session: Session, *effects: change.Effect, on: Event | None = None) -> ThreadState:
    """Apply effects, and return the state that an event then finds."""
    async with threads.transaction() as tx:
        await threads.apply(tx, session, effects)
    async with threads.transaction() as tx:
        found = on or event()
        shown = await threads.message(tx, found.remote_id, found.message_id)
        return await threads.load(tx, await threads.within(tx, session.id), found, shown)


def request(number: str, text: str = "Build", kind: Any = "message", session: str = "", **given: Any) -> TurnRequest:
    return TurnRequest(number, session, kind, text, ANN, **given)


async def test_a_session_is_found_by_its_thread_and_by_its_channel(threads: Threads) -> None:
    session = await opened(threads)
    async with threads.transaction() as tx:
        assert await threads.find(tx, ThreadKey("talk", "w", "c", "other")) is None
        assert await threads.in_thread(tx, ThreadKey("talk", "w", "c", "")) == [session]
        assert await threads.in_thread(tx, ThreadKey("talk", "w", "d", "")) == []
    closed = await applied(threads, session, change.Close())
    assert closed.session.key.thread == f"closed:{session.id}:t"


async def test_an_event_is_claimed_once_and_numbers_rise(threads: Threads) -> None:
    session = await opened(threads)
    async with threads.transaction() as tx:
        first, second = await threads.claim(tx, "a", session.id), await threads.claim(tx, "b", session.id)
        assert first is not None
        assert second is not None
        assert first < second
        assert await threads.claim(tx, "a", session.id) is None
        assert await threads.claimed(tx, "a")
        assert not await threads.claimed(tx, "c")


async def test_an_error_takes_a_transaction_back(threads: Threads) -> None:
    session = await opened(threads)
    with pytest.raises(ValueError, match="no"):
        async with threads.transaction() as tx:
            await threads.apply(tx, session, [change.Heard(BEN)])
            raise ValueError("no")
    assert (await applied(threads, session)).people == ()


async def test_people_have_standings_and_speak(threads: Threads) -> None:
    session = await opened(threads)
    renamed = Author("U2", "Benjamin")
    state = await applied(
        threads,
        session,
        change.Stand(ANN, "owner"),
        change.Heard(BEN),
        change.Stand(BEN, "invited"),
        change.Heard(renamed),
    )
    assert set(state.people) == {Person(ANN, "owner"), Person(renamed, "invited", True)}
    assert (state.owner, state.others("U1"), state.speakers("U1")) == (ANN, 1, 2)


async def test_messages_are_posted_changed_and_found(threads: Threads) -> None:
    session = await opened(threads)
    state = await applied(
        threads, session,
        change.Post("k:person", plain("one"), "person", "Ann", "t1", "m1", "👀"),
        change.Post("k:person", plain("two"), "person", "Ann", "t1"),
        change.Post("k:person", plain("three"), only="new"),
        change.Post("none", plain("four"), only="known"),
        change.Mark("t1", "✅"),
        on=event("deleted", remote_id="m1"),
    )  # fmt: skip
    shown = state.message
    assert shown is not None
    assert (shown.words, shown.mark, shown.remote_id, shown.author) == ("two", "✅", "m1", "Ann")
    state = await applied(
        threads, session, change.Move("k:person", "t2", "🕒"), on=event("deleted", message_id=shown.id)
    )
    assert state.message is not None
    assert (state.message.turn_id, state.message.mark) == ("t2", "🕒")
    state = await applied(threads, session, change.LetGo(shown.id), on=event("deleted", remote_id="m1"))
    assert state.message is None


async def test_turns_stand_in_line_and_only_the_first_goes(threads: Threads) -> None:
    session = await opened(threads)
    one, two = request("1", session=session.id), request("2", session=session.id)
    aside = request("3", kind="aside", session=session.id)
    state = await applied(threads, session, change.Join(one), change.Join(two), change.Join(aside))
    assert [(turn.request.turn_id, turn.running) for turn in state.line] == [("1", False), ("2", False)]
    submitted = threads.submitted if isinstance(threads, MemoryThreads) else threads.engine.submitted  # type: ignore[attr-defined]
    assert submitted == ["1", "3"]
    signal = Signal("steer", BEN, "and blue", "k:person")
    changed = request("2", "Another", session=session.id)
    state = await applied(threads, session, change.Tell("1", signal), change.Rewrite(changed))
    assert [said for _, said in state.line[0].told] == [signal]
    assert state.line[0].whole.added == (signal,)
    assert state.line[1].request.text == "Another"
    state = await applied(threads, session, change.Finish(TurnResult("2", "withdrawn", "gone")))
    assert [turn.request.turn_id for turn in state.line] == ["1"]


async def test_cards_of_the_queue_move_up(threads: Threads) -> None:
    session = await opened(threads)
    shown = [queued(number, position) for number, position in (("1", 2), ("2", 3))]
    state = await applied(
        threads, session,
        *(change.Join(request(number, session=session.id)) for number in ("1", "2")),
        *(change.Post(f"{number}:queued", doc, remote_id=number) for number, doc in zip(("1", "2"), shown, strict=True)),
        change.Renumber(), on=event("deleted", remote_id="2"),
    )  # fmt: skip
    assert state.message is not None
    assert state.message.doc == queued("2", 2)


async def test_the_latest_turn_is_the_last_that_a_message_asked_for_and_nobody_took_back(threads: Threads) -> None:
    session = await opened(threads)
    added = (Signal("steer", BEN, "and blue", "gone:person"), Signal("steer", BEN, "and big", "here:person"))
    turns = [
        request("1", session=session.id, added=added),
        request("2", "undo", "undo", session.id),
        request("3", session=session.id),
    ]
    ends: list[tuple[str, Any]] = [("1", "failed"), ("2", "done"), ("3", "dropped")]
    state = await applied(
        threads, session,
        change.Post("gone:person", Doc((DELETED,)), "person"), change.Post("here:person", plain("x"), "person"),
        *(change.Join(one) for one in turns), *(change.Finish(TurnResult(number, how, "x")) for number, how in ends),
        on=event("command", "continue", target="1"),
    )  # fmt: skip
    assert state.ended(("failed",)) == "1"
    assert state.ended(("stopped",)) == ""
    assert set(state.turns) == {"1"}
    assert state.deleted == {"gone:person"}


async def test_what_is_given_up_loses_its_buttons_and_what_was_added_to_it(threads: Threads) -> None:
    session = await opened(threads)
    added = (Signal("steer", BEN, "and blue", "b:person"),)
    reply = Doc((Para("It failed."),), "❌", (Action("retry"),))
    await applied(
        threads, session, change.Join(request("1", session=session.id, added=added)),
        change.Finish(TurnResult("1", "failed", "x")), change.Post("1:reply", reply, "reply", turn_id="1", remote_id="r1"),
    )  # fmt: skip
    state = await applied(threads, session, change.GiveUp("b:person"), on=event("command", "continue"))
    assert state.latest is not None
    assert state.latest.request.added == ()
    state = await applied(threads, session, change.GiveUp("1:person"), on=event("deleted", remote_id="r1"))
    assert state.latest is None
    assert state.message is not None
    assert (state.message.words, state.message.doc.actions) == ("It failed.", ())
    state = await applied(threads, session, change.TakeButtons("1:reply"), on=event("deleted", remote_id="r1"))
    assert state.message is not None


async def test_what_is_held_is_named_decided_and_overdue(threads: Threads) -> None:
    session = await opened(threads)
    asked = event(text="Make it red")
    on = event("command", "allow", target="h1")
    state = await applied(threads, session, change.Hold("h1", asked), on=on)
    assert (state.held["h1"].state, state.held["h1"].event) == ("open", asked)
    created = state.held["h1"].created
    assert [held.id for held in await threads.overdue(created + 1)] == ["h1"]
    assert await threads.overdue(created - 1) == []
    pink = event(text="Make it pink")
    state = await applied(threads, session, change.Decide("h1", "open", pink), change.Decide("h1", "allowed"), on=on)
    assert (state.held["h1"].state, state.held["h1"].event) == ("allowed", pink)
    assert await threads.overdue(created + 1) == []
    form = event("command", "decide", target="decision=allow&target=h1")
    assert set((await applied(threads, session, on=form)).held) == {"h1"}
    assert (await applied(threads, session)).held == {}


async def test_a_reaction_holds_by_its_time_and_can_be_forgotten(threads: Threads) -> None:
    session = await opened(threads)
    await applied(threads, session, change.Post("1:reply", plain("x"), "reply", turn_id="1", remote_id="r1"))
    on = event("reaction_added", "", remote_id="r1", emoji="👍", at=50.0)
    async with threads.transaction() as tx:
        shown = await threads.message(tx, "r1", 0)
        assert shown is not None
        assert await threads.react(tx, shown.id, "👍", "U1", True, 10.0)
        assert not await threads.react(tx, shown.id, "👍", "U1", True, 20.0)
        assert not await threads.react(tx, shown.id, "👍", "U1", False, 5.0)
    assert (await applied(threads, session, on=on)).reactions == {"👍"}
    assert (await applied(threads, session, change.Unreact(shown.id, "👍", "U1", 60.0), on=on)).reactions == frozenset()


async def test_settings_hold_for_the_thread_and_its_channel(threads: Threads) -> None:
    session = await opened(threads)
    state = await applied(
        threads, session, change.Change({"access": "owner"}, channel=True), change.Change({"listening": "always"})
    )
    assert (state.session.access, state.session.listening) == ("owner", "always")
    async with threads.transaction() as tx:
        other = await threads.open(tx, ThreadKey("talk", "w", "c", "t2"), "Another", 0)
        assert (other.access, other.listening) == ("owner", "auto")
    state = await applied(threads, session, change.Revoke())
    assert state.session.links_since > 0
    assert state.session.sharing == "link"


async def test_an_error_of_the_app_is_there_for_what_may_mend_it(threads: Threads) -> None:
    session = await opened(threads)
    key = f"{session.id}{TROUBLE}abc:1"
    await applied(threads, session, change.Post(key, plain("KeyError")), change.Waive(("f1",), ANN, "fine"))
    for on in (event(text="fix"), event("command", "fix", target=key)):
        assert {one.key for one in (await applied(threads, session, on=on)).messages.values()} == {key}


async def test_a_reaction_that_came_early_is_kept(threads: Threads) -> None:
    await opened(threads)
    early = event("reaction_added", "", remote_id="later", emoji="↩️")
    async with threads.transaction() as tx:
        await threads.keep_early(tx, early)
    kept = threads.rows.early if isinstance(threads, MemoryThreads) else await threads.early.waiting("later")  # type: ignore[attr-defined]
    assert kept == [early]
