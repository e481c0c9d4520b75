"""What an answer loses beside the change that was asked for: a line of a file, or a word of a line, that nothing took the place of."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

from core.edits.guard import ALIKE, ALIKE_CHARS, brought, is_import
from core.edits.merge import opcodes
from core.edits.remarks import is_remark

MOST_LINES, MOST_PAIRS = 40, 10_000
"""Larger pieces that change, and what comes behind so many pairs, is left to the other rules: each line is compared with each."""
MOST_CHARS = 200_000
"""Of a larger file, comparing it once more would take seconds."""
MAX_REQUEST_CHARS = 4_000
FEWEST_LOST_AT_ONCE = 3
"""So few lines may be the whole change: “deploy must not wait for the tests”."""
FEWEST_CHARS = 4
_WORD = re.compile(r"[^\W\d_]{3,40}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_COMMON = frozenset((
    "the", "and", "for", "use", "not", "with", "this", "from", "new", "add", "all", "any", "are", "one", "can", "its", "please", "should",
    "make", "now", "have", "has", "was", "will", "our", "you", "your", "into", "instead", "that", "there", "but", "also", "when", "file",
    "change", "return", "const", "function", "class", "import", "div", "span",
))  # fmt: skip
_ANYTHING = re.compile(
    r"\b(?:unused|dead code|clean ?up|tid(?:y|ied)|simplif\w+|refactor\w*|shorten\w*|redesign\w*|rewrite|rework|restructur\w+|start over|from scratch|minimal\w*|"
    r"(?:do not|don't|no longer) need|not needed|"
    r"aufr\u00e4um\w*|vereinfach\w*|k\u00fcrz\w*|simplifi\w*)\b",
    re.I,
)
"""With such a request anything may go."""
_TELLS_A_TOOL = re.compile(
    r"eslint|noqa|type: ?ignore|go:build|spdx|@ts-|pragma|prettier|istanbul|coding[:=]|nosec|pylint|biome|use (?:client|server|strict)",
    re.I,
)
"""Remarks that tools read."""


def unasked(
    old: Sequence[str], new: Sequence[str], request: str, *, ordered: bool, arriving: Collection[str] = ()
) -> list[str]:
    """
    Return what went from a file although nothing took its place and the request is not about it.

    Where every line that came is a new form of one that went, the others that went were dropped. `ordered` says that the request
    orders something to go: then a word that it shares with what went is enough; else the word has to be rarer in the file now.
    `arriving` are lines that other files of the answer have.
    """
    if sum(map(len, old)) > MOST_CHARS or not _stems(request[:MAX_REQUEST_CHARS]):
        return []
    if _ANYTHING.search(request[:MAX_REQUEST_CHARS]):
        return []
    before, after = [line.strip() for line in old], [line.strip() for line in new]
    changes = [piece for piece in opcodes(before, after) if piece[0] != "equal"]
    came = Counter(line for _, _, _, b1, b2 in changes for line in after[b1:b2])
    there = set(before)
    if not came and sum(a2 - a1 for _, a1, a2, _, _ in changes) <= FEWEST_LOST_AT_ONCE:
        # Nothing else changed, so that is what was asked for.
        return []
    about = _About(request, "\n".join(old), "\n".join(new), ordered)
    if _keeps_nothing(before, after) and not about.mentions("\n".join(old)):
        return [line for line in before if line]
    compared = 0
    for _, a1, a2, b1, b2 in changes:
        lost = [line for line in before[a1:a2] if line and not came[line] and line not in arriving]
        gained = [line for line in after[b1:b2] if line and line not in there]
        compared += len(lost) * len(gained)
        if len(lost) > MOST_LINES or len(gained) > MOST_LINES or compared > MOST_PAIRS:
            continue
        pairs = dict(_pairs(lost, gained))
        if len(pairs) == len(gained):
            gone = [line for at, line in enumerate(lost) if at not in pairs]
            code = [line for line in gone if _counts(line) and not about.brings_nothing(line)]
            if code and not about.shares("\n".join(gone)):
                return code
        for at, line in pairs.items() if len(changes) > 1 or len(gained) > 1 else ():
            if (less := _less(lost[at], line)) and not about.shares(less):
                return [lost[at]]
    return []


def _keeps_nothing(before: Sequence[str], after: Sequence[str]) -> bool:
    """Say whether a file has no line of what it had, and is no longer than it was: only the new thing was written."""
    there = {line for line in before if len(line) >= FEWEST_CHARS and any(map(str.isalnum, line))}
    return len(there) > 1 and there.isdisjoint(after) and len(after) <= len(before) + 2


def _pairs(lost: Sequence[str], gained: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Return for each line that came the one that went of which it is a new form, if there is one."""
    left = list(range(len(lost)))
    for line in gained:
        ratios = {at: SequenceMatcher(None, lost[at][:ALIKE_CHARS], line[:ALIKE_CHARS]).ratio() for at in left}
        best = next((at for at in left if _less(lost[at], line)), max(left, key=lambda at: ratios[at], default=None))
        if best is not None and (ratios[best] >= ALIKE or _less(lost[best], line)):
            left.remove(best)
            yield best, line


def _counts(line: str) -> bool:
    """Say whether a line says something to a machine."""
    return any(map(str.isalnum, line)) and (not is_remark(line) or bool(_TELLS_A_TOOL.search(line)))


def _less(old: str, new: str) -> str:
    """Return the words that a line has lost, '' where it also gained some."""
    before, after = Counter(_TOKEN.findall(old)), Counter(_TOKEN.findall(new))
    gone = before - after
    return " ".join(gone) if any(map(str.isalnum, gone)) and not after - before else ""


class _About:
    """What a request is about, in a file before and after."""

    def __init__(self, request: str, old: str, new: str, ordered: bool) -> None:
        self._said, self._ordered = _stems(request[:MAX_REQUEST_CHARS]), ordered
        self._before, self._after = old.lower(), new.lower()
        self._used = set(re.findall(r"\w{2,}", "\n".join(line for line in new.split("\n") if not is_import(line))))

    def shares(self, text: str) -> bool:
        """Say whether the request is about a text."""
        words = _stems(text)
        return any(
            _same(said, word) and (self._ordered or self._is_rarer(word)) for said in self._said for word in words
        )

    def mentions(self, text: str) -> bool:
        """Say whether the request has a word of a text."""
        words = _stems(text)
        return any(_same(said, word) for said in self._said for word in words)

    def _is_rarer(self, word: str) -> bool:
        return self._after.count(word) * 2 <= self._before.count(word)

    def brings_nothing(self, line: str) -> bool:
        """Say whether a line only brought in names that the file uses no more."""
        names = brought(line)
        return bool(names) and not names & self._used


def _stems(text: str) -> set[str]:
    return {word.rstrip("s") for word in _WORD.findall(_CAMEL.sub(" ", text).lower())} - _COMMON


def _same(said: str, word: str) -> bool:
    """Say whether two words may mean one thing: one is the other, its beginning, or a good part of it."""
    if said == word:
        return True
    short, long = sorted((said, word), key=len)
    return len(short) > 3 and (long.startswith(short) or (len(short) > 4 and short in long))
