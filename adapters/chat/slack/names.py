"""Names in place of ids: Slack tells who and where by ids, and people read names. What was looked up once is remembered."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from core.chat import Event
from core.sessions import Author

NAME_SECONDS = 1.0
UNNAMED, MOST_LOOKED_UP = re.compile(r"<#[A-Z0-9]{1,40}>|<!subteam\^[A-Z0-9]{1,40}>"), 5
"""Channels and groups that Slack mentions by their ids alone."""
AWAY = (SlackApiError, aiohttp.ClientError, OSError, TimeoutError, KeyError)


class Names:
    """Asks Slack for names, and does without them where it does not answer at once."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    async def given(self, event: Event) -> Event:
        """Return the event with the names of who said it, of whom it mentions, and of channels and groups in it."""
        text, target = event.text, event.target
        tokens = list(dict.fromkeys(UNNAMED.findall(f"{text} {target}")))[:MOST_LOOKED_UP]
        # All at once: Slack waits for three seconds.
        (author, *people), names = await asyncio.gather(
            asyncio.gather(*map(self.of, (event.author, *event.people))),
            asyncio.gather(*map(self._place, tokens)),
        )
        for token, name in zip(tokens, names, strict=True):
            text, target = text.replace(token, name), target.replace(token, name)
        return replace(event, author=author, people=tuple(people), text=text, target=target)

    async def of(self, author: Author) -> Author:
        """Return a person with the name that people know them by."""
        if not author.id or author.name != author.id:
            return author
        if author.id not in self._known:
            try:
                found: Any = await asyncio.wait_for(self._client.users_info(user=author.id), NAME_SECONDS)
                profile = found["user"].get("profile") or {}
                name = profile.get("display_name") or found["user"].get("real_name") or found["user"].get("name")
                self._known[author.id] = str(name or author.id)
            except AWAY:
                return author
        return Author(author.id, self._known[author.id])

    async def _place(self, token: str) -> str:
        """Return the name of a channel or a group that is mentioned by its id alone."""
        number = token[2:-1]
        if not token.startswith("<#"):
            return "@group"
        if number not in self._known:
            try:
                found: Any = await asyncio.wait_for(self._client.conversations_info(channel=number), NAME_SECONDS)
                self._known[number] = f"#{found['channel']['name']}"
            except AWAY:
                return "#channel"
        return self._known[number]
