"""
Texts are tried on their grammar in a process that can be killed, before they are parsed here.

A grammar is a library in C: while it reads, nothing else of this process runs, and for some texts it reads for minutes.
"""

import contextlib
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.sandbox.programs import at_most
from core.edits import languages

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 2_000_000_000
START_SECONDS, LONGEST_SECONDS = 20, 30
_HEAD = struct.Struct("!8sI")


class Trial:
    """One process that parses what it is sent and says when it has; one that does not answer in time is killed."""

    def __init__(self, seconds: float = languages.PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._one = threading.Lock()

    def __call__(self, kind: str, data: bytes) -> bool:
        """Say whether a text of a kind of file is read in time."""
        with self._one:
            try:
                process = self._process = self._process or _started()
                return self._answered(process, kind, data)
            except OSError:
                # It has died, of too much memory for example.
                self._end()
                return False

    def close(self) -> None:
        """End the process."""
        with self._one:
            self._end()

    def _answered(self, process: subprocess.Popen[bytes], kind: str, data: bytes) -> bool:
        assert process.stdin is not None
        assert process.stdout is not None
        until = time.monotonic() + self._seconds
        process.stdin.write(_HEAD.pack(kind.encode(), len(data)) + data)
        process.stdin.flush()
        if select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0] and process.stdout.read(1):
            return True
        self._end()
        return False

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()


def _started() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    # How long it takes to start does not count.
    if not select.select([process.stdout], [], [], START_SECONDS)[0] or not process.stdout.read(1):
        process.kill()
        process.wait()
        raise OSError("the process for trials does not start")
    return process


@contextlib.contextmanager
def tried_apart() -> Iterator[None]:
    """Try every longer text in a process of its own first, as long as this is open."""
    trial = Trial()
    languages.try_first(trial)
    try:
        yield
    finally:
        languages.try_first(None)
        trial.close()


def main() -> None:
    """Parse what comes in, and answer each with a byte."""
    memory = at_most(resource.RLIMIT_AS, MOST_MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.stdout.buffer.write(b"+")
    sys.stdout.buffer.flush()
    while head := sys.stdin.buffer.read(_HEAD.size):
        kind, size = _HEAD.unpack(head)
        data = sys.stdin.buffer.read(size)
        # Nobody may be left to kill it.
        signal.alarm(LONGEST_SECONDS)
        if (parser := languages.parser(kind.rstrip(b"\0").decode())) is not None:
            parser.parse(data)
        signal.alarm(0)
        sys.stdout.buffer.write(b"+")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
