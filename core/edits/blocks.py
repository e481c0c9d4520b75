"""A SEARCH with its REPLACE: find the place, bear the slips of models, carry the difference over."""

from collections.abc import Iterator, Sequence

from core.edits.document import Document
from core.edits.guard import shrinks
from core.edits.languages import LISTS, ending
from core.edits.locate import Place, at_line, closest, collapsed, decided, heads, locate
from core.edits.merge import Line, join_lines, margin, merged, opcodes
from core.edits.model import Refusal, Replace
from core.edits.near import near
from core.edits.remarks import elisions, leads_on, stands_for_code
from core.edits.variants import variants

ADDED_CHARS = 8
"""How long lines must be that are not added twice; a closing brace may well come again."""
PART_CHARS = 4
"""How long a part of a line must be to be looked for."""
CONTEXT = 3
"""How many unchanged lines a piece of a block keeps on each side."""
Piece = tuple[list[str], list[str]]


def replaced(edit: Replace, document: Document) -> str | Refusal:
    """Apply an edit to a document and return the tier by which the place was found."""
    edit = _read(edit, document)
    search = edit.search.replace("\r\n", "\n").split("\n")
    replace = edit.replace.replace("\r\n", "\n").split("\n") if edit.replace else []
    if not edit.search.strip():
        return Refusal("not_found", edit.path, f"A SEARCH for {edit.path} was empty; quote the lines to change.")
    if edit.everywhere:
        return _everywhere(edit, document, search, replace)
    lines = document.seen
    # A comment that only says what the next line does leaves nothing out.
    if gaps := [gap for gap in elisions(replace, lines) if not leads_on(gap)]:
        done = _in_pieces(document.lines, _between_gaps(search, replace))
        return _become(document, done) if done else Refusal(
            "elision", edit.path, f"A REPLACE for {edit.path} leaves out code ({gaps[0]!r})."
        )  # fmt: skip
    if lost := shrinks(search, replace, comments_only=True):
        return Refusal("shrinks", edit.path, f"A REPLACE for {edit.path} has only a comment for this:\n{lost}")
    place = locate(lines, search)
    if place == []:
        if _in_one_line(document, search, replace):
            return "part of a line"
        for slip, without, instead in variants(search, replace):
            place = locate(lines, without)
            if isinstance(place, Place):
                search, replace = list(without), list(instead)
                place = Place(place.start, place.end, place.pairs, slip)
                break
    if place == []:
        place = near(lines, search, replace)
    if place == [] and (done := _in_pieces(document.lines, list(_around_changes(search, replace)))):
        return _become(document, done)
    if isinstance(place, list) and place:
        place = decided(lines, search, place, edit.within, edit.lines) or place
    if not isinstance(place, Place):
        return _not_located(edit.path, lines, search, place)
    if edit.within and len(search) == 1 and _outside(lines, place, edit.within):
        return Refusal(
            "conflict", edit.path, f"The line that the edit changes in {edit.path} does not stand in {edit.within!r}."
        )
    if _is_there(edit.path, lines, place, search, replace):
        return Refusal(
            "conflict", edit.path, f"What the edit adds to {edit.path} stands there already; nothing was changed."
        )
    replace = _first_line_moved(lines, place, search, replace)
    document.put(place, _at_margin_of(lines, place, search, replace), replace)
    return place.tier


def _read(edit: Replace, document: Document) -> Replace:
    """Return a block as it is meant: of several ways to cut it, the one with the longest search that the file has."""
    for search, new in ((edit.search, edit.replace), *edit.otherwise) if edit.otherwise else ():
        if isinstance(locate(document.seen, search.split("\n")), Place):
            return Replace(edit.path, search, new, edit.within, edit.lines, edit.everywhere)
    return edit


def _everywhere(edit: Replace, document: Document, search: list[str], replace: list[str]) -> str | Refusal:
    """Replace all places, from the last to the first."""
    if len(search) == len(replace) == 1:
        hits = [at for at, line in enumerate(document.seen) if search[0] in line]
        for at in hits:
            line = document.seen[at]
            document.put(at_line(at, 1, "exact"), [line], [line.replace(search[0], replace[0])])
    else:
        place = locate(document.seen, search)
        hits = [place.start] if isinstance(place, Place) else [hit - 1 for hit in place]
        for at in reversed(hits):
            document.put(at_line(at, len(search), "everywhere"), search, replace)
    return "everywhere" if hits else _not_located(edit.path, document.seen, search, [])


def _become(document: Document, lines: Sequence[Line]) -> str:
    document.become(join_lines(lines))
    return "pieces"


def _in_one_line(document: Document, search: Sequence[str], replace: Sequence[str]) -> bool:
    """Replace a part of a line that the file has once."""
    replace = replace or [""]
    if not (len(search) == len(replace) == 1 and len(search[0].strip()) >= PART_CHARS):
        return False
    if sum(line.count(search[0]) for line in document.seen) != 1:
        return False
    number, line = next((at, line) for at, line in enumerate(document.seen) if search[0] in line)
    start = line.index(search[0])
    ends = ((start, search[0][0] != replace[0][:1]), (start + len(search[0]), search[0][-1] != replace[0][-1:]))
    if any(_cuts(line, at) and (changed or (line[at - 1] + line[at]).isdecimal()) for at, changed in ends):
        # `3` of `30` is another value: the quote is of an older file.
        return False
    document.put(at_line(number, 1, "exact"), [line], [line.replace(search[0], replace[0])])
    return True


def _cuts(line: str, at: int) -> bool:
    """Say whether a place is inside a word, a number or a version."""
    if not 0 < at < len(line):
        return False
    before, after = line[at - 1], line[at]
    return (before.isalnum() or before == "_") and (after.isalnum() or after == "_") or (
        "." in (before, after) and (before + after).strip(".").isdecimal()
    )  # fmt: skip


def _is_there(path: str, lines: Sequence[str], place: Place, search: Sequence[str], replace: Sequence[str]) -> bool:
    """Say whether what an edit only adds stands right there already, before or behind the place."""
    found = [
        one
        for one in opcodes([line.strip() for line in search], [line.strip() for line in replace])
        if one[0] != "equal"
    ]
    if not found or any(kind != "insert" for kind, *_ in found):
        return False
    if place.tier == "near":
        # The context may stand around what came already.
        there = [collapsed(line) for line in lines[place.start : place.end]]
        mine = [collapsed(line) for line in replace]
        return len("".join(mine)) >= ADDED_CHARS and _stripped(there) == _stripped(mine)
    if len(found) != 1:
        return False
    new = [collapsed(line) for line in replace[found[0][3] : found[0][4]] if line.strip()]
    before = [collapsed(line) for line in lines[max(0, place.start - 2 * len(new) - 2) : place.start] if line.strip()]
    after = [collapsed(line) for line in lines[place.end : place.end + 2 * len(new) + 2] if line.strip()]
    said = sum(map(len, new))
    one_line = ending(path) in LISTS and any(map(str.isalnum, "".join(new)))
    return said >= (1 if one_line else ADDED_CHARS) and (before[-len(new) :] == new or after[: len(new)] == new)


def _stripped(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line]


def _at_margin_of(lines: Sequence[str], place: Place, search: Sequence[str], replace: Sequence[str]) -> list[str]:
    """Return the search with the file's indentation where it lost its own and the replacement has kept it."""
    there = [lines[to] for at, to in place.pairs.items() if search[at].strip()]
    if not replace or margin(replace) != margin(there) or margin(search) >= margin(there):
        return list(search)
    return [lines[place.pairs[at]] if at in place.pairs else line for at, line in enumerate(search)]


def _outside(lines: Sequence[str], place: Place, within: str) -> bool:
    """Say whether a single line stands behind the one thing that a hunk names, in another that is as deep or less."""
    found = heads(lines, within)
    if not found and "\n" in within and len(heads(lines, within.partition("\n")[0])) == 1:
        return True  # the outer one has no such inner one
    if len(found) != 1 or place.start <= found[0] or margin([lines[place.start]]) <= margin([lines[found[0]]]):
        return False
    between = [line for line in lines[found[0] + 1 : place.start] if line.strip()]
    return any(margin([line]) <= margin([lines[found[0]]]) and any(map(str.isalnum, line)) for line in between)


def _first_line_moved(lines: Sequence[str], place: Place, search: list[str], replace: list[str]) -> list[str]:
    """Return a replacement whose first line alone lost its indentation, as a quote of a part of a line has none, with it."""
    there = lines[place.start]
    edge, rest = margin([there]), [line for line in replace[1:] if line.strip()]
    trimmed = len(search) == 1 and edge and not margin(search) and not margin(replace[:1])
    if not trimmed or not rest or margin(rest) != edge or replace[0].rstrip().endswith((":", "{", "(", "[")):
        return replace
    return [replace[0], *(line[edge:] for line in replace[1:])]


def _between_gaps(search: Sequence[str], replace: Sequence[str]) -> list[Piece]:
    """Cut both sides at what stands for code; empty when they do not leave out the same."""
    old, new = _cut(search), _cut(replace)
    return list(zip(old, new, strict=True)) if len(old) == len(new) else []


def _cut(lines: Sequence[str]) -> list[list[str]]:
    found = [list[str]()]
    for line in lines:
        if stands_for_code(line):
            found.append([])
        else:
            found[-1].append(line)
    return found


def _around_changes(search: Sequence[str], replace: Sequence[str]) -> Iterator[Piece]:
    """Yield each change with the lines next to it, for a block that joins what does not stand together in the file."""
    found = opcodes([line.strip() for line in search], [line.strip() for line in replace])
    old = new = 0
    for kind, a1, a2, b1, b2 in found:
        if kind == "equal" and a1 > 0 and a2 < len(search) and a2 - a1 > CONTEXT:
            kept = min(CONTEXT, (a2 - a1) // 2)
            yield list(search[old : a1 + kept]), list(replace[new : b1 + kept])
            old, new = a2 - kept, b2 - kept
    yield list(search[old:]), list(replace[new:])


def _in_pieces(lines: Sequence[Line], pieces: Sequence[Piece]) -> list[Line] | None:
    """Return the file with every piece applied, each behind the one before it; None when one is not in just one place."""
    out, at = list(lines), 0
    for search, replace in pieces if len(pieces) > 1 else ():
        if search == replace:
            continue
        place = locate([line.text for line in out[at:]], search)
        if not isinstance(place, Place):
            return None
        before, end = len(out), at + place.end
        out = merged(out, place.moved(at), search, replace)
        at = end + len(out) - before
    return out if at else None


def _not_located(path: str, lines: Sequence[str], search: Sequence[str], hits: list[int]) -> Refusal:
    if hits:
        places = ", ".join(map(str, hits[:10]))
        return Refusal(
            "ambiguous", path,
            f"The SEARCH for {path} stands at {len(hits)} places (lines {places}); quote more lines around the one meant.",
        )  # fmt: skip
    return Refusal(
        "not_found", path,
        f"The SEARCH for {path} stands nowhere in it:\n" + "\n".join(search[:12]) + "\nThe closest real lines:\n"
        + closest(lines, search),
    )  # fmt: skip
