"""Discord by discord.py: what comes in goes to `accept`, what goes out comes from the outbox. No state of the product."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import discord
import yarl

from adapters.chat.discord import events, past
from adapters.chat.discord.client import LogIns, client_for
from adapters.chat.discord.render import MAX_CONTENT, render, thread_name
from adapters.chat.discord.state import INTENT_HELP, intents_for, lacking_in
from adapters.chat.discord.wire import (
    ARCHIVED,
    HAS_THREAD,
    IS_LOCKED,
    NO_EMBEDS,
    alike,
    asked_by,
    discord_errors,
    flat,
    modal_of,
    sent_as,
)
from adapters.chat.text import cut
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
from core.clock import APART_SECONDS, SYSTEM, Clock
from core.errors import OutsideError
from core.messages import Attachment, Doc
from core.sessions import Author, Session, ThreadKey
from core.starters import NOTHING_FILLED_IN
from core.thread.commands import COMMANDS

log = logging.getLogger(__name__)
Accept = Callable[[Event], Awaitable[Accepted]]
Enclose = Callable[[Session, Doc], Awaitable[tuple[Picture, ...]]]
NONCE_SECONDS = 120
MAX_TOLD = 2_000
FIRST_PAUSE, WELL_SECONDS = 5.0, 300.0
"""How long to wait before connecting again, and how long a connection has to last for that to begin anew."""


class DiscordPort:
    """The ChatPort for Discord. Open it with `opened`."""

    platform = events.PLATFORM
    capabilities = Capabilities(
        post=Rate(1.0, 5, "thread"), edit=Rate(40, 40, "workspace"), edit_in_thread=Rate(0.6, 2, "thread"),
        react=Rate(3, 5, "thread"), calls=Rate(45, 45, "workspace"), editable_seconds=55 * 60,
    )  # fmt: skip

    def __init__(self, accept: Accept, enclose: Enclose, gap: Callable[[], None], clock: Clock = SYSTEM) -> None:
        self.accept, self._enclose, self._gap, self._clock = accept, enclose, gap, clock
        self._log_ins = LogIns(clock)
        self.connected = asyncio.Event()
        self.reads_everything = True
        self._lost = ""
        self._client: discord.Client

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
        pause = FIRST_PAUSE
        while True:
            client, began = self.fresh_client(), self._clock.steady()
            try:
                with discord_errors():
                    await client.start(token)
                return
            except discord.PrivilegedIntentsRequired:
                log.error("discord_intent_missing: %s", INTENT_HELP)
                self.reads_everything = False
                pause = 0.0
            except Revoked as error:
                log.critical("platform_lost: %s", error)
                self._lost = str(error)
                raise
            except OutsideError as error:
                log.error("discord_connection_failed: %s", error)
                if self._log_ins.few():
                    # Not reached, or refused before it came to a log-in: such a try costs nothing.
                    pause = min(pause, FIRST_PAUSE)
            except Exception:
                log.exception("discord_connection_failed")
            finally:
                await client.close()
            if self._clock.steady() - began > WELL_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(max(pause, FIRST_PAUSE) * 2, 600.0)

    def fresh_client(self) -> discord.Client:
        """Return a client that tells this port what it hears, and by which the port speaks from now on."""
        self._client = client_for(self, intents_for(self.reads_everything), self._log_ins)
        return self._client

    def arrived(self) -> None:
        """The connection is there."""
        self.connected.set()

    def missed(self) -> None:
        """Look up what was missed."""
        self._gap()

    async def problem(self) -> str:
        """Return what keeps people from being heard."""
        client: Any = self._client
        if self._lost or client.is_closed() or client.ws is None or not client.ws.open:
            return self._lost or "There is no connection to Discord right now; I keep trying."
        return "" if self.reads_everything else INTENT_HELP

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

    async def closed(self, guild_id: int, channel_id: int, thread_id: int | None) -> None:
        """Take in that a thread is gone, or a channel with all its threads."""
        key = ThreadKey(self.platform, str(guild_id), str(channel_id), str(thread_id or ""))
        await self.accept(Event(f"discord:{thread_id or channel_id}:closed", key, Author("", "somebody"), "closed"))

    async def deleted(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        """Take in that a message is gone."""
        await self.accept(events.deletion(guild_id, channel_id, message_id))

    async def reacted(self, payload: discord.RawReactionActionEvent, *, added: bool) -> None:
        """Take in a reaction, on any message, cached or not."""
        assert self._client.user is not None
        event = events.reaction(payload, self._client.user.id, added)
        if event is None:
            return
        if payload.member is None and payload.guild_id is not None:
            event = replace(event, author=await self._named(payload.guild_id, payload.user_id))
        accepted = await self.accept(replace(event, removable=self._may_take_off(payload)))
        for emoji in accepted.taken_off:
            message = self._text(str(payload.channel_id)).get_partial_message(payload.message_id)
            with contextlib.suppress(discord.HTTPException):
                await message.remove_reaction(emoji, discord.Object(payload.user_id))

    def _may_take_off(self, payload: discord.RawReactionActionEvent) -> bool:
        """Say whether the bot may take other people's reactions off there, for which it does not ask but which it may be given."""
        guild = self._client.get_guild(payload.guild_id or 0)
        channel = guild and guild.get_channel_or_thread(payload.channel_id)
        return bool(guild and channel and channel.permissions_for(guild.me).manage_messages)

    async def _named(self, guild_id: int, user_id: int) -> Author:
        """Return a member whose name Discord has not told; their id is the name where it cannot be asked for."""
        guild = self._client.get_guild(guild_id)
        with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, OSError):
            if guild is not None:
                return events.author_of(guild.get_member(user_id) or await guild.fetch_member(user_id))
        return events.author_of(None, user_id)

    async def interacted(self, interaction: discord.Interaction) -> None:
        """Take in a command, a button or a form, and answer it; what it sets off is answered in the thread."""
        asked = asked_by(interaction)
        if asked is None:
            return
        verb, target = asked
        interaction = await self._placed(interaction)
        if _slow(verb):
            # Looking up may take longer than the three seconds that Discord waits; nothing is lost if this breaks off.
            with contextlib.suppress(discord.NotFound):
                await interaction.response.defer(ephemeral=True, thinking=True)
        accepted = await self.accept(replace(events.command(interaction, verb, target), caveat=self._caveat()))
        if not accepted.new:
            # It came twice, and has had its answer.
            return
        answer = accepted.answer
        try:
            if answer.form is not None and interaction.type is discord.InteractionType.modal_submit:
                await interaction.response.send_message(NOTHING_FILLED_IN, ephemeral=True)
                return
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
            command = COMMANDS.get(verb)
            text = (
                "Opening a thread for it."
                if _opens(accepted)
                else (command.doing if command else "") or "Noted; see below."
            )
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

    def plain(self, part: Part) -> Part:
        """Return a part as its text, with what its embed and its link buttons say."""
        links = [one for row in part.body["components"] for one in row["components"] if "url" in one]
        said = "".join(f"\n{one['label']}: {one['url']}" for one in links)
        body = {**part.body, "content": cut(part.body["content"], MAX_CONTENT - len(said)) + said, "components": []}
        return flat(replace(part, body=body), "")

    async def open_thread(self, key: ThreadKey, title: str, root: Part, nonce: str) -> tuple[str, str]:
        """Open a thread from the message that the key names, or from a new one."""
        named = key.thread.removeprefix(OPENING)
        with self._errors(key):
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
                lacking = self._lacking(key) or "Create Public Threads"
                await self._text(key.channel).send(f"I cannot open a thread here: I lack {lacking}.")
                raise
            except discord.HTTPException as error:
                if error.code != HAS_THREAD:
                    raise
        return str(number), str(number)

    async def post(self, key: ThreadKey, part: Part, nonce: str) -> str:
        """Post a message; the nonce keeps a repetition from being a second one."""
        with self._errors(key):
            return str((await self._text(key.thread).send(**sent_as(self._fitting(key, part)), nonce=nonce)).id)

    async def find(self, key: ThreadKey, part: Part, nonce: str, since: float) -> str:
        """Look for our message with the same content and buttons; within minutes the nonce does the same."""
        if self._clock.now() - since < NONCE_SECONDS:
            # Posting again with the same nonce returns the message if it is there.
            return ""
        # By Discord's clock, which need not be the one of this machine.
        after, fitting = datetime.fromtimestamp(since - APART_SECONDS, UTC), self._fitting(key, part)
        assert self._client.user is not None
        with self._errors(key):
            async for message in self._text(key.thread).history(limit=past.MOST_CALLS, after=after, oldest_first=True):
                if message.author.id == self._client.user.id and alike(message, fitting):
                    return str(message.id)
        return ""

    async def edit(self, key: ThreadKey, remote_id: str, part: Part) -> None:
        """Edit a message; in an archived thread nothing can be edited, so that is opened first."""
        message = self._text(key.thread).get_partial_message(int(remote_id))

        def sent() -> dict[str, Any]:
            # Made anew for each call: a file is read once.
            arguments: dict[str, Any] = {"view": None, **sent_as(self._fitting(key, part))}
            if "files" in arguments:
                arguments["attachments"] = arguments.pop("files")
            return arguments

        with self._errors(key):
            try:
                await message.edit(**sent())
            except discord.HTTPException as error:
                if error.code != ARCHIVED:
                    raise
                await self._unarchive(key)
                await message.edit(**sent())

    async def delete(self, key: ThreadKey, remote_id: str) -> None:
        """Delete a message of ours."""
        with contextlib.suppress(Missing), self._errors(key):
            await self._text(key.thread).get_partial_message(int(remote_id)).delete()

    async def react(self, key: ThreadKey, remote_id: str, emoji: str, present: bool) -> None:
        """Put a reaction or take it away; the root of a thread lies in the channel that it was opened from, but in a forum."""
        at_root = remote_id == key.thread and not isinstance(
            await self._channel(int(key.channel)), discord.ForumChannel
        )
        channel = key.channel if at_root else key.thread
        message = self._text(channel).get_partial_message(int(remote_id))
        assert self._client.user is not None
        with self._errors(key):
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
            with self._errors(key):
                await self._text(key.thread).typing()

    async def history(self, key: ThreadKey, after: str) -> Past:
        """Read the latest messages of a thread: what is new, what was edited, reactions, what is still there."""
        with self._errors(key):
            return await past.thread_past(self._client, await self._channel(int(key.thread)), key, after)

    async def places(self, since: float) -> tuple[ThreadKey, ...]:
        """Return the channels in which something was said since a time."""
        return past.places(self._client, since)

    async def called(self, place: ThreadKey, since: float) -> tuple[Event, ...]:
        """Return who called the bot in a channel since a time."""
        with discord_errors():
            return await past.called(self._client, place, since)

    async def fetch(self, attachment: Attachment) -> bytes:
        """Read an attachment; its address expires, so its message is asked for a fresh one."""
        channel, message, number = attachment.ref.partition(":")[2].split("/")
        with discord_errors():
            found = await self._text(channel).get_partial_message(int(message)).fetch()
            forwarded = (one for shot in found.message_snapshots for one in shot.attachments)
            one = next((one for one in (*found.attachments, *forwarded) if str(one.id) == number), None)
            if one is None:
                raise Missing("the file is not in its message any more")
            return await one.read()

    def _text(self, number: str) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(int(number))

    async def _channel(self, number: int) -> Any:
        """Return a channel or thread, from Discord where it is not cached: archived threads never are."""
        with discord_errors():
            return self._client.get_channel(number) or await self._client.fetch_channel(number)

    def _errors(self, key: ThreadKey) -> contextlib.AbstractContextManager[None]:
        return discord_errors(partial(self._lacking, key))

    def _fitting(self, key: ThreadKey, part: Part) -> Part:
        """Return a part as its channel takes it: without the right to embed Discord leaves embeds out, and says nothing."""
        have = self._rights(key)
        return part if have is None or have.embed_links else flat(part, NO_EMBEDS)

    def _lacking(self, key: ThreadKey) -> str:
        """Return the permissions that the bot lacks in a thread's channel."""
        have = self._rights(key)
        return lacking_in(have) if have is not None else ""

    def _rights(self, key: ThreadKey) -> discord.Permissions | None:
        channel = self._client.get_channel(int(key.channel))
        return channel.permissions_for(channel.guild.me) if isinstance(channel, discord.abc.GuildChannel) else None


def _slow(verb: str) -> bool:
    return verb in COMMANDS and COMMANDS[verb].slow


def _opens(accepted: Accepted) -> bool:
    return accepted.session is not None and accepted.session.key.thread.startswith(OPENING)
