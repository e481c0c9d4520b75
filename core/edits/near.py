"""
The last resort: context that the file does not have, because the model remembered it wrong or somebody changed it.

What the edit changes must stand in the file, together; what it only quotes may differ in part. One place, or none.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice

from core.edits.locate import Lines, Place, collapsed
from core.edits.merge import opcodes

MOST_HITS = 40
"""Where a line stands more often, the context would have to decide, and that is what is not sure."""
AROUND, SHARE, STRONG, TELLING = 4, 0.5, 8, 4
"""Lines of slack on both sides, the part of the quoted lines that must be there, letters that tell a place, and another one."""


def near(lines: Lines, search: Sequence[str], replace: Sequence[str]) -> Place | list[int]:
    """Return the one place that an edit means although some of its context is not there; else where it may be meant."""
    mine, file = [collapsed(line) for line in search], lines.view(collapsed)
    groups = _needed(mine, [collapsed(line) for line in replace])
    needed = sorted({at for group in groups for at in group})
    if not needed:
        return []
    telling = max(needed, key=lambda at: _letters(mine[at]))
    found: dict[tuple[int, ...], Place] = {}
    for hit in islice(_all(file, mine[telling]), MOST_HITS):
        # What stands before the telling line is looked for before this hit, the rest behind it: a place is of one hit.
        low = max(0, hit - telling - AROUND)
        pairs = {
            **_matched(mine[:telling], file[low:hit], 0, low), telling: hit,
            **_matched(mine[telling + 1 :], file[hit + 1 : hit + len(mine) - telling + AROUND], telling + 1, hit + 1),
        }  # fmt: skip
        # A short line such as `return x` tells no place alone; with what stands next to it, it may.
        told = _letters(mine[telling]) if _letters(mine[telling]) >= STRONG else sum(_letters(mine[at]) for at in pairs)
        if (
            told >= STRONG
            and _holds(groups, pairs, file)
            and _share(mine, pairs) >= SHARE
            and not _elsewhere(mine, pairs, file)
        ):
            targets = tuple(pairs[at] for at in needed)
            found[targets] = Place(min(pairs.values()), max(pairs.values()) + 1, pairs, "near")
    if len(found) == 1:
        return next(iter(found.values()))
    return [targets[0] + 1 for targets in found]


def _matched(mine: list[str], window: list[str], at: int, low: int) -> dict[int, int]:
    return {
        at + block.a + step: low + block.b + step
        for block in SequenceMatcher(None, mine, window, autojunk=False).get_matching_blocks()
        for step in range(block.size)
    }


def _elsewhere(mine: list[str], pairs: dict[int, int], file: list[str]) -> bool:
    """Say whether the first quoted line names another place: it is not here, and the file has it once."""
    return 0 not in pairs and _letters(mine[0]) >= TELLING and file.count(mine[0]) == 1


def _letters(line: str) -> int:
    return sum(map(str.isalnum, line))


def _all(lines: list[str], wanted: str) -> Iterator[int]:
    at = -1
    try:
        while True:
            at = lines.index(wanted, at + 1)
            yield at
    except ValueError:
        return


def unmoved(seen: Sequence[str], file: Sequence[str]) -> dict[int, int]:
    """Return which line of a file each line of an earlier version of it is now."""
    found = opcodes([collapsed(line) for line in seen], [collapsed(line) for line in file])
    return {a1 + at: b1 + at for kind, a1, a2, b1, _ in found if kind == "equal" for at in range(a2 - a1)}


def clash(seen: Sequence[str], new: Sequence[str], pairs: dict[int, int], file: Sequence[str]) -> str | None:
    """Return a line that `new` changes in `seen` and that the file no longer has, or not in its place; None when none."""
    mine, theirs = [collapsed(line) for line in seen], [collapsed(line) for line in file]
    groups = _needed(mine, [collapsed(line) for line in new])
    return next((seen[group[0]].strip() for group in groups if not _holds([group], pairs, theirs)), None)


def _needed(mine: list[str], new: list[str]) -> list[list[int]]:
    """Return the lines that must be there, in groups that must stand together: what goes, and where something comes."""
    groups = []
    for kind, a1, a2, _, _ in opcodes(mine, new):
        if kind == "insert":
            groups.append([at for at in (a1 - 1, a1) if 0 <= at < len(mine)])
        elif kind != "equal":
            groups.append(list(range(a1, a2)))
    return [[at for at in group if mine[at]] for group in groups]


def _holds(groups: list[list[int]], pairs: dict[int, int], file: list[str]) -> bool:
    """Say whether every group is there, with nothing but blank lines inside."""
    for group in groups:
        targets = [pairs[at] for at in group if at in pairs]
        if len(targets) != len(group):
            return False
        if targets and any(file[at] for at in range(targets[0] + 1, targets[-1]) if at not in targets):
            return False
    return True


def _share(mine: list[str], pairs: dict[int, int]) -> float:
    said = [at for at, line in enumerate(mine) if line]
    return sum(at in pairs for at in said) / len(said)
