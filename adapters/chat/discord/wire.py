"""Between discord.py's objects and ours: errors, buttons, forms, and what a message is sent as."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import discord

from adapters.chat.discord import events
from adapters.chat.discord.render import MAX_CONTENT
from adapters.chat.text import fenced, harmless, split
from core.chat import ON_MESSAGE, Form, Missing, NotAllowed, Part, RateLimited, Revoked
from core.errors import OutsideError
from core.starters import wish_of
from core.thread.commands import MENU

ARCHIVED, LOCKED, HAS_THREAD, BAD_TOKEN = 50083, 160005, 160004, 4004
REFUSED = "Discord refuses the token. Set THREADWRIGHT_DISCORD_TOKEN to a valid one."
IS_LOCKED = "the thread is locked; who manages threads can unlock it."


@contextlib.contextmanager
def discord_errors(lacking: Callable[[], str] = str) -> Iterator[None]:
    """Translate what discord.py raises; `lacking` names the permissions that are missing where it happens."""
    try:
        yield
    except discord.NotFound as error:
        raise Missing(f"Discord does not know it any more ({error.code}).") from error
    except discord.LoginFailure as error:
        raise Revoked(REFUSED) from error
    except discord.ConnectionClosed as error:
        if error.code == BAD_TOKEN:
            raise Revoked(REFUSED) from error
        raise OutsideError(f"Discord closed the connection ({error.code}).", retryable=True) from error
    except discord.Forbidden as error:
        missing = lacking()
        named = f" I lack {missing}." if missing else ""
        raise NotAllowed(f"Discord refused ({error.code} {error.text}).{named}") from error
    except discord.RateLimited as error:
        raise RateLimited(error.retry_after) from error
    except discord.HTTPException as error:
        if error.status == 401:
            raise Revoked(REFUSED) from error
        if error.code == LOCKED:
            raise NotAllowed(IS_LOCKED) from error
        if error.status == 429:
            raise RateLimited(float(error.response.headers.get("Retry-After", 1))) from error
        raise OutsideError(f"Discord answered {error.status} ({error.code}).", retryable=error.status >= 500) from error
    except (aiohttp.ClientError, OSError, TimeoutError, RuntimeError) as error:
        # The last one is what a closed session raises, between two connections.
        raise OutsideError(f"Discord cannot be reached ({type(error).__name__}).", retryable=True) from error


class Verb(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"(?P<verb>[a-z0-9_]+):(?P<target>.*)"):
    """A button of ours: verb and target are in its id, so that it works after a restart, on any message."""

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction, item: Any, match: Any, /) -> "Verb":
        """Take the button as it is; `on_interaction` answers."""
        del interaction, match
        return cls(item)

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do nothing: every interaction is answered in one place."""


def asked_by(interaction: discord.Interaction) -> tuple[str, str] | None:
    """Return the verb and target that an interaction asks for, None if it is none of ours."""
    data: Any = interaction.data or {}
    if interaction.type is discord.InteractionType.application_command:
        options = {one["name"]: str(one.get("value", "")) for one in data.get("options", [])}
        if data.get("type") == discord.AppCommandType.message.value:
            return MENU.get(data["name"], ""), f"{ON_MESSAGE}{data.get('target_id', '')}"
        return str(data.get("name", "")), options.get("what", "")
    custom = str(data.get("custom_id", ""))
    verb, _, target = custom.partition(":")
    if interaction.type is discord.InteractionType.component:
        return verb, target
    if interaction.type is discord.InteractionType.modal_submit:
        filled_in = events.filled_in(data.get("components", []))
        if verb == "build":
            return verb, wish_of(filled_in)
        pairs = [f"{name}={value}" for name, value in filled_in.items()] + ([f"target={target}"] if target else [])
        return verb, "&".join(pairs)
    return None


def sent_as(part: Part) -> dict[str, Any]:
    """Return a part as the arguments of discord.py's `send` and `edit`."""
    body = part.body
    arguments: dict[str, Any] = {
        "content": body["content"] or None,
        "embeds": [discord.Embed.from_dict(one) for one in body["embeds"]],
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    if body["components"]:
        arguments["view"] = _view(body["components"])
    if part.files:
        arguments["files"] = [
            discord.File(io.BytesIO(one.content), one.name, description=one.alt or None) for one in part.files
        ]
    return arguments


def _view(rows: list[dict[str, Any]]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows):
        for one in row["components"]:
            emoji = one["emoji"]["name"] if "emoji" in one else None
            button: discord.ui.Button[Any] = discord.ui.Button(
                style=discord.ButtonStyle(one["style"]), label=one["label"], custom_id=one.get("custom_id"),
                url=one.get("url"), emoji=emoji, row=number,
            )  # fmt: skip
            view.add_item(button if one.get("url") else Verb(button))
    return view


NO_EMBEDS = "I lack Embed Links here, so this is plain text."


def flat(part: Part, why: str) -> Part:
    """Return a part with what its embed says as text, and why, where that is the matter."""
    embeds = part.body["embeds"]
    if not embeds:
        return part
    said = [f"**{field['name']}**\n{field['value']}" for one in embeds for field in one.get("fields", ())]
    said += [f"-# {one['footer']['text']}" for one in embeds if "footer" in one]
    why = f"\n-# {why}" if why else ""
    content = f"{part.body['content']}\n" + "\n".join(said)
    fits = split(content, MAX_CONTENT - len(why))[0] if content.strip() else ""
    return replace(part, body={**part.body, "content": fits + why, "embeds": []})


def alike(message: discord.Message, part: Part) -> bool:
    """Say whether a message shows a part: the same text, and its buttons."""
    ids = {one["custom_id"] for row in part.body["components"] for one in row["components"] if "custom_id" in one}
    theirs = {getattr(child, "custom_id", None) for row in message.components for child in getattr(row, "children", [])}
    return message.content == (part.body["content"] or "") and ids <= theirs


MAX_ABOUT, MAX_ENTRY = 3_700, 3_000


def modal_of(form: Form) -> discord.ui.Modal:
    """Return a form as a modal; its answer is read from the interaction, so it survives a restart."""
    modal = discord.ui.Modal(title=form.title[:45], custom_id=f"{form.verb}:{form.target}")
    if form.about:
        quote = f"\n{fenced(harmless(form.quoted)[:MAX_ABOUT])}" if form.quoted else ""
        modal.add_item(discord.ui.TextDisplay(form.about + quote))
    for choice in form.choices:
        options = [
            discord.SelectOption(label=label[:100], value=value, default=value == choice.chosen)
            for value, label in choice.values.items()
        ]
        select: discord.ui.Select[Any] = discord.ui.Select(custom_id=choice.name, options=options)
        modal.add_item(discord.ui.Label(text=choice.label, component=select))
    for entry in form.entries:
        style = discord.TextStyle.paragraph if entry.lines else discord.TextStyle.short
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=entry.name, style=style, placeholder=entry.hint[:100], required=False, max_length=MAX_ENTRY
        )
        modal.add_item(discord.ui.Label(text=entry.label[:45], component=field))
    return modal
