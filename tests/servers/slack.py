"""
A Slack of our own: local-slack in a network namespace, and a proxy before it with faults on demand.

local-slack binds every interface, so it gets a namespace; it and the proxy use the same port, so that every address it
hands out leads to the proxy. The proxy adds what it does not model: redelivery, rate limits, lost acknowledgements,
metadata, limits of texts and blocks, `oldest`, streams and agent sessions, revoked tokens, missing scopes.
"""

import asyncio
import collections
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import httpx
import yaml
from aiohttp import WSMsgType, web

from tests.needs import missing
from tests.servers.process import ROOT, free_port

PROGRAM = ROOT / ".tools/node_modules/local-slack-linux-x64/bin/local-slack"
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-test-token", "xapp-test-token", "test-signing-secret"
TEAM, BOT, CHANNEL = "T01TEST", "U0BOT", "C01GEN"
OUT_PORT = 44_001
MOST_TRIES = 3


@dataclass
class Fault:
    """What happens to the next `times` calls of a method, of any for ''; without status and error the connection is cut."""

    method: str
    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    times: int = 1
    stored: bool = False
    cut: bool = False


class SlackServer:
    """The proxy, in a thread of its own; what people do goes straight to local-slack."""

    def __init__(self, folder: Path, people: Sequence[str], bot_url: str = "") -> None:
        self.folder, self.port, self.bot_url = folder, free_port(), bot_url
        self.people = {name: f"U{number:02}{name.upper()}" for number, name in enumerate(people, 1)}
        self.faults: list[Fault] = []
        self.calls: collections.Counter[str] = collections.Counter()
        self.native = False
        self.granted, self.clock = "", 0.0
        self.lose_acks = 0
        self.unacked_seconds = 1.0
        self.redelivered = 0
        self.blocks: dict[str, list[dict[str, Any]]] = {}
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.ephemerals: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.directs: dict[str, str] = {}
        self._metadata: dict[str, Any] = {}
        self._reacted: set[tuple[str, str, str]] = set()
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._acked: set[str] = set()
        self._sent: dict[str, float] = {}
        self.acknowledged: list[float] = []
        self._repeats: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()

    # -- running

    def start(self) -> None:
        """Start local-slack, then the proxy."""
        inward, outward = self.folder / "in.sock", self.folder / "out.sock"
        config = self.folder / "slack.yaml"
        config.write_text(yaml.safe_dump(self._config()), encoding="utf-8")
        command = [str(PROGRAM), "--config", str(config), "--port", str(self.port), "--base-host", "127.0.0.1"]
        command += ["--files-dir", str(self.folder / "files")]
        unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        with open(self.folder / "slack.log", "wb") as log:
            self._process = subprocess.Popen(
                [*unshare, sys.executable, str(Path(__file__).with_name("namespace.py")), str(inward), str(self.port),
                 str(outward), str(OUT_PORT), "--", *command], stdout=log, stderr=log,
            )  # fmt: skip
        self._human = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(inward)), base_url="http://slack", timeout=30, trust_env=False
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if self._human.get("/_control/state").status_code == 200:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError((self.folder / "slack.log").read_text())
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready, str(inward), str(outward)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Stop both."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._human.close()
        self._process.terminate()
        self._process.wait(10)

    def _config(self) -> dict[str, Any]:
        app = {"appId": "A01APP", "botUserId": BOT, "botName": "threadwright", "botToken": BOT_TOKEN, "appToken": APP_TOKEN,
               "signingSecret": SECRET, "mode": "socket"}  # fmt: skip
        if self.bot_url:
            app |= {"mode": "events", "requestUrl": f"http://127.0.0.1:{OUT_PORT}/slack/events"}
        users = [{"id": number, "name": name.lower(), "real_name": name} for name, number in self.people.items()]
        members = [*self.people.values(), BOT]
        channels = [
            {"id": CHANNEL, "name": "general", "members": members},
            {"id": "C02OTHER", "name": "other", "members": members},
        ]
        workspace = {"name": "Dev", "domain": "dev", "teamId": TEAM}
        return {"workspace": workspace, "app": app, "users": users, "channels": channels}

    def _run(self, ready: threading.Event, inward: str, outward: str) -> None:
        asyncio.set_event_loop(self._loop)

        async def serve() -> list[web.AppRunner]:
            self._upstream = aiohttp.ClientSession(connector=aiohttp.UnixConnector(inward), auto_decompress=False)
            self._outside = aiohttp.ClientSession()
            app = web.Application(client_max_size=64 * 2**20)
            app.router.add_route("*", "/api/{method}", self._api)
            app.router.add_get("/socket/{id}", self._socket)
            app.router.add_route("*", "/{tail:.*}", self._passed)
            hook = web.Application(client_max_size=64 * 2**20)
            hook.router.add_post("/{tail:.*}", self._hook)
            runners = [web.AppRunner(app, access_log=None), web.AppRunner(hook, access_log=None)]
            for runner in runners:
                await runner.setup()
            await web.TCPSite(runners[0], "127.0.0.1", self.port).start()
            await web.UnixSite(runners[1], outward).start()
            return runners

        async def end(runners: list[web.AppRunner]) -> None:
            for task in self._repeats:
                task.cancel()
            await asyncio.gather(*self._repeats, return_exceptions=True)
            for runner in runners:
                await runner.cleanup()
            await self._upstream.close()
            await self._outside.close()

        runners = self._loop.run_until_complete(serve())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(end(runners))
        self._loop.close()

    # -- the Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        body = await request.read()
        given = _arguments(request, body)
        self.calls[method] += 1
        fault = next((one for one in self.faults if one.method in ("", method)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
            if fault.stored:
                await self._carried_out(request, method, given, body)
            if fault.cut:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            answer = {"ok": False, "error": fault.error, **fault.extra}
            return web.json_response(answer, status=fault.status, headers=fault.headers)
        headers = {"x-oauth-scopes": self.granted} if self.granted else {}
        if self.clock:
            headers["Date"] = formatdate(time.time() + self.clock, usegmt=True)
        return web.json_response(await self._carried_out(request, method, given, body), headers=headers)

    async def _carried_out(
        self, request: web.Request, method: str, given: dict[str, Any], body: bytes
    ) -> dict[str, Any]:
        if problem := _too_big(given):
            return {"ok": False, "error": problem}
        if method in ("chat.startStream", "chat.appendStream", "chat.stopStream", "agents.sessions.setStatus",
                      "assistant.threads.setStatus"):  # fmt: skip
            return await self._native(method, given)
        if method in ("reactions.add", "reactions.remove") and (problem := self._reaction(method, given)):
            return {"ok": False, "error": problem}
        if method == "chat.postMessage" and given["channel"] in self.people.values():
            # Slack takes a person's id for the channel of the two, as documented for chat.postMessage.
            person, given["channel"] = given["channel"], await self._direct(given["channel"])
            self.directs[person] = given["channel"]
        if method == "chat.postEphemeral":
            self.ephemerals.append(given)
        if method in ("views.open", "views.publish"):
            self.views.append(given["view"])
        if method in ("conversations.history", "conversations.replies"):
            return await self._history(method, given)
        if method in ("chat.postMessage", "chat.update", "chat.postEphemeral"):
            found = await self._call(method, {**given, "blocks": _for_page(given.get("blocks"))})
        else:
            found = await self._forwarded(request, method, body)
        if found.get("ok") and method in ("chat.postMessage", "chat.update"):
            self.blocks[found["ts"]] = given.get("blocks") or []
            if "metadata" in given:
                self._metadata[found["ts"]] = given["metadata"]
        return found

    async def _call(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        async with self._upstream.post(f"http://slack/api/{method}", json=given, headers=headers) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def _direct(self, person: str) -> str:
        """Return the channel of the app and a person."""
        return str((await self._call("conversations.open", {"users": person}))["channel"]["id"])

    async def _forwarded(self, request: web.Request, method: str, body: bytes) -> dict[str, Any]:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        address = f"http://slack{request.raw_path}"
        async with self._upstream.request(request.method, address, data=body, headers=headers) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def _history(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        found = await self._call(method, {**given, "limit": 999, "cursor": ""})
        oldest, start = float(given.get("oldest") or 0), int(given.get("cursor") or 0)
        kept = [one for one in found.get("messages", ()) if float(one["ts"]) > oldest or one["ts"] == given.get("ts")]
        for one in kept:
            if one["ts"] in self._metadata:
                one["metadata"] = self._metadata[one["ts"]]
        end = start + int(given.get("limit") or 100)
        following = {"next_cursor": str(end) if end < len(kept) else ""}
        return {**found, "messages": kept[start:end], "response_metadata": following}

    def _reaction(self, method: str, given: dict[str, Any]) -> str:
        key = (given["channel"], given["timestamp"], given["name"])
        if method == "reactions.add":
            if key in self._reacted:
                return "already_reacted"
            self._reacted.add(key)
        elif key not in self._reacted:
            return "no_reaction"
        else:
            self._reacted.discard(key)
        return ""

    async def _native(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        """Streams and sessions as documented, on top of ordinary messages."""
        if not self.native:
            return {"ok": False, "error": "unknown_method"}
        if method.endswith("setStatus"):
            self.statuses.append(given)
            return {"ok": True}
        if method == "chat.startStream":
            posted = await self._call(
                "chat.postMessage", {"channel": given["channel"], "thread_ts": given["thread_ts"], "text": "…"}
            )
            self.streams[posted["ts"]] = list(given["chunks"])
            return {"ok": True, "channel": given["channel"], "ts": posted["ts"]}
        if given["ts"] not in self.streams:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        self.streams[given["ts"]] += given.get("chunks") or []
        steps = {one["id"]: one for one in self.streams[given["ts"]]}
        text = "\n".join(f"{one['status']}: {one['title']}" for one in steps.values())
        await self._call("chat.update", {"channel": given["channel"], "ts": given["ts"], "text": text})
        if method == "chat.stopStream":
            del self.streams[given["ts"]]
        return {"ok": True}

    async def _passed(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        body = await request.read()
        address = f"http://slack{request.raw_path}"
        async with self._upstream.request(
            request.method, address, data=body, headers=headers, allow_redirects=False
        ) as answer:
            kept = {
                name: value for name, value in answer.headers.items() if name.lower() in ("content-type", "location")
            }
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    # -- events

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        try:
            # local-slack keeps nothing for those who come later: the bot is connected when it is connected there.
            async with self._upstream.ws_connect(f"http://slack{request.raw_path}") as upstream:
                await socket.prepare(request)
                self._open[socket] = request
                outward = asyncio.create_task(self._deliver(upstream, socket))
                async for frame in socket:
                    if frame.type is WSMsgType.TEXT and not self._lost(frame.data):
                        await upstream.send_str(frame.data)
                outward.cancel()
        finally:
            self._open.pop(socket, None)
        return socket

    def _lost(self, frame: str) -> bool:
        """Note an acknowledgement; the next `lose_acks` of them get lost."""
        number = json.loads(frame).get("envelope_id")
        if number and self.lose_acks:
            self.lose_acks -= 1
            return True
        if number:
            self._acked.add(number)
            if (began := self._sent.pop(number, None)) is not None:
                self.acknowledged.append(time.monotonic() - began)
        return False

    async def _deliver(self, upstream: aiohttp.ClientWebSocketResponse, socket: web.WebSocketResponse) -> None:
        async for frame in upstream:
            if frame.type is WSMsgType.TEXT:
                with contextlib.suppress(ConnectionError):
                    await socket.send_str(frame.data)
                if json.loads(frame.data).get("type") == "events_api":
                    task = asyncio.create_task(self._again(json.loads(frame.data)))
                    # The loop itself holds tasks only weakly.
                    self._repeats.add(task)
                    task.add_done_callback(self._repeats.discard)

    async def _again(self, envelope: dict[str, Any]) -> None:
        """Deliver an event again until it is acknowledged, as Slack does, only sooner."""
        for attempt in range(1, MOST_TRIES + 1):
            await asyncio.sleep(self.unacked_seconds)
            if envelope["envelope_id"] in self._acked:
                return
            again = {**envelope, "retry_attempt": attempt, "retry_reason": "timeout"}
            for socket in list(self._open):
                self.redelivered += 1
                with contextlib.suppress(ConnectionError):
                    await socket.send_str(json.dumps(again))

    async def _hook(self, request: web.Request) -> web.Response:
        """HTTP mode: hand an event on to the bot, again until it says 200."""
        body = await request.read()
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        for attempt in range(MOST_TRIES + 1):
            with contextlib.suppress(aiohttp.ClientError):
                extra = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
                async with self._outside.post(
                    f"{self.bot_url}/slack/events", data=body, headers=headers | extra
                ) as answer:
                    if answer.status == 200 and not self._dropped():
                        kept = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
                        return web.Response(body=await answer.read(), headers=kept)
            self.redelivered += 1
            await asyncio.sleep(self.unacked_seconds / 2)
        return web.Response(status=500)

    def _dropped(self) -> bool:
        if self.lose_acks:
            self.lose_acks -= 1
            return True
        return False

    def disconnect(self) -> None:
        """Ask every socket to connect anew, as Slack does every few hours."""

        async def ask() -> None:
            for socket in list(self._open):
                await socket.send_str(
                    json.dumps({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
                )

        asyncio.run_coroutine_threadsafe(ask(), self._loop).result(10)

    def cut(self) -> None:
        """Cut every socket without a word."""
        for request in list(self._open.values()):
            if request.transport is not None:
                self._loop.call_soon_threadsafe(request.transport.abort)

    def send_event(self, payload: dict[str, Any], kind: str = "events_api") -> None:
        """Send an envelope of our own to the bot."""
        number = f"own-{time.time_ns()}"
        envelope = {"envelope_id": number, "type": kind, "payload": payload, "accepts_response_payload": False}

        async def send() -> None:
            self._sent[number] = time.monotonic()
            for socket in list(self._open):
                await socket.send_str(json.dumps(envelope))

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(10)

    @property
    def connected(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    # -- what people do

    def _control(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self._human.post(f"/_control/{what}", json=body)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == 200, answer.text
        assert found["ok"], answer.text
        return found

    def say(self, who: str, text: str, thread: str = "", channel: str = CHANNEL) -> str:
        """Send a message and return its ts."""
        where = {"thread_ts": thread} if thread else {}
        return str(
            self._control("message", channel=channel, user=self.people[who], text=text, **where)["message"]["ts"]
        )

    def upload(self, who: str, text: str, files: Sequence[tuple[str, bytes]], thread: str = "") -> str:
        """Send a message with files and return its ts."""
        form = {"channel": CHANNEL, "user": self.people[who], "text": text} | ({"thread_ts": thread} if thread else {})
        answer = self._human.post("/_control/upload", data=form, files=[("file", one) for one in files])
        return str(answer.json()["message"]["ts"])

    def edit(self, who: str, ts: str, text: str) -> None:
        """Edit a message."""
        self._control("edit-message", channel=CHANNEL, ts=ts, user=self.people[who], text=text)

    def delete(self, who: str, ts: str) -> None:
        """Delete a message."""
        user = BOT if who == "bot" else self.people[who]
        self._control("delete-message", channel=CHANNEL, ts=ts, user=user)

    def react(self, who: str, ts: str, name: str, present: bool = True) -> None:
        """Put a reaction on a message, or take it away."""
        self._control("reaction", channel=CHANNEL, ts=ts, user=self.people[who], name=name, present=present)

    def command(self, who: str, text: str, name: str = "/build") -> None:
        """Give a slash command."""
        self._control("command", channel=CHANNEL, user=self.people[who], command=name, text=text)

    def press(self, who: str, ts: str, verb: str) -> None:
        """Press a button of a message."""
        # People see a message a moment before the answer that names it comes by here.
        deadline = time.monotonic() + 60
        while ts not in self.blocks and time.monotonic() < deadline:
            time.sleep(0.02)
        buttons = [one for block in self.blocks[ts] for one in block.get("elements", ()) if one.get("type") == "button"]
        (button,) = [one for one in buttons if one["action_id"] == f"tw:{verb}"]
        self._control("interact", channel=CHANNEL, messageTs=ts, user=self.people[who], action=button)

    def open_home(self, who: str) -> None:
        """Open the app's home."""
        self._control("open-home", user=self.people[who])

    def submit(self, who: str, values: dict[str, str]) -> None:
        """Submit the modal that is open; what is not said stays as it is."""
        form: dict[str, Any] = {}
        for block in self.views[-1]["blocks"]:
            field = block.get("element", {})
            name = field.get("action_id")
            if field.get("type") == "static_select":
                value = {"value": values.get(name, field["initial_option"]["value"])}
                form[name] = {name: {"type": "static_select", "selected_option": value}}
            elif name:
                form[name] = {name: {"type": "plain_text_input", "value": values.get(name)}}

        async def send() -> None:
            async with self._upstream.ws_connect("http://slack/ui") as socket:
                await socket.receive()
                await socket.send_json({"t": "view_submit", "user": self.people[who], "values": form})
                await asyncio.sleep(0.5)

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(10)

    def messages(self, thread: str = "", channel: str = CHANNEL) -> list[dict[str, Any]]:
        """Return the messages of a thread, or all of the channel, oldest first; ephemeral ones left out."""
        found = self._human.get(f"/_control/messages/{channel}").json()["messages"]
        said = [one for one in found if "ephemeral_to" not in one]
        return [one for one in said if thread in ("", one["ts"], one.get("thread_ts"))]

    def direct(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        channel = self.directs.get(self.people[who])
        return [one["text"] for one in self.messages(channel=channel)] if channel else []

    def marks(self, ts: str) -> set[str]:
        """Return the reactions of the bot on a message."""
        (message,) = [one for one in self.messages() if one["ts"] == ts]
        return {one["name"] for one in message.get("reactions", ()) if BOT in one["users"]}


def _arguments(request: web.Request, body: bytes) -> dict[str, Any]:
    """Return a call's arguments, sent as JSON, as a form, or in the address."""
    if request.content_type == "application/json":
        found: dict[str, Any] = json.loads(body or b"{}")
        return found
    pairs = dict(request.query) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return {
        name: _parsed(value) if name in ("blocks", "metadata", "view", "chunks") else value
        for name, value in pairs.items()
    }


def _parsed(value: str) -> Any:
    return json.loads(value)


def _too_big(given: dict[str, Any]) -> str:
    """Return Slack's error for texts and blocks over its limits."""
    blocks = given.get("blocks") or []
    if len(str(given.get("text") or "")) > 40_000:
        return "msg_too_long"
    sizes = [len(json.dumps(block, ensure_ascii=False)) for block in blocks]
    if len(blocks) > 50 or any(block["type"] == "section" and len(block["text"]["text"]) > 3_000 for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(sizes) > 13_200 + 100 * len(blocks) else ""


def _for_page(blocks: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return blocks as local-slack's page can draw them: it knows no markdown block."""
    if blocks is None:
        return None
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": block["text"][:3_000]}}
        if block["type"] == "markdown"
        else block
        for block in blocks
    ]


@contextlib.contextmanager
def slack_server(folder: Path, *people: str, bot_url: str = "") -> Iterator[SlackServer]:
    """Run one; with `bot_url` it sends signed events over HTTP instead of by Socket Mode."""
    if not PROGRAM.exists():
        missing("local-slack", "apt-get install npm, then make tools")
    if shutil.which("unshare") is None:
        missing("unshare", "apt-get install util-linux")
    folder.mkdir(parents=True, exist_ok=True)
    server = SlackServer(folder, people, bot_url)
    server.start()
    try:
        yield server
    finally:
        server.stop()
