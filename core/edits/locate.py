"""Find the one place in a file that an edit means: tiers from exact to tolerant, each hits once or refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

_PUNCTUATION = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u00a0": " ",
        "\u2026": "...", "\u2212": "-",
    }
)  # fmt: skip


def collapsed(line: str) -> str:
    """Return the line without outer white space, runs of white space as one blank."""
    return " ".join(line.split())


def _plain(line: str) -> str:
    return collapsed(line.translate(_PUNCTUATION))


TIERS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("exact", lambda line: line),
    ("trailing space", str.rstrip),
    ("indentation", str.strip),
    ("white space", collapsed),
    ("punctuation", _plain),
    ("quotes", lambda line: _plain(line).replace('"', "'")),
)


@dataclass(frozen=True)
class Place:
    """
    Where the search text stands.

    `start` and `end` bound the file's lines (from 0, end excluded); `pairs` maps each line of the search to its line
    in the file, blank lines of the search possibly left out.
    """

    start: int
    end: int
    pairs: dict[int, int]
    tier: str

    def moved(self, by: int) -> "Place":
        """Return the same place in a file that has `by` more lines above it."""
        pairs = {at: line + by for at, line in self.pairs.items()}
        return Place(self.start + by, self.end + by, pairs, self.tier)


class Lines(Sequence[str]):
    """The lines of a file, with what the tolerant tiers see of them worked out once and kept over changes."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self._views: dict[Callable[[str], str], list[str]] = {}

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return self.texts[at]

    def __len__(self) -> int:
        return len(self.texts)

    def view(self, normal: Callable[[str], str]) -> list[str]:
        """Return every line as a tier compares it."""
        if normal not in self._views:
            self._views[normal] = [normal(line) for line in self.texts]
        return self._views[normal]

    def put(self, start: int, end: int, new: Sequence[str]) -> None:
        """Replace some of the lines."""
        self.texts[start:end] = new
        for normal, view in self._views.items():
            view[start:end] = [normal(line) for line in new]


def locate(lines: Sequence[str], search: Sequence[str]) -> Place | list[int]:
    """
    Return the one place where `search` stands in `lines`.

    Otherwise the line numbers (from 1) of all places of the first tier that hits more than once; empty for none.
    """
    if not any(map(str.strip, search)):
        return []
    seen = lines if isinstance(lines, Lines) else Lines(lines)
    candidates = _hits(seen.texts, search)
    if not candidates:
        # What a strict tier finds, the most tolerant one finds too: only there the others have to look.
        tolerant = TIERS[-1][1]
        candidates = _hits(seen.view(tolerant), [tolerant(line) for line in search])
    for tier, normal in TIERS if candidates else ():
        wanted = [normal(line) for line in search]
        hits = [at for at in candidates if [normal(line) for line in seen[at : at + len(search)]] == wanted]
        if len(hits) > 1:
            return [hit + 1 for hit in hits]
        if hits:
            return at_line(hits[0], len(search), tier)
    return _without_blank_lines(seen, search)


def at_line(start: int, length: int, tier: str) -> Place:
    """Return the place of a search that stands line by line from `start`."""
    return Place(start, start + length, {at: start + at for at in range(length)}, tier)


def _hits(lines: list[str], search: Sequence[str]) -> list[int]:
    first, length, found, at = search[0], len(search), list[int](), -1
    wanted = list(search)
    try:
        while True:
            at = lines.index(first, at + 1)
            if lines[at : at + length] == wanted:
                found.append(at)
    except ValueError:
        return found


def _without_blank_lines(lines: Lines, search: Sequence[str]) -> Place | list[int]:
    """The last tier: blank lines may be missing or added on either side."""
    seen = lines.view(collapsed)
    kept = [at for at, line in enumerate(seen) if line]
    wanted = [at for at, line in enumerate(search) if line.strip()]
    hits = _hits([seen[at] for at in kept], [collapsed(search[at]) for at in wanted])
    if len(hits) != 1:
        return [kept[hit] + 1 for hit in hits]
    pairs = {at: kept[hits[0] + index] for index, at in enumerate(wanted)}
    return Place(pairs[wanted[0]], pairs[wanted[-1]] + 1, pairs, "blank lines")


def decided(
    lines: Sequence[str], search: Sequence[str], hits: Sequence[int], within: str, numbers: Sequence[int]
) -> Place | None:
    """
    Return which of several places that read alike is meant, None when nothing tells.

    `hits` are line numbers from 1. The one line that reads `within` stands above the place, in the same block; else just
    one of the places stands at a line that the answer numbers.
    """
    if any(
        lines[hit - 1 : hit - 1 + len(search)] != list(lines[hits[0] - 1 : hits[0] - 1 + len(search)]) for hit in hits
    ):
        return None
    above = heads(lines, within)
    chosen = [hit for hit in hits if hit in numbers]
    if len(above) == 1:
        behind = [hit for hit in hits if hit > above[0] + 1][:1]
        chosen = [hit for hit in behind if _same_block(lines, above[0], hit - 1)]
    return at_line(chosen[0] - 1, len(search), "told apart") if len(chosen) == 1 else None


def heads(lines: Sequence[str], within: str) -> list[int]:
    """Return the lines (from 0) that `within` may mean; where it has several, each stands in the block of the one before it."""
    found: list[int] | None = None
    for part in filter(str.strip, within.split("\n")):
        wanted = collapsed(part)
        here = [at for at, line in enumerate(lines) if collapsed(line) == wanted]
        here = here or [at for at, line in enumerate(lines) if wanted in collapsed(line)]
        found = here if found is None else [at for at in here if any(_inside(lines, head, at) for head in found)]
    return found or []


def _inside(lines: Sequence[str], head: int, at: int) -> bool:
    deeper = len(lines[at]) - len(lines[at].lstrip()) > len(lines[head]) - len(lines[head].lstrip())
    return head < at and deeper and _same_block(lines, head, at)


def _same_block(lines: Sequence[str], first: int, last: int) -> bool:
    """Say whether nothing of the same rank begins between two lines; lines that close something begin nothing."""
    margin = len(lines[first]) - len(lines[first].lstrip())
    between = [line for line in lines[first + 1 : last] if line.strip()]
    return not any(len(line) - len(line.lstrip()) <= margin and line.lstrip()[0] not in ")]}>" for line in between)


def closest(lines: Sequence[str], search: Sequence[str], around: int = 3) -> str:
    """Return the file's lines that share most with `search`, numbered, so that a refusal shows what is really there."""
    wanted = {collapsed(line) for line in search if line.strip()}
    scores = [1 if collapsed(line) in wanted and line.strip() else 0 for line in lines]
    if not any(scores):
        shown = range(min(len(lines), 2 * around + len(search)))
    else:
        width = min(len(search), len(lines))
        best = max(range(len(lines) - width + 1), key=lambda at: sum(scores[at : at + width]))
        shown = range(max(0, best - around), min(len(lines), best + width + around))
    return "\n".join(f"{at + 1:5d} | {lines[at]}" for at in shown)
