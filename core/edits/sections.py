"""Cut an answer into sections, one per file that it names, and find the fenced blocks and SEARCH/REPLACE blocks in each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.edits.languages import ending, errors, parser

MAX_HEADER_CHARS = 300
"""Longer lines are no headers."""
MOST_ENDS = 20
"""How many fences are tried for the end of a block."""
FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
SEARCH = re.compile(r"^[<-]{5,9}\s*(?:SEARCH|ORIGINAL)\b.*$")
DIVIDER = re.compile(r"^={5,9}\s*$")
REPLACE = re.compile(r"^[>+]{5,9}\s*(?:REPLACE|UPDATED)\b.*$")
_HEADER = re.compile(
    r"^\s*(?:[#>*\-]+\s*)?(?:\*\*)?(?:FILE|File|file|Filename|File name|Path)\s?:\s*(?:\*\*)?\s*`?(?P<path>[^`*]+?)`?(?:\*\*)?\s*$"
)
_DELETE = re.compile(r"^\s*(?:\*\*)?DELETE:\s*(?:\*\*)?\s*`?(?P<path>[^`*\s]+)`?(?:\*\*)?\s*$")
# A path that stands alone above its block, as some tools have taught models: `src/app.ts`, **src/app.ts**, ### src/app.ts:
_ALONE = re.compile(
    r"^\s*(?:#+\s+|[*\-]\s+|\d{1,3}[.)]\s+)?[*_`]{0,3}(?P<path>[\w@./+()\[\]-]+)[*_`]{0,3}:?[*_`]{0,3}\s*$"
)
_FILE_NAME = re.compile(r"^(?:[^/]*\.[A-Za-z0-9]{1,12}|Dockerfile|Makefile|Procfile|LICENSE)$")
_IN_INFO = re.compile(r"(?:^|\s|\{)(?:title|file|filename|path)\s*=\s*['\"]?(?P<path>[^'\"\s]+)")
_START_LINE = re.compile(r"^:start_line:\s*(?P<line>\d{1,7})\s*$")
_HINT = re.compile(r"^(?::(?:start|end)_line:.*|-{5,9})$")
PROSE = ("md", "mdx", "markdown", "rst", "txt", "adoc")


@dataclass(frozen=True)
class Block:
    """A fenced block: what its first line says about it, and its lines."""

    info: str
    lines: list[str]

    @property
    def language(self) -> str:
        """The first word of what its first line says, in lower case."""
        return re.split(r"[\s:{,]", self.info.strip().lower(), maxsplit=1)[0]


@dataclass(frozen=True)
class Pair:
    """The lines between the markers SEARCH and REPLACE, divider included, and the line number that they name, 0 for none."""

    lines: list[str]
    at: int = 0


@dataclass
class Section:
    """What an answer says about one file: its blocks in order, and the lines of its prose."""

    path: str
    named: bool = False
    deleted: bool = False
    cut_off: bool = False
    blocks: list[Block] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def sections(lines: Sequence[str], default_path: str) -> list[Section]:
    """Return the sections of an answer; what stands before the first header is about `default_path`."""
    found = [Section(default_path)]
    at, wrapper = 0, ""
    while at < len(lines):
        line, section = lines[at], found[-1]
        if SEARCH.match(line):
            at = _pair(lines, at, section)
        elif wrapper and _closes(line, wrapper):
            wrapper, at = "", at + 1
        elif (fence := FENCE.match(line)) is not None:
            if inside := _path_of_info(fence["info"]):
                section = Section(inside, named=True)
                found.append(section)
            if _begins_with_pair(lines, at + 1):
                wrapper, at = fence["ticks"], at + 1
            else:
                at = _fenced(lines, at, fence, section)
        else:
            if (path := deleted(line)) is not None:
                found += [Section(path, named=True, deleted=True), Section(default_path)]
            elif (path := header(lines, at)) is not None:
                found.append(Section(path, named=True))
            else:
                section.prose.append(line)
            at += 1
    return found


def deleted(line: str) -> str | None:
    """Return the path that a line `DELETE: path` removes. What is no path of a file, such as a route, is prose."""
    match = _DELETE.match(line) if len(line) <= MAX_HEADER_CHARS else None
    path = tidy(match["path"]) if match else ""
    return path if path and not path.startswith("/") and not set(path) & set("{}<>?&") else None


def header(lines: Sequence[str], at: int) -> str | None:
    """Return the path that a line names for what follows."""
    line = lines[at]
    if len(line) > MAX_HEADER_CHARS:
        return None
    if match := _HEADER.match(line):
        path = tidy(match["path"])
        if " FILE:" in f" {line.strip('#>*- ')}" or (" " not in path and ("/" in path or _FILE_NAME.match(path))):
            return path
    match = _ALONE.match(line)
    if match and _FILE_NAME.match(match["path"].rpartition("/")[2]) and _begins_block(lines, at + 1):
        return tidy(match["path"])
    return None


def tidy(path: str) -> str:
    """Return a path without what models put around it: blanks, quotes, `./`, a remark in brackets."""
    path = path.strip().strip("\"'").strip()
    path = re.sub(r"\s\([^()]*\)$", "", re.split(r"\s[\u2013\u2014]\s", path)[0]).rstrip(":")
    while path.startswith("./"):
        path = path[2:]
    return path


def _begins_block(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at : at + 2] if line.strip()), "")
    return bool(FENCE.match(following) or SEARCH.match(following))


def _begins_with_pair(lines: Sequence[str], at: int) -> bool:
    return bool(SEARCH.match(next((line for line in lines[at : at + 3] if line.strip()), "")))


def _path_of_info(info: str) -> str:
    """Return the path that the first line of a fence names (```python:app/main.py, ```css title="a.css"), '' for none."""
    words = info.split()
    named = _IN_INFO.search(info)
    path = named["path"] if named else words[1] if len(words) == 2 else info.strip().partition(":")[2].strip()
    return tidy(path) if path and " " not in path and _FILE_NAME.match(path.rpartition("/")[2]) else ""


def _closes(line: str, ticks: str) -> bool:
    plain = line.rstrip()
    return len(plain) >= len(ticks) and plain == ticks[0] * len(plain)


def _pair(lines: Sequence[str], start: int, section: Section) -> int:
    """Read one SEARCH/REPLACE block; return where the answer goes on."""
    end = start + 1
    while end < len(lines) and not REPLACE.match(lines[end]):
        if SEARCH.match(lines[end]):
            section.cut_off = True
            return end
        end += 1
    if end == len(lines):
        section.cut_off = True
        return end
    body, number = list(lines[start + 1 : end]), 0
    if body and _HINT.match(body[0]) and ":" in body[0]:
        while body and _HINT.match(body[0]):
            if match := _START_LINE.match(body[0]):
                number = int(match["line"])
            body.pop(0)
    section.pairs.append(Pair(body, number))
    return end + 1


def _fenced(lines: Sequence[str], opening: int, fence: re.Match[str], section: Section) -> int:
    """Read one fenced block; return where the answer goes on."""
    limit = next((at for at in range(opening + 1, len(lines)) if _next_file(lines, at)), len(lines))
    end = _end(lines, opening, limit, fence, section.path)
    if end is None:
        section.cut_off = True
        return limit
    section.blocks.append(Block(fence["info"].strip(), list(lines[opening + 1 : end])))
    return end + 1


def _next_file(lines: Sequence[str], at: int) -> bool:
    """Say whether the next file begins here: a header with a block of its own below it."""
    line = lines[at]
    return len(line) <= MAX_HEADER_CHARS and bool(_HEADER.match(line)) and _begins_block(lines, at + 1)


def _end(lines: Sequence[str], opening: int, limit: int, fence: re.Match[str], path: str) -> int | None:
    """
    Return where a fence ends: files have fences inside, and other blocks may follow.

    Prose is counted like nested brackets; code ends where it parses; where nothing tells, a block that names its
    language is one of its own, and else the last fence is the end.
    """
    ticks = fence["ticks"]
    ends = [at for at in range(opening + 1, limit) if _closes(lines[at], ticks)]
    if not ends:
        return None
    language = Block(fence["info"], []).language
    if language in ("diff", "patch"):
        return ends[0]
    if ending(path) in PROSE or language in PROSE:
        return _nested_end(lines, opening, ends, ticks)
    if len(ends) == 1:
        return ends[0]
    kind = f"x.{ending(path) if parser(ending(path)) else language}"
    for end in ends[:MOST_ENDS] if parser(ending(kind)) else ():
        if not errors(kind, "\n".join(lines[opening + 1 : end])):
            return end
    return next(
        (end for end in ends[:MOST_ENDS] if _names_language(lines[end + 1 : limit]) or _tells(lines[end + 1 : limit])),
        ends[-1],
    )


def _tells(lines: Sequence[str]) -> bool:
    """Say whether prose follows that leads to a block of its own, such as “Run it:”."""
    said, *more = [line for line in lines[:MAX_HEADER_CHARS] if line.strip()][:2] or [""]
    leads = bool(re.match(r"[A-Z][^(){}<>=;]*[:.]\s*$", said[:MAX_HEADER_CHARS]))
    return leads and (" " in said or bool(more and FENCE.match(more[0])))


def _names_language(lines: Sequence[str]) -> bool:
    """Say whether the next fence says what is in it, so that it begins a block."""
    following = next((match for match in map(FENCE.match, lines) if match), None)
    return following is not None and bool(following["info"].strip())


def _nested_end(lines: Sequence[str], opening: int, ends: Sequence[int], ticks: str) -> int | None:
    """Return where a block of prose ends; one whose inner fences do not say where they begin ends with the last."""
    depth = 1
    for at in range(opening + 1, ends[-1] + 1):
        match = FENCE.match(lines[at])
        if match and match["info"].strip() and match["ticks"].startswith(ticks):
            depth += 1
        elif at in ends:
            depth -= 1
        if depth == 0:
            return at if _names_language(lines[at + 1 : ends[-1] + 1]) else ends[-1]
    return None
