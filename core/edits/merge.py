"""Put the difference between SEARCH and REPLACE into the place it means; quoted context keeps the file's bytes."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from core.edits.locate import Place

MAX_COMPARED = 400_000
"""How many pairs of lines are compared at once; beyond that lines that both have once divide what is left."""
Opcode = tuple[str, int, int, int, int]


class Line(NamedTuple):
    """One line of a file and how it ends: `\\n`, `\\r\\n`, or nothing on an unfinished last line."""

    text: str
    end: str


def split_lines(text: str) -> list[Line]:
    """Split at `\\n` only; a `\\r` before it belongs to the line's end."""
    lines = []
    for raw in text.split("\n"):
        lines.append(Line(raw[:-1], "\r\n") if raw.endswith("\r") else Line(raw, "\n"))
    last = lines.pop()
    return [*lines, Line(last.text + last.end[:-1], "")] if last.text or last.end == "\r\n" else lines


def join_lines(lines: Sequence[Line]) -> str:
    """Undo `split_lines`."""
    return "".join(line.text + line.end for line in lines)


def usual_end(lines: Sequence[Line]) -> str:
    """Return the line end that most lines have."""
    windows = sum(line.end == "\r\n" for line in lines)
    return "\r\n" if windows * 2 > len(lines) else "\n"


def merged(
    lines: Sequence[Line], place: Place, search: Sequence[str], replace: Sequence[str], end: str = ""
) -> list[Line]:
    """
    Return the file's lines with the delta from `search` to `replace` applied at `place`.

    Lines that the search only quotes stay as the file has them. New lines take the file's indentation and line end,
    which is `end` where it is known.
    """
    indents = [(_indent(search[at]), _indent(lines[to].text)) for at, to in place.pairs.items() if search[at].strip()]
    if all(model == file for model, file in indents):
        # Both say the same: what is new comes as it was written, tabs and all.
        indents = []
    end = end or usual_end(lines)
    out, at = list(lines[: place.start]), place.start
    same = _verbatim if place.tier == "exact" else str.strip
    for kind, a1, a2, b1, b2 in opcodes([same(line) for line in search], [same(line) for line in replace]):
        targets = [place.pairs[index] for index in range(a1, a2) if index in place.pairs]
        if kind == "equal":
            for index, new in zip(range(a1, a2), range(b1, b2), strict=True):
                if index not in place.pairs:
                    continue
                target = place.pairs[index]
                out += lines[at:target]
                out.append(_kept(lines[target], search[index], replace[new], indents))
                at = target + 1
            continue
        if targets:
            out += lines[at : targets[0]]
            at = targets[-1] + 1
        out += [Line(_reindented(replace[index], indents), end) for index in range(b1, b2)]
    out += lines[at:]
    if not out or lines[-1].end or out[-1] is lines[-1]:
        return out
    # A line that is no longer the last gets an end; the last one ends as the file did.
    return [*(Line(line.text, line.end or end) for line in out[:-1]), Line(out[-1].text, "")]


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return how `new` differs from `old`, as `difflib` names it; what both begin and end with costs nothing."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    found += [(kind, a1 + head, a2 + head, b1 + head, b2 + head) for kind, a1, a2, b1, b2 in _differing(a, b)]
    if tail:
        found.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return found


def indented(new: Sequence[str], old: Sequence[str]) -> list[str]:
    """
    Return `new` moved to the margin of `old` when the lines that both have all differ by one and the same margin.

    Blanks become the tabs that `old` is indented by.
    """
    pairs = [
        (_indent(new[b1 + at]), _indent(old[a1 + at]))
        for kind, a1, a2, b1, _ in opcodes([line.strip() for line in old], [line.strip() for line in new])
        if kind == "equal"
        for at in range(a2 - a1)
        if old[a1 + at].strip()
    ]
    if any("\t" in _indent(line) for line in old) and not any("\t" in _indent(line) for line in new):
        if not any("\t" in theirs for _, theirs in pairs):
            pairs += [(" " * min((len(_indent(line)) for line in new if _indent(line)), default=_TAB), "\t")]
        return [_reindented(line, pairs) for line in new]
    shifts = {len(theirs) - len(mine) for mine, theirs in pairs}
    return [_reindented(line, pairs) for line in new] if len(shifts) == 1 and shifts != {0} else list(new)


def put_region(lines: list[Line], start: int, end: int, new: Sequence[str]) -> list[Line]:
    """Replace a region by lines of an answer; lines that both have keep the file's bytes."""
    old = [line.text for line in lines[start:end]]
    place = Place(start, end, {at: start + at for at in range(end - start)}, "snippet")
    return merged(lines, place, old, indented(new, old))


def _differing(a: Sequence[str], b: Sequence[str]) -> list[Opcode]:
    if not a or not b:
        return [("delete" if a else "insert", 0, len(a), 0, len(b))] if a or b else []
    if len(a) * len(b) <= MAX_COMPARED:
        return list(SequenceMatcher(None, a, b, autojunk=False).get_opcodes())
    anchors = _anchors(a, b)
    if not anchors:
        return [("replace", 0, len(a), 0, len(b))]
    found, at, to = list[Opcode](), 0, 0
    for mine, theirs in [*anchors, (len(a), len(b))]:
        if mine > at or theirs > to:
            inner = _differing(a[at:mine], b[to:theirs])
            found += [(kind, a1 + at, a2 + at, b1 + to, b2 + to) for kind, a1, a2, b1, b2 in inner]
        if mine < len(a):
            found.append(("equal", mine, mine + 1, theirs, theirs + 1))
        at, to = mine + 1, theirs + 1
    return found


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return lines that both texts have just once, in an order that both have them in (patience, by Bram Cohen)."""
    counts, others = Counter(a), Counter(b)
    places = {line: at for at, line in enumerate(b) if others[line] == 1}
    pairs = [(at, places[line]) for at, line in enumerate(a) if counts[line] == 1 and line in places]
    tails, ends, before = list[int](), list[int](), list[int]()
    for number, (_, to) in enumerate(pairs):
        slot = bisect_left(tails, to)
        before.append(ends[slot - 1] if slot else -1)
        tails[slot : slot + 1], ends[slot : slot + 1] = [to], [number]
    kept, number = list[tuple[int, int]](), ends[-1] if ends else -1
    while number >= 0:
        kept.append(pairs[number])
        number = before[number]
    return kept[::-1]


def lacks_much(old: Sequence[str], new: Sequence[str]) -> bool:
    """Say whether a thing would lose the half of its lines or more: what is shown of it may be a part again."""
    return sum(bool(line.strip()) for line in new) * 2 <= sum(bool(line.strip()) for line in old)


def margin(lines: Sequence[str]) -> int:
    """Return how many characters of white space all lines that say something begin with."""
    return min((len(_indent(line)) for line in lines if line.strip()), default=0)


def at_margin(new: Sequence[str], old: Sequence[str]) -> list[str]:
    """Return lines that were moved to the left moved back to where the file has them."""
    by = margin(old) - margin(new)
    indent = next(line for line in old if line.strip())[: max(0, by)]
    return [indent + line if line.strip() else line for line in new]


def _verbatim(line: str) -> str:
    return line


def _kept(line: Line, old: str, new: str, indents: list[tuple[str, str]]) -> Line:
    """A quoted line keeps its bytes, unless the edit moves it to another indentation."""
    if _indent(old) == _indent(new) or not old.strip():
        return line
    return Line(_reindented(_indent(new) + line.text.lstrip(" \t"), indents), line.end)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _reindented(line: str, indents: list[tuple[str, str]]) -> str:
    """Translate the model's indentation into the file's, by the nearest line both have."""
    mine = _indent(line)
    if not line.strip() or not indents:
        return line
    same = next((file for model, file in indents if model == mine), None)
    if same is not None:
        return same + line[len(mine) :]
    model, file = min(indents, key=lambda pair: abs(len(pair[0]) - len(mine)))
    deeper = len(mine) - len(model)
    if "\t" in mine and "\t" not in "".join(pair[1] for pair in indents):
        per_tab = {len(theirs) // own.count("\t") for own, theirs in indents if own.count("\t") and theirs}
        return " " * max(0, len(file) + deeper * (min(per_tab) if per_tab else _TAB)) + line[len(mine) :]
    if "\t" in file or ("\t" in "".join(pair[1] for pair in indents) and "\t" not in mine):
        unit = _unit(indents)
        return "\t" * max(0, file.count("\t") + round(deeper / unit)) + line[len(mine) :]
    return " " * max(0, len(file) + deeper) + line[len(mine) :]


def _unit(indents: list[tuple[str, str]]) -> int:
    """Return how many of the model's blanks make one tab of the file; 4 when nothing tells."""
    for model, file in indents:
        if model and file.count("\t"):
            return max(1, len(model) // file.count("\t"))
    return _TAB


_TAB = 4
