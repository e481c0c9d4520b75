"""Cut an answer into sections, one per file that it names, and find the fenced blocks and SEARCH/REPLACE blocks in each."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.edits.languages import KIN, PROSE, ending, errors, parser

MAX_HEADER_CHARS = 300
"""Longer lines are no headers."""
NEAR = 300
"""In how many lines behind a fence what follows it tells something."""
MOST_ENDS = 20
"""How many fences are tried for the end of a block."""
FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
SEARCH = re.compile(r"^[<-]{5,9}\s*(?:SEARCH|ORIGINAL)\b.*$", re.I)
DIVIDER = re.compile(r"^={5,9}\s*$")
REPLACE = re.compile(r"^[>+]{5,9}\s*(?:REPLACE|UPDATED)\b.*$", re.I)
_HEADER = re.compile(
    r"^\s*(?:[#>*\-]+\s*)?(?:\*\*)?(?:FILE|File|file|Filename|File name|Path|Datei|Fichier|Archivo|Arquivo|ファイル|文件)\s?[:：]\s*(?:\*\*)?\s*`?(?P<path>[^`*]+?)`?(?:\*\*)?\s*$"
)
_DELETE = re.compile(r"^\s*(?:[*-]\s+)?(?:\*\*)?DELETE:\s*(?:\*\*)?\s*`?(?P<path>[^`*\s]+)`?(?:\*\*)?\s*$")
# A path that stands alone above its block, as some tools have taught models: `src/app.ts`, **src/app.ts**, ### src/app.ts:
_ALONE = re.compile(
    r"^\s*(?:#+\s+|[*\-]\s+|\d{1,3}[.)]\s+)?[*_`]{0,3}(?P<path>[\w@./+()\[\]-]+)[*_`]{0,3}[:：]?[*_`]{0,3}\s*$"
)
# A heading, a bold line or a numbered one may name a file, whatever stands around it: `## a.css — updated`, `**1. a.css** (new)`.
_TITLE = re.compile(r"^\s*(?:#{1,6}\s|\*\*|\d{1,2}[.)]\s+[*`])")
MAX_TITLE_WORDS, MAX_BETWEEN = 8, 8
# The line that one clicks to unfold a block: <summary><b>src/app.ts</b></summary>
_SUMMARY = re.compile(r"^\s*(?:<details[^<>]{0,40}>\s*)?<summary>(?P<said>[^\n]{1,200}?)(?:</summary>)?\s*$", re.I)
_TAGS = re.compile(r"</?(?:b|strong|code|em|i)>", re.I)
_HERE_IS = re.compile(
    r"^\s*(?:here(?:'s|’s| is| are)|the (?:complete|full|updated|new)|(?:(?:then|next|and|now|finally|also),? )?(?:i|we)(?:'ve|’ve| have)? (?:also )?"
    r"(?:changed|updated|created|added|rewrote|adjusted|modified|edited|fixed))\b",
    re.I,
)
_NO_HEADING = re.compile(
    r"\b(?:run|execute|open|visit|would|could|should now|if you|for example|e\.g\.|see|optional(?:ly)?|alternatively|unchanged|stays|as it is)\b",
    re.I,
)
"""With this a sentence shows or runs something, and names no file for the block below it."""
_ENDINGS = frozenset(("lock", "erb", "hbs")).union(*KIN)
"""What ends a file's name where no folder stands before it: `Array.reduce` and `users.name` are none."""
_FRAMEWORK = re.compile(
    r"(?:node|next|vue|nuxt|react|express|three|d3|chart|angular|ember|backbone|alpine|socket)\.(?:js|io)", re.I
)
_TO_RUN = ("sh", "bash", "zsh", "shell", "console", "terminal", "powershell", "text", "txt", "output", "log")
# A path that a heading, a bold line or a line before a colon mentions: ### 1. `src/app.ts`, Update `src/app.ts`:
_MENTION = re.compile(r"`(?P<path>[\w@./+()\[\]-]+\.[A-Za-z0-9]{1,12})`")
MAX_MENTION_WORDS = 24
# A path in a tag of its own, as tools that are called in XML name it: <path>src/app.ts</path>
_TAGGED = re.compile(
    r"^\s*<(?:path|file_path|filename)>(?P<path>[^<>]+)</(?:path|file_path|filename)>\s*$"
    r"|^\s*<file (?:[a-z]+=\"[^\"]*\" )*(?:path|name)=\"(?P<attribute>[^\"<>]+)\"[^<>]*>\s*$"
)
_FILE_NAME = re.compile(
    r"^(?:[^/]*\.[A-Za-z0-9]{1,12}|Dockerfile|Containerfile|Makefile|Procfile|Jenkinsfile|Gemfile|Rakefile|Vagrantfile|Brewfile|Caddyfile|Justfile|LICENSE)$"
)
_IN_INFO = re.compile(r"(?:^|\s|\{)(?:title|file|filename|path)\s*=\s*['\"]?(?P<path>[^'\"\s]+)")
_START_LINE = re.compile(r"^:start_line:\s*(?P<line>\d{1,7})\s*$")
_HINT = re.compile(r"^(?::(?:start|end)_line:.*|-{5,9})$")


@dataclass(frozen=True)
class Block:
    """A fenced block: what its first line says about it, its lines, and the last line of prose above it."""

    info: str
    lines: list[str]
    lead: str = ""

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
    found, marks = [Section(default_path)], _marks(lines)
    at, wrapper = 0, ""
    while at < len(lines):
        line, section = lines[at], found[-1]
        if SEARCH.match(line):
            at = _pair(lines, at, section)
        elif wrapper and _closes(line, wrapper):
            wrapper, at = "", at + 1
        elif (fence := FENCE.match(line)) is not None:
            if inside := _path_of_info(fence["info"]) or _path_on_top(lines, at, section):
                section = Section(inside, named=True)
                found.append(section)
            if _begins_with_pair(lines, at + 1):
                wrapper, at = fence["ticks"], at + 1
            else:
                at = _fenced(marks, at, fence, section)
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
    if match := _TAGGED.match(line):
        return tidy(match["path"] or match["attribute"])
    if match := _SUMMARY.match(line):
        return _titled(lines, at, f"**{_TAGS.sub('', match['said'])}")
    if not _begins_block(lines, at + 1):
        return _titled(lines, at, line)
    match = _ALONE.match(line)
    if match and _FILE_NAME.match(match["path"].rpartition("/")[2]):
        return tidy(match["path"])
    ends = line.rstrip().endswith((":", "：", "。")) or bool(_HERE_IS.match(line))
    leads = line.lstrip().startswith(("#", "**")) or ends
    mentions = _MENTION.findall(line) if leads and len(line.split()) <= MAX_MENTION_WORDS else []
    if len(mentions) == 1:
        return tidy(mentions[0])
    return _titled(lines, at, line) or (_told(lines, at) if ends and not mentions else None)


def _told(lines: Sequence[str], at: int) -> str | None:
    """Return the one path that a sentence right above a block names without quotes, “In src/app.ts:”; none above what is run."""
    fence = next((match for one in lines[at + 1 : at + 3] if (match := FENCE.match(one))), None)
    if fence is None or Block(fence["info"], []).language in _TO_RUN or _NO_HEADING.search(lines[at]):
        return None
    words = (word.strip("*_:：,()\"'。") for word in lines[at].split()[:MAX_MENTION_WORDS])
    named = {word for word in words if _is_file(word) and word.isascii() and not _FRAMEWORK.fullmatch(word)}
    return tidy(named.pop()) if len(named) == 1 else None


def _titled(lines: Sequence[str], at: int, line: str) -> str | None:
    """Return the one path that a heading or a bold line names, where a block follows after a few sentences at most."""
    if not _TITLE.match(line) or len(line.split()) > MAX_TITLE_WORDS:
        return None
    words = (word.strip("*`_:,()") for word in line.split())
    named = {word for word in words if _is_file(word)}
    below = next(
        (
            one
            for one in lines[at + 1 : at + 1 + MAX_BETWEEN]
            if FENCE.match(one) or SEARCH.match(one) or _TITLE.match(one)
        ),
        "",
    )
    return tidy(named.pop()) if len(named) == 1 and not _TITLE.match(below) and below else None


def _is_file(word: str) -> bool:
    """Say whether a word is the path of a file; `3.11` is none, nor is `Array.reduce`, nor an address."""
    folder, _, name = word.rpartition("/")
    last = name.rpartition(".")[2]
    return (
        bool(_FILE_NAME.match(name))
        and "://" not in word
        and not last.isdecimal()
        and (bool(folder) or "." not in name or last.lower() in _ENDINGS)
    )


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
    """Say whether a block begins with a pair, perhaps below the path that it is of."""
    said = [line for line in lines[at : at + 4] if line.strip()][:2]
    named = len(said) == 2 and (match := _ALONE.match(said[0])) and _is_file(tidy(match["path"]))
    return bool(said) and bool(SEARCH.match(said[0]) or (named and SEARCH.match(said[1])))


def _path_of_info(info: str) -> str:
    """Return the path that the first line of a fence names (```python:app/main.py, ```css title="a.css"), '' for none."""
    words = info.split()
    named = _IN_INFO.search(info)
    path = named["path"] if named else words[1] if len(words) == 2 else info.strip().partition(":")[2].strip()
    return tidy(path) if path and " " not in path and _FILE_NAME.match(path.rpartition("/")[2]) else ""


def _path_on_top(lines: Sequence[str], opening: int, section: Section) -> str:
    """Return the path that a comment on a block's first line is; '' for none."""
    first = lines[opening + 1].strip() if opening + 1 < len(lines) else ""
    opened = next((mark for mark in _COMMENTS if first.startswith(mark)), "")
    path = (
        tidy(first.removeprefix(opened).removesuffix("-->").removesuffix("*/"))
        if len(first) <= MAX_HEADER_CHARS
        else ""
    )
    told = (
        opened and (section.blocks or not section.named) and " " not in path and ("/" in path or path == section.path)
    )
    return path if told and not path.startswith("/") and _FILE_NAME.match(path.rpartition("/")[2]) else ""


_COMMENTS = ("#", "//", "/*", "<!--", "--")


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


@dataclass(frozen=True)
class _Marks:
    """Where the lines of an answer may begin or end something, found once: answers can have thousands of fences."""

    lines: Sequence[str]
    files: list[int]
    closers: dict[str, list[int]] = field(default_factory=dict)

    def next_file(self, after: int) -> int:
        """Return the first line behind one where the next file begins: a header with a block of its own below it."""
        at = bisect_right(self.files, after)
        return self.files[at] if at < len(self.files) else len(self.lines)

    def ends(self, ticks: str, after: int, limit: int) -> tuple[list[int], int]:
        """Return the first lines between two that may end a block, and the last of all; nothing and 0 where there is none."""
        if ticks not in self.closers:
            self.closers[ticks] = [at for at, line in enumerate(self.lines) if _closes(line, ticks)]
        found = self.closers[ticks]
        low, high = bisect_right(found, after), bisect_left(found, limit)
        return found[low : min(high, low + MOST_ENDS)], found[high - 1] if high > low else 0


def _marks(lines: Sequence[str]) -> _Marks:
    files = [
        at for at, line in enumerate(lines)
        if len(line) <= MAX_HEADER_CHARS and _HEADER.match(line) and _begins_block(lines, at + 1)
    ]  # fmt: skip
    return _Marks(lines, files)


def _fenced(marks: _Marks, opening: int, fence: re.Match[str], section: Section) -> int:
    """Read one fenced block; return where the answer goes on."""
    limit = marks.next_file(opening)
    end = _end(marks, opening, limit, fence, section.path)
    if end is None:
        section.cut_off = True
        return limit
    lead = next((line for line in marks.lines[max(0, opening - 2) : opening][::-1] if line.strip()), "")
    section.blocks.append(Block(fence["info"].strip(), list(marks.lines[opening + 1 : end]), lead[:MAX_HEADER_CHARS]))
    return end + 1


def _end(marks: _Marks, opening: int, limit: int, fence: re.Match[str], path: str) -> int | None:
    """
    Return where a fence ends: files have fences inside, and other blocks may follow.

    Prose is counted like nested brackets; code ends where it parses; where nothing tells, a block that names its
    language is one of its own, and else the last fence is the end.
    """
    lines, ticks = marks.lines, fence["ticks"]
    ends, last = marks.ends(ticks, opening, limit)
    if not ends:
        return None
    language = Block(fence["info"], []).language
    if language in ("diff", "patch"):
        return ends[0]
    if ending(path) in PROSE or language in PROSE:
        return _nested_end(lines, opening, last, ticks)
    if len(ends) == 1:
        return ends[0]
    kind = f"x.{ending(path) if parser(ending(path)) else language}"
    for end in ends if parser(ending(kind)) else ():
        if not errors(kind, "\n".join(lines[opening + 1 : end])):
            return end
    return next(
        (end for end in ends if _names_language(lines, end + 1, limit) or _tells(lines[end + 1 : end + 1 + NEAR])), last
    )


def _tells(lines: Sequence[str]) -> bool:
    """Say whether prose follows that leads to a block of its own, such as “Run it:”."""
    said, *more = [line for line in lines if line.strip()][:2] or [""]
    leads = bool(re.match(r"[A-Z][^(){}<>=;]*[:.]\s*$", said[:MAX_HEADER_CHARS]))
    return leads and (" " in said or bool(more and FENCE.match(more[0])))


def _names_language(lines: Sequence[str], start: int, stop: int) -> bool:
    """Say whether the next fence says what is in it, so that it begins a block."""
    following = next((match for at in range(start, stop) if (match := FENCE.match(lines[at]))), None)
    return following is not None and bool(following["info"].strip())


def _nested_end(lines: Sequence[str], opening: int, last: int, ticks: str) -> int | None:
    """Return where a block of prose ends; one whose inner fences do not say where they begin ends with the last."""
    depth = 1
    for at in range(opening + 1, last + 1):
        match = FENCE.match(lines[at])
        if match and match["info"].strip() and match["ticks"].startswith(ticks):
            depth += 1
        elif _closes(lines[at], ticks):
            depth -= 1
        if depth == 0:
            return at if _names_language(lines, at + 1, last + 1) else last
    return None
