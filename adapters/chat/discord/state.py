"""What the bot may do at Discord, for `doctor` and for the connection."""

from typing import Any

import discord

from adapters.chat.discord.wire import discord_errors

PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, create_public_threads=True, send_messages_in_threads=True,
    read_message_history=True, add_reactions=True, attach_files=True, embed_links=True, manage_threads=True,
)  # fmt: skip
INTENT_HELP = (
    "Discord does not let the bot read messages: switch on “Message Content Intent” at discord.com/developers, your "
    "application, Bot. Until then it reads only messages that mention it."
)


def intents_for(everything: bool) -> discord.Intents:
    """Return what the bot wants to hear of; `everything` asks for the content of all messages."""
    return discord.Intents(
        guilds=True, guild_messages=True, guild_reactions=True, dm_messages=True, dm_reactions=True,
        message_content=everything,
    )  # fmt: skip


async def discord_state(token: str, api_url: str) -> tuple[str, list[str]]:
    """
    Return who the bot is, and what it lacks: the right to read messages, permissions in a server.

    Raises:
        OutsideError: Discord refuses the token, or cannot be reached.
    """
    if api_url:
        discord.http.Route.BASE = api_url.rstrip("/")
    client = discord.Client(intents=intents_for(everything=True))
    problems: list[str] = []
    with discord_errors():
        async with client:
            await client.login(token)
            assert client.user is not None
            flags = (await client.application_info()).flags
            if not (flags.gateway_message_content or flags.gateway_message_content_limited):
                problems.append(INTENT_HELP)
            async for guild in client.fetch_guilds(limit=50):
                raw: Any = await client.http.get_guild(guild.id)
                lacking = _lacking_in(raw, await client.http.get_member(guild.id, client.user.id))
                problems += [f"in {guild.name} it lacks {lacking}"] if lacking else []
            return client.user.name, problems


def _lacking_in(guild: Any, member: Any) -> str:
    """Return the permissions that a member lacks in a server, by its roles."""
    roles = {guild["id"], *member["roles"]}
    have = discord.Permissions(0)
    for role in guild["roles"]:
        if role["id"] in roles:
            have |= discord.Permissions(int(role["permissions"]))
    if have.administrator:
        return ""
    return ", ".join(
        name.replace("_", " ").title() for name, wanted in PERMISSIONS if wanted and not getattr(have, name)
    )
