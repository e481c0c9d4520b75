"""
200 threads, 100 events a second for a minute on each platform: how long until an event is durable and acknowledged.

The threads are opened before, 25 a second. The platform's server runs on the same processors as the bot.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import slack as slack_module
from tests.servers.chat import place, until
from tests.servers.model import model_server

pytestmark = pytest.mark.bench
THREADS, PER_SECOND, SECONDS = 200, 100, 60
EVENTS = PER_SECOND * SECONDS
OPENED_PER_SECOND = 25
WHOLE = SECONDS + THREADS / OPENED_PER_SECOND
"""Seconds in which calls are made: the threads are opened before the minute begins."""
DISCORD_EPOCH_MS = 1_420_070_400_000


def paced(send: Any, numbers: range, per_second: float) -> None:
    """Call `send` with each number, at a rate."""
    began = time.monotonic()
    for count, number in enumerate(numbers, 1):
        send(number)
        time.sleep(max(0.0, began + count / per_second - time.monotonic()))


def table(platform: str, waits: list[float], extra: str) -> None:
    """Print a line of the table."""
    waits.sort()
    p50, p90, p99 = (waits[int(len(waits) * share)] for share in (0.5, 0.9, 0.99))
    print(
        f"\n{platform}: {len(waits)} events, p50 {p50 * 1000:.1f} ms, p90 {p90 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms; {extra}"
    )


def test_slack_acknowledges_under_load(tmp_path: Path) -> None:
    with model_server(delay=600) as slow, place(
        "slack", tmp_path, THREADWRIGHT_SANDBOX="none", THREADWRIGHT_MODEL_BASE_URL=slow.url, THREADWRIGHT_MODEL_NAME="slow"
    ) as there:  # fmt: skip
        server = there.people.server
        base = time.time()

        def send(number: int) -> None:
            thread, ts = f"{base + number % THREADS:.6f}", f"{base + 1_000 + number:.6f}"
            event = {"type": "message", "channel": slack_module.CHANNEL, "user": server.people["Ann"], "ts": ts, "thread_ts": thread,
                     "text": f"<@{slack_module.BOT}> Build a page called Page{number}. queue"}  # fmt: skip
            server.send_event({"type": "event_callback", "team_id": slack_module.TEAM, "event_id": f"Ev{number}", "event": event,
                               "authorizations": [{"team_id": slack_module.TEAM, "user_id": slack_module.BOT, "is_bot": True}]})  # fmt: skip

        paced(send, range(THREADS), OPENED_PER_SECOND)
        server.acknowledged.clear()
        paced(send, range(THREADS, THREADS + EVENTS), PER_SECOND)
        until(lambda: len(server.acknowledged) >= EVENTS, 300)
        table("Slack", list(server.acknowledged), f"{sum(server.calls.values()) / WHOLE:.1f} calls a second")
        with sqlite3.connect(tmp_path / "data" / "threadwright.db") as database:
            assert database.execute("SELECT count(*) FROM turn").fetchone()[0] == THREADS + EVENTS


def test_discord_takes_in_under_load(tmp_path: Path) -> None:
    with model_server(delay=600) as slow, place(
        "discord", tmp_path, THREADWRIGHT_SANDBOX="none", THREADWRIGHT_MODEL_BASE_URL=slow.url, THREADWRIGHT_MODEL_NAME="slow"
    ) as there:  # fmt: skip
        world, backend = there.people.world, there.people.server.backend

        def threads() -> list[int]:
            found = []
            for number in range(THREADS):
                root = backend.create_message(world.channel, world.people["Ann"], f"thread {number}")
                found.append(
                    backend.create_thread(world.channel, f"t{number}", world.people["Ann"], message_id=root.id).id
                )
            return found

        numbers = world.server.do(threads)
        me = f"<@{backend.bot_user.id}>"

        def say(number: int) -> None:
            world.say("Ann", numbers[number % THREADS], f"{me} Build a page called Page{number}. queue")

        paced(say, range(THREADS), OPENED_PER_SECOND)
        paced(say, range(THREADS, THREADS + EVENTS), PER_SECOND)

        def rows() -> list[tuple[str, float]]:
            with sqlite3.connect(tmp_path / "data" / "threadwright.db") as database:
                return list(database.execute("SELECT event_id, received FROM inbox ORDER BY id"))

        until(lambda: len(rows()) >= THREADS + EVENTS, 300)
        waits = [
            received - ((int(event.split(":")[1]) >> 22) + DISCORD_EPOCH_MS) / 1000
            for event, received in rows()[THREADS:]
        ]
        calls = sum(there.people.server.requests.values())
        table("Discord", waits, f"{calls / WHOLE:.1f} calls a second")
        assert len(waits) == EVENTS
