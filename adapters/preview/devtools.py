"""Speak to a browser of our own over its debugging pipe: no port that anybody else could reach."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from adapters.sandbox.programs import end
from core.errors import OutsideError

# The browser reads commands from descriptor 3 and answers on 4.
_LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
GONE = "The browser ended."
log = logging.getLogger(__name__)
Event = Callable[[str, dict[str, Any]], None]


class Devtools:
    """One connection: commands with answers, and events that a listener hears."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.heard: Event = lambda method, params: None
        self.session = ""
        self._gone = False

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """
        Carry out one command and return its result.

        Raises:
            OutsideError: the browser refuses it, or has gone.
        """
        if self._gone:
            raise OutsideError(GONE)
        answer = asyncio.get_running_loop().create_future()
        number = self.send(method, **params)
        self._waiting[number] = answer
        try:
            result: dict[str, Any] = await answer
            return result
        finally:
            self._waiting.pop(number, None)

    def send(self, method: str, **params: Any) -> int:
        """Give one command without waiting for what becomes of it; returns its number."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self._writer.write(json.dumps(message).encode() + b"\0")
        return number

    async def listen(self) -> None:
        """Hand out what the browser says, until it has gone."""
        try:
            while True:
                message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                waiting = self._waiting.get(message.get("id", 0))
                if waiting is None:
                    self._hear(message)
                elif not waiting.done():
                    if "error" in message:
                        waiting.set_exception(OutsideError(f"The browser refused: {message['error'].get('message')}."))
                    else:
                        waiting.set_result(message.get("result", {}))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            self._gone = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(OutsideError(GONE))

    def _hear(self, message: dict[str, Any]) -> None:
        """Let the listener have an event; one that it stumbles over is not the end of the browser."""
        try:
            self.heard(message.get("method", ""), message.get("params", {}))
        except (KeyError, ValueError, TypeError, AttributeError):
            log.exception("event_not_understood")


@contextlib.asynccontextmanager
async def browser(argv: Sequence[str], folder: str) -> AsyncIterator[Devtools]:
    """
    Run a browser in `folder` with a page open, and end it afterwards.

    Raises:
        OutsideError: it cannot be started.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    environment = {"HOME": folder, "PATH": os.environ.get("PATH", "")}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _LAUNCH, str(theirs_in), str(theirs_out), *argv, "--remote-debugging-pipe",
            cwd=folder, env=environment, pass_fds=(theirs_in, theirs_out), start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        os.close(ours_out)
        os.close(ours_in)
        raise OutsideError(f"The browser could not be started: {error.strerror}.") from error
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_MESSAGE_BYTES)
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb"))
    writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours_out, "wb"))
    tools = Devtools(reader, writing)
    listening = asyncio.create_task(tools.listen())
    try:
        page = await tools.call("Target.createTarget", url="about:blank")
        attached = await tools.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        tools.session = attached["sessionId"]
        yield tools
    finally:
        await end(process)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writing.close()
        reading.close()
