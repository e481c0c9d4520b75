"""How an app shall look: its colour and its theme, as people say them."""

import re
from typing import Literal

ACCENTS = {
    "blue": "#1d5fd1", "green": "#2f7d4f", "red": "#c2362b", "orange": "#c45a11", "purple": "#6d3fc4", "pink": "#c02f76",
    "teal": "#0f766e", "brown": "#7a4a1f", "black": "#1f2933", "grey": "#4b5563", "gray": "#4b5563", "gold": "#946200",
    "yellow": "#8a6a00", "navy": "#1e3a6e", "indigo": "#4338ca", "turquoise": "#0e7490", "violet": "#7c3aed",
}  # fmt: skip

OF_THE_WHOLE = re.compile(
    rf"#[0-9a-f]{{6}}\b|\b(?:{'|'.join(ACCENTS)})\b(?=\s*(?:[,.;:!?)]|$)|\s+(?:and|or|with|but|please|for|as|that|which|to|theme|"
    r"colou?rs?|accent|mode|looks?|design|style|ui|app|page|site|website|brand|dark|light|landing|crm|to-?do|blog|booking|inventory|"
    r"survey|kanban|list|tracker|dashboard|board|background)\b)", re.I
)  # fmt: skip
"""A colour that is said of the app; that of “green buttons” is not."""
IN_LOOKS = re.compile(
    rf"\s+in\s+(?:an?\s+)?(?:{'|'.join(ACCENTS)}|dark|light)(?:\s+(?:mode|theme|colou?rs?))?$", re.I
)  # fmt: skip


_DISLIKED = re.compile(
    rf"\b(?:no|not|never|don'?t(?: \w+){{0,2}}|dislike|hate|without|except|instead of|rather than) (?:the |any |an? |too much )?"
    rf"(?:{'|'.join(ACCENTS)}|dark|light)\b", re.I
)  # fmt: skip


def without_dislikes(text: str) -> str:
    """Return a text without the colours and themes that it does not want."""
    return _DISLIKED.sub(" ", text)


def mode_in(text: str) -> Literal["auto", "dark", "light"]:
    """Return the theme that a text asks for; “dark blue” is a colour, and “lights” are things."""
    if re.search(rf"\bdark\b(?! (?:{'|'.join(ACCENTS)})\b)", text, re.I):
        return "dark"
    colours = "|".join(ACCENTS)
    asked = (
        rf"\blight (?:mode|theme|design|look)\b|\b(?:{colours}),? (?:and )?light\b"
        rf"|\b(?:make it|keep it|be) (?:\w+,? (?:and )?){{0,2}}light\b(?! (?:{colours})\b)"
    )
    return "light" if re.search(asked, text, re.I) else "auto"


def accent_in(text: str) -> str:
    """Return the accent colour that the text names, as hex; '' for none. Light colours are darkened to stay readable."""
    if match := re.search(r"#([0-9a-f]{6})\b", text, re.I):
        return f"#{match[1].lower()}"
    match = re.search(rf"\b({'|'.join(ACCENTS)})\b", text, re.I)
    return ACCENTS[match[1].casefold()] if match else ""
