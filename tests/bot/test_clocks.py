"""Nothing depends on where a clock begins, and a time of day that jumps loses nothing and says nothing twice."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dependencies.registry import KNOWN_SECONDS, Registries
from adapters.preview.host import IDLE_SECONDS, PAST, Previews
from adapters.store.database import Database
from adapters.store.early import EarlyReactions
from adapters.store.threads import ThreadRows
from bot.gate.previews import Signer
from bot.outbox import TOLD_SECONDS, Bucket
from core.chat import Event, NotAllowed, Rate, RateLimited
from core.files import FileTree
from core.sessions import Author
from core.thread.approvals import HELD_SECONDS
from core.thread.intake import Intake
from core.thread.transcript import APPROVAL
from tests.bot.test_outbox import at_work
from tests.ports.test_threads import Waiting
from tests.servers.clocks import Hands, Running
from tests.servers.fake_chat import KEY, FakePort
from tests.servers.registry import serving

DAY = 24 * 3_600.0
BEGINNINGS = st.sampled_from([0.0, 0.001, 59.0, 1e9]) | st.floats(0, 1e9)
TIMES_OF_DAY = st.sampled_from([0.0, 1.0, 1.8e9, 1e10]) | st.floats(0, 1e10)
STEPS = st.lists(
    st.tuples(st.just("take"), st.just(0.0))
    | st.tuples(st.just("passes"), st.floats(0, 100))
    | st.tuples(st.just("empty"), st.floats(0, 60)),
    max_size=30,
)


@given(BEGINNINGS, TIMES_OF_DAY, STEPS, st.lists(st.floats(-DAY, DAY), min_size=30, max_size=30))
def test_tokens_come_back_at_their_rate_wherever_the_clock_begins(
    steady: float, now: float, steps: list[tuple[str, float]], jumps: list[float]
) -> None:
    here, there = Hands(steady, now), Hands(1_000.0, 1.7e9)
    buckets = [Bucket(Rate(3, 0.5, "thread"), hands.clock) for hands in (here, there)]
    for (what, seconds), jump in zip(steps, jumps, strict=False):
        here.jumps(jump)
        for hands, bucket in zip((here, there), buckets, strict=True):
            if what == "passes":
                hands.passes(seconds)
            elif what == "empty":
                bucket.empty(seconds)
            else:
                bucket.take()
        # Near 10^9 seconds a float tells no tenth of a microsecond.
        assert buckets[0].wait() == pytest.approx(buckets[1].wait(), abs=1e-3)


@given(TIMES_OF_DAY, st.integers(1, 1_000_000), st.floats(0, 1))
def test_a_link_opens_from_when_it_is_given_out_until_it_expires(now: float, seconds: int, part: float) -> None:
    hands = Hands(0.0, now)
    signer = Signer(b"s" * 32, seconds, hands.clock)
    token = signer.token("shop")
    assert signer.good("shop", token)
    hands.passes(part * (seconds - 1))
    assert signer.good("shop", token)
    hands.passes(seconds + 1)
    assert not signer.good("shop", token)
    hands.jumps(-10 * DAY)
    assert not signer.good("shop", token, since=now + seconds)


@given(BEGINNINGS, st.lists(st.floats(-DAY, DAY), min_size=2, max_size=2))
@settings(max_examples=20, deadline=None)
def test_what_nobody_looks_at_ends_after_its_time_and_not_before(
    tmp_path_factory: pytest.TempPathFactory, steady: float, jumps: list[float]
) -> None:
    async def look(folder: Path) -> None:
        hands = Hands(steady, 1.8e9)
        folder.joinpath("previews").mkdir()
        host = Previews(
            folder / "previews", folder / "shots", None, "none here", lambda slug: slug, None, clock=hands.clock
        )
        name = f"shop{PAST}1234567890"
        assert await host.wake(name, "1" * 40, FileTree({"index.html": b"<p>Old</p>"}), None) == ""
        hands.jumps(jumps[0])
        hands.passes(IDLE_SECONDS - 1)
        await host.rest()
        assert host.version(name)
        hands.jumps(jumps[1])
        hands.passes(2)
        await host.rest()
        assert not host.version(name)
        await host.close()

    asyncio.run(look(tmp_path_factory.mktemp("clocks")))


@pytest.mark.parametrize("steady", [0.0, 1e9])
async def test_a_package_is_asked_for_once_until_its_answer_is_old(steady: float) -> None:
    hands = Hands(steady, 1.8e9)
    with serving() as registry:
        registry.add("humanise", "1.0", "x = 1\n")
        registries = Registries(f"{registry.url}/simple", "", clock=hands.clock)
        seen = []
        for passed in (0.0, KNOWN_SECONDS - 1, 2.0):
            hands.passes(passed)
            known = await registries.python("humanise")
            assert known is not None
            seen.append(len(known.versions))
            registry.add("humanise", f"2.{len(seen)}", "x = 2\n")
    assert seen == [1, 1, 3]


@pytest.mark.parametrize("jump", [0.0, -DAY, DAY])
@pytest.mark.parametrize("steady", [0.0, 1e9])
async def test_messages_arrive_once_and_in_order_by_any_clock(lite: Database, steady: float, jump: float) -> None:
    hands = Running(steady, 1.8e9)
    port = FakePort(fail={"post": [RateLimited(0.2)]}, lost_answers=1)
    async with at_work(lite, port, clock=hands.clock) as desk:
        await desk.post("a", "first")
        hands.jumps(jump)
        await desk.post("b", "second")
        await desk.settled()
        await desk.post("b", "second, edited")
        await desk.settled()
        assert sorted(port.texts()) == ["first", "second, edited"]


@pytest.mark.parametrize("steady", [0.0, TOLD_SECONDS / 2, 1e9])
async def test_an_owner_is_told_at_once_that_a_thread_takes_nothing_and_not_again_within_the_hour(
    lite: Database, steady: float
) -> None:
    hands = Running(steady, 1.8e9)
    port = FakePort(fail={"post": [NotAllowed("It is archived.")] * 2})
    async with at_work(lite, port, clock=hands.clock) as desk:
        for key in ("a", "b"):
            await desk.post(key, "hello")
            await desk.settled()
            hands.jumps(DAY)
        assert len(port.told) == 1


@pytest.mark.parametrize("now", [0.0, 1.8e9])
async def test_a_reaction_that_came_early_is_there_minutes_later(lite: Database, now: float) -> None:
    hands = Hands(0.0, now)
    early = EarlyReactions(lite, hands.clock)
    for number in ("1", "2"):
        event = Event(f"e{number}", KEY, Author("u", "Ann"), "reaction_added", remote_id=f"m{number}")
        async with lite.write() as tx:
            await early.keep(tx, event)
        hands.passes(200)
    assert [one.id for one in await early.waiting("m1")] == ["e1"]


@pytest.mark.parametrize("now", [0.0, 1.8e9])
async def test_what_waits_for_a_word_lapses_by_the_clock_that_is_passed_in(lite: Database, now: float) -> None:
    hands, ann = Hands(0.0, now), Author("u", "Ann")
    threads = ThreadRows(lite, Waiting(), hands.clock)
    intake, changed = Intake(threads), list[str]()
    intake.changed = changed.append
    await intake.accept(Event("e1", KEY, ann, text="Build a shop", mentioned=True, begins=True, remote_id="m1"))
    await intake.accept(Event("e2", KEY, Author("v", "Ben"), text="Make it red", mentioned=True, remote_id="m2"))
    hands.passes(HELD_SECONDS - 1)
    await intake.lapse(hands.now)
    assert changed == [changed[0]] * 2
    hands.passes(2)
    await intake.lapse(hands.now)
    assert len(changed) == 3
    (session,) = await threads.sessions.list()
    cards = [one for one in await threads.messages.since(session.id) if one.key.endswith(APPROVAL)]
    assert "waited too long" in str(cards[-1].doc)
