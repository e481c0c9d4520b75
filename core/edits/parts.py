"""
Answers that are parts of a file and do not say so: some of its functions, rules, sections, one service, one `<script>`.

A part is told by names that the file has. It takes the place of its namesakes, or is refused; as the file it would
delete everything else.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from core.edits.definitions import definitions, lacks_members
from core.edits.languages import LISTS, ending
from core.edits.merge import Line, at_margin, lacks_much, put_region
from core.edits.names import keys_at_any_depth, lacks_inner, named
from core.edits.remarks import is_remark

_IMPORT = re.compile(r"^\s*(?:import\b|from\s+\S+\s+import\b)")


HALF, FEW_RULES = 2, 3


def is_part(path: str, file: Sequence[str], answer: Sequence[str]) -> bool:
    """Say whether an answer can only be a part: it has the smaller half of what the file names, or no imports where the file has."""
    held, shown = (
        {span.name: list(lines[span.start : span.end]) for span in named(path, lines)} for lines in (file, answer)
    )
    theirs, mine = set(held), set(shown)
    if ending(path) in ("yaml", "yml") and not mine <= theirs:
        theirs |= {span.name for span in keys_at_any_depth(file)}
    said, there = [line for line in answer if line.strip()], [line for line in file if line.strip()]
    if len(said) >= len(there):
        return False
    if ending(path) == "dockerfile" and _lacks_stage(said):
        return True
    top = there[0].strip() not in {line.strip() for line in said}
    if len(said) * HALF <= len(there) and (
        top or any(lacks_inner(held[name], shown[name]) for name in held.keys() & shown.keys())
    ):
        # Whoever writes a file anew begins where it begins.
        return True
    if ending(path) in LISTS and top and not {line.strip() for line in said} & {line.strip() for line in there}:
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
    one_block = len(mine) == 1 and ending(path) == "svelte" and said[-1].strip().startswith("</")
    return mine < theirs and (left > len(mine) or top or all_new or one_block or ending(path) == "sql")


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
    spans = named(path, file) if ending(path) not in ("yaml", "yml") else list(keys_at_any_depth(file))
    targets = [[span for span in spans if span.name == part.name] for part in parts]
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
