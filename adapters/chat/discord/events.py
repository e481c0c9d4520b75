"""What Discord reports, as events. Pure; works on discord.py's objects, cached or not."""

import re
import time
from collections.abc import Iterable
from typing import Literal

import discord

from core.chat import OPENING, Event
from core.messages import Attachment
from core.sessions import Author, ThreadKey

PLATFORM = "discord"
DIRECT = "direct"
KINDS = (discord.MessageType.default, discord.MessageType.reply)
MOST_FORWARDED = 4_000
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_MENTION = re.compile(r"<@[!&]?(\d+)>")


def author_of(user: discord.abc.User | None, number: int = 0) -> Author:
    """Return a person; where only the id is known it is the name too."""
    if user is None:
        return Author(str(number), f"user {number}")
    return Author(str(user.id), user.display_name or str(user.id))


def roles_of(user: object) -> tuple[str, ...]:
    """Return the ids of a member's roles."""
    return tuple(str(role.id) for role in user.roles) if isinstance(user, discord.Member) else ()


def key_of(channel: object, guild_id: int | None, opened_by: str = "") -> ThreadKey:
    """
    Return the key of the thread that a channel is; of another channel the key of a thread to be opened there.

    `opened_by` is the message to open it from, or an interaction's id.
    """
    number = str(getattr(channel, "id", channel))
    if guild_id is None:
        return ThreadKey(PLATFORM, DIRECT, number, number)
    if isinstance(channel, discord.Thread):
        return ThreadKey(PLATFORM, str(guild_id), str(channel.parent_id), number)
    return ThreadKey(PLATFORM, str(guild_id), number, f"{OPENING}{opened_by}" if opened_by else number)


def message_event(message: discord.Message, me: int, kind: Literal["message", "edited"] = "message") -> Event | None:
    """Return a person's message as an event, None for what is not for us: bots, system messages, empty unfurls."""
    if message.author.bot or message.type not in KINDS or message.webhook_id:
        return None
    edited = message.edited_at
    if kind == "edited" and edited is None:
        return None
    guild = message.guild.id if message.guild else None
    mentioned = any(user.id == me for user in message.mentions) or _role_called(message, me)
    others = guild is not None and _for_others(message.content, me)
    said = _readable(_spoken(message.content, me, mentioned), message)
    text = "\n\n".join(part for part in (said, *_forwarded(message)) if part)
    files = tuple(
        attachment(one, message)
        for one in (*message.attachments, *(one for shot in message.message_snapshots for one in shot.attachments))
    )
    if not (text or files or mentioned):
        # A sticker, a poll, or what may not be read.
        return None
    return Event(
        f"discord:{message.id}" + (f":{edited.isoformat()}" if kind == "edited" and edited else ""),
        key_of(message.channel, guild, f"at:{message.id}"),
        author_of(message.author),
        kind,
        text=text,
        link=message.jump_url,
        remote_id=str(message.id),
        files=files,
        replied_to=_replied_to(message, me),
        roles=roles_of(message.author),
        people=_named(message, me),
        begins=(mentioned and not others) or guild is None,
        mentioned=mentioned or guild is None,
        for_others=others,
        at=message.created_at.timestamp(),
    )


def _role_called(message: discord.Message, me: int) -> bool:
    """Say whether the bot's own role is mentioned, as people do when both are offered."""
    bot = message.guild.get_member(me) if message.guild else None
    return bot is not None and any(role in message.role_mentions for role in bot.roles if role.is_bot_managed())


def _spoken(text: str, me: int, mentioned: bool) -> str:
    """Return the text without the mention of the bot at its beginning or end."""
    if not mentioned:
        return text
    words = re.sub(rf"<@!?{me}>", "", text)
    return re.sub(r"^\s*<@&\d+>", "", words).strip()


def _named(message: discord.Message, me: int) -> tuple[Author, ...]:
    """Return whom the text names. Discord's own list has whoever is replied to as well, and no order."""
    users = {str(user.id): author_of(user) for user in message.mentions if user.id != me}
    return tuple(users[number] for number in dict.fromkeys(_MENTION.findall(message.content)) if number in users)


def _readable(text: str, message: discord.Message) -> str:
    """Return the text with the names of what it links to; people's names follow from their ids."""
    names = {f"<#{one.id}>": f"#{one.name}" for one in message.channel_mentions}
    names |= {f"<@&{one.id}>": f"@{one.name}" for one in message.role_mentions}
    return _EMOJI.sub(r"\1", re.sub(r"<(?:#|@&)\d+>", lambda match: names.get(match[0], match[0]), text))


def _forwarded(message: discord.Message) -> list[str]:
    """Return what was forwarded with a message, cards of other services among it; who wrote it is not told."""
    link = f" ({message.reference.jump_url})" if message.reference else ""
    said = [
        "\n".join(part for part in (one.content, *map(_card, one.embeds)) if part) for one in message.message_snapshots
    ]
    return [f"Forwarded{link}:\n{one[:MOST_FORWARDED]}" for one in said if one]


def _card(embed: discord.Embed) -> str:
    """Return what a card says."""
    fields = [f"{one.name}: {one.value}" for one in embed.fields]
    return "\n".join(str(part) for part in (embed.title, embed.url, embed.description, *fields) if part)


def _replied_to(message: discord.Message, me: int) -> str:
    """Return the message that this one answers, '' where it is none, is ours, or is not there any more."""
    other = message.reference.resolved if message.reference and message.type is discord.MessageType.reply else None
    if not isinstance(other, discord.Message) or other.author.id == me:
        return ""
    said = "\n".join(part for part in (_readable(other.content, other), *map(_card, other.embeds)) if part)
    files = "".join(f"\n📎 {one.filename}" for one in other.attachments)
    return f"{other.author.display_name}: {said[:MOST_FORWARDED]}{files}" if said or files else ""


def _for_others(text: str, me: int) -> bool:
    found = _MENTION.match(text.lstrip())
    return found is not None and found[1] != str(me) and not text.lstrip().startswith("<@&")


def attachment(one: discord.Attachment, message: discord.Message) -> Attachment:
    """Return a file by the ids that survive its signed address."""
    ref = f"{PLATFORM}:{message.channel.id}/{message.id}/{one.id}"
    return Attachment(one.filename, one.content_type or "application/octet-stream", one.size, ref)


def deletion(guild_id: int | None, channel_id: int, message_id: int) -> Event:
    """Return a deletion as an event; who did it is not told."""
    key = ThreadKey(PLATFORM, str(guild_id or DIRECT), "", str(channel_id))
    number = str(message_id)
    return Event(f"discord:{number}:deleted", key, Author("", "somebody"), "deleted", remote_id=number)


def reaction(payload: discord.RawReactionActionEvent, me: int, added: bool) -> Event | None:
    """Return a reaction as an event, None for our own."""
    if payload.user_id == me:
        return None
    kind: Literal["reaction_added", "reaction_removed"] = "reaction_added" if added else "reaction_removed"
    key = ThreadKey(PLATFORM, str(payload.guild_id or DIRECT), "", "")
    return Event(
        f"discord:{payload.message_id}:{payload.user_id}:{payload.emoji}:{kind}:{time.time_ns()}",
        key, author_of(payload.member, payload.user_id), kind, remote_id=str(payload.message_id),
        emoji=payload.emoji.name or "", roles=roles_of(payload.member), at=time.time(),
    )  # fmt: skip


def command(interaction: discord.Interaction, verb: str, target: str = "") -> Event:
    """Return a slash command, a button or a form as an event."""
    guild = interaction.guild_id
    key = key_of(interaction.channel or interaction.channel_id, guild, str(interaction.id))
    return Event(
        f"discord:{interaction.id}", key, author_of(interaction.user), "command", text=verb, target=target,
        roles=roles_of(interaction.user), begins=True, mentioned=True, at=interaction.created_at.timestamp(),
    )  # fmt: skip


def filled_in(components: Iterable[object]) -> dict[str, str]:
    """Return what a submitted form has by name, whatever its nesting."""
    found: dict[str, str] = {}
    for one in components:
        if isinstance(one, dict):
            values = one.get("values") or ([one["value"]] if one.get("value") else [])
            if values and "custom_id" in one:
                found[str(one["custom_id"])] = str(values[0])
            found |= filled_in(one.get("components") or ([one["component"]] if "component" in one else []))
    return found
