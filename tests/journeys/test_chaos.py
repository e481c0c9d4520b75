"""The bot is killed again and again while it works: nothing is lost, nothing is doubled, nothing overtakes."""

import contextlib
import json
import random
import sqlite3
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.servers.model import model_server
from tests.servers.process import BotProcess

THREADS, MESSAGES = 5, 5
KILLS = 6
REQUESTS = (
    "Build a todo app",
    "Add a priority (low, high) field to tasks. queue",
    "Sort tasks by due date. queue",
    "Add search. queue",
    "Make it blue. queue",
)
Query = Callable[[str], list[tuple[object, ...]]]


def deliver(bot: BotProcess, path: str, event: str, text: str) -> str:
    """Send one event as often as it takes to be heard; a killed bot does not answer."""
    for _ in range(600):
        # Killed between the head and the body of its answer, it has not answered either.
        with contextlib.suppress(httpx.HTTPError, json.JSONDecodeError):
            answer = bot.post(path, {"id": event, "text": text}, timeout=10)
            if answer.status_code == 200:
                return str(answer.json().get("url", ""))
        time.sleep(0.1)
    raise AssertionError(f"the bot never accepted {event}")


def wait_for(query: Query, sql: str, wanted: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(sqlite3.OperationalError):
            if query(sql)[0][0] == wanted:
                return
        time.sleep(0.2)
    raise AssertionError(f"{sql} is {query(sql)[0][0]}, not {wanted}")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_kills_at_random_moments_lose_double_and_reorder_nothing(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data = tmp_path / "data"
    more: dict[str, str] = {}
    if engine == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
        more["DATABASE_URL"] = url
        target = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)

        def query(sql: str) -> list[tuple[object, ...]]:
            return list(target.execute(sql).fetchall())
    else:

        def query(sql: str) -> list[tuple[object, ...]]:
            with contextlib.closing(sqlite3.connect(data / "threadwright.db", timeout=30)) as connection:
                return connection.execute(sql).fetchall()

    dice = random.Random(20_26)
    with model_server(delay=0.15) as model:
        bot = BotProcess(
            data,
            {"THREADWRIGHT_MODEL_BASE_URL": model.url, "THREADWRIGHT_MODEL_NAME": "m", "THREADWRIGHT_SANDBOX": "none",
             "THREADWRIGHT_BROWSER": "none", **more},
        )  # fmt: skip
        bot.start()
        try:
            paths = [deliver(bot, "/threads", f"begin-thread-{number}", REQUESTS[0]) for number in range(THREADS)]
            events = [
                (path, f"event-{number}-{step}", REQUESTS[step])
                for step in range(1, MESSAGES)
                for number, path in enumerate(paths)
            ]
            for _ in range(2):
                # Platforms redeliver, also what was answered long ago.
                for number in range(THREADS):
                    deliver(bot, "/threads", f"begin-thread-{number}", REQUESTS[0])
            kills = sorted(dice.sample(range(len(events)), KILLS))
            for at, (path, event, text) in enumerate(events):
                for _ in range(3):
                    deliver(bot, f"{path}/messages", event, text)
                if at in kills:
                    time.sleep(dice.uniform(0.1, 1.5))
                    bot.kill()
                    bot.start()
            for _ in range(2):
                time.sleep(dice.uniform(0.5, 2.5))
                bot.kill()
                bot.start()
            wait_for(query, "SELECT count(*) FROM turn WHERE state = 'finished'", THREADS * MESSAGES, 240)
            assert bot.stop() == 0
        finally:
            bot.kill()

    assert query("SELECT count(*) FROM turn") == [(THREADS * MESSAGES,)]
    assert query("SELECT count(*), count(DISTINCT key) FROM message WHERE kind = 'reply'") == [
        (THREADS * MESSAGES, THREADS * MESSAGES)
    ]
    odd = query("SELECT id, outcome FROM turn WHERE outcome <> 'unverified'")
    assert not odd, f"{odd}\n{bot.log()[-8000:]}"
    for session, head in query("SELECT session_id, target FROM git_ref WHERE name = 'refs/heads/main'"):
        folder = data / "git" / f"{session}.git"
        log = subprocess.run(
            ["git", "-C", folder, "log", "--reverse", "--format=%s", str(head)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert log.stdout.splitlines() == [text.removesuffix(". queue") for text in REQUESTS]
        subprocess.run(["git", "-C", folder, "fsck", "--no-dangling"], check=True, capture_output=True)
    order: dict[object, list[object]] = defaultdict(list)
    for session, started in query("SELECT session_id, finished FROM turn ORDER BY id"):
        order[session].append(started)
    assert all(times == sorted(times) for times in order.values())  # type: ignore[type-var]
