"""The connection to Slack: what its errors mean, Socket Mode that ends in order, and which scopes the app has."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from core.chat import Missing, NotAllowed, RateLimited, Revoked
from core.errors import OutsideError

SCOPES = (
    "app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "emoji:read", "files:read",
    "files:write", "groups:history", "groups:read", "im:history", "reactions:read", "reactions:write", "users:read",
)  # fmt: skip
REVOKED = ("invalid_auth", "token_revoked", "account_inactive", "not_authed", "token_expired")
GONE = (
    "message_not_found", "channel_not_found", "thread_not_found", "cant_update_message",
    "edit_window_closed", "cant_delete_message", "file_not_found", "file_deleted",
)  # fmt: skip
BUSY = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org")
DRAIN_SECONDS = 5
MOST_SKEW_SECONDS = 60
"""Slack refuses requests, and we refuse its, when clocks are five minutes apart."""
BOT_TOKEN, APP_TOKEN = "THREADWRIGHT_SLACK_BOT_TOKEN", "THREADWRIGHT_SLACK_APP_TOKEN"


@contextlib.contextmanager
def slack_errors(setting: str = BOT_TOKEN) -> Iterator[None]:
    """Translate what slack-sdk raises."""
    try:
        yield
    except SlackApiError as error:
        raise translated(error.response, setting) from error
    except SlackClientError as error:
        raise OutsideError(f"Slack did not take that ({type(error).__name__}).", retryable=True) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise OutsideError(f"Slack cannot be reached ({type(error).__name__}).", retryable=True) from error


def translated(response: Any, setting: str = BOT_TOKEN) -> OutsideError:
    """Return what an answer of Slack means that is no success; `setting` names the token that the request was made with."""
    if not hasattr(response, "data"):
        return OutsideError("Slack answered something that is no JSON.", retryable=True)
    data = response.data if isinstance(response.data, dict) else {}
    code, status = str(data.get("error", "")), int(response.status_code)
    if status == 429 or code == "ratelimited":
        headers = {name.casefold(): value for name, value in response.headers.items()}
        return RateLimited(float(headers.get("retry-after", 1)))
    if code in REVOKED:
        return Revoked(f"Slack refuses the token ({code}). Set {setting} to a valid one.")
    if code in GONE:
        return Missing(f"Slack does not know it any more ({code}).")
    if code == "is_archived":
        return NotAllowed("The channel is archived; whoever may can unarchive it.")
    if code == "missing_scope":
        return NotAllowed(f"The Slack app lacks the scope {data.get('needed', '?')}.")
    if code in ("not_in_channel", "restricted_action", "no_permission", "not_allowed"):
        return NotAllowed(f"Slack does not allow that ({code}); /invite the app to the channel, and say it again.")
    return OutsideError(f"Slack answered {status} {code}".strip() + ".", retryable=status >= 500 or code in BUSY)


class Socket(AsyncSocketModeHandler):
    """Socket Mode that ends in order: what was received is acknowledged before the connection closes."""

    def __init__(self, app: AsyncApp, token: str, client: AsyncWebClient) -> None:
        super().__init__(app, token, web_client=client, ping_interval=1.0)
        self._inflight: set[asyncio.Task[Any]] = set()

    async def handle(self, client: Any, req: Any) -> None:
        """Handle one envelope."""
        task = asyncio.current_task()
        assert task is not None
        self._inflight.add(task)
        try:
            await super().handle(client, req)
        finally:
            self._inflight.discard(task)

    async def shutdown(self) -> None:
        """Take nothing more, finish what was taken, close."""
        client: Any = self.client
        client.socket_mode_request_listeners.clear()
        if self._inflight:
            await asyncio.wait(self._inflight, timeout=DRAIN_SECONDS)
        closed: Any = self.close_async()  # type: ignore[no-untyped-call]
        await closed
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)


async def slack_state(token: str, app_token: str, api_url: str) -> tuple[str, list[str]]:
    """
    Return who the app is, and what is wrong: scopes that it lacks, where Slack tells, a clock that is off.

    Raises:
        OutsideError: Slack refuses a token, or cannot be reached.
    """
    client = AsyncWebClient(token=token, base_url=api_url, retry_handlers=[])
    with slack_errors():
        answer = await client.auth_test()
    if app_token:
        with slack_errors(APP_TOKEN):
            await client.apps_connections_open(app_token=app_token)
    headers = {name.casefold(): value for name, value in answer.headers.items()}
    have = headers.get("x-oauth-scopes")
    lacking = sorted(set(SCOPES) - set(re.split(r",\s*", have))) if have else []
    problems = [f"the app lacks {', '.join(lacking)}: add that, and install the app anew"] if lacking else []
    skew = time.time() - parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else 0.0
    if abs(skew) > MOST_SKEW_SECONDS:
        problems.append(f"the clock of this machine is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}: set it")
    return f"{answer.get('user')} at {answer.get('team')}", problems
