"""Every pattern that reads what others wrote takes as long as its text is: none goes back and forth over it."""

import ast
import importlib
import inspect
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


READ_BY = ("match", "search", "sub", "subn", "fullmatch", "findall", "finditer", "split")
AT_THE_BEGINNING = ("match", "fullmatch")


def patterns() -> Iterator[tuple[str, "re.Pattern[str] | re.Pattern[bytes]"]]:
    """Yield each pattern of a module, by its name or its line; the built-in builder reads short messages, and is tried as a whole."""
    seen = set[int]()
    for top in (core, adapters, bot):
        for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            if module.name.startswith("adapters.llm.builtin") or module.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{module.name}.{name}", value
            yield from inline(module.name, inspect.getsource(importlib.import_module(module.name)))


def inline(module: str, source: str) -> Iterator[tuple[str, "re.Pattern[str] | re.Pattern[bytes]"]]:
    """Yield each pattern that stands where it is used, `re.search("…", text)`."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READ_BY):
            continue
        if (
            isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and isinstance(node.args[0], ast.Constant)
        ):
            anchored = "^" if node.func.attr in AT_THE_BEGINNING else ""
            flags = re.IGNORECASE if "re.I" in ast.unparse(node) else 0
            lines = re.MULTILINE if "re.M" in ast.unparse(node) and not anchored else 0
            text = node.args[0].value
            if isinstance(text, str):
                marked = re.match(r"\(\?[a-z]+\)", text)
                mark = marked[0] if marked else ""
                yield (
                    f"{module}:{node.lineno}",
                    re.compile(f"{mark}{anchored}(?:{text.removeprefix(mark)})", flags | lines),
                )


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
