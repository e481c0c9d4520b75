"""What the platforms' connections do when something is wrong: pure, without a connection."""

from typing import Any

import discord.client
import pytest

from adapters.chat.discord.client import _LOG_INS, HOUR_SECONDS, MOST_AN_HOUR, QUICK_SECONDS, LogIns
from adapters.chat.slack.port import SHARED, SlackPort
from adapters.chat.slack.wire import translated
from core.chat import Missing, NotAllowed
from tests.servers.clocks import Hands


class Answered:
    """An answer of Slack's."""

    status_code, headers = 200, dict[str, str]()

    def __init__(self, error: str) -> None:
        self.data = {"ok": False, "error": error}


def test_an_archived_channel_is_told_and_a_deleted_one_is_gone() -> None:
    archived = translated(Answered("is_archived"))
    assert isinstance(archived, NotAllowed)
    assert "archived" in str(archived)
    assert isinstance(translated(Answered("channel_not_found")), Missing)


def test_discord_is_tried_again_within_seconds_however_long_an_outage_lasts() -> None:
    hands = Hands(steady=3.0, now=0.0)
    log_ins = LogIns(hands.clock)
    _LOG_INS.set(log_ins)
    backoff: Any = vars(discord.client)["ExponentialBackoff"]()
    assert max(backoff.delay() for _ in range(2_000)) <= QUICK_SECONDS
    # A thousand log-ins a day revoke the token: after some in an hour it takes its time, and only in that hour.
    for _ in range(MOST_AN_HOUR):
        assert log_ins.few()
        log_ins.one_more()
    assert max(backoff.delay() for _ in range(50)) > 60
    hands.passes(HOUR_SECONDS + 1)
    assert max(backoff.delay() for _ in range(50)) <= QUICK_SECONDS
    assert MOST_AN_HOUR * 24 < 1_000


async def test_who_shares_slacks_app_with_another_process_is_warned_once(caplog: pytest.LogCaptureFixture) -> None:
    async def accept(_: object) -> Any: ...

    async def threads(*_: str) -> Any: ...

    gaps: list[bool] = []
    port = SlackPort(accept, threads, lambda: gaps.append(True))
    for number in (1, 2):
        await port._greeted(None, {"type": "hello", "num_connections": number}, None)
    assert (len(gaps), caplog.messages) == (2, [])
    other = SlackPort(accept, threads, lambda: gaps.append(True))
    await other._greeted(None, {"type": "hello", "num_connections": 2}, None)
    assert caplog.messages == [SHARED % 1]
