"""The guard against answers that leave code out without saying so, in whatever words or none."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from core.edits.merge import opcodes
from core.edits.remarks import is_remark, says_it_stays

FEWEST_LOST, SHARE = 12, 3
"""So many lines in a row may not go for a third as many."""
FEWEST_LOST_TO_REMARKS = 6
"""And so many not for remarks alone: a remark in the place of code stands for it."""
FEWEST_LOST_TO_WORDS = 2
"""And so many not for a remark that says that they stay."""
MOST_SHOWN = 30
ALIKE, ALIKE_CHARS = 0.6, 200
"""How much of a line's beginning two versions of it share."""


_REMOVES = (
    "remov", "delet", "drop", "strip", "simplif", "shorten", "rewrite", "rewrit", "clean", "reduc", "extract", "split",
    "redesign", "replac", "instead", "entfern", "lösch", "vereinfach", "kürz", "supprim", "enlev", "enlèv", "retir", "elimin", "quit", "borr",
)  # fmt: skip
_REMOVES_WHOLE = ("rid", "out", "without", "less", "ohne", "weg", "sans", "sin")


def asks_for_removal(request: str) -> bool:
    """Say whether a request may mean that a file gets much shorter."""
    words = re.findall(r"[^\W\d_]+", request.lower())
    return any(word.startswith(_REMOVES) or word in _REMOVES_WHOLE for word in words)


def shrinks(old: Sequence[str], new: Sequence[str], *, comments_only: bool = False) -> str:
    """
    Return the lines that would go, '' when an answer keeps or replaces what it must.

    What only moves to another place does not go. `comments_only` asks for the second rule alone: a SEARCH that quotes
    what is to go is a request to remove it.
    """
    found = opcodes([line.strip() for line in old], [line.strip() for line in new])
    arrived = {line.strip() for kind, _, _, b1, b2 in found if kind != "equal" for line in new[b1:b2]}
    gone, come = list[str](), 0
    for kind, a1, a2, b1, b2 in found:
        if kind == "equal":
            continue
        lost = [line for line in old[a1:a2] if line.strip() and line.strip() not in arrived]
        gained = [line for line in new[b1:b2] if line.strip()]
        much = len(lost) >= FEWEST_LOST and len(gained) * SHARE <= len(lost) and not comments_only
        if much or _stood_for(lost, gained):
            return _shown(lost)
        gone, come = gone + lost, come + len(gained)
    scattered = len(gone) >= 2 * FEWEST_LOST and come * SHARE <= len(gone) and not comments_only
    return _shown(gone) if scattered else ""


def _shown(lost: list[str]) -> str:
    return "\n".join(lost[:MOST_SHOWN]) + ("\n…" if len(lost) > MOST_SHOWN else "")


def _stood_for(lost: list[str], gained: list[str]) -> bool:
    """Say whether remarks came in the place of code; lines next to them that were only changed are not counted."""
    lost, gained = list(lost), list(gained)
    for end in (0, -1):
        while gained and lost and not is_remark(gained[end]) and _alike(lost[end], gained[end]):
            lost.pop(end)
            gained.pop(end)
    if not gained or not all(is_remark(line) or says_it_stays(line) for line in gained) or all(map(is_remark, lost)):
        return False
    fewest = FEWEST_LOST_TO_WORDS if any(map(says_it_stays, gained)) else FEWEST_LOST_TO_REMARKS
    return len(lost) >= fewest and (len(gained) * SHARE <= len(lost) or fewest == FEWEST_LOST_TO_WORDS)


def _alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old.strip()[:ALIKE_CHARS], new.strip()[:ALIKE_CHARS]).ratio() >= ALIKE
