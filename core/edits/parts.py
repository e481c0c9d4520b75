"""
Answers that are parts of a file and do not say so: some of its functions, rules, sections, one service, one `<script>`.

A part is told by names that the file has. It takes the place of its namesakes, or is refused; as the file it would
delete everything else.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from core.edits.definitions import definitions, lacks_members
from core.edits.languages import ending
from core.edits.merge import Line, at_margin, lacks_much, put_region
from core.edits.names import keys_at_any_depth, named
from core.edits.remarks import is_remark

_IMPORT = re.compile(r"^\s*(?:import\b|from\s+\S+\s+import\b)")


HALF = 2


def is_part(path: str, file: Sequence[str], answer: Sequence[str]) -> bool:
    """Say whether an answer can only be a part: it has the smaller half of what the file names, or no imports where the file has."""
    theirs, mine = {span.name for span in named(path, file)}, {span.name for span in named(path, answer)}
    if ending(path) in ("yaml", "yml") and not mine <= theirs:
        theirs |= {span.name for span in keys_at_any_depth(file)}
    said, there = [line for line in answer if line.strip()], [line for line in file if line.strip()]
    if len(said) >= len(there):
        return False
    if len(said) * HALF <= len(there) and there[0].strip() not in {line.strip() for line in said}:
        # Whoever writes a file anew begins where it begins.
        return True
    if not mine:
        return False
    if any(map(_IMPORT.match, file)) and not any(map(_IMPORT.match, answer)):
        return True
    left = len(theirs - mine)
    top = there[0].strip() not in {line.strip() for line in said}
    return mine < theirs and (left > len(mine) or top)


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
        if lacks_much(file[span.start : span.end], answer[part.start : part.end]) or (
            old and lacks_members(old[0], theirs, names)
        ):
            return None
    out = list(lines)
    for part, (span,) in sorted(zip(parts, targets, strict=True), key=lambda pair: -pair[1][0].start):
        out = put_region(
            out, span.start, span.end, at_margin(answer[part.start : part.end], file[span.start : span.end])
        )
    return out
