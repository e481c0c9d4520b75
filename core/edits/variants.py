"""Slips of models when they quote: the same edit without them, tried only when the text as it stands is nowhere."""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from core.edits.languages import PROSE, ending, errors, parser

_NUMBER = re.compile(r"^\s*\d+\s?[|:│→\t]\s?")
_COUNTED = re.compile(r"^\s{0,8}(\d{1,6})(?: ?\| ?|\t|\u2192)")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})\w*\s*$")

MARKUP = ("html", "htm", "svg", "xml", "vue", "svelte")
Lines = Sequence[str]


def unescaped(path: str, content: str, old: str) -> str:
    """Return a file that came with its characters as HTML entities as it was meant: markup without a tag, code that needs it to parse."""
    plain = html.unescape(content)
    if plain == content:
        return content
    if ending(path) in MARKUP:
        return plain if "<" not in content and plain.lstrip().startswith("<") else content
    if parser(ending(path)) is None and ending(path) not in PROSE:
        # No grammar tells: the file that is there does, or that nothing stands for itself.
        there = set(old.split("\n"))
        more = sum(line in there for line in plain.split("\n")) > sum(line in there for line in content.split("\n"))
        return plain if more or (not old and not set("<>&") & set(_ENTITY.sub("", content))) else content
    return plain if errors(path, content) > errors(path, plain) else content


def unnumbered_file(path: str, content: str, old: str) -> str:
    """Return a file without the line numbers that a tool had shown before each line; rows that have a number are data."""
    if ending(path) in ("csv", "tsv", "psv", *PROSE) or any(map(_COUNTED.match, old.split("\n"))):
        return content
    lines = content.split("\n")
    said = [line for line in lines if line.strip()]
    numbers = [match[1] for line in said if (match := _COUNTED.match(line))]
    counted = len(said) > 2 and len(numbers) == len(said) and _counts_up(list(map(int, numbers)))
    return "\n".join(_COUNTED.sub("", line) for line in lines) if counted else content


def _counts_up(numbers: list[int]) -> bool:
    return all(0 < after - before < MOST_BETWEEN for before, after in pairwise(numbers))


MOST_BETWEEN = 20
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,6});", re.I)


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
