"""Operations on scripts, style sheets and pages: a grammar finds the span, the span is replaced."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.edits.definitions import Definition, definitions
from core.edits.languages import root
from core.edits.model import Operation

if TYPE_CHECKING:
    from tree_sitter import Node


def with_script(edit: Operation, text: str) -> str:
    """
    Return a script with the operation done.

    Raises:
        LookupError: the thing is not there, there more than once, or there already.
    """
    lines = text.split("\n")
    content = edit.content.strip("\n").split("\n")
    if edit.thing == "import":
        return "\n".join(_with_import(edit, lines, content))
    *holders, name = edit.target.split(".")
    known = definitions(edit.path, text)
    within = _only(known, holders[-1]) if holders else None
    if edit.action == "add" and edit.thing == "method" and within is None:
        within, name = _only(known, name), ""
    inside = [one for one in known if within is None or (within.start < one.start and one.end <= within.end)]
    if edit.action == "add":
        if any(one.name == name for one in inside):
            raise LookupError(f"{name} is there already; replace it.")
        if within is None:
            return "\n".join([*_stripped(lines), "", *content, ""])
        margin = " " * (len(lines[within.first]) - len(lines[within.first].lstrip()) + 2)
        return "\n".join([*lines[: within.end - 1], "", *_at(content, margin), *lines[within.end - 1 :]])
    old = _only(inside, name)
    first = lines[old.start]
    new = [] if edit.action == "remove" else _at(content, first[: len(first) - len(first.lstrip())])
    after = lines[old.end :]
    if not new and after and not after[0].strip():
        after = after[1:]
    return "\n".join([*lines[: old.start], *new, *after])


def _only(known: list[Definition], name: str) -> Definition:
    found = [one for one in known if one.name == name]
    if len(found) != 1:
        names = ", ".join(one.name for one in known)[:300] or "nothing"
        raise LookupError(f"{name} is there {len(found)} times; it has {names}.")
    return found[0]


def _with_import(edit: Operation, lines: list[str], content: list[str]) -> list[str]:
    imports = [at for at, line in enumerate(lines) if re.match(r"\s*import\b", line)]
    if edit.action == "remove":
        gone = [at for at in imports if re.search(rf"['\"]{re.escape(edit.target)}['\"]", lines[at])]
        if len(gone) != 1:
            raise LookupError(f"{edit.target} is imported {len(gone)} times.")
        return [*lines[: gone[0]], *lines[gone[0] + 1 :]]
    fresh = [line for line in content if line not in lines]
    at = imports[-1] + 1 if imports else 0
    # An import over several lines ends where its source is named.
    while imports and at < len(lines) and not re.search(r"['\"];?\s*$", lines[at - 1]):
        at += 1
    return [*lines[:at], *fresh, *lines[at:]]


def _at(content: list[str], margin: str) -> list[str]:
    """Return lines moved to a margin."""
    own = min((len(line) - len(line.lstrip()) for line in content if line.strip()), default=0)
    return [margin + line[own:] if line.strip() else "" for line in content]


def _stripped(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def with_rule(edit: Operation, text: str) -> str:
    """
    Return a style sheet with the rule of a selector replaced, added or removed.

    Raises:
        LookupError: there is no such rule, or more than one.
    """
    if edit.action == "add":
        return text.rstrip("\n") + ("\n\n" if text.strip() else "") + edit.content.strip("\n") + "\n"
    wanted = " ".join(edit.target.split())
    rules = [node for node in _all(edit.path, text) if node.type == "rule_set"]
    found = [node for node in rules if " ".join(_text(node.children[0]).split()) == wanted]
    return _spliced(edit, text, found)


def with_element(edit: Operation, text: str) -> str:
    """
    Return a page with an element (`#id`, or a tag that is there once) replaced, removed, or filled with one more.

    Raises:
        LookupError: there is no such element, or more than one.
    """
    found = [node for node in _all(edit.path, text) if node.type == "element" and _is(node, edit.target)]
    if edit.action != "add":
        return _spliced(edit, text, found)
    ends = [one for node in found for one in node.children if one.type == "end_tag"]
    if len(ends) != 1:
        raise LookupError(f"{edit.target} is there {len(ends)} times.")
    source, at = text.encode(), ends[0].start_byte
    line = source[source.rfind(b"\n", 0, at) + 1 : at].decode()
    if line.strip():
        return (source[:at] + edit.content.strip().encode() + source[at:]).decode()
    content = "\n".join(_at(edit.content.strip("\n").split("\n"), line + "  "))
    return (source[: at - len(line.encode())] + f"{content}\n{line}".encode() + source[at:]).decode()


def _is(node: "Node", target: str) -> bool:
    tag = node.children[0]
    if not target.startswith("#"):
        return _text(tag.named_children[0]) == target if tag.named_children else False
    return any(
        one.type == "attribute" and re.fullmatch(rf"id\s*=\s*['\"]?{re.escape(target[1:])}['\"]?", _text(one))
        for one in tag.named_children
    )


def _spliced(edit: Operation, text: str, found: "list[Node]") -> str:
    if len(found) != 1:
        raise LookupError(f"{edit.target} is there {len(found)} times.")
    source = text.encode()
    start, end = found[0].start_byte, found[0].end_byte
    if edit.action == "remove":
        # The line break and margin of what goes, go too.
        start = len(source[:start].rstrip(b" \t"))
        end += len(source[end:]) - len(source[end:].lstrip(b"\n")) if source[:start].endswith(b"\n") else 0
        return (source[:start] + (source[end:] if start else source[end:].lstrip(b"\n"))).decode()
    line = source[source.rfind(b"\n", 0, start) + 1 : start].decode()
    margin = line if not line.strip() else ""
    content = "\n".join(_at(edit.content.strip("\n").split("\n"), margin)).strip()
    return (source[:start] + content.encode() + source[end:]).decode()


def _all(path: str, text: str) -> "Iterator[Node]":
    top = root(path, text)
    left = [top] if top is not None else []
    while left:
        node = left.pop()
        yield node
        left += node.children


def _text(node: "Node") -> str:
    return node.text.decode() if node.text else ""
