"""
A Discord of our own: simcord's model of it behind real HTTP and a real gateway, with faults on demand.

simcord has no transport. This puts its router behind aiohttp, its events behind a WebSocket with compression, resume and
close codes, and adds what it does not model: nonces, archived threads, edits of old messages, closest-first history.
Its inner modules are no public interface, so everything that knows them is in this file.
"""

import asyncio
import collections
import contextlib
import datetime as dt
import io
import json
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import unquote

import discord
import simcord.http.routes  # noqa: F401 - registers the routes
from aiohttp import WSMsgType, web
from simcord import interactions
from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.cdn import CDN_BASE
from simcord.backend.errors import BackendError
from simcord.backend.models import Message
from simcord.components import walk_components
from simcord.enums import AppCommandType, InteractionType
from simcord.gateway import FakeGateway
from simcord.http import router
from simcord.intents import missing_privileged_intents

TOKEN = "test.discord.token"
API = "/api/v10"
REPLAYED_EVENTS = 500
OLD_SECONDS, OLD_EDITS = 3_600, 3
Value = TypeVar("Value")


class WallClock(Clock):
    """The real time; simcord's own stands still."""

    def __init__(self) -> None:
        pass

    @property
    def elapsed(self) -> float:  # type: ignore[override]
        """Seconds since the epoch: simcord only compares them."""
        return time.time()

    def now(self) -> dt.datetime:
        """The time now."""
        return dt.datetime.now(dt.UTC)


@dataclass
class Fault:
    """What happens to the next `times` requests that match, of any method for ''; without a status the connection is cut."""

    method: str
    path: str
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    stored: bool = False
    seen: int = 0


class _State:
    """What simcord's gate for intents needs of discord.py's connection state."""

    def __init__(self, intents: discord.Intents, push: Callable[[str, Any], None]) -> None:
        self.intents, self._push, self.parsers = intents, push, self

    def __getitem__(self, event: str) -> Callable[[Any], None]:
        return lambda payload: self._push(event, payload)

    def get(self, event: str) -> Callable[[Any], None]:
        return self[event]


class _Session:
    """One session of the gateway: it outlives its connection, for RESUME."""

    def __init__(self, server: "DiscordServer", intents: int) -> None:
        self.id, self._seq = secrets.token_hex(8), 0
        self.connection: _Connection | None = None
        self.events: collections.deque[tuple[int, str, Any]] = collections.deque(maxlen=REPLAYED_EVENTS)
        self._server = server
        self._gate: Any = FakeGateway(
            server.backend,
            _State(discord.Intents._from_value(intents), self.push),
        )
        server.backend.subscribers.append(self.hear)

    def hear(self, event: str, payload: Any) -> None:
        self._gate.feed(event, self._server.shaped(event, dict(payload)))

    def push(self, event: str, payload: Any) -> None:
        self._seq += 1
        self.events.append((self._seq, event, payload))
        if self.connection is not None:
            self.connection.send(0, payload, self._seq, event)


class _Connection:
    def __init__(self, server: "DiscordServer", socket: web.WebSocketResponse, compressed: bool) -> None:
        self.socket, self._server = socket, server
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._zlib = zlib.compressobj() if compressed else None
        self.task = asyncio.create_task(self._write())

    def send(self, op: int, payload: Any = None, seq: int | None = None, event: str | None = None) -> None:
        self._queue.put_nowait({"op": op, "d": payload, "s": seq, "t": event})

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                text = self._server.outward(json.dumps(await self._queue.get()))
                if self._zlib is None:
                    await self.socket.send_str(text)
                else:
                    frame = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(frame)


class DiscordServer:
    """The server, in a thread of its own. Every method may be called from outside; it runs in that thread."""

    def __init__(self) -> None:
        self.backend = Backend(clock=WallClock())
        self.backend.bot_user.name = "threadwright"
        self.approved = discord.Intents.all()
        self.faults: list[Fault] = []
        self.problems: list[str] = []
        self.requests: collections.Counter[str] = collections.Counter()
        self.identified = self.resumed = 0
        self._sessions: dict[str, _Session] = {}
        self._connections: set[_Connection] = set()
        self._requests: dict[_Connection, web.Request] = {}
        self._nonces: dict[tuple[int, str], tuple[int, float]] = {}
        self._nonce: str | None = None
        self._old_edits: collections.Counter[int] = collections.Counter()
        self._loop = asyncio.new_event_loop()
        self.port = 0

    # -- the thread

    def start(self) -> None:
        """Start serving."""
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._open())
            ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(self._runner.cleanup())
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def do(self, work: Callable[[], Value]) -> Value:
        """Call `work` in the server's thread."""

        async def call() -> Value:
            return work()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(20)

    async def _open(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", API + "/{tail:.*}", self._rest)
        app.router.add_get("/cdn/{tail:.*}", self._cdn)
        app.router.add_get("/", self._gateway)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    @property
    def api_url(self) -> str:
        """The address of the HTTP API."""
        return f"http://127.0.0.1:{self.port}{API}"

    @property
    def gateway_url(self) -> str:
        """The address of the gateway."""
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def connected(self) -> int:
        """How many sessions have a connection."""
        return sum(one.connection is not None for one in self._sessions.values())

    def outward(self, text: str) -> str:
        """Let addresses of files lead here."""
        return text.replace(CDN_BASE, f"http://127.0.0.1:{self.port}/cdn")

    def _inward(self, text: str) -> str:
        return text.replace(f"http://127.0.0.1:{self.port}/cdn", CDN_BASE)

    # -- the gateway

    def shaped(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Bring an event of simcord's to what Discord sends."""
        if event == "MESSAGE_REACTION_ADD":
            message = self.backend.messages[int(payload["channel_id"])].get(int(payload["message_id"]))
            if message is not None:
                payload["message_author_id"] = str(message.author_id)
        own = event == "MESSAGE_CREATE" and payload["author"]["id"] == str(self.backend.bot_user.id)
        if own and self._nonce:
            payload["nonce"] = self._nonce
        if event == "GUILD_CREATE":
            payload["threads"] = [one for one in payload["threads"] if not one["thread_metadata"]["archived"]]
        return payload

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        connection = _Connection(self, socket, request.query.get("compress") == "zlib-stream")
        self._connections.add(connection)
        self._requests[connection] = request
        connection.send(10, {"heartbeat_interval": 41_250})
        session: _Session | None = None
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    message = json.loads(frame.data)
                    found = await self._told(connection, message["op"], message.get("d"))
                    session = found or session
        finally:
            connection.task.cancel()
            self._connections.discard(connection)
            if session is not None and session.connection is connection:
                session.connection = None
        return socket

    async def _told(self, connection: _Connection, op: int, data: Any) -> _Session | None:
        if op == 1:
            connection.send(11)
        if op == 2:
            return await self._identify(connection, data)
        if op == 6:
            return self._resume(connection, data)
        return None

    async def _identify(self, connection: _Connection, data: Any) -> _Session | None:
        self.identified += 1
        if data["token"] != TOKEN:
            await connection.socket.close(code=4004, message=b"Authentication failed.")
            return None
        if missing_privileged_intents(discord.Intents._from_value(data["intents"]), self.approved):
            await connection.socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        for old in [one for one in self._sessions.values() if one.connection is None]:
            self.backend.subscribers.remove(old.hear)
            del self._sessions[old.id]
        session = _Session(self, data["intents"])
        self._sessions[session.id] = session
        session.connection = connection
        session.push(
            "READY",
            {"v": 10, "user": dict(serializers.user_payload(self.backend.bot_user)), "session_id": session.id,
             "resume_gateway_url": self.gateway_url, "session_type": "normal", "private_channels": [],
             "guilds": [{"id": str(number), "unavailable": True} for number in self.backend.guilds],
             "application": {"id": str(self.backend.application_id), "flags": 0}},
        )  # fmt: skip
        for guild in list(self.backend.guilds.values()):
            session.hear("GUILD_CREATE", serializers.guild_create_payload(self.backend, guild))
        return session

    def _resume(self, connection: _Connection, data: Any) -> _Session | None:
        session = self._sessions.get(data["session_id"])
        if session is None or data["token"] != TOKEN:
            connection.send(9, False)
            return None
        self.resumed += 1
        for seq, event, payload in session.events:
            if seq > data["seq"]:
                connection.send(0, payload, seq, event)
        session.connection = connection
        session.push("RESUMED", {})
        return session

    def send_event(self, event: str, payload: dict[str, Any]) -> None:
        """Send an event of our own to the bot, whatever it looks like."""

        def send() -> None:
            for one in self._sessions.values():
                one.push(event, payload)

        self.do(send)

    def kick(self, code: int = 4000) -> None:
        """Close every connection of the gateway with a code."""

        async def close() -> None:
            for one in list(self._connections):
                await one.socket.close(code=code)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)

    def cut(self, *, forget: bool = False) -> None:
        """Cut every connection of the gateway without a word; with `forget` the sessions are gone too (op 9)."""

        def abort() -> None:
            if forget:
                for one in self._sessions.values():
                    self.backend.subscribers.remove(one.hear)
                self._sessions.clear()
            for connection in list(self._connections):
                transport = self._requests[connection].transport
                if transport is not None:
                    transport.abort()

        self.do(abort)

    # -- the HTTP API

    def _answer(self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
        if data is None:
            return web.Response(status=204, headers=headers)
        # Without a charset: discord.py decodes only exactly this type.
        text = self.outward(json.dumps(data)).encode()
        return web.Response(body=text, status=status, content_type="application/json", headers=headers)

    async def _cdn(self, request: web.Request) -> web.Response:
        content = self.backend.cdn.get(CDN_BASE + request.path[4:])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def _body(self, request: web.Request) -> tuple[Any, list[Any]]:
        if not request.content_type.startswith("multipart/"):
            text = await request.text()
            return (json.loads(self._inward(text)) if text else None), []
        form: list[dict[str, str]] = []
        files: dict[int, tuple[str, bytes]] = {}
        async for part in await request.multipart():
            assert not isinstance(part, type(None))
            one: Any = part
            if one.filename is None:
                form.append({"name": one.name, "value": self._inward(await one.text())})
            else:
                found = re.search(r"\d+", one.name)
                assert found is not None
                files[int(found[0])] = (one.filename, bytes(await one.read(decode=False)))
        payload, _ = router.parse_form(form, [])
        listed = ((payload or {}).get("data") or payload or {}).get("attachments") or []
        described = {str(one.get("id")): one.get("description") for one in listed}
        return payload, [
            SimpleNamespace(fp=io.BytesIO(content), filename=name, description=described.get(str(number)))
            for number, (name, content) in sorted(files.items())
        ]

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path[len(API) :]
        self.requests[f"{request.method} {re.sub(r'[0-9]{6,}', '#', path)}"] += 1
        payload, files = await self._body(request)
        unsigned = path.startswith("/interactions/") or re.match(r"/webhooks/\d+/[^/]+", path)
        if not unsigned and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return self._answer({"message": "401: Unauthorized", "code": 0}, 401)
        fault = next(
            (one for one in self.faults if one.method in ("", request.method) and re.fullmatch(one.path, path)), None
        )
        if fault is not None:
            fault.seen += 1
            if fault.seen >= fault.times:
                self.faults.remove(fault)
            if fault.stored:
                self._carried_out(request.method, path, payload, dict(request.query), files)
            if not fault.status:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return self._answer(fault.body, fault.status, fault.headers)
        try:
            return self._answer(self._carried_out(request.method, path, payload, dict(request.query), files))
        except (router.RouteNotImplemented, router.UnsupportedField) as error:
            self.problems.append(f"{request.method} {path}: {error}")
            return self._answer(error.to_json(), 400 if unsigned else 501)
        except BackendError as error:
            return self._answer(error.to_json(), error.status)
        except Exception as error:  # noqa: BLE001 - simcord raises what it likes on odd bodies
            self.problems.append(f"{request.method} {path}: {error!r}")
            return self._answer({"code": 0, "message": repr(error)[:500]}, 400)

    def _carried_out(self, method: str, path: str, payload: Any, query: dict[str, str], files: Sequence[Any]) -> Any:
        """Answer a request by Discord's rules: those that simcord leaves out first, then simcord."""
        if path in ("/gateway", "/gateway/bot"):
            left = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
            return {"url": self.gateway_url, "shards": 1, "session_start_limit": left}
        parts = path.strip("/").split("/")
        channel: Any = (
            self.backend.channels.get(int(parts[1])) if parts[0] == "channels" and parts[1].isdigit() else None
        )
        sending = method == "POST" and channel is not None and parts[2:] == ["messages"]
        self._check(method, parts, channel, payload, files, sending)
        nonce = str(payload["nonce"]) if sending and payload.get("nonce") is not None else None
        known = self._nonces.get((channel.id, nonce)) if nonce is not None else None
        if known and payload.get("enforce_nonce") and time.time() - known[1] < 300:
            again = serializers.message_payload(self.backend, self.backend.get_message(channel.id, known[0]))
            return {**again, "nonce": nonce}
        reading = method == "GET" and channel is not None and parts[2:] == ["messages"]
        limit = int(query.get("limit", 50))
        if reading and "after" in query:
            # Discord returns the closest ones, simcord the newest.
            query = {**query, "limit": str(10**9)}
        if channel is not None and payload and payload.get("embeds") and not self._may(channel, "embed_links"):
            # Beside content, Discord leaves them out without a word.
            payload = {**payload, "embeds": []}
        self._nonce = nonce
        try:
            found = router.dispatch(self.backend, method, path, json=payload, params=query, files=list(files))
        finally:
            self._nonce = None
        if reading:
            return self._own_reactions(channel, found[-limit:] if "after" in query else found)
        if path == "/oauth2/applications/@me":
            found["flags"] = int(self.approved.message_content) << 18
        if nonce is not None:
            self._nonces[channel.id, nonce] = (int(found["id"]), time.time())
            found["nonce"] = nonce
        return found

    def _check(
        self, method: str, parts: list[str], channel: Any, payload: Any, files: Sequence[Any], sending: bool
    ) -> None:
        """Refuse what Discord refuses and simcord lets pass."""
        if len(files) > 10:
            raise BackendError(400, 50035, "Invalid Form Body: more than 10 files")
        if any(len(one.fp.getbuffer()) > 10 * 2**20 for one in files):
            raise BackendError(413, 40005, "Request entity too large")
        if sending and files and not self._may(channel, "attach_files"):
            raise BackendError(403, 50013, "Missing Permissions")
        meta = channel.thread_metadata if channel is not None else None
        if meta is not None and meta.archived:
            if sending and meta.locked:
                raise BackendError(400, 160005, "Thread is locked")
            if sending:
                self.unarchive(channel)
            elif len(parts) > 3 and parts[2] == "messages" and method in ("PATCH", "PUT"):
                raise BackendError(400, 50083, "Thread is archived")
        if method == "POST" and channel is not None and parts[-1] == "threads":
            if not 1 <= len(payload["name"]) <= 100:
                raise BackendError(400, 50035, "Invalid Form Body: name")
            if parts[2] == "messages" and int(parts[3]) in self.backend.channels:
                raise BackendError(400, 160004, "A thread has already been created for this message")
        if method == "PATCH" and channel is not None and len(parts) == 4:
            self._check_age(channel, int(parts[3]))
        if method == "PUT" and "reactions" in parts:
            message = self.backend.messages[channel.id].get(int(parts[3]))
            if message and len(message.reactions) >= 20 and message.reaction_for(unquote(parts[5])) is None:
                raise BackendError(400, 30010, "Maximum number of reactions reached")

    def _may(self, channel: Any, permission: str) -> bool:
        have = self.backend.compute_permissions(channel.guild_id, self.backend.bot_user.id, channel.id)
        return channel.guild_id is None or bool(have & getattr(discord.Permissions, permission).flag)

    def _check_age(self, channel: Any, number: int) -> None:
        message = self.backend.messages[channel.id].get(number)
        if message is None:
            return
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(message.timestamp)
        self._old_edits[number] += age.total_seconds() > OLD_SECONDS
        if self._old_edits[number] > OLD_EDITS:
            raise BackendError(400, 30046, "Maximum number of edits to messages older than 1 hour reached")

    def _own_reactions(self, channel: Any, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for message in found:
            for one in message["reactions"]:
                name = one["emoji"]["name"]
                key = f"{name}:{one['emoji']['id']}" if one["emoji"]["id"] else name
                entry = self.backend.messages[channel.id][int(message["id"])].reaction_for(key)
                one["me"] = entry is not None and self.backend.bot_user.id in entry.user_ids
        return found

    def unarchive(self, channel: Any) -> None:
        """Open an archived thread."""
        meta = {"archived": False, "archive_timestamp": self.backend.now_iso()}
        self.backend.edit_channel(channel.id, {}, thread_metadata=meta)

    # -- what people do

    def world(self, *people: str) -> "World":
        """Make a server with one channel and these people."""

        def make() -> World:
            guild = self.backend.create_guild("Test server")
            channel = self.backend.create_channel(guild.id, "general")
            users = {name: self.backend.make_user(name.lower(), global_name=name) for name in people}
            for user in users.values():
                self.backend.add_member(guild.id, user.id)
            return World(self, guild.id, channel.id, {name: user.id for name, user in users.items()})

        return self.do(make)


@dataclass
class World:
    """One server of the simulated Discord, and what its people do in it."""

    server: DiscordServer
    guild: int
    channel: int
    people: dict[str, int]

    @property
    def _backend(self) -> Backend:
        return self.server.backend

    def say(self, who: str, where: int, text: str = "", files: Sequence[tuple[str, bytes]] = ()) -> int:
        """Send a message and return its id."""

        def send() -> int:
            channel = self._backend.get_channel(where)
            right = "send_messages_in_threads" if channel.is_thread else "send_messages"
            self._backend.require_permissions(channel.guild_id, self.people[who], where, right)
            if channel.thread_metadata and channel.thread_metadata.archived:
                self.server.unarchive(channel)
            stored = self._backend.store_attachments(where, list(files))
            return self._backend.create_message(where, self.people[who], text, attachments=stored).id

        return self.server.do(send)

    def open_thread(self, who: str, message: int, name: str) -> None:
        """Open a thread from a message of the channel."""
        make = self._backend.create_thread
        self.server.do(lambda: make(self.channel, name, self.people[who], message_id=message))

    def edit(self, where: int, message: int, text: str) -> None:
        """Edit a message."""
        self.server.do(lambda: self._backend.edit_message(where, message, {"content": text}))

    def delete(self, where: int, message: int) -> None:
        """Delete a message."""
        self.server.do(lambda: self._backend.delete_message(where, message))

    def react(self, who: str, where: int, message: int, emoji: str, present: bool = True) -> None:
        """Put a reaction on a message, or take it away."""
        self.server.do(lambda: self._backend.set_reaction(where, message, emoji, self.people[who], present))

    def archive(self, thread: int, locked: bool = False) -> None:
        """Archive a thread, as Discord does by itself after a while."""
        meta = {"archived": True, "locked": locked, "archive_timestamp": self._backend.now_iso()}
        self.server.do(lambda: self._backend.edit_channel(thread, {}, thread_metadata=meta))

    def slash(self, who: str, where: int, name: str, **options: str) -> Any:
        """Give a slash command and return the interaction."""

        def give() -> Any:
            root: Any = self._backend.find_command(name, self.guild)
            assert root is not None, f"/{name} is not there"
            leaf, nest = interactions.walk_to_subcommand(root, [])
            actor: Any = SimpleNamespace(_env=SimpleNamespace(backend=self._backend), id=self.people[who])
            given, resolved = interactions.build_options(actor, name, leaf, dict(options), channel_id=where)
            data = {"id": root["id"], "name": name, "type": 1, "options": interactions.nest_options(root, nest, given)}
            return self._interact(
                who, where, InteractionType.APPLICATION_COMMAND, data | ({"resolved": resolved} if resolved else {})
            )

        return self.server.do(give)

    def on_message(self, who: str, where: int, message: int, name: str) -> Any:
        """Give a message command."""

        def give() -> Any:
            root: Any = self._backend.find_command(name, self.guild, type=AppCommandType.MESSAGE)
            found = self._backend.messages[where][message]
            resolved = {"messages": {str(message): dict(serializers.message_payload(self._backend, found))}}
            data = {"id": root["id"], "name": name, "type": 3, "target_id": str(message), "resolved": resolved}
            return self._interact(who, where, InteractionType.APPLICATION_COMMAND, data)

        return self.server.do(give)

    def press(self, who: str, where: int, message: int, verb: str) -> Any:
        """Press a button."""

        def press() -> Any:
            found = self._backend.messages[where][message]
            (button,) = [
                one for one in walk_components(found.components) if str(one.get("custom_id", "")).startswith(f"{verb}:")
            ]
            data = {"custom_id": button["custom_id"], "component_type": 2, "id": button.get("id")}
            return self._interact(who, where, InteractionType.MESSAGE_COMPONENT, data, found)

        return self.server.do(press)

    def submit(self, who: str, asked: Any, **values: str) -> Any:
        """Fill in the form that an interaction was answered with."""

        def send() -> Any:
            parts = []
            for one in asked.modal["components"]:
                if "component" not in one:
                    parts.append({"type": one["type"], "id": one.get("id")})
                    continue
                inner = one["component"]
                chosen = values.get(inner["custom_id"])
                if "options" not in inner:
                    word = {
                        "type": inner["type"],
                        "id": inner.get("id"),
                        "custom_id": inner["custom_id"],
                        "value": chosen or "",
                    }
                    parts.append({"type": one["type"], "id": one.get("id"), "component": word})
                    continue
                kept = [option["value"] for option in inner["options"] if option.get("default")]
                answer = {"type": inner["type"], "id": inner.get("id"), "custom_id": inner["custom_id"]}
                parts.append(
                    {
                        "type": one["type"],
                        "id": one.get("id"),
                        "component": {**answer, "values": [chosen] if chosen else kept},
                    }
                )
            asked.modal_consumed = True
            data = {"custom_id": asked.modal["custom_id"], "components": parts}
            return self._interact(who, asked.channel_id, InteractionType.MODAL_SUBMIT, data)

        return self.server.do(send)

    def _interact(
        self, who: str, where: int, kind: InteractionType, data: dict[str, Any], source: Message | None = None
    ) -> Any:
        record, payload = interactions.base_payload(
            self._backend, type=kind, channel_id=where, guild_id=self.guild, user_id=self.people[who], data=data
        )
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = dict(serializers.message_payload(self._backend, source))
        self._backend.emit("INTERACTION_CREATE", payload)
        return record

    def messages(self, where: int) -> list[Message]:
        """Return the messages of a channel or thread, oldest first."""
        found = self.server.do(lambda: sorted(self._backend.messages.get(where, {}).values(), key=lambda one: one.id))
        return [one for one in found if not one.is_ephemeral]

    def direct(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        channel = self.server.do(lambda: self._backend.get_dm_channel(self.people[who]).id)
        return [one.content for one in self.messages(channel)]

    def threads(self) -> list[int]:
        """Return the ids of the threads of the channel, oldest first."""
        return self.server.do(lambda: sorted(self._backend.guilds[self.guild].thread_ids))

    def reactions(self, where: int, message: int) -> dict[str, set[int]]:
        """Return who put which reaction on a message."""
        found = self.server.do(lambda: self._backend.messages[where][message].reactions)
        return {str(one.emoji): set(one.user_ids) for one in found}

    def marks(self, where: int, message: int) -> set[str]:
        """Return the reactions of the bot on a message."""
        bot = self._backend.bot_user.id
        return {emoji for emoji, users in self.reactions(where, message).items() if bot in users}


@contextlib.contextmanager
def discord_server() -> Iterator[DiscordServer]:
    """Run one, and fail the test if it was asked for something that it does not know."""
    server = DiscordServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
    assert server.problems == []
