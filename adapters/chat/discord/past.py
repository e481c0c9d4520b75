"""What happened at Discord while nobody listened: read again, as the events that it would have been."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import discord

from adapters.chat.discord import events
from core.chat import ANYWHERE, Event, Past
from core.sessions import ThreadKey

READ_MESSAGES, MOST_CALLS = 100, 10_000
MOST_USERS = 100


async def thread_past(client: discord.Client, channel: Any, key: ThreadKey, after: str) -> Past:
    """Read the latest messages of a thread: what is new, what was edited, reactions, what is still there."""
    assert client.user is not None
    me = client.user.id
    recent = [one async for one in channel.history(limit=READ_MESSAGES)]
    seen, root = int(after or 0), []
    if not seen and key.channel != key.thread:
        # The message that a thread was opened from lies in the channel.
        with contextlib.suppress(discord.NotFound, discord.Forbidden):
            parent = client.get_partial_messageable(int(key.channel))
            root = [await parent.get_partial_message(int(key.thread)).fetch()]
    older = [
        one async for one in channel.history(limit=None, after=discord.Object(seen), before=recent[-1])
    ] if seen and recent and recent[-1].id > seen else []  # fmt: skip
    found: list[Event] = []
    for message in sorted([*root, *recent, *older], key=lambda one: one.id):
        edited = events.message_event(message, me, "edited") if message.edited_at else None
        found += [one for one in (events.message_event(message, me), edited) if one is not None]
        found += await _reactions(message, me)
    whole = frozenset([key.thread, *(str(one.id) for one in [*recent, *older])])
    since = recent[-1].created_at.timestamp() if recent else float("inf")
    partial = frozenset(
        (str(message.id), str(one.emoji)) for message in recent for one in message.reactions if one.count > MOST_USERS
    )
    return Past(tuple(found), whole, 0.0 if len(recent) < READ_MESSAGES and recent else since, partial)


async def _reactions(message: discord.Message, me: int) -> list[Event]:
    """Return the reactions of people: all on a message of ours, on others those that count anywhere."""
    guild = str(message.guild.id) if message.guild else events.DIRECT
    found: list[Event] = []
    for one in message.reactions:
        if message.author.id != me and str(one.emoji) not in ANYWHERE:
            continue
        async for user in one.users(limit=MOST_USERS):
            if user.id != me:
                key = ThreadKey(events.PLATFORM, guild, "", "")
                number = f"discord:{message.id}:{user.id}:{one.emoji}:caught-up"
                found.append(
                    Event(number, key, events.author_of(user), "reaction_added", remote_id=str(message.id),
                          emoji=str(one.emoji), at=message.created_at.timestamp())
                )  # fmt: skip
    return found


def places(client: discord.Client, since: float) -> tuple[ThreadKey, ...]:
    """Return the channels that the bot may read and in which something was said since a time, by what is cached."""
    first = discord.utils.time_snowflake(datetime.fromtimestamp(since, UTC))
    return tuple(
        ThreadKey(events.PLATFORM, str(guild.id), str(channel.id), "")
        for guild in client.guilds
        for channel in guild.text_channels
        if (channel.last_message_id or 0) >= first and channel.permissions_for(guild.me).read_message_history
    )


async def called(client: discord.Client, place: ThreadKey, since: float) -> tuple[Event, ...]:
    """Return the messages of a channel that called the bot since a time, oldest first."""
    assert client.user is not None
    channel: Any = client.get_channel(int(place.channel))
    after = datetime.fromtimestamp(since, UTC)
    said = [one async for one in channel.history(limit=MOST_CALLS, after=after, oldest_first=False)] if channel else []
    found = [events.message_event(one, client.user.id) for one in reversed(said)]
    return tuple(one for one in found if one is not None and one.begins)
