"""Run a linter or type checker beside the bot, with no configuration but ours."""

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.sandbox.programs import end
from core.errors import OutsideError

MAX_OUTPUT_BYTES = 20_000_000


def program(name: str) -> str:
    """
    Return a tool's program, from the bot's own environment first.

    Raises:
        OutsideError: it is not installed.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise OutsideError(f"{name} is not installed")
    return found


async def output_of(argv: Sequence[str], folder: Path, seconds: float, codes: tuple[int, ...] = (0, 1)) -> str:
    """
    Return what a tool prints on stdout when run in `folder`.

    Raises:
        OutsideError: it cannot be started, takes too long, crashes or prints far too much.
    """
    name = Path(argv[0]).name
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONSAFEPATH": "1",
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise OutsideError(f"{name} could not be started ({error.strerror})") from error
    try:
        async with asyncio.timeout(seconds):
            stdout, stderr = await process.communicate()
    except TimeoutError as error:
        raise OutsideError(f"{name} took longer than {seconds:.0f} s") from error
    finally:
        if process.returncode is None:
            await end(process)
    if process.returncode not in codes:
        said = (stderr or stdout).decode("utf-8", "replace").strip().splitlines()
        raise OutsideError(f"{name} ended with code {process.returncode} ({said[-1][:200] if said else 'no word'})")
    if len(stdout) > MAX_OUTPUT_BYTES:
        raise OutsideError(f"{name} printed {len(stdout):,} bytes")
    return stdout.decode("utf-8", "replace")


def as_json(text: str, name: str) -> Any:
    """
    Return a tool's JSON.

    Raises:
        OutsideError: it is garbage.
    """
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError) as error:
        raise OutsideError(f"{name} printed no JSON") from error


def relative(path: str, folder: Path) -> str:
    """Return a path as the tree has it."""
    name = Path(path)
    if name.is_absolute():
        return (
            name.resolve().relative_to(folder.resolve()).as_posix()
            if name.resolve().is_relative_to(folder.resolve())
            else name.name
        )
    return name.as_posix().removeprefix("./")
