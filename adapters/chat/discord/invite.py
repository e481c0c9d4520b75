"""The link that adds the bot to a Discord server, with the permissions that it needs and no others."""

import base64
import binascii

import discord

from adapters.chat.discord.state import PERMISSIONS
from core.errors import UserError


def invite_link(token: str) -> str:
    """
    Return the link; the application's id is the first part of the token.

    Raises:
        UserError: the token has not the form of one.
    """
    first = token.partition(".")[0]
    try:
        number = int(base64.b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, binascii.Error) as error:
        raise UserError("THREADWRIGHT_DISCORD_TOKEN is missing, or no token of a Discord bot.") from error
    return discord.utils.oauth_url(number, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
