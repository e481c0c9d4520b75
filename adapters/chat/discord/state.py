"""What the bot may do at Discord, for `doctor` and for the connection."""

import discord

from adapters.chat.discord.wire import discord_errors

PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, create_public_threads=True, send_messages_in_threads=True,
    read_message_history=True, add_reactions=True, attach_files=True, embed_links=True, manage_threads=True,
)  # fmt: skip
READ = (discord.TextChannel, discord.ForumChannel)
MOST_SERVERS, MOST_PROBLEMS = 50, 8
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


async def discord_state(token: str, api_url: str) -> tuple[str, list[str], list[str]]:
    """
    Return who the bot is, what it lacks (the right to read messages, permissions), and which servers anyone may join.

    Raises:
        OutsideError: Discord refuses the token, or cannot be reached.
    """
    if api_url:
        discord.http.Route.BASE = api_url.rstrip("/")
    client = discord.Client(intents=intents_for(everything=True))
    problems: list[str] = []
    public: list[str] = []
    with discord_errors():
        async with client:
            await client.login(token)
            assert client.user is not None
            flags = (await client.application_info()).flags
            if not (flags.gateway_message_content or flags.gateway_message_content_limited):
                problems.append(INTENT_HELP)
            async for one in client.fetch_guilds(limit=MOST_SERVERS):
                guild = await client.fetch_guild(one.id, with_counts=False)
                problems += await _problems_in(guild, await guild.fetch_member(client.user.id))
                public += [guild.name] if {"COMMUNITY", "DISCOVERABLE"} & {*guild.features} else []
            return client.user.name, problems, public


async def _problems_in(guild: discord.Guild, me: discord.Member) -> list[str]:
    """Return what the bot lacks in a server, and in those of its channels that differ and that it can see."""
    lacking = lacking_in(me.guild_permissions)
    problems = [f"in {guild.name} it lacks {lacking}"] if lacking else []
    for channel in await guild.fetch_channels():
        have = channel.permissions_for(me)
        here = lacking_in(have) if have.view_channel and isinstance(channel, READ) else ""
        if here not in ("", lacking):
            problems.append(f"in {guild.name} #{channel.name} it lacks {here}")
    more = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], f"and in {more} more channels of {guild.name}"] if more > 0 else problems


def lacking_in(have: discord.Permissions) -> str:
    """Return the permissions that are missing, as Discord's settings name them."""
    if have.administrator:
        return ""
    if not have.view_channel:
        # Without this nothing else counts.
        return "View Channel"
    return ", ".join(
        name.replace("_", " ").title() for name, wanted in PERMISSIONS if wanted and not getattr(have, name)
    )
