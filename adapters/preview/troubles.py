"""Errors that a running app has printed: found in its log, and told apart by what was raised where."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGINS = "Traceback (most recent call last):"
MAX_LINES = 60
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line \d+, in (?P<name>.+)$')
_VERSION = re.compile(r"/app/[0-9a-f]{12}/")


@dataclass(frozen=True)
class Trouble:
    """One error; `kind` is the exception's line, `text` the whole, `fingerprint` the same for the same error."""

    fingerprint: str
    kind: str
    text: str


def troubles(log: str) -> list[Trouble]:
    """Return the errors in a log, each once, in the order in which they came first."""
    found: dict[str, Trouble] = {}
    for lines in _tracebacks(log.splitlines()):
        frames = [match for line in lines if (match := _FRAME.match(line))]
        mine = [one for one in frames if one["file"].startswith("/app/")] or frames
        place = f"{_VERSION.sub('', mine[-1]['file'])}:{mine[-1]['name']}" if mine else ""
        name = lines[-1].partition(":")[0]
        fingerprint = hashlib.sha256(f"{name}\0{place}".encode()).hexdigest()[:12]
        text = _VERSION.sub("", "\n".join([*lines[:1], *lines[1:][-MAX_LINES:]]))
        found.setdefault(fingerprint, Trouble(fingerprint, lines[-1].strip()[:300], text))
    return list(found.values())


def _tracebacks(lines: list[str]) -> Iterator[list[str]]:
    """Yield each traceback's lines: from its first to the one that says what was raised."""
    block: list[str] = []
    for line in lines:
        at = line.find(BEGINS)
        if at >= 0:
            block = [line[at:]]
        elif block:
            block.append(line)
            if line.strip() and not line.startswith((" ", "\t")):
                yield block
                block = []
