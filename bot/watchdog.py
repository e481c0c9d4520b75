"""
A bot in which nothing goes on ends itself, and the next one knows which turns were running then.

What comes from outside is read in processes and threads that end in time. Should something hold up everything all the same, no
person could stop it, and a turn that goes on after the start would do it again: after the second time it is ended instead.
"""

import asyncio
import contextlib
import faulthandler
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

FROZEN_SECONDS = 120.0
NAME, BEFORE = "frozen.log", "frozen-before.log"


def frozen_before(folder: Path) -> str:
    """Return where the last bot of a data directory was when it ended itself, '' if it did not; told only once."""
    path = folder / NAME
    with contextlib.suppress(FileNotFoundError):
        if text := path.read_text("utf-8", "replace"):
            path.replace(folder / BEFORE)
            return text
    return ""


@contextlib.contextmanager
def watched(folder: Path, seconds: float = FROZEN_SECONDS) -> Iterator[None]:
    """End this process where its event loop did nothing for so many seconds, and write down what it was at."""
    with open(folder / NAME, "w", encoding="utf-8") as file:
        alive = asyncio.create_task(_alive(file, seconds))
        try:
            yield
        finally:
            alive.cancel()
            faulthandler.cancel_dump_traceback_later()


async def _alive(file: TextIO, seconds: float) -> None:
    while True:
        # It counts outside of Python, where a library in C that does not return holds up nothing.
        faulthandler.dump_traceback_later(seconds, exit=True, file=file)
        await asyncio.sleep(seconds / 20)
