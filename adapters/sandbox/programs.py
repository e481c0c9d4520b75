"""Run a program with limits on time and output, and be sure that it is gone afterwards."""

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections.abc import Sequence

from core.errors import OutsideError
from core.ports import Ran

MAX_OUTPUT_BYTES = 200_000
END_SECONDS = 5


_LIMITS = {
    "as": resource.RLIMIT_AS, "nproc": resource.RLIMIT_NPROC, "fsize": resource.RLIMIT_FSIZE, "core": resource.RLIMIT_CORE,
    "nofile": resource.RLIMIT_NOFILE, "cpu": resource.RLIMIT_CPU,
}  # fmt: skip


def limits(**most: int) -> list[str]:
    """Return a command that limits the one after it, by the names of prlimit; where we are limited more ourselves, that holds."""
    return ["prlimit", *(f"--{name}={at_most(_LIMITS[name], value)}" for name, value in most.items()), "--"]


def at_most(kind: int, value: int) -> int:
    """Return a limit that this process may set: without rights nobody raises a hard one."""
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


async def run_limited(argv: Sequence[str], seconds: float, *, cwd: str = "/", env: dict[str, str] | None = None) -> Ran:
    """
    Run `argv` and return what it printed, both streams together, cut in the middle at MAX_OUTPUT_BYTES.

    Raises:
        OutsideError: the program cannot be started.
    """
    began = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True, cwd=cwd, env=env if env is not None else {},
        )  # fmt: skip
    except OSError as error:
        raise OutsideError(f"{argv[0]} could not be started: {error.strerror}.") from error
    assert process.stdout is not None
    output, ended_for = bytearray(), ""
    try:
        async with asyncio.timeout(seconds):
            while chunk := await process.stdout.read(65_536):
                output += chunk
                if len(output) > 4 * MAX_OUTPUT_BYTES:
                    ended_for = "output"
                    break
            if not ended_for:
                await process.wait()
    except TimeoutError:
        ended_for = "time"
    finally:
        await end(process)
    code = -1 if ended_for else process.returncode or 0
    return Ran(
        code,
        shortened(bytes(output)),
        time.monotonic() - began,
        "time" if ended_for == "time" else "output" if ended_for else "",
    )


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a process and its group, and wait until it is gone; its pipes are emptied, or the wait would never end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            for pipe in (process.stdout, process.stderr):
                while pipe is not None and await pipe.read(65_536):
                    pass
            await process.wait()


def shortened(output: bytes) -> str:
    """Return output as text; of a long one the beginning and the end."""
    if len(output) > MAX_OUTPUT_BYTES:
        half = MAX_OUTPUT_BYTES // 2
        output = output[:half] + b"\n... (cut) ...\n" + output[-half:]
    return output.decode("utf-8", "replace")
