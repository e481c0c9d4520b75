"""200 threads, 100 events a second for a minute on each platform: how long until an event is durable and acknowledged."""

import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import slack as slack_module
from tests.servers.chat import place, until
from tests.servers.model import model_server

pytestmark = pytest.mark.bench
THREADS, PER_SECOND, SECONDS = 200, 100, 60
DISCORD_EPOCH_MS = 1_420_070_400_000


def paced(send: Any) -> int:
    """Call `send` with 0, 1, 2, … at the rate, and return how often."""
    began, number = time.monotonic(), 0
    while number < PER_SECOND * SECONDS:
        send(number)
        number += 1
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
    return number


def table(platform: str, waits: list[float], extra: str) -> None:
    """Print a line of the table."""
    waits.sort()
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    print(f"\n{platform}: {len(waits)} events, p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms; {extra}")


def test_slack_acknowledges_under_load(tmp_path: Path) -> None:
    with model_server(delay=600) as slow, place(
        "slack", tmp_path, THREADWRIGHT_SANDBOX="none", THREADWRIGHT_MODEL_BASE_URL=slow.url, THREADWRIGHT_MODEL_NAME="slow"
    ) as there:  # fmt: skip
        server = there.people.server
        server.acknowledged.clear()
        base = time.time()

        def send(number: int) -> None:
            thread, ts = f"{base + number % THREADS:.6f}", f"{base + 1_000 + number:.6f}"
            event = {"type": "message", "channel": slack_module.CHANNEL, "user": server.people["Ann"], "ts": ts, "thread_ts": thread,
                     "text": f"<@{slack_module.BOT}> Build a page called Page{number}. queue"}  # fmt: skip
            server.send_event({"type": "event_callback", "team_id": slack_module.TEAM, "event_id": f"Ev{number}", "event": event,
                               "authorizations": [{"team_id": slack_module.TEAM, "user_id": slack_module.BOT, "is_bot": True}]})  # fmt: skip

        sent = paced(send)
        until(lambda: len(server.acknowledged) >= sent, 300)
        refused = sum(count for method, count in server.calls.items() if method == "chat.update")
        table("Slack", list(server.acknowledged), f"{refused} edits")
        with sqlite3.connect(tmp_path / "data" / "threadwright.db") as database:
            assert database.execute("SELECT count(*) FROM inbox").fetchone()[0] == sent


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
        sent = paced(
            lambda number: world.say("Ann", numbers[number % THREADS], f"{me} Build a page called Page{number}. queue")
        )

        def rows() -> list[tuple[str, float]]:
            with sqlite3.connect(tmp_path / "data" / "threadwright.db") as database:
                return list(database.execute("SELECT event_id, received FROM inbox"))

        until(lambda: len(rows()) >= sent, 300)
        waits = [received - ((int(event.split(":")[1]) >> 22) + DISCORD_EPOCH_MS) / 1000 for event, received in rows()]
        table("Discord", waits, f"{len(rows())} rows")
        assert len(waits) == sent
