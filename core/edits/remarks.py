"""Comments: which lines are one, and which stand for code that the model did not write out."""

import re
from collections.abc import Sequence

_REMARK = re.compile(r"^(?:#|//|/\*|\* |<!--|-- |;|\{/\*|\"\"\"|''')")
# A comment that stands for code the model did not write out. Applied as text it would delete that code.
_OPENS = ("{/*", "<!--", "/**", "/*", "//", "--", "#", ";")
_CLOSES = ("*/}", "-->", "*/")
_WHAT = {
    "code", "file", "function", "functions", "method", "methods", "class", "classes", "implementation", "unchanged", "same",
    "before", "here", "above", "content", "import", "imports", "logic", "styles", "markup", "below",
}  # fmt: skip
_STAYS = ("rest of", "remaining", "existing", "previous", "other", "same", "unchanged")
MAX_CHARS = 160


def is_remark(line: str) -> bool:
    """Say whether a line is a comment; a CSS selector such as `#menu {` is none."""
    text = line.strip()
    return bool(_REMARK.match(text)) and not text.endswith(("{", ","))


def stands_for_code(line: str) -> bool:
    """Say whether a line is a comment in the place of code that was left out."""
    text = line.strip()
    if len(text) > MAX_CHARS:
        return False
    if text in ("...", "…"):
        return True
    opened = next((one for one in _OPENS if text.startswith(one)), "")
    if not opened:
        return False
    text = text.removeprefix(opened)
    closed = next((one for one in _CLOSES if text.endswith(one)), "")
    text = text.removesuffix(closed).strip().lower()
    bare = text.strip("() ")
    if bare.startswith(("...", "…")) or bare.endswith(("...", "…")):
        return True
    return bare.removeprefix("the ").startswith(_STAYS) and not _WHAT.isdisjoint(re.findall(r"[a-z]+", bare))


def elisions(lines: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the lines of an answer that stand for code; one that the file itself has is none."""
    found = [line.strip() for line in lines if stands_for_code(line)]
    return [line for line in found if not any(line in one for one in known)]
