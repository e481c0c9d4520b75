"""Find the one place in a file that an edit means: tiers from exact to tolerant, each hits once or refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


def locate(lines: Sequence[str], search: Sequence[str]) -> Place | list[int]:
    """
    Return the one place where `search` stands in `lines`.

    Otherwise the line numbers (from 1) of all places of the first tier that hits more than once; empty for none.
    """
    if not any(map(str.strip, search)):
        return []
    candidates = _hits(lines, search)
    if not candidates:
        # What a strict tier finds, the most tolerant one finds too: only there the others have to look.
        tolerant = TIERS[-1][1]
        candidates = _hits([tolerant(line) for line in lines], [tolerant(line) for line in search])
    for tier, normal in TIERS if candidates else ():
        wanted = [normal(line) for line in search]
        hits = [at for at in candidates if [normal(line) for line in lines[at : at + len(search)]] == wanted]
        if len(hits) > 1:
            return [hit + 1 for hit in hits]
        if hits:
            start = hits[0]
            return Place(start, start + len(search), {at: start + at for at in range(len(search))}, tier)
    return _without_blank_lines(lines, search)


def _hits(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    lines, search = list(lines), list(search)
    first, length = search[0], len(search)
    return [
        at
        for at in range(len(lines) - length + 1)
        if lines[at] == first and lines[at : at + length] == search
    ]  # fmt: skip


def _without_blank_lines(lines: Sequence[str], search: Sequence[str]) -> Place | list[int]:
    """The last tier: blank lines may be missing or added on either side."""
    kept = [at for at, line in enumerate(lines) if line.strip()]
    wanted = [at for at, line in enumerate(search) if line.strip()]
    hits = _hits([collapsed(lines[at]) for at in kept], [collapsed(search[at]) for at in wanted])
    if len(hits) != 1:
        return [kept[hit] + 1 for hit in hits]
    pairs = {at: kept[hits[0] + index] for index, at in enumerate(wanted)}
    return Place(pairs[wanted[0]], pairs[wanted[-1]] + 1, pairs, "blank lines")


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
