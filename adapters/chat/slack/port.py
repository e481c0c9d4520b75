"""
Slack by slack-bolt and slack-sdk, in Socket Mode or as signed events over HTTP. No state of the product.

Bolt acknowledges events before their listener runs. So what comes in is taken in by a middleware, which runs after the
signature was checked and before the acknowledgement: if the row cannot be written, Slack hears 500, or nothing, and
sends the event again. The listeners only answer people.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from adapters.chat.slack import events
from adapters.chat.slack.emoji import meaning, name_of
from adapters.chat.slack.names import Names
from adapters.chat.slack.native import Native
from adapters.chat.slack.render import diff_view, form_view, home_view, render
from adapters.chat.slack.wire import APP_TOKEN, DRAIN_SECONDS, Socket, slack_errors
from core.chat import (
    ANYWHERE,
    OPENING,
    Accepted,
    Answer,
    Capabilities,
    Event,
    Missing,
    NotAllowed,
    Outgoing,
    Part,
    Past,
    Rate,
)  # fmt: skip
from core.clock import APART_SECONDS
from core.errors import OutsideError
from core.messages import Attachment, Doc, Para
from core.sessions import Author, ThreadKey
from core.starters import NOTHING_FILLED_IN

log = logging.getLogger(__name__)
Accept = Callable[[Event], Awaitable[Accepted]]
Threads = Callable[[str, str], Awaitable[list[tuple[str, str, str]]]]
EVENT_TYPE = "threadwright"
EVENTS = (
    "app_home_opened", "app_mention", "channel_deleted", "group_deleted", "message.channels", "message.groups",
    "message.im", "reaction_added", "reaction_removed",
)  # fmt: skip
LISTENED = (
    "message", "app_mention", "reaction_added", "reaction_removed", "app_home_opened", "agent_session_stopped",
    "file_shared", "agent_session_title_changed", "channel_deleted", "group_deleted",
)  # fmt: skip
SHARED = (
    "slack_shared: Slack counts %d other connection(s) of this app. If another process has the same app token, "
    "each gets only a part of what people say: give each an app of its own."
)
OPENS = "Opening a thread for it. If none appears, invite me to this channel and try again."


class SlackPort:
    """The ChatPort for Slack. Open it with `opened`."""

    platform = events.PLATFORM
    capabilities = Capabilities(
        post=Rate(1.0, 4, "channel"), edit=Rate(50 / 60, 10, "workspace"), edit_in_thread=Rate(1.0, 1, "thread"),
        react=Rate(50 / 60, 20, "workspace"), calls=Rate(50, 50, "workspace"),
    )  # fmt: skip

    def __init__(self, accept: Accept, threads: Threads, gap: Callable[[], None]) -> None:
        self._accept, self._threads, self._gap = accept, threads, gap
        self._aliases: dict[str, str] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._me = self._team = ""
        self._skew = 0.0
        self._greetings = 0
        self._connection: Socket | None = None
        self._requests: AsyncSlackRequestHandler | None = None

    @contextlib.asynccontextmanager
    async def opened(
        self, bot_token: str, app_token: str, signing_secret: str, api_url: str
    ) -> AsyncIterator["SlackPort"]:
        """
        Connect by Socket Mode if there is an app token, else be ready for signed requests in `requests`.

        Raises:
            Revoked: Slack refuses the token.
        """
        self._token, self._secret = bot_token, signing_secret
        # No retries here: the outbox retries, and knows what may have gone through.
        self._client = AsyncWebClient(token=bot_token, base_url=api_url, retry_handlers=[])
        self._native, self._names = Native(self._client), Names(self._client)
        with slack_errors():
            who = await self._client.auth_test()
        self._me, self._team = str(who["user_id"]), str(who["team_id"])
        await self._read_aliases()
        known = AuthorizeResult(
            enterprise_id=None, team_id=self._team, bot_user_id=self._me, bot_id=who.get("bot_id"), bot_token=bot_token
        )

        async def authorize(**_: Any) -> AuthorizeResult:
            return known

        client = AsyncWebClient(base_url=api_url)
        app = AsyncApp(client=client, signing_secret=signing_secret or None, authorize=authorize)
        app.logger.setLevel("WARNING")
        self._listen(app)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._drained)
            if app_token:
                await stack.enter_async_context(self._socket(app, app_token, api_url))
            else:
                self._requests = AsyncSlackRequestHandler(app)
            self._gap()
            yield self

    @contextlib.asynccontextmanager
    async def _socket(self, app: AsyncApp, app_token: str, api_url: str) -> AsyncIterator[None]:
        client = AsyncWebClient(token=app_token, base_url=api_url)
        with slack_errors(APP_TOKEN):
            await client.apps_connections_open(app_token=app_token)
        socket = self._connection = Socket(app, app_token, client)
        socket.client.message_listeners.append(self._greeted)
        connecting: Any = socket.connect_async()  # type: ignore[no-untyped-call]
        task = asyncio.create_task(connecting)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), 30)
            yield
        finally:
            task.cancel()
            await socket.shutdown()
            await asyncio.gather(task, return_exceptions=True)

    async def _greeted(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        """Look for what was missed whenever a connection begins: Slack sends an event again for minutes only."""
        if message.get("type") == "hello":
            self._gap()
            others = int(message.get("num_connections") or 1) - 1
            if others > 0 and not self._greetings:
                # Later ones are Slack's own: it opens a new connection before it closes an old one.
                log.critical(SHARED, others)
            self._greetings += 1

    @property
    def takes_requests(self) -> bool:
        """Say whether Slack sends what happens over HTTP."""
        return self._requests is not None

    async def take(self, request: Request) -> Response:
        """Take a request of Slack's; bolt checks its signature and its age."""
        assert self._requests is not None
        sent, body = request.headers.get("X-Slack-Request-Timestamp", ""), await request.body()
        mac = SignatureVerifier(self._secret).generate_signature(timestamp=sent, body=body) if sent.isdigit() else None
        if not mac or not hmac.compare_digest(mac, request.headers.get("X-Slack-Signature", "")):
            # Bolt takes a body apart before it looks who sent it; a stranger's gets no further than here.
            return Response("That is not signed by Slack.\n", 401)
        if not _is_payload(body, request.headers.get("Content-Type", "")):
            return Response("That is no payload of Slack's.\n", 400)
        answer = await self._requests.handle(request)
        if answer.status_code == 200:
            self._skew = 0.0
        elif answer.status_code == 401:
            # Really from Slack, and refused all the same: it is too old, or the clock here is wrong.
            self._skew = time.time() - int(sent)
            log.error("slack_request_too_old", extra={"seconds": self._skew})
        return answer

    async def problem(self) -> str:
        """Return what keeps people from being heard."""
        if self._connection is not None and not await self._connection.client.is_connected():
            return "There is no connection to Slack right now; I keep trying."
        if self._skew:
            return f"Slack's latest request was refused: it is {self._skew:.0f} s old by the clock of this machine. Set the clock."
        return ""

    async def disconnect(self) -> None:
        """Close the connection for good."""
        if self._connection is not None:
            await self._connection.shutdown()

    async def _drained(self) -> None:
        if self._answering:
            await asyncio.wait(self._answering, timeout=DRAIN_SECONDS)

    async def _read_aliases(self) -> None:
        """Learn the workspace's own names of emoji, where the app may read them."""
        with contextlib.suppress(SlackApiError, aiohttp.ClientError, OSError):
            found: Any = (await self._client.emoji_list()).get("emoji") or {}
            self._aliases = {
                name: str(value).removeprefix("alias:")
                for name, value in found.items()
                if str(value).startswith("alias:")
            }

    # -- what comes in

    def _listen(self, app: AsyncApp) -> None:
        """Register what Slack may send. An event without a listener would be answered 404, and be sent again."""

        @app.middleware  # type: ignore[misc, untyped-decorator, unused-ignore]
        async def take_in(body: dict[str, Any], context: Any, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002
            event = events.event_of(body, self._me, self._aliases, self._team)
            if event is not None:
                accepted = await self._accept(await self._names.given(event))
                context["accepted"] = accepted
                if accepted.session is None and accepted.answer.doc is not None and _once(body, event):
                    self._later(self._refused(event, accepted))
            await next()

        async def nothing() -> None: ...

        async def answered(ack: Any, body: dict[str, Any], context: Any) -> None:
            accepted = context.get("accepted") or Accepted()
            if not accepted.new:
                # It came twice, and has had its answer.
                await ack()
                return
            opens = accepted.session is not None and accepted.session.key.thread.startswith(OPENING)
            await ack(text=OPENS, response_type="ephemeral") if opens and "command" in body else await ack()
            self._later(self._answered(body, accepted))

        async def home(event: dict[str, Any]) -> None:
            if event.get("tab") == "home":
                self._later(self._home(str(event["user"])))

        for kind in LISTENED:
            app.event(kind)(home if kind == "app_home_opened" else nothing)
        app.command(re.compile(".*"))(answered)
        app.action(re.compile(".*"))(answered)
        app.view(re.compile(".*"))(answered)
        app.shortcut(re.compile(".*"))(answered)

    def _later(self, work: Any) -> None:
        """Do something after the acknowledgement; a listener that raises would take the acknowledgement back."""
        task = asyncio.create_task(_logged(work))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answered(self, body: Mapping[str, Any], accepted: Accepted) -> None:
        """Tell the person who gave a command or pressed a button, and nobody else."""
        answer, trigger = accepted.answer, body.get("trigger_id")
        if answer.form is not None and "view" in body:
            answer = Answer(Doc((Para(NOTHING_FILLED_IN),)))
        view = self._view(answer, accepted, body)
        if view is not None and trigger:
            with contextlib.suppress(SlackApiError):
                await self._client.views_open(trigger_id=str(trigger), view=view)
                return
        key = accepted.session.key if accepted.session else None
        channel = key.channel if key else _asked_in(body)
        if answer.doc is None or not channel:
            return
        thread = key.thread if key and not key.thread.startswith(OPENING) else None
        user = str(body.get("user_id") or (body.get("user") or {}).get("id"))
        for part in render(Outgoing(answer.doc)):
            if "blocks" in part.body:
                await self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread, **_shown(part))

    async def _refused(self, event: Event, accepted: Accepted) -> None:
        """Say why a mention was not taken in, to its author only."""
        assert accepted.answer.doc is not None
        for part in render(Outgoing(accepted.answer.doc)):
            await self._client.chat_postEphemeral(channel=event.thread.channel, user=event.author.id, **_shown(part))

    def _view(self, answer: Answer, accepted: Accepted, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if answer.form is not None:
            key = accepted.session.key if accepted.session is not None else None
            where = {
                "channel": key.channel if key else _asked_in(body),
                "thread": key.thread if key else "",
                "target": answer.form.target,
            }
            return form_view(answer.form, json.dumps(where))
        return diff_view(answer.doc) if answer.doc is not None else None

    async def _home(self, user: str) -> None:
        with slack_errors():
            await self._client.views_publish(user_id=user, view=home_view(await self._threads(self._team, user)))

    # -- what goes out

    def render(self, message: Outgoing) -> tuple[Part, ...]:
        """Return the messages that show `message`."""
        return render(message)

    def plain(self, part: Part) -> Part:
        """Return a part as its text and the addresses of its buttons."""
        if not part.body.get("blocks"):
            return part
        buttons = [one for block in part.body["blocks"] for one in block.get("elements", ()) if "url" in one]
        links = "".join(f"\n{one['text']['text']}: {one['url']}" for one in buttons)
        return replace(part, body={"text": f"{part.body['text']}{links}", "blocks": []})

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        """Post the root of a new thread; after an attempt that ended in doubt the channel is searched for it first."""
        del title
        at = replace(key, thread="")
        remote_id = await self.find(at, root, nonce, 0.0) or await self.post(at, root, nonce)
        return remote_id.partition("/")[2], remote_id

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        """Post a message, or upload files; the nonce lies in its metadata, where `find` looks for it."""
        with slack_errors():
            if "blocks" not in part.body:
                return await self._uploaded(key, part)
            native = part.body.get("tasks") and await self._native.has_agents(key, "processing")
            if native and (streamed := await self._native.streamed(key, part)):
                return streamed
            posted = await self._client.chat_postMessage(
                channel=key.channel, thread_ts=key.thread or None, unfurl_links=False, unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}, **_shown(part),
            )  # fmt: skip
            return f"{key.channel}/{posted['ts']}"

    async def _uploaded(self, key: ThreadKey, part: Part) -> str:
        """Share files in one message. Slack does not say its id at once, so it is asked for."""
        uploads = [
            {"content": one.content, "filename": one.name, "title": one.alt or one.name}
            | ({"snippet_type": "diff"} if one.name.endswith(".diff") else {})
            for one in part.files
        ]
        found: Any = await self._client.files_upload_v2(
            channel=key.channel, thread_ts=key.thread or None, file_uploads=uploads
        )
        number = str(found["files"][0]["id"])
        for _ in range(3):
            shares: Any = (await self._client.files_info(file=number))["file"].get("shares") or {}
            for one in (*(shares.get("public") or {}).values(), *(shares.get("private") or {}).values()):
                return f"{key.channel}/{one[0]['ts']}"
            await asyncio.sleep(0.3)
        return f"{key.channel}/{number}"

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        """Look for our message with the nonce in its metadata, or with files of the same names."""
        asked: dict[str, Any] = {"channel": key.channel, "include_all_metadata": True}
        if since:
            # By Slack's clock, which need not be the one of this machine.
            asked["oldest"] = f"{since - APART_SECONDS:.6f}"
        if key.thread:
            pages = self._pages(self._client.conversations_replies, ts=key.thread, **asked)
        else:
            pages = self._pages(self._client.conversations_history, **asked)
        names = {one.name for one in part.files}
        async for page in pages:
            for message in page["messages"]:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                files = {one.get("name") for one in message.get("files") or ()}
                if payload.get("nonce") == nonce or (names and message.get("user") == self._me and names <= files):
                    return f"{key.channel}/{message['ts']}"
            if not since:
                break  # nothing tells where to stop: the latest are enough
        return ""

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        """Edit a message; a card that is a stream is continued, and ended when there is nothing more to come."""
        channel, _, ts = remote_id.partition("/")
        if "blocks" not in part.body:
            return
        with slack_errors():
            if await self._native.continued(channel, ts, part):
                return
            await self._client.chat_update(channel=channel, ts=ts, **_shown(part))

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        """Delete a message of ours."""
        channel, _, ts = remote_id.partition("/")
        self._native.forget(ts)
        with contextlib.suppress(Missing), slack_errors():
            await self._client.chat_delete(channel=channel, ts=ts)

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        """Put a reaction or take it away."""
        channel, _, ts = remote_id.partition("/")
        call = self._client.reactions_add if present else self._client.reactions_remove
        try:
            with slack_errors():
                await call(channel=channel, timestamp=ts, name=name_of(emoji))
        except OutsideError as error:
            if "already_reacted" not in str(error) and "no_reaction" not in str(error):
                raise

    async def tell(self, key: ThreadKey, person: str, text: str) -> None:
        """Write a person a direct message: a person's id names the channel of the two."""
        with slack_errors():
            await self._client.chat_postMessage(channel=person, text=text, mrkdwn=False, unfurl_links=False)

    async def working(self, key: ThreadKey, text: str) -> None:
        """Set the thread's status where the workspace has one."""
        await self._native.show_status(key, text)

    # -- what was

    async def history(self, key: ThreadKey, after: str) -> Past:
        """Read a thread: what is new, what was edited, reactions on our messages, what is still there."""
        del after  # A thread is read whole: what is known is claimed.
        pages = self._pages(self._client.conversations_replies, channel=key.channel, ts=key.thread)
        found: list[dict[str, Any]] = [message async for page in pages for message in page["messages"]]
        past: list[Event] = []
        for message in found:
            past += await self._past(key, message)
        whole = frozenset(f"{key.channel}/{one['ts']}" for one in found)
        partial = frozenset(
            (f"{key.channel}/{one['ts']}", meaning(mark["name"], self._aliases))
            for one in found for mark in one.get("reactions") or () if mark.get("count", 0) > len(mark["users"])
        )  # fmt: skip
        return Past(tuple(past), whole, 0.0 if found else float("inf"), partial)

    async def _past(self, key: ThreadKey, message: dict[str, Any]) -> list[Event]:
        past = [
            Event(f"slack:{key.channel}:{message['ts']}:{user}:{one['name']}:caught-up", replace(key, thread=""),
                  await self._names.of(Author(user, user)), "reaction_added", at=float(message["ts"]),
                  remote_id=f"{key.channel}/{message['ts']}", emoji=emoji)
            for one in message.get("reactions") or () for user in one["users"]
            if user != self._me and ((emoji := meaning(one["name"], self._aliases)) in ANYWHERE or message.get("user") == self._me)
        ]  # fmt: skip
        if not self._by_person(message):
            return past
        found = [events.message_event(message, key.workspace, key.channel, self._me)]
        if "edited" in message:
            found.append(events.message_event(message, key.workspace, key.channel, self._me, "edited"))
        return [*[await self._names.given(event) for event in found], *past]

    async def places(self, since: float) -> tuple[ThreadKey, ...]:
        """Return the channels that the app is in."""
        del since
        pages = self._pages(
            self._client.users_conversations, types="public_channel,private_channel", exclude_archived=True
        )
        return tuple(
            [
                ThreadKey(events.PLATFORM, self._team, str(one["id"]), "")
                async for page in pages
                for one in page["channels"]
            ]
        )

    async def called(self, place: ThreadKey, since: float) -> tuple[Event, ...]:
        """Return who called the app in a channel since a time."""
        pages = self._pages(self._client.conversations_history, channel=place.channel, oldest=f"{since:.6f}")
        said = [
            one async for page in pages for one in page["messages"]
            if self._by_person(one) and f"<@{self._me}" in str(one.get("text"))
        ]  # fmt: skip
        found = [events.message_event(one, self._team, place.channel, self._me) for one in reversed(said)]
        return tuple([await self._names.given(one) for one in found if one.begins])

    async def _pages(self, method: Callable[..., Awaitable[Any]], **asked: Any) -> AsyncIterator[Any]:
        """Yield the pages of an answer, to the end."""
        cursor: str | None = None
        while True:
            with slack_errors():
                page = await method(**asked, limit=200, cursor=cursor)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    def _by_person(self, message: Mapping[str, Any]) -> bool:
        return (
            message.get("subtype") in events.SUBTYPES
            and "user" in message
            and message["user"] != self._me
            and not message.get("bot_id")
        )

    async def fetch(self, attachment: Attachment) -> bytes:
        """Download a file; its address needs the token."""
        with slack_errors():
            found: Any = await self._client.files_info(file=attachment.ref.partition(":")[2])
            headers = {"Authorization": f"Bearer {self._token}"}
            async with (
                aiohttp.ClientSession() as session,
                session.get(found["file"]["url_private"], headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != 200 or answer.content_type == "text/html" != attachment.media_type:
                    raise NotAllowed("Slack does not give the file; the app needs the scope files:read.")
                return await answer.read()


def _is_payload(body: bytes, kind: str) -> bool:
    """Say whether a request's body is a form or JSON as Slack sends them: bolt takes them apart without looking."""
    try:
        if "json" not in kind and body.lstrip()[:1] not in (b"[", b"{", b'"'):
            forms = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS).get("payload", [])
            return all(_has_form(json.loads(form)) for form in forms)
        return _has_form(json.loads(body))
    except (ValueError, RecursionError):
        return False


MOST_FIELDS = 100
_ONE, _MANY = ("event", "view", "message", "container"), ("authorizations", "actions")
"""The parts of a payload that are objects, and lists of objects, where they are there at all."""


def _has_form(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("type", ""), str)
        and all(found.get(name) is None or isinstance(found[name], dict) for name in _ONE)
        and all(isinstance(one, dict) for name in _MANY for one in _list(found.get(name)))
        and all(isinstance(found.get(name) or {}, dict | str) for name in ("team", "user", "channel", "enterprise"))
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _once(body: dict[str, Any], event: Event) -> bool:
    """Say whether a refused message has to be answered: a mention comes as two events, and one answer is enough."""
    direct = event.thread.channel.startswith("D")
    return event.kind == "message" and (direct or (body.get("event") or {}).get("type") == "app_mention")


def _shown(part: Part) -> dict[str, Any]:
    return {"text": part.body["text"], "blocks": part.body["blocks"]}


def _asked_in(body: Mapping[str, Any]) -> str:
    """Return the channel that somebody asked in: with a command, a button, or a form."""
    of_form = json.loads((body.get("view") or {}).get("private_metadata") or "{}")
    return str(body.get("channel_id") or (body.get("channel") or {}).get("id") or of_form.get("channel", ""))


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("slack_answer_failed")
