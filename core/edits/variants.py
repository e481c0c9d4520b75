"""Slips of models when they quote: the same edit without them, tried only when the text as it stands is nowhere."""

import html
import re
from collections.abc import Iterator, Sequence

from core.edits.languages import ending, errors

_NUMBER = re.compile(r"^\s*\d+\s?[|:│→\t]\s?")
_COUNTED = re.compile(r"^\s{0,8}(\d{1,6})(?: ?\| ?|\t|\u2192)")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})\w*\s*$")

MARKUP = ("html", "htm", "svg", "xml", "vue", "svelte")
Lines = Sequence[str]


def unescaped(path: str, content: str) -> str:
    """Return a file that came with its characters as HTML entities as it was meant: markup without a tag, code that needs it to parse."""
    plain = html.unescape(content)
    if plain == content:
        return content
    if ending(path) in MARKUP:
        return plain if "<" not in content and plain.lstrip().startswith("<") else content
    return plain if errors(path, content) > errors(path, plain) else content


def unnumbered_file(content: str) -> str:
    """Return a file without the line numbers that a tool had shown before each line."""
    lines = content.split("\n")
    said = [line for line in lines if line.strip()]
    numbers = [match[1] for line in said if (match := _COUNTED.match(line))]
    counted = len(said) > 2 and len(numbers) == len(said) and list(map(int, numbers)) == sorted(map(int, numbers))
    return "\n".join(_COUNTED.sub("", line) for line in lines) if counted else content


def variants(search: Lines, replace: Lines) -> Iterator[tuple[str, Lines, Lines]]:
    """Yield (what was undone, search, replace), for each slip that the search shows."""
    if len(search) > 2 and _FENCE.match(search[0]) and _FENCE.match(search[-1]):
        yield "fence", search[1:-1], _unfenced(replace)
    if all(_NUMBER.match(line) for line in search if line.strip()):
        yield "line numbers", _unnumbered(search), _unnumbered(replace)
    if any(html.unescape(line) != line for line in search):
        yield "entities", [html.unescape(line) for line in search], [html.unescape(line) for line in replace]
    if any('\\"' in line or "\\'" in line for line in search):
        yield "escaped quotes", _unescaped(search), _unescaped(replace)


def _unfenced(lines: Lines) -> Lines:
    return lines[1:-1] if len(lines) > 1 and _FENCE.match(lines[0]) and _FENCE.match(lines[-1]) else lines


def _unnumbered(lines: Lines) -> list[str]:
    return [_NUMBER.sub("", line) for line in lines]


def _unescaped(lines: Lines) -> list[str]:
    return [line.replace('\\"', '"').replace("\\'", "'") for line in lines]
