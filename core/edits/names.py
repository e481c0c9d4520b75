"""What a file is made of, by name: definitions, rules, elements, sections, keys."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from core.edits.definitions import definitions
from core.edits.languages import SCRIPTS, ending, root
from core.edits.locate import collapsed
from core.edits.merge import margin
from core.edits.remarks import is_remark

if TYPE_CHECKING:
    from tree_sitter import Node

_HEADING = re.compile(r"^(#{1,6})\s+\S")
_KEY = re.compile(r"^\s*(?P<key>[\w./\"'-]+):(?:\s|$)")
_WHOLE_ELEMENTS = ("script", "style", "template", "nav", "header", "footer", "main", "aside")


MAX_DEPTH = 8
"""How deep things in things are compared."""


@dataclass(frozen=True)
class Span:
    """A thing with a name, and its lines (from 0, end excluded)."""

    name: str
    start: int
    end: int


def named(path: str, lines: Sequence[str]) -> list[Span]:
    """Return the things with names that a file is made of, as far as its language is known."""
    kind = ending(path)
    finder: Callable[[str, Sequence[str]], Iterator[Span]] = (
        _definitions if kind == "py" or kind in SCRIPTS
        else _rules if kind == "css"
        else _elements if kind in ("html", "htm", "vue", "svelte")
        else _headings if kind in ("md", "mdx", "markdown")
        else _keys if kind in ("yaml", "yml")
        else _pairs if kind == "json"
        else _tables if kind in ("toml", "ini", "cfg", "conf")
        else _titles if kind == "rst"
        else _blocks
    )  # fmt: skip
    found = list(finder(path, lines))
    return [] if any(one.start < before.end for before, one in pairwise(found)) else found


def _definitions(path: str, lines: Sequence[str]) -> Iterator[Span]:
    return (Span(one.name, one.start, one.end) for one in definitions(path, "\n".join(lines)) if one.depth == 0)


def _rules(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield a style sheet's outermost rules, told by their selectors."""
    top = root(path, "\n".join(lines))
    for node in top.named_children if top is not None else ():
        if node.type != "comment" and "{" in _text(node):
            yield _span(collapsed(_text(node).partition("{")[0]), node)


def _elements(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield a page's large elements, told by their tags, and those with an id; none within another."""
    del path
    top = root("x.html", "\n".join(lines))
    left = list(reversed(top.named_children)) if top is not None else []
    while left:
        node = left.pop()
        tag = node.named_children[0] if node.named_children and node.named_children[0].type == "start_tag" else None
        name = _text(tag.named_children[0]) if tag is not None and tag.named_children else ""
        found = re.search(r"\sid\s*=\s*['\"]?([\w-]+)", _text(tag)) if tag is not None else None
        if name in _WHOLE_ELEMENTS or (found and node.end_point[0] > node.start_point[0]):
            yield _span(f"#{found[1]}" if found else name, node)
        else:
            left += reversed(node.named_children)


def _headings(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the sections of the highest level that has several, told by their headings; fences have none."""
    del path
    heads, fenced = list[tuple[int, int]](), False
    for at, line in enumerate(lines):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not fenced and (match := _HEADING.match(line)):
            heads.append((at, len(match[1])))
    level = min((level for _, level in heads), default=0)
    if sum(depth == level for _, depth in heads) == 1 and level == 1 and len(heads) > 1:
        level = min(depth for _, depth in heads if depth > 1) if any(depth > 1 for _, depth in heads) else level
    ranked = [(at, depth) for at, depth in heads if depth <= level]
    for (at, depth), (end, _) in zip(ranked, [*ranked, (len(lines), 0)][1:], strict=True):
        if depth == level:
            yield Span(collapsed(lines[at]), at, _without_blank_end(lines, at, end))


def _pairs(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the outermost keys of a JSON object."""
    top = root(path, "\n".join(lines))
    for holder in top.named_children if top is not None else ():
        for node in holder.named_children if holder.type == "object" else ():
            if node.type == "pair":
                yield _span(_text(node.named_children[0]), node)


_TABLE = re.compile(r"^\s*\[{1,2}[^\[\]]+\]{1,2}\s*$")


def _tables(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the tables of a TOML or INI file, told by their heads; of other files the blocks."""
    heads = [at for at, line in enumerate(lines) if _TABLE.match(line)]
    if not heads:
        yield from _blocks(path, lines)
    for at, end in pairwise([*heads, len(lines)]):
        yield Span(collapsed(lines[at]), at, _without_blank_end(lines, at, end))


_UNDERLINE = re.compile(r"^([=\-~^\"'*+#])\1{2,}\s*$")


def _titles(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the sections of a reStructuredText file, told by their titles."""
    del path
    heads = [at - 1 for at, line in enumerate(lines) if at and _UNDERLINE.match(line) and lines[at - 1].strip()]
    for at, end in pairwise([*heads, len(lines)]):
        yield Span(collapsed(lines[at]), at, _without_blank_end(lines, at, end))


def _blocks(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the outermost lines that hold deeper ones, of a language without a grammar here, told by themselves."""
    del path
    edge, end = margin(lines), 0
    for at, line in enumerate(lines):
        if at < end or not line.strip() or is_remark(line) or not any(map(str.isalnum, line)):
            continue
        end = at + 1
        while end < len(lines) and (not lines[end].strip() or margin([lines[end]]) > edge):
            end += 1
        if not any(map(str.strip, lines[at + 1 : end])):
            end = at + 1
            continue
        end += end < len(lines) and (not any(map(str.isalnum, lines[end])) or lines[end].strip() == "end")
        yield Span(collapsed(line), at, _without_blank_end(lines, at, end))


_FLOW = re.compile(
    r"(?:[})\s]*(?:if|el|for|while|switch|try|catch|rescue|ensure|finally|except|match|unless|until|case|with|do|loop|select|"
    r"begin|defer|return|go|await|default|using|lock)\b|[^({\[]*(?::?=|\+=|:\s)\s*[\w({\[&])"
)


def lacks_inner(old: Sequence[str], new: Sequence[str], depth: int = MAX_DEPTH) -> bool:
    """Say whether of what an old thing holds a new one shows some by its name and leaves others out: it is a part itself."""
    theirs, mine = (
        {span.name: lines[span.start : span.end] for span in _blocks("", lines) if not _FLOW.match(span.name)}
        for lines in (_inside(old), _inside(new))
    )
    both = theirs.keys() & mine.keys()
    return (
        bool(theirs)
        and (bool(both) or not mine)
        and (
            len(both) < len(theirs)
            or (depth > 0 and any(lacks_inner(theirs[name], mine[name], depth - 1) for name in both))
        )
    )


def _inside(lines: Sequence[str]) -> list[str]:
    edge = margin(lines)
    return [line for line in lines if margin([line]) > edge]


def _keys(path: str, lines: Sequence[str]) -> Iterator[Span]:
    """Yield the outermost keys of a mapping."""
    del path
    edge = margin([line for line in lines if not is_remark(line)])
    return (
        span for span in keys_at_any_depth(lines) if len(lines[span.start]) - len(lines[span.start].lstrip()) == edge
    )


def keys_at_any_depth(lines: Sequence[str]) -> Iterator[Span]:
    """Yield every key of a YAML file with the lines below it."""
    for at, line in enumerate(lines):
        if match := _KEY.match(line):
            deep = len(line) - len(line.lstrip())
            inner = (
                to for to in range(at + 1, len(lines))
                if lines[to].strip() and not is_remark(lines[to]) and len(lines[to]) - len(lines[to].lstrip()) <= deep
                and not (lines[to].lstrip().startswith("- ") and len(lines[to]) - len(lines[to].lstrip()) == deep)
            )  # fmt: skip
            yield Span(match["key"], at, _without_blank_end(lines, at, next(inner, len(lines))))


def _without_blank_end(lines: Sequence[str], start: int, end: int) -> int:
    """Return where a thing ends without what belongs to nothing: blank lines, remarks and rules between it and the next."""
    while end > start + 1 and _between(lines[end - 1]):
        end -= 1
    return end


def _between(line: str) -> bool:
    return not line.strip("-*_ \t") or (is_remark(line) and not _HEADING.match(line))


def _span(name: str, node: "Node") -> Span:
    return Span(name, node.start_point[0], node.end_point[0] + 1)


def _text(node: "Node | None") -> str:
    return node.text.decode() if node is not None and node.text else ""
