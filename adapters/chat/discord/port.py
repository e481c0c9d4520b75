"""Discord by discord.py: what comes in goes to `accept`, what goes out comes from the outbox. No state of the product."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import discord
import yarl
from discord import app_commands

from adapters.chat.discord import events
from adapters.chat.discord.render import render, thread_name
from adapters.chat.discord.state import INTENT_HELP, PERMISSIONS, intents_for
from adapters.chat.discord.wire import (
    ARCHIVED,
    HAS_THREAD,
    IN_MENU,
    IS_LOCKED,
    Verb,
    alike,
    asked_by,
    discord_errors,
    modal_of,
    sent_as,
)
from core.chat import (
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
    Picture,
    Rate,
    Revoked,
)  # fmt: skip
from core.messages import Attachment, Doc
from core.sessions import Session, ThreadKey

log = logging.getLogger(__name__)
Accept = Callable[[Event], Awaitable[Accepted]]
Enclose = Callable[[Session, Doc], Awaitable[tuple[Picture, ...]]]
COMMANDS = {
    "undo": "Take the latest turn back", "redo": "Bring back what was undone last", "diff": "Show what changed",
    "checks": "Show what was checked", "preview": "Get a fresh link to the preview", "status": "Show what is going on",
    "stop": "Stop everything in this thread", "continue": "Go on with what was stopped", "export": "Get the code",
    "settings": "Who may drive, what I listen to, what I show", "help": "Show what I can do",
    "waive": "Take a change that the checks kept out",
    "fix": "Mend an error of the running app", "revoke": "Take back every link to the preview that was given out",
}  # fmt: skip
READ_MESSAGES = 100
MOST_USERS = 100
NONCE_SECONDS = 120
LOOK_AGAIN_SECONDS = 2
MAX_TEXT, MAX_TOLD = 4_000, 2_000


class _Client(discord.Client):
    """Hands everything to the port."""

    def __init__(self, port: "DiscordPort", intents: discord.Intents) -> None:
        super().__init__(
            intents=intents, allowed_mentions=discord.AllowedMentions.none(), max_messages=None, guild_ready_timeout=0.5
        )
        self.port = port
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Verb)
        await self.port.prepare()

    async def on_ready(self) -> None:
        self.port.connected.set()
        self.port.missed()

    async def on_resumed(self) -> None:
        self.port.connected.set()

    async def on_message(self, message: discord.Message) -> None:
        await self.port.heard(message, "message")

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        await self.port.heard(payload.message, "edited")

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self.port.accept(events.deletion(payload))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await self.port.reacted(payload, added=True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await self.port.reacted(payload, added=False)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self.port.interacted(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("discord_event_failed", extra={"event_method": event_method})
        # Discord does not send an event again: what was missed is looked up.
        asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self.port.missed)


class DiscordPort:
    """The ChatPort for Discord. Open it with `opened`."""

    platform = events.PLATFORM
    capabilities = Capabilities(
        post=Rate(1.0, 5, "thread"), edit=Rate(40, 40, "workspace"), edit_in_thread=Rate(0.6, 2, "thread"),
        react=Rate(3, 5, "thread"), calls=Rate(45, 45, "workspace"), editable_seconds=55 * 60,
    )  # fmt: skip

    def __init__(self, accept: Accept, enclose: Enclose, gap: Callable[[], None]) -> None:
        self.accept, self._enclose, self._gap = accept, enclose, gap
        self.connected = asyncio.Event()
        self.reads_everything = True
        self._client: _Client

    @contextlib.asynccontextmanager
    async def opened(self, token: str, api_url: str, gateway_url: str) -> AsyncIterator["DiscordPort"]:
        """
        Connect, and stay connected until the end.

        Raises:
            Revoked: Discord refuses the token.
        """
        if api_url:
            discord.http.Route.BASE = api_url.rstrip("/")
        if gateway_url:
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
        task = asyncio.create_task(self._connected(token))
        try:
            waiting = asyncio.ensure_future(self.connected.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            waiting.cancel()
            if task.done():
                task.result()
            yield self
        finally:
            await self._client.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _connected(self, token: str) -> None:
        """Run the client; connect again after errors, more and more slowly: a thousand log-ins a day revoke the token."""
        pause = 5.0
        while True:
            self._client = _Client(self, intents_for(self.reads_everything))
            self._add_commands(self._client.tree)
            try:
                with discord_errors():
                    await self._client.start(token)
                return
            except discord.PrivilegedIntentsRequired:
                log.error("discord_intent_missing: %s", INTENT_HELP)
                self.reads_everything = False
                pause = 0.0
            except Revoked as error:
                log.critical("platform_lost: %s", error)
                raise
            except Exception:
                log.exception("discord_connection_failed")
            finally:
                await self._client.close()
            await asyncio.sleep(pause)
            pause = min(max(pause, 5.0) * 2, 600.0)

    def _add_commands(self, tree: app_commands.CommandTree[_Client]) -> None:
        """Declare the commands; what they do is asked of the inbox by `interacted`."""

        @tree.command(name="build", description="Build something in a new thread, or go on in this one")
        @app_commands.describe(what="What you would like to have")
        async def build(interaction: discord.Interaction, what: app_commands.Range[str, 1, MAX_TEXT]) -> None: ...

        @tree.command(name="queue", description="Say something that waits for its turn")
        @app_commands.describe(what="What you would like to have after this")
        async def queue(interaction: discord.Interaction, what: app_commands.Range[str, 1, MAX_TEXT]) -> None: ...

        for name, text in COMMANDS.items():

            async def simple(interaction: discord.Interaction) -> None: ...

            tree.add_command(app_commands.Command(name=name, description=text, callback=simple))
        for name in IN_MENU:

            async def chosen(interaction: discord.Interaction, message: discord.Message) -> None: ...

            tree.add_command(app_commands.ContextMenu(name=name, callback=chosen))

    async def prepare(self) -> None:
        """Bring Discord's list of commands to ours where it differs: a day has 200 changes."""
        tree = self._client.tree
        wanted = {_name(payload): _described(payload) for payload in (one.to_dict(tree) for one in _all(tree))}
        with discord_errors():
            there = {
                _name(payload): _described(payload)
                for payload in (one.to_dict() for one in await tree.fetch_commands())
            }
            if wanted != there:
                await tree.sync()

    def missed(self) -> None:
        """Look up what was missed: a new session of the gateway has no replay."""
        self._gap()

    async def disconnect(self) -> None:
        """Close the connection for good."""
        await self._client.close()

    async def heard(self, message: discord.Message, kind: Any) -> None:
        """Take in a message, new or edited."""
        assert self._client.user is not None
        if not message.author.bot and isinstance(message.channel, discord.PartialMessageable):
            message.channel = await self._channel(message.channel.id)
        event = events.message_event(message, self._client.user.id, kind)
        if event is None:
            return
        accepted = await self.accept(replace(event, caveat=self._caveat()))
        if accepted.session is None and accepted.answer.doc is not None:
            await self._refused(message, accepted.answer.doc)

    def _caveat(self) -> str:
        return "" if self.reads_everything else f"Please mention me in each message. {INTENT_HELP}"

    async def _refused(self, message: discord.Message, doc: Doc) -> None:
        with contextlib.suppress(discord.HTTPException):
            await message.reply(render(Outgoing(doc))[0].body["content"], mention_author=False)

    async def reacted(self, payload: discord.RawReactionActionEvent, *, added: bool) -> None:
        """Take in a reaction, on any message, cached or not."""
        assert self._client.user is not None
        if (event := events.reaction(payload, self._client.user.id, added)) is not None:
            await self.accept(event)

    async def interacted(self, interaction: discord.Interaction) -> None:
        """Take in a command, a button or a form, and answer it; what it sets off is answered in the thread."""
        asked = asked_by(interaction)
        if asked is None:
            return
        verb, target = asked
        interaction = await self._placed(interaction)
        if verb in SLOW:
            # Looking up may take longer than the three seconds that Discord waits; nothing is lost if this breaks off.
            with contextlib.suppress(discord.NotFound):
                await interaction.response.defer(ephemeral=True)
        if verb == "queue":
            verb, target = "build", f"{target.rstrip(' .!?')}. queue"
        accepted = await self.accept(replace(events.command(interaction, verb, target), caveat=self._caveat()))
        answer = accepted.answer
        try:
            if answer.form is not None:
                await interaction.response.send_modal(modal_of(answer.form))
                return
            await self._answered(interaction, verb, accepted, answer)
        except discord.InteractionResponded:
            pass
        except discord.NotFound:
            # Discord waits three seconds; what came later is said in the thread.
            if answer.doc is not None and accepted.session and not accepted.session.key.thread.startswith(OPENING):
                with contextlib.suppress(discord.HTTPException):
                    for part in render(Outgoing(answer.doc)):
                        await self._text(accepted.session.key.thread).send(**sent_as(part))

    async def _placed(self, interaction: discord.Interaction) -> discord.Interaction:
        if interaction.channel is None and interaction.channel_id is not None:
            interaction.channel = await self._channel(interaction.channel_id)
        return interaction

    async def _answered(self, interaction: discord.Interaction, verb: str, accepted: Accepted, answer: Answer) -> None:
        """Answer privately."""
        if answer.doc is None:
            text = "Opening a thread for it." if _opens(accepted) else SAID.get(verb, "Noted; see below.")
            await interaction.response.send_message(text, ephemeral=True)
            return
        files = await self._enclose(accepted.session, answer.doc) if accepted.session else ()
        for part in render(Outgoing(answer.doc, files=files)):
            if interaction.response.is_done():
                await interaction.followup.send(**sent_as(part), ephemeral=True)
            else:
                await interaction.response.send_message(**sent_as(part), ephemeral=True)

    def render(self, message: Outgoing) -> tuple[Part, ...]:
        """Return the messages that show `message`."""
        return render(message)

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        """Open a thread from the message that the key names, or from a new one."""
        named = key.thread.removeprefix(OPENING)
        with discord_errors():
            if named.startswith("at:"):
                number = int(named.removeprefix("at:"))
            else:
                sent = await self._text(key.channel).send(**sent_as(root), nonce=nonce)
                number = sent.id
            try:
                await self._client.http.start_thread_with_message(
                    int(key.channel), number, name=thread_name(title), auto_archive_duration=4320
                )
            except discord.Forbidden:
                lacking = self._lacking(replace(key, thread=key.channel)) or "Create Public Threads"
                await self._text(key.channel).send(f"I cannot open a thread here: I lack {lacking}.")
                raise
            except discord.HTTPException as error:
                if error.code != HAS_THREAD:
                    raise
        return str(number), str(number)

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        """Post a message; the nonce keeps a repetition from being a second one."""
        with discord_errors(self._lacking(key)):
            return str((await self._text(key.thread).send(**sent_as(part), nonce=nonce)).id)

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        """Look for our message with the same content and buttons; within minutes the nonce does the same."""
        if time.time() - since < NONCE_SECONDS:
            # Posting again with the same nonce returns the message if it is there.
            return ""
        after = datetime.fromtimestamp(since - 60, UTC)
        assert self._client.user is not None
        with discord_errors():
            async for message in self._text(key.thread).history(limit=READ_MESSAGES, after=after, oldest_first=True):
                if message.author.id == self._client.user.id and alike(message, part):
                    return str(message.id)
        return ""

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        """Edit a message; in an archived thread nothing can be edited, so that is opened first."""
        message = self._text(key.thread).get_partial_message(int(remote_id))
        sent = {"view": None, **{name: value for name, value in sent_as(part).items() if name != "files"}}
        with discord_errors():
            try:
                await message.edit(**sent)
            except discord.HTTPException as error:
                if error.code != ARCHIVED:
                    raise
                await self._unarchive(key)
                await message.edit(**sent)

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        """Delete a message of ours."""
        with contextlib.suppress(Missing), discord_errors():
            await self._text(key.thread).get_partial_message(int(remote_id)).delete()

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        """Put a reaction or take it away; the root of a thread lies in the channel that it was opened from."""
        channel = key.channel if remote_id == key.thread else key.thread
        message = self._text(channel).get_partial_message(int(remote_id))
        assert self._client.user is not None
        with discord_errors():
            try:
                await self._react(message, emoji, present)
            except discord.HTTPException as error:
                if error.code != ARCHIVED:
                    raise
                await self._unarchive(key)
                await self._react(message, emoji, present)

    async def _unarchive(self, key: ThreadKey) -> None:
        """Open an archived thread again; one that somebody has locked stays as it is."""
        if (await self._client.fetch_channel(int(key.thread))).locked:  # type: ignore[union-attr]
            raise NotAllowed(IS_LOCKED)
        await self._client.http.edit_channel(int(key.thread), archived=False)

    async def _react(self, message: discord.PartialMessage, emoji: str, present: bool) -> None:
        assert self._client.user is not None
        if present:
            await message.add_reaction(emoji)
        else:
            await message.remove_reaction(emoji, self._client.user)

    async def tell(self, key: ThreadKey, person: str, text: str) -> None:
        """Write a person a direct message."""
        with discord_errors():
            direct = await self._client.create_dm(discord.Object(int(person)))
            await direct.send(text[:MAX_TOLD])

    async def working(self, key: ThreadKey, text: str) -> None:
        """Show “is typing”, for ten seconds."""
        if text:
            with discord_errors():
                await self._text(key.thread).typing()

    async def history(self, key: ThreadKey, after: str) -> Past:
        """Read the latest messages of a thread: what is new, what was edited, reactions, what is still there."""
        assert self._client.user is not None
        me = self._client.user.id
        with discord_errors():
            channel = await self._channel(int(key.thread))
            recent = [one async for one in channel.history(limit=READ_MESSAGES)]
            seen, root = int(after or 0), []
            if not seen and key.channel != key.thread:
                # The message that a thread was opened from lies in the channel.
                with contextlib.suppress(discord.NotFound, discord.Forbidden):
                    root = [await self._text(key.channel).get_partial_message(int(key.thread)).fetch()]
            older = [
                one async for one in channel.history(limit=None, after=discord.Object(seen), before=recent[-1])
            ] if seen and recent and recent[-1].id > seen else []  # fmt: skip
            found: list[Event] = []
            for message in sorted([*root, *recent, *older], key=lambda one: one.id):
                edited = events.message_event(message, me, "edited") if message.edited_at else None
                found += [one for one in (events.message_event(message, me), edited) if one is not None]
                found += await self._reactions(message) if message.author.id == me else []
        whole = frozenset([key.thread, *(str(one.id) for one in [*recent, *older])])
        since = recent[-1].created_at.timestamp() if recent else float("inf")
        partial = frozenset(
            (str(message.id), str(one.emoji))
            for message in recent
            for one in message.reactions
            if one.count > MOST_USERS
        )
        return Past(tuple(found), whole, 0.0 if len(recent) < READ_MESSAGES and recent else since, partial)

    async def _reactions(self, message: discord.Message) -> list[Event]:
        """Return the reactions of people on a message of ours."""
        assert self._client.user is not None
        guild = str(message.guild.id) if message.guild else events.DIRECT
        found: list[Event] = []
        for one in message.reactions:
            async for user in one.users(limit=MOST_USERS):
                if user.id != self._client.user.id:
                    key = ThreadKey(events.PLATFORM, guild, "", "")
                    number = f"discord:{message.id}:{user.id}:{one.emoji}:caught-up"
                    found.append(
                        Event(number, key, events.author_of(user), "reaction_added", remote_id=str(message.id),
                              emoji=str(one.emoji), at=message.created_at.timestamp())
                    )  # fmt: skip
        return found

    async def fetch(self, attachment: Attachment) -> bytes:
        """Read an attachment; its address expires, so its message is asked for a fresh one."""
        channel, message, number = attachment.ref.partition(":")[2].split("/")
        with discord_errors():
            found = await self._text(channel).get_partial_message(int(message)).fetch()
            one = next((one for one in found.attachments if str(one.id) == number), None)
            if one is None:
                raise Missing("the file is not in its message any more")
            return await one.read()

    def _text(self, number: str) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(int(number))

    async def _channel(self, number: int) -> Any:
        """Return a channel or thread, from Discord where it is not cached: archived threads never are."""
        with discord_errors():
            return self._client.get_channel(number) or await self._client.fetch_channel(number)

    def _lacking(self, key: ThreadKey) -> str:
        """Return the permissions that the bot lacks in a thread's channel."""
        channel = self._client.get_channel(int(key.channel))
        if not isinstance(channel, discord.abc.GuildChannel):
            return ""
        have = channel.permissions_for(channel.guild.me)
        names = [name for name, wanted in PERMISSIONS if wanted and not getattr(have, name)]
        return ", ".join(name.replace("_", " ").title() for name in names)


SLOW = ("diff", "checks", "preview", "export")
SAID = {
    "undo": "Undoing.", "redo": "Redoing.", "undo_to": "Undoing what came after.", "stop": "Stopping.",
    "continue": "Going on.", "retry": "Trying again.", "build": "Noted.", "allow": "Let through.",
}  # fmt: skip


def _all(tree: app_commands.CommandTree[_Client]) -> list[Any]:
    menus = tree.get_commands(type=discord.AppCommandType.message)
    return [*tree.get_commands(type=discord.AppCommandType.chat_input), *menus]


def _name(payload: Any) -> tuple[str, int]:
    kind = payload["type"]
    return payload["name"], int(getattr(kind, "value", kind))


def _described(payload: Any) -> tuple[str, tuple[str, ...]]:
    options = payload.get("options") or []
    return payload.get("description") or "", tuple(f"{one['name']}:{one['description']}" for one in options)


def _opens(accepted: Accepted) -> bool:
    return accepted.session is not None and accepted.session.key.thread.startswith(OPENING)
