"""Emoji by Slack's names."""

import re
from collections.abc import Mapping

NAMES = {
    "👀": "eyes", "✅": "white_check_mark", "⚠️": "warning", "⛔": "no_entry", "❓": "question", "❗": "exclamation",
    "⏹️": "black_square_for_stop", "💰": "moneybag", "🔑": "key", "🕒": "clock3", "❌": "x",
    "↩️": "leftwards_arrow_with_hook", "↪️": "arrow_right_hook", "👍": "+1", "👎": "-1", "1️⃣": "one", "2️⃣": "two",
    "3️⃣": "three", "4️⃣": "four", "🔧": "wrench", "👌": "ok_hand", "🔁": "repeat", "➡️": "arrow_right", "⬅️": "arrow_left",
    "🤝": "handshake",
    "🔍": "mag",
}  # fmt: skip
_MEANINGS = {name: emoji for emoji, name in NAMES.items()} | {
    "thumbsup": "👍", "thumbsdown": "👎", "heavy_check_mark": "✅", "heavy_exclamation_mark": "❗", "stop_button": "⏹️",
}  # fmt: skip


def meaning(name: str, aliases: Mapping[str, str]) -> str:
    """Return the emoji that a name stands for: without its skin tone, through the workspace's aliases; else the name."""
    plain = re.sub(r"::skin-tone-\d$", "", name)
    for _ in range(5):
        if plain in _MEANINGS or plain not in aliases:
            break
        plain = aliases[plain]
    return _MEANINGS.get(plain, plain)


def name_of(emoji: str) -> str:
    """Return Slack's name of one of our marks."""
    return NAMES.get(emoji, "grey_question")
