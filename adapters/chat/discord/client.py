"""discord.py's client with our commands declared; all that it hears goes on to the port."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Literal, Protocol

import discord
from discord import app_commands
from discord.backoff import ExponentialBackoff

from adapters.chat.discord.wire import Verb, discord_errors
from core.clock import Clock
from core.thread.commands import COMMANDS, MENU

log = logging.getLogger(__name__)
MAX_TEXT = 4_000
LOOK_AGAIN_SECONDS = 2
QUICK_SECONDS, MOST_AN_HOUR, HOUR_SECONDS = 8.0, 40, 3_600.0
"""How long to wait before connecting again, as long as there were fewer log-ins than that in an hour."""


class Hears(Protocol):
    """What the client tells of."""

    def arrived(self) -> None:
        """The connection is there."""

    def missed(self) -> None:
        """Something may not have been heard; Discord does not send an event again."""

    async def heard(self, message: discord.Message, kind: Literal["message", "edited"]) -> None:
        """A message was written or edited."""

    async def deleted(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        """A message was deleted."""

    async def closed(self, guild_id: int, channel_id: int, thread_id: int | None) -> None:
        """A thread was deleted, or a channel with all its threads."""

    async def reacted(self, payload: discord.RawReactionActionEvent, *, added: bool) -> None:
        """A reaction has come or gone."""

    async def interacted(self, interaction: discord.Interaction) -> None:
        """A command was given, a button pressed or a form sent."""


class LogIns:
    """How often the bot has logged in: a thousand times a day revoke its token, so it hurries only as long as there were few."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._at = clock, deque[float](maxlen=MOST_AN_HOUR)

    def one_more(self) -> None:
        """Count one."""
        self._at.append(self._clock.steady())

    def few(self) -> bool:
        """Say whether another one may follow at once."""
        return len(self._at) < MOST_AN_HOUR or self._clock.steady() - self._at[0] > HOUR_SECONDS


_LOG_INS: ContextVar[LogIns] = ContextVar("_LOG_INS")


class _Prompt(ExponentialBackoff[Literal[False]]):
    """
    Waits for seconds, however long an outage lasts: discord.py's own waits for minutes after the fourth try.

    A try that does not reach Discord costs nothing; it is log-ins that are counted there.
    """

    def delay(self) -> float:
        wanted = super().delay()
        return min(wanted, QUICK_SECONDS) if _LOG_INS.get().few() else wanted


# There is no parameter for it.
setattr(discord.client, "ExponentialBackoff", _Prompt)  # noqa: B010 - mypy knows the name as a class


def client_for(hears: Hears, intents: discord.Intents, log_ins: LogIns) -> discord.Client:
    """Return a client that tells `hears` what it hears, and counts its log-ins."""
    return _Client(hears, intents, log_ins)


class _Client(discord.Client):
    """Hands everything on."""

    def __init__(self, hears: Hears, intents: discord.Intents, log_ins: LogIns) -> None:
        super().__init__(
            intents=intents, allowed_mentions=discord.AllowedMentions.none(), max_messages=None, guild_ready_timeout=0.5
        )
        self._hears, self._log_ins = hears, log_ins
        self.tree = app_commands.CommandTree(self)
        _declare(self.tree)
        parsers = self._connection.parsers
        for event in parsers:
            parsers[event] = self._careful(event, parsers[event])

    def _careful(self, event: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
        """discord.py ends the connection when a payload has not the documented form; that must cost one event only."""

        def careful(data: Any) -> None:
            try:
                parse(data)
            except Exception:
                log.exception("discord_payload_odd", extra={"payload": event})
                self._look_again()

        return careful

    def _look_again(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self._hears.missed)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected; how long it waits in between depends on how often it has logged in."""
        _LOG_INS.set(self._log_ins)
        await super().connect(reconnect=reconnect)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Count a log-in."""
        self._log_ins.one_more()
        await super().before_identify_hook(shard_id, initial=initial)

    async def setup_hook(self) -> None:
        """Before the first event: buttons of ours, and the list of commands, brought up to date where it differs."""
        self.add_dynamic_items(Verb)
        wanted = {
            _name(payload): _described(payload) for payload in (one.to_dict(self.tree) for one in _all(self.tree))
        }
        with discord_errors():
            there = {
                _name(payload): _described(payload)
                for payload in (one.to_dict() for one in await self.tree.fetch_commands())
            }
            # A day has 200 changes.
            if wanted != there:
                await self.tree.sync()

    async def on_ready(self) -> None:
        self._hears.arrived()
        # A new session has no replay.
        self._hears.missed()

    async def on_resumed(self) -> None:
        self._hears.arrived()

    async def on_message(self, message: discord.Message) -> None:
        await self._hears.heard(message, "message")

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        await self._hears.heard(payload.message, "edited")

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self._hears.deleted(payload.guild_id, payload.channel_id, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for number in payload.message_ids:
            await self._hears.deleted(payload.guild_id, payload.channel_id, number)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self._hears.closed(payload.guild_id, payload.parent_id, payload.thread_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._hears.closed(channel.guild.id, channel.id, None)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await self._hears.reacted(payload, added=True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await self._hears.reacted(payload, added=False)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self._hears.interacted(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("discord_event_failed", extra={"event_method": event_method})
        self._look_again()


def _declare(tree: app_commands.CommandTree[_Client]) -> None:
    """Declare the commands; what they do is asked of the port, in one place for all."""

    async def simple(interaction: discord.Interaction) -> None: ...

    async def asking(interaction: discord.Interaction, what: app_commands.Range[str, 1, MAX_TEXT]) -> None: ...

    async def perhaps(interaction: discord.Interaction, what: app_commands.Range[str, 1, MAX_TEXT] = "") -> None: ...

    for command in COMMANDS.values():
        if command.slash:
            # “/build” alone opens a form.
            taken: Any = perhaps if command.verb == "build" else asking if command.asks else simple
            declared: Any = app_commands.Command(name=command.verb, description=command.slash, callback=taken)
            if command.asks:
                app_commands.describe(what=command.asks)(declared)
            tree.add_command(declared)
    for name in MENU:

        async def chosen(interaction: discord.Interaction, message: discord.Message) -> None: ...

        tree.add_command(app_commands.ContextMenu(name=name, callback=chosen))


def _all(tree: app_commands.CommandTree[_Client]) -> list[Any]:
    menus = tree.get_commands(type=discord.AppCommandType.message)
    return [*tree.get_commands(type=discord.AppCommandType.chat_input), *menus]


def _name(payload: Any) -> tuple[str, int]:
    kind = payload["type"]
    return payload["name"], int(getattr(kind, "value", kind))


def _described(payload: Any) -> tuple[str, tuple[str, ...]]:
    options = payload.get("options") or []
    return payload.get("description") or "", tuple(f"{one['name']}:{one['description']}" for one in options)
