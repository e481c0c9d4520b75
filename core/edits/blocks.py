"""A SEARCH with its REPLACE: find the place, bear the slips of models, carry the difference over."""

from collections.abc import Iterator, Sequence

from core.edits.locate import Place, closest, locate
from core.edits.merge import Line, join_lines, merged, opcodes, split_lines
from core.edits.model import Refusal, Replace
from core.edits.near import near
from core.edits.snippets import elisions, stands_for_code
from core.edits.variants import variants

PART_CHARS = 4
"""How long a part of a line must be to be looked for."""
CONTEXT = 3
"""How many unchanged lines a piece of a block keeps on each side."""
Piece = tuple[list[str], list[str]]


def replaced(edit: Replace, text: str) -> tuple[str, str] | Refusal:
    """Return the new text and the tier by which the place was found; `text` is the file without its byte order mark."""
    search = edit.search.replace("\r\n", "\n").split("\n")
    replace = edit.replace.replace("\r\n", "\n").split("\n") if edit.replace else []
    if not edit.search.strip():
        return Refusal("not_found", edit.path, f"A SEARCH for {edit.path} was empty; quote the lines to change.")
    lines = split_lines(text)
    if gaps := elisions(replace, text):
        done = _in_pieces(lines, _between_gaps(search, replace))
        return (join_lines(done), "pieces") if done else Refusal(
            "elision", edit.path, f"A REPLACE for {edit.path} leaves out code ({gaps[0]!r})."
        )  # fmt: skip
    texts = [line.text for line in lines]
    place = locate(texts, search)
    tier = place.tier if isinstance(place, Place) else ""
    if place == []:
        if len(search) == len(replace) == 1 and len(search[0].strip()) >= PART_CHARS and text.count(search[0]) == 1:
            return text.replace(search[0], replace[0]), "part of a line"
        for slip, without, instead in variants(search, replace):
            place = locate(texts, without)
            if isinstance(place, Place):
                search, replace, tier = list(without), list(instead), slip
                break
    if place == [] and isinstance(place := near(texts, search, replace), Place):
        tier = place.tier
    if place == [] and (done := _in_pieces(lines, list(_around_changes(search, replace)))):
        return join_lines(done), "pieces"
    if not isinstance(place, Place):
        return _not_located(edit.path, texts, search, place)
    return join_lines(merged(lines, place, search, replace)), tier


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
