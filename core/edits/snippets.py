"""
Answers that leave code out: runs of lines between comments that stand for what stays.

Each run begins and ends with lines that the file has (or at the file's own begin or end), so that it tells which region
it means. Nothing is guessed: two regions that fit, or much that would vanish, is a refusal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.edits.definitions import Definition, definitions, lacks_members, statements
from core.edits.guard import alike
from core.edits.languages import ending
from core.edits.locate import collapsed
from core.edits.merge import Line, at_margin, lacks_much, margin, opcodes, put_region, usual_end
from core.edits.names import lacks_inner, named
from core.edits.parts import placed

_REMARK = re.compile(r"^\s*(?:#|//|/\*|\*|<!--|@|\"\"\"|''')")
MOST_LOST, LOST_SHARE = 12, 2
"""How many lines may go: 12, or twice what the run has."""
MOST_REGIONS, CLOSE = 400, 0.92
"""How many regions are tried for a run, and how near to the best another one makes it unclear."""


@dataclass(frozen=True)
class Run:
    """Lines of an answer, and whether something was left out before and after them."""

    lines: list[str]
    after_gap: bool
    before_gap: bool


def runs(lines: Sequence[str], gaps: Sequence[str]) -> list[Run]:
    """Cut an answer at its gaps."""
    found, current, gap = list[Run](), list[str](), False
    for line in lines:
        if line.strip() in gaps:
            found.append(Run(current, gap, True))
            current, gap = [], True
        else:
            current.append(line)
    found.append(Run(current, gap, False))
    return [
        Run(_without_edges(one.lines), one.after_gap, one.before_gap) for one in found if any(map(str.strip, one.lines))
    ]


def _without_edges(lines: list[str]) -> list[str]:
    said = [at for at, line in enumerate(lines) if line.strip()]
    return lines[said[0] : said[-1] + 1]


def filled_in(path: str, lines: Sequence[Line], answer: Sequence[str], gaps: Sequence[str]) -> list[Line] | None:
    """Return the file with every run put where it belongs; None when that is not certain. `gaps` are its elisions."""
    out, done = list(lines), 0
    cut = runs(answer, gaps)
    for run in cut:
        file = [line.text for line in out]
        region = _region(file, run, done)
        if region is None and len(cut) == 1 and run.after_gap and not run.before_gap and _all_new(path, file, run):
            # What is left out stands first, and what follows is new: it comes at the end.
            return [*out, *(Line(text, usual_end(out)) for text in ("", *run.lines))]
        if region is None:
            # What ends deeper than it begins is no whole thing: the gap is inside.
            closed = ending(path) in _BY_MARGIN or margin(run.lines[-1:]) <= margin(run.lines[:1])
            found = (placed(path, out, run.lines) if closed else None) or _with_members(path, out, answer, gaps)
            if found is None:
                return None
            out = found
            continue
        start, end = region
        own = {span.name for span in named(path, run.lines)}
        if any(span.name in own and (span.end <= start or end <= span.start) for span in named(path, file)):
            return None
        before = len(out)
        out = put_region(out, start, end, run.lines)
        done = end + len(out) - before
    # What is left out stays: a name that the file loses, and gets none for, was not meant to go.
    there, left = ({span.name for span in named(path, [line.text for line in some])} for some in (lines, out))
    return out if not left or len(there - left) <= len(left - there) else None


def _all_new(path: str, file: Sequence[str], run: Run) -> bool:
    """Say whether a run is rules or definitions of which the file has none."""
    mine = named(path, run.lines) if ending(path) not in ("html", "htm", "vue", "svelte") else []
    return bool(mine) and not {one.name for one in mine} & {one.name for one in named(path, file)}


def _region(file: list[str], run: Run, after: int) -> tuple[int, int] | None:
    """Return the lines that a run means, the only such region at or behind `after`."""
    mine, theirs = [collapsed(line) for line in run.lines], [collapsed(line) for line in file]
    if (only := _unchanged(mine, theirs, run, after)) is not None:
        return only
    present = set(filter(None, theirs[after:]))
    known = [at for at, line in enumerate(mine) if line in present]
    if not known:
        return None
    head, tail = known[0], known[-1]
    starts = [after] if not run.after_gap else [at for at in range(after, len(file)) if theirs[at] == mine[head]]
    ends = [len(file)] if not run.before_gap else [at + 1 for at in range(after, len(file)) if theirs[at] == mine[tail]]
    if (run.after_gap and not all(map(_remark, run.lines[:head]))) or (run.before_gap and tail != len(mine) - 1):
        # What comes before the first line that the file has takes some line's place, but nothing tells which.
        return None
    most = max(MOST_LOST, LOST_SHARE * len(mine))
    fits = [
        fit
        for start, end in [(s, e) for s in starts for e in ends if 0 < e - s <= len(mine) + most + AIR][:MOST_REGIONS]
        if (fit := _fit(mine, theirs, start, end, most)) is not None
    ]
    if not fits:
        return None
    best = max(fits, key=lambda fit: (fit.worth, -len(fit)))
    # A region around the best one that shares nothing more with the run only loses more.
    others = [fit for fit in fits if fit is not best and not (best in fit and fit.kept <= best.kept)]
    if best.worth <= 0 or any(fit.worth > CLOSE * best.worth for fit in others):
        return None
    opener = _opener_of(run.lines, tail) if best.lost and run.before_gap else ""
    if opener and opener not in present:
        # What goes must be what the run brings in another form.
        gone = [line for line in theirs[best.start : best.end] if line and line not in mine]
        come = [line for line in mine if line and line not in present]
        if not any(alike(line, opener) or _is_tag_of(line, opener) for line in gone) or not all(
            any(alike(line, other) or _is_tag_of(line, other) for other in come) for line in gone
        ):
            return None
    return best.start, best.end


def _is_tag_of(line: str, other: str) -> bool:
    """Say whether two lines open the same element."""
    tag, also = (re.match(r"<[\w.-]+", one) for one in (line, other))
    return bool(tag and also and tag[0] == also[0])


def _opener_of(lines: Sequence[str], at: int) -> str:
    """Return the line that opens what a line ends, '' where it ends nothing: `end` and `</div>` say nothing of themselves."""
    edge = margin([lines[at]])
    if not at or margin([lines[at - 1]]) <= edge:
        return ""
    opens = next((line for line in reversed(lines[:at]) if line.strip() and margin([line]) <= edge), "")
    return collapsed(opens) if margin([opens]) == edge else ""


@dataclass(frozen=True)
class _Fit:
    """A region of the file that a run may mean: how many letters they share, and how many lines would go."""

    start: int
    end: int
    kept: int
    lost: int

    @property
    def worth(self) -> int:
        return self.kept - self.lost

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, other: "_Fit") -> bool:
        return self.start <= other.start and other.end <= self.end


def _fit(mine: list[str], theirs: list[str], start: int, end: int, most: int) -> _Fit | None:
    """Return how well a region fits a run, None when too much would go or too little is shared."""
    same = [
        theirs[start + at]
        for kind, a1, a2, _, _ in opcodes(theirs[start:end], mine)
        if kind == "equal"
        for at in range(a1, a2)
    ]
    lost = sum(map(bool, theirs[start:end])) - sum(map(bool, same))
    if lost > most or sum(map(bool, same)) < 2:
        return None
    return _Fit(start, end, sum(map(len, same)), lost)


def _unchanged(mine: list[str], theirs: list[str], run: Run, after: int) -> tuple[int, int] | None:
    """Return where a run stands that changes nothing and only says where what follows belongs."""
    hits = [at for at in range(after, len(theirs) - len(mine) + 1) if theirs[at : at + len(mine)] == mine]
    if not run.after_gap:
        hits = [at for at in hits if at == after]
    if not run.before_gap:
        hits = [at for at in hits if not any(theirs[at + len(mine) :])]
    return (hits[0], hits[0] + len(mine)) if len(hits) == 1 else None


_BY_MARGIN = ("py", "pyi", "yaml", "yml", "md", "rst", "txt", "toml")
AIR = 40
"""How many more lines, blank ones among them, a region may have than what stays and what goes of it."""


def _remark(line: str) -> bool:
    return not line.strip() or bool(_REMARK.match(line))


def redefined(path: str, lines: Sequence[Line], answer: Sequence[str]) -> list[Line] | None:
    """Return the file with one definition put in place of its namesake; None when the answer is no such thing."""
    if len(answer) >= len(lines):
        return None
    text, said = "\n".join(line.text for line in lines), "\n".join(_dedented(answer))
    if statements(path, said) != 1 or statements(path, text) < 2:
        return None
    mine = [one for one in definitions(path, said) if one.depth == 0]
    if len(mine) != 1:
        return None
    theirs = definitions(path, text)
    found = [one for one in theirs if one.name == mine[0].name]
    if len(found) == 1 and lacks_members(found[0], theirs, {one.name for one in definitions(path, said)}):
        return None
    return _put_definition(list(lines), found[0], mine[0], said.split("\n")) if len(found) == 1 else None


def reblocked(lines: Sequence[Line], answer: Sequence[str]) -> list[Line] | None:
    """Return the file with one block, told by its first line, put in place of the one it has; None when it is no such thing."""
    said, file = _dedented(answer), [line.text for line in lines]
    opens = next((at for at, line in enumerate(said) if not _remark(line)), None)
    if opens is None or _block(said, opens) != len(said) or len(said) > MOST_OF_FILE * len(file):
        return None
    if not any(map(str.isalnum, said[opens])):
        # A bracket alone names nothing.
        return None
    hits = [at for at, line in enumerate(file) if collapsed(line) == collapsed(said[opens])]
    end = _block(file, hits[0]) if len(hits) == 1 else None
    if end is None or lacks_much(file[hits[0] : end], said) or lacks_inner(file[hits[0] : end], said):
        return None
    return put_region(list(lines), _with_remarks(file, hits[0], opens), end, at_margin(said, [file[hits[0]]]))


def _with_remarks(file: Sequence[str], start: int, remarks: int) -> int:
    """Return where a thing begins: with the remarks above it, when the answer brings some of its own."""
    while remarks and start and file[start - 1].strip() and _remark(file[start - 1]):
        start -= 1
    return start


MOST_OF_FILE = 0.7
"""An answer that is nearly as long as the file is meant to be the file."""


def _block(lines: Sequence[str], start: int) -> int | None:
    """Return where the block that opens in line `start` has ended: behind the line that closes it at the same margin."""
    edge = margin([lines[start]])
    if not lines[start].rstrip().endswith(("{", "(", "[")):
        return None
    for at in range(start + 1, len(lines)):
        if lines[at].strip() and margin([lines[at]]) <= edge:
            return at + 1 if lines[at].lstrip().startswith(("}", ")", "]")) else None
    return None


def _put_definition(lines: list[Line], old: Definition, new: Definition, said: list[str]) -> list[Line]:
    """Decorators, remarks and `export` that the answer does not repeat stay."""
    start = old.start if new.start < new.first else old.first
    start = _with_remarks([line.text for line in lines], start, new.start)
    exported = lines[old.first].text.lstrip()
    for word in ("export default ", "export "):
        if exported.startswith(word) and not said[new.first].lstrip().startswith("export "):
            said = [*said[: new.first], word + said[new.first].lstrip(), *said[new.first + 1 :]]
            break
    return put_region(lines, start, old.end, at_margin(said, [lines[old.first].text]))


def _dedented(lines: Sequence[str]) -> list[str]:
    edge = margin(lines)
    return _without_edges([line[edge:] for line in lines]) if any(map(str.strip, lines)) else []


def _with_members(path: str, lines: list[Line], answer: Sequence[str], gaps: Sequence[str]) -> list[Line] | None:
    """
    Return the file with the members of one class that an answer shows: known ones in their places, new ones at its end.

    None where the answer is more than one class, or leaves code out inside a member.
    """
    file = [line.text for line in lines]
    said = [line for line in answer if line.strip() not in gaps]
    mine, theirs = definitions(path, "\n".join(said)), definitions(path, "\n".join(file))
    outer = [one for one in mine if one.depth == 0]
    held = [one for one in theirs if outer and one.name == outer[0].name]
    if len(outer) != 1 or len(held) != 1 or statements(path, "\n".join(said)) != 1:
        return None
    inner = [one for one in mine if one.depth == 1]
    covered = {at for one in inner for at in range(one.start, one.end)}
    loose = [line for at, line in enumerate(said) if at not in covered and line.strip()]
    if not inner or any(line not in file for line in loose) or _gap_inside(answer, gaps, inner, said):
        return None
    out, new = list(lines), list[str]()
    for one in reversed(inner):
        known = [two for two in theirs if two.name == one.name and held[0].start < two.start and two.end <= held[0].end]
        if len(known) > 1:
            return None
        if known:
            out = put_region(out, known[0].start, known[0].end, said[one.start : one.end])
        else:
            new = ["", *said[one.start : one.end], *new]
    last = held[0].end + len(out) - len(lines)
    at = last - 1 if out[last - 1].text.strip().startswith("}") else last
    return [*out[:at], *(Line(text, usual_end(lines)) for text in new), *out[at:]]


def _gap_inside(answer: Sequence[str], gaps: Sequence[str], members: Sequence[Definition], said: Sequence[str]) -> bool:
    """Say whether something is left out between the first and the last line of a member."""
    text = "\n".join(answer)
    return any("\n".join(said[one.start : one.end]) not in text for one in members)
