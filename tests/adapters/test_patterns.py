"""Every pattern that reads what others wrote takes as long as its text is: none goes back and forth over it."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

import adapters
import bot
import core

SHORT, LONG, FEW_SECONDS = 4_000, 16_000, 0.05
UNITS = (
    "a", "a ", "\n", "a\n", " ", "\t", "-", "=", "#", "(", "[", "{", "<", "<a", "</", '"', "'", "`", "```", "/", "//", "\\", "a.", "a:", "a,",
    "0", "0.", "0:", "@", "@@ ", "--- ", "+++ ", "+", "*", "**", "_", "|", "a|", "&", "&a", "http://", "a@", "a/b", "FILE: ",
    "<<<<<<< SEARCH\n", "=======\n", "a=b ", "def a(", "import ", "ä", "😀", "%", "$", "a(b) ",
)  # fmt: skip
# These are only ever asked about the beginning of a text, or about the whole of it.
ANCHORED = {
    "core.edits.names._FLOW", "adapters.checks.fix._RULE", "adapters.checks.markup_python._NUMERIC", "adapters.checks.sql._TABLE",
    "adapters.checks.sql._ALTERED", "adapters.checks.sql._DROPPED", "adapters.checks.sql._POLICY", "adapters.checks.sql._FUNCTION",
}  # fmt: skip


def patterns() -> Iterator[tuple[str, "re.Pattern[str] | re.Pattern[bytes]"]]:
    """Yield each pattern of a module; the built-in builder reads short messages, and is tried as a whole."""
    seen = set[int]()
    for top in (core, adapters, bot):
        for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            if module.name.startswith("adapters.llm.builtin") or module.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{module.name}.{name}", value


def seconds(pattern: "re.Pattern[str] | re.Pattern[bytes]", text: str, *, anchored: bool) -> float:
    said = text.encode() if isinstance(pattern.pattern, bytes) else text
    look = pattern.match if anchored else pattern.search
    began = time.process_time()
    look(said)  # type: ignore[arg-type] # of the pattern's own kind
    return time.process_time() - began


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*one, id=one[0]) for one in patterns()])
def test_no_pattern_takes_longer_than_its_text(name: str, pattern: "re.Pattern[str] | re.Pattern[bytes]") -> None:
    for unit in UNITS:
        for end in ("", "!", "\n"):
            short, long = (unit * (size // len(unit)) + end for size in (SHORT, LONG))
            taken = seconds(pattern, long, anchored=name in ANCHORED)
            if taken > FEW_SECONDS:
                # Four times as long may take four times as long, and not sixteen times.
                ratio = taken / seconds(pattern, short, anchored=name in ANCHORED)
                assert ratio < 9, f"{name} on {unit!r}: {ratio:.0f} times as long for a text four times as long"
