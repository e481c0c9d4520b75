"""
Every page that an app's server writes loads the script that follows new versions, whatever it is written with.

In the fork server this is imported; without one it is the program that runs uvicorn. The variable LIVE_MARK has the version;
without it nothing is put into pages.
"""

import os
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Message = dict[str, Any]
PARTIAL = 206
_VALIDATORS = (b"etag", b"last-modified")
"""They say that the app's file is the same; the page is not, its mark is another, and it would load itself again for ever."""
_HEAD = re.compile(rb"<head(?:\s[^>]{0,500})?>", re.IGNORECASE)


class LivePages:
    """An ASGI application around another: answers of HTML with a head get the script into it."""

    def __init__(self, app: Any, mark: str) -> None:
        self._app = app
        self._tag = f'<script src="/__threadwright/live.js" data-have="{mark}"></script>\n'.encode()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Pass everything on, and the start of a page together with the first of its body."""
        held: Message | None = None

        async def put(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_page(message):
                held = message
                return
            if held is not None:
                start, held = held, None
                body = message.get("body", b"")
                if found := _HEAD.search(body):
                    message = {**message, "body": body[: found.end()] + self._tag + body[found.end() :]}
                    headers = [pair for pair in start["headers"] if pair[0].lower() not in _VALIDATORS]
                    start = {**start, "headers": [self._longer(name, value) for name, value in headers]}
                await send(start)
            await send(message)

        await self._app(scope, receive, put if scope["type"] == "http" else send)

    def _longer(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        return name, str(int(value) + len(self._tag)).encode() if name.lower() == b"content-length" else value


def _is_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", [])}
    if start["status"] == PARTIAL:
        return False
    return headers.get(b"content-type", b"").lower().startswith(b"text/html") and b"content-encoding" not in headers


def install() -> None:
    """Let every app that uvicorn loads have it."""
    mark = os.environ.get("LIVE_MARK", "")
    loading = uvicorn.Config.load

    def load(self: uvicorn.Config) -> None:
        loading(self)
        if mark:
            self.loaded_app = LivePages(self.loaded_app, mark)

    uvicorn.Config.load = load  # type: ignore[method-assign]


if __name__ == "__main__":
    install()
    uvicorn.main(sys.argv[1:])
