"""
Answers that are parts of a file and do not say so: some of its functions, rules, sections, one service, one `<script>`.

A part is told by names that the file has. It takes the place of its namesakes, or is refused; as the file it would
delete everything else.
"""

import json
import re
from collections.abc import Sequence
from itertools import islice, pairwise

from core.edits.definitions import definitions, lacks_members
from core.edits.languages import LISTS, ending
from core.edits.merge import Line, at_margin, lacks_much, put_region
from core.edits.names import Span, keys_at_any_depth, lacks_inner, named
from core.edits.remarks import is_remark

_IMPORT = re.compile(r"^\s*(?:import\b|from\s+\S+\s+import\b)")


HALF, FEW_RULES = 2, 3


def is_part(path: str, file: Sequence[str], answer: Sequence[str]) -> bool:
    """Say whether an answer can only be a part: it has some of what the file names and nothing else, or begins elsewhere."""
    held, shown = (
        {span.name: list(lines[span.start : span.end]) for span in named(path, lines)} for lines in (file, answer)
    )
    theirs, mine = set(held), set(shown)
    if ending(path) in ("yaml", "yml") and not mine <= theirs:
        theirs |= {span.name for span in keys_at_any_depth(file)}
    said, there = [line.strip() for line in answer if line.strip()], [line.strip() for line in file if line.strip()]
    top = there[0] not in said
    if _is_part_of_its_kind(path, file, answer, said, there):
        return True
    if len(said) >= len(there):
        # What is longer than the file may be the file with more in it; not where it leaves out what the file names.
        kept = set(said)
        return bool(mine) and mine < theirs and top and sum(line in kept for line in there) * HALF < len(there)
    if (
        len(said) * HALF <= len(there)
        and not (theirs and theirs <= mine and top)
        and (top or any(lacks_inner(held[name], shown[name]) for name in held.keys() & shown.keys()))
    ):
        # Whoever writes a file anew begins where it begins.
        return True
    if not mine:
        return False
    if any(map(_IMPORT.match, file)) and not any(map(_IMPORT.match, answer)):
        return True
    left = len(theirs - mine)
    all_new = (
        len(mine) <= FEW_RULES
        and ending(path) == "css"
        and not any(shown[name] == held[name] for name in mine & theirs)
    )
    # A script that closes what it opens is not the component that the file is.
    one_block = len(mine) == 1 and ending(path) == "svelte" and said[-1].startswith("</")
    return mine < theirs and (left > len(mine) or top or all_new or one_block or ending(path) == "sql")


def leaves_out(path: str, file: Sequence[str], answer: Sequence[str]) -> list[str]:
    """Return what a file names that an answer with nothing else leaves out, where nothing says that it should go."""
    if ending(path) == "css":
        return []
    theirs, mine = ({span.name: None for span in named(path, lines)} for lines in (file, answer))
    if not mine or not mine.keys() < theirs.keys():
        return []
    text = "\n".join(answer)
    gone = (name for name in theirs if name not in mine)
    return [name for name in islice(gone, MOST_NAMED) if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


MOST_NAMED = 20


def _is_part_of_its_kind(
    path: str, file: Sequence[str], answer: Sequence[str], said: Sequence[str], there: Sequence[str]
) -> bool:
    """Say what the kind of a file tells: a list without a line of the old one, rows that go, a stage or a document that is not there."""
    kind = ending(path)
    if (first := _BEGINS.match(there[0])) and not any(line.lower().startswith(first[0].lower()) for line in said):
        return True
    if kind in LISTS and kind != "txt" and not set(said) & set(there):
        old, new = ({line.partition("=")[0] for line in lines if "=" in line} for lines in (there, said))
        return not (old and old <= new)
    if kind in ("csv", "tsv", "psv"):
        gone, come = set(there) - set(said), set(said) - set(there)
        return len(gone) >= FEWEST_ROWS and len(gone) > 2 * len(come)
    if kind in ("yaml", "yml"):
        return _documents(file) > max(1, _documents(answer)) and len(said) < len(there)
    if kind == "json":
        return _lacks_keys("\n".join(file), "\n".join(answer))
    if kind == "dockerfile":
        return _lacks_stage(said) or not any(line.upper().startswith(("FROM ", "ARG ")) for line in said)
    return False


_BEGINS = re.compile(r"#!|package\b|<\?php|<\?xml|<!doctype|namespace\b|syntax\b|defmodule\b", re.I)
"""What a file of its kind begins with, always."""


def _documents(lines: Sequence[str]) -> int:
    """Return how many documents a YAML file has."""
    return sum(any(map(str.strip, part.split("\n"))) for part in re.split(r"(?m)^---.*$", "\n".join(lines)))


def _lacks_keys(file: str, answer: str) -> bool:
    """Say whether JSON has only some of the keys of the object that the file is, or is a list in its place."""
    try:
        old, new = json.loads(file), json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(old, dict):
        return False
    return isinstance(new, list) or (isinstance(new, dict) and bool(new) and new.keys() < old.keys())


FEWEST_ROWS = 3


def _alike(file: Sequence[str], span: Span, answer: Sequence[str], part: Span) -> bool:
    """Say whether two keys of one name hold alike things; `volumes:` of a service are not those of the file."""
    old, new = (
        {line.strip().partition(":")[0] for line in lines if line.strip()}
        for lines in (file[span.start + 1 : span.end], answer[part.start + 1 : part.end])
    )
    return not old or not new or bool(old & new)


def _lacks_stage(lines: Sequence[str]) -> bool:
    """Say whether a Dockerfile copies from a stage by a name that none of its stages has, and that no image is called by."""
    stages = {
        words[-1].lower() for line in lines if (words := line.split())[0].upper() == "FROM" and "AS" in line.upper()
    }
    said = {found[1].lower() for line in lines if (found := _COPIED.match(line))}
    return any(name not in stages and not set(name) & set("/:.$") and not name.isdecimal() for name in said)


_COPIED = re.compile(r"^\s*COPY\s+--from=(\S+)", re.IGNORECASE)


def placed(path: str, lines: Sequence[Line], answer: Sequence[str]) -> list[Line] | None:
    """Return the file with the parts of an answer in the place of their namesakes; None where one has none, or several."""
    file = [line.text for line in lines]
    parts = named(path, answer)
    covered = {at for part in parts for at in range(part.start, part.end)}
    loose = [line for at, line in enumerate(answer) if at not in covered and line.strip() and not is_remark(line)]
    if not parts or ending(path) == "json" or any(line not in file for line in loose):
        return None
    spans = named(path, file)
    targets = [[span for span in spans if span.name == part.name] for part in parts]
    if ending(path) in ("yaml", "yml"):
        deep = list(keys_at_any_depth(file))
        targets = [
            found or [span for span in deep if span.name == part.name and _alike(file, span, answer, part)]
            for part, found in zip(parts, targets, strict=True)
        ]
    places = sorted((found[0].start, found[0].end) for found in targets if found)
    if any(end > start for (_, end), (start, _) in pairwise(places)):
        return None
    if any(len(found) != 1 for found in targets) or len({part.name for part in parts}) != len(parts):
        return None
    text, said = "\n".join(file), "\n".join(answer)
    theirs, names = definitions(path, text), {one.name for one in definitions(path, said)}
    for part, (span,) in zip(parts, targets, strict=True):
        old = [one for one in theirs if one.name == span.name and one.start == span.start]
        there, said_of_it = file[span.start : span.end], answer[part.start : part.end]
        if lacks_much(there, said_of_it) or lacks_inner(there, said_of_it):
            return None
        if old and lacks_members(old[0], theirs, names):
            return None
    out = list(lines)
    for part, (span,) in sorted(zip(parts, targets, strict=True), key=lambda pair: -pair[1][0].start):
        out = put_region(
            out, span.start, span.end, at_margin(answer[part.start : part.end], file[span.start : span.end])
        )
    return out
