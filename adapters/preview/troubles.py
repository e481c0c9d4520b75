"""Errors of a running app, told apart by what was raised where: in its log, by Python or Node, and in people's browsers."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGINS = "Traceback (most recent call last):"
MAX_LINES, MAX_TEXT = 60, 4_000
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line \d+, in (?P<name>.+)$')
_VERSION = re.compile(r"(?:file://)?/app/(?:[0-9a-f]{12}|live)/")
_THROWN = re.compile(r"^(?:Uncaught )?\w*(?:Error|Exception)\b(?: \[\w+\])?(?::|$)")
_AT = re.compile(r"^\s+at ")
_BROWSER_AT = re.compile(r"^(?:\s+at .*|[^@\s]*@https?://\S+)$")
_ADDRESS = re.compile(r"https?://[^/\s)]+/")
_CHANGING = re.compile(r"(?:\?[^\s:)]*)|(?::\d+)+|(?<=-)[\w-]{8}(?=\.(?:js|css)\b)")
"""What differs between two reports of one error: queries, lines and columns, and the letters in names of built files."""


@dataclass(frozen=True)
class Trouble:
    """One error; `kind` is the exception's line, `text` the whole, `fingerprint` the same for the same error."""

    fingerprint: str
    kind: str
    text: str


def troubles(log: str) -> list[Trouble]:
    """Return the errors in a log, each once, in the order in which they came first."""
    lines = log.splitlines()
    found: dict[str, Trouble] = {}
    for one in (*map(_raised, _tracebacks(lines)), *map(_thrown, _stacks(lines))):
        found.setdefault(one.fingerprint, one)
    return list(found.values())


def in_browser(said: str) -> Trouble | None:
    """Return the error that a page's script has reported, None for what is none."""
    lines = [line for line in said[:MAX_TEXT].splitlines() if line.strip()]
    if not lines:
        return None
    frames = [line for line in lines[1:] if _BROWSER_AT.match(line)][:12]
    # Addresses hold the link's host, which says nothing, and may hold its secret.
    told = [_ADDRESS.sub("/", re.sub(r"\?[^\s:)]*", "", line)) for line in (lines[0][:300], *frames)]
    place = _CHANGING.sub("", told[1]) if len(told) > 1 else ""
    return Trouble(
        _print(_CHANGING.sub("", told[0]), place), told[0], "\n".join(["In the browser: " + told[0], *told[1:]])
    )


def _raised(lines: list[str]) -> Trouble:
    """Return what a traceback of Python says."""
    frames = [match for line in lines if (match := _FRAME.match(line))]
    mine = [one for one in frames if one["file"].startswith("/app/")] or frames
    place = f"{_VERSION.sub('', mine[-1]['file'])}:{mine[-1]['name']}" if mine else ""
    text = _VERSION.sub("", "\n".join([*lines[:1], *lines[1:][-MAX_LINES:]]))
    return Trouble(_print(lines[-1].partition(":")[0], place), lines[-1].strip()[:300], text)


def _thrown(lines: list[str]) -> Trouble:
    """Return what a stack of Node says."""
    frames = [line for line in lines if _AT.match(line)]
    place = next((line for line in frames if "/app/" in line and "/node_modules/" not in line), frames[0])
    told = [_VERSION.sub("", line) for line in lines[:MAX_LINES]]
    return Trouble(
        _print(lines[0].partition(":")[0], _CHANGING.sub("", _VERSION.sub("", place))), told[0][:300], "\n".join(told)
    )


def _print(name: str, place: str) -> str:
    return hashlib.sha256(f"{name}\0{place}".encode()).hexdigest()[:12]


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


def _stacks(lines: list[str]) -> Iterator[list[str]]:
    """Yield each stack's lines: what was thrown, and where it went through."""
    for number, line in enumerate(lines):
        if not _THROWN.match(line) or number + 1 == len(lines) or not _AT.match(lines[number + 1]):
            continue
        end = number + 1
        while end < len(lines) and _AT.match(lines[end]):
            end += 1
        yield lines[number:end]
