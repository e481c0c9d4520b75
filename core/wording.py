"""How things are said in a line, and what people said shown as it is."""

import unicodedata
from collections.abc import Sequence

KEPT = "\n\t\u00ad\u200c\u200d\u200e\u200f\u2060"
"""Line ends, and what joins or parts characters in emoji, Persian and Hebrew; nothing that turns or hides whole sentences."""


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


_INERT = str.maketrans({"[": "(", "]": ")", "`": "'", "*": "", "~": "", "|": "", "<": "‹", ">": "›", "#": "", "\\": ""})


def inert(text: str) -> str:
    """Return what somebody said, or is called, in one line in which no chat formats or links anything."""
    return " ".join(text.translate(_INERT).split())


def quoted(names: Sequence[str]) -> list[str]:
    """Return names in quotation marks."""
    return [f"“{one}”" for one in names]


def printable(text: str) -> str:
    """Return a text without what people could not see."""
    return "".join(char for char in text if can_stand(char))


def can_stand(char: str) -> bool:
    """Say whether a character may stand in a text: spaces and joiners may; what people could not see may not."""
    return char.isprintable() or char in KEPT or unicodedata.category(char) == "Zs"
