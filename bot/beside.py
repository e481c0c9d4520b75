"""
Commands of the terminal beside a running bot: they are carried out by it, through a socket that only its user may open.

Two processes on one data directory would run each turn twice. So the terminal sends what was typed, as one line of JSON, and
gets lines back: what to print, where, and at the end the exit code.
"""

import argparse
import asyncio
import contextlib
import io
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from adapters.host.folders import remove, run_folder
from core.errors import BotError, UserError

log = logging.getLogger(__name__)
SOCKET = "cli.sock"
MOST_BYTES = 1_000_000
PLACES = ("zip", "dir", "folder")
"""Arguments that name files; they are sent as whole paths, because the bot stands in another folder."""


@dataclass(frozen=True)
class Terminal:
    """Where a command prints: results, and what is no result."""

    out: Console
    err: Console

    def line(self, text: str) -> None:
        """Print a line as it is."""
        self.out.file.write(text + "\n")


Carry = Callable[[argparse.Namespace, Terminal], Awaitable[int]]


@contextlib.asynccontextmanager
async def taking_commands(folder: Path, carry: Carry) -> AsyncIterator[None]:
    """Carry out what terminals ask for, as long as this is open."""
    short, link = run_folder("tw-cli-", folder), folder / SOCKET
    path = short / SOCKET
    at_work = set[asyncio.Task[None]]()

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.add(task := asyncio.create_task(_answered(carry, reader, writer)))
        task.add_done_callback(at_work.discard)

    try:
        server = await asyncio.start_unix_server(taken, path, limit=MOST_BYTES)
        path.chmod(0o600)
        link.unlink(missing_ok=True)
        # The folder's own name may be longer than a socket's may be.
        link.symlink_to(path)
        async with server:
            yield
    finally:
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)
        link.unlink(missing_ok=True)
        remove(short)


async def _answered(carry: Carry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        asked = json.loads(await reader.readline())
        given = {name: Path(value) if name in PLACES and value else value for name, value in asked["given"].items()}
        style: Any = {
            "width": asked["width"],
            "force_terminal": asked["colours"],
            "color_system": "standard" if asked["colours"] else None,
        }
        files: list[Any] = [_Stream(writer, "out"), _Stream(writer, "err")]
        terminal = Terminal(*(Console(file=one, **style) for one in files))
        code = 1
        try:
            code = await carry(argparse.Namespace(**given), terminal)
        except BotError as error:
            terminal.err.file.write(f"threadwright: {error}\n")
        except Exception:
            log.exception("command_failed")
            terminal.err.file.write("threadwright: Something in the bot broke; its log says what.\n")
        await asyncio.sleep(0)
        writer.write(_frame(code=code))
        await writer.drain()
    except Exception:
        # Whoever asked is gone, or is no terminal of ours.
        log.exception("command_not_answered")
    finally:
        writer.close()


class _Stream(io.TextIOBase):
    """Sends what is written to it; from any thread, because a spinner turns in one of its own."""

    def __init__(self, writer: asyncio.StreamWriter, name: Literal["out", "err"]) -> None:
        self._writer, self._name, self._loop = writer, name, asyncio.get_running_loop()

    def write(self, text: str) -> int:
        self._loop.call_soon_threadsafe(self._writer.write, _frame(**{self._name: text}))
        return len(text)


def _frame(**what: Any) -> bytes:
    return json.dumps(what).encode() + b"\n"


async def asked_of(folder: Path, arguments: argparse.Namespace) -> int | None:
    """
    Have a command carried out by the bot that runs on a data directory, and return its exit code; None where none runs.

    Raises:
        UserError: the bot ended meanwhile.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(os.path.realpath(folder / SOCKET), limit=MOST_BYTES * 64)
    except OSError:
        return None
    given = {
        name: str(value.absolute()) if isinstance(value, Path) else value for name, value in vars(arguments).items()
    }
    asked = _frame(given=given, width=Console().width, colours=sys.stdout.isatty())
    if len(asked) > MOST_BYTES:
        writer.close()
        raise UserError(f"That is too long for one message; the bot reads up to {MOST_BYTES // 1000:,} KB.")
    writer.write(asked)
    try:
        async for line in reader:
            frame = json.loads(line)
            if "code" in frame:
                return int(frame["code"])
            for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
                stream.write(frame.get(name, ""))
                stream.flush()
    finally:
        writer.close()
    raise UserError("The bot ended while it did that. A turn goes on at its next start; `log` shows what became of it.")
