"""
Native streams and agent sessions, documented since 2026 and built to the documentation.

The card is a stream of tasks, and Slack shows a stop button of its own. Workspaces without them get an edited message:
each is asked for once, and what the workspace has is remembered.
"""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.chat.slack.wire import slack_errors, translated
from core.chat import Part
from core.errors import OutsideError
from core.sessions import ThreadKey

NEVER = ("unknown_method", "missing_scope", "not_allowed_token_type", "feature_not_enabled")
"""What says that a workspace has no streams, and not only that this one did not begin."""


class Native:
    """What a workspace may offer beside ordinary messages."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._agent: bool | None = None
        self._status: bool | None = None
        self._streamed = True
        self._streams: set[str] = set()

    async def has_agents(self, key: ThreadKey, status: str) -> bool:
        """Set the session's status, and say whether the workspace has agent sessions; asked once, and remembered."""
        if self._agent is False:
            return False
        try:
            await self._client.api_call(
                "agents.sessions.setStatus",
                json={"channel_id": key.channel, "thread_ts": key.thread, "status": status},
            )
            self._agent = True
        except SlackApiError as error:
            self._agent = None if translated(error.response).retryable else False
        return bool(self._agent)

    async def streamed(self, key: ThreadKey, part: Part) -> str:
        """Begin a stream with what a card shows, and return its remote id, '' where the workspace has no streams."""
        if not self._streamed:
            return ""
        asked = {
            "channel": key.channel, "thread_ts": key.thread, "recipient_team_id": key.workspace,
            "recipient_user_id": part.body.get("person"), "task_display_mode": "plan", "chunks": part.body["tasks"],
        }  # fmt: skip
        try:
            started = await self._client.api_call("chat.startStream", json=asked)
        except SlackApiError as error:
            if translated(error.response).retryable:
                raise
            self._streamed = error.response.get("error") not in NEVER
            return ""
        ts = str(started["ts"])
        self._streams.add(ts)
        return f"{key.channel}/{ts}"

    async def continued(self, channel: str, ts: str, part: Part) -> bool:
        """Go on with a stream; False for what is none, or has to be an ordinary message from now on."""
        if ts not in self._streams:
            return False
        more = part.body.get("tasks")
        try:
            if more:
                await self._client.api_call("chat.appendStream", json={"channel": channel, "ts": ts, "chunks": more})
                return True
            self._streams.discard(ts)
            await self._client.api_call("chat.stopStream", json={"channel": channel, "ts": ts})
        except SlackApiError as error:
            if translated(error.response).retryable:
                raise
            self._streams.discard(ts)
        return False

    def forget(self, ts: str) -> None:
        """A stream's message is deleted."""
        self._streams.discard(ts)

    async def show_status(self, key: ThreadKey, text: str) -> None:
        """Set the thread's status where the workspace has one; an empty text ends it."""
        if not text:
            with slack_errors():
                await self.has_agents(key, "active")
        if self._status is False:
            return
        try:
            with slack_errors():
                await self._client.assistant_threads_setStatus(
                    channel_id=key.channel, thread_ts=key.thread, status=text and f"is working: {text[:40]}"
                )
            self._status = True
        except OutsideError as error:
            self._status = None if error.retryable else False
