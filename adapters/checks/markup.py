"""Text that becomes HTML without being escaped: whoever writes it can run scripts in the page."""

import ast
import asyncio
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapters.checks.material import Check, Material, Report
from core.edits.languages import SCRIPTS, python_error, python_tree, root
from core.findings import Finding

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_CHARS = 500_000
_SAFE = re.compile(r"escape|sanit|purify|encode", re.IGNORECASE)
_SINKS = ("innerHTML", "outerHTML")
_RESPONSES = ("HTMLResponse", "Markup")


def markup_check() -> Check:
    """Return the check of scripts and Python; it only parses."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    return Check("markup", 0, lambda material: bool(material.paths(".py", *(f".{one}" for one in SCRIPTS))), run)


def _findings(material: Material) -> Iterator[Finding]:
    for path in material.paths(".py", *(f".{one}" for one in SCRIPTS)):
        text = material.tree.text(path)
        if text is None or len(text) > MAX_CHARS:
            continue
        for line, where in _python(text) if path.endswith(".py") else _script(path, text):
            said = (
                f"{where} takes a text as HTML that was not escaped, so whoever writes it can run scripts in the page."
            )
            yield Finding("xss", "error", path, line, said, "markup")


def _python(text: str) -> Iterator[tuple[int, str]]:
    if not any(name in text for name in _RESPONSES) or python_error(text):
        return
    for node in ast.walk(python_tree(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _RESPONSES:
            parts = [part for one in node.args[:1] for part in ast.walk(one) if isinstance(part, ast.FormattedValue)]
            if any(not _SAFE.search(ast.unparse(part.value)) for part in parts):
                yield node.lineno, node.func.id


def _script(path: str, text: str) -> Iterator[tuple[int, str]]:
    top = root(path, text)
    left = [top] if top is not None and not top.has_error else []
    while left:
        node = left.pop()
        left += node.children
        if (found := _sink(node)) is not None and _is_open(found[1]):
            yield node.start_point[0] + 1, found[0]


def _sink(node: "Node") -> "tuple[str, Node] | None":
    """Return what takes HTML and what it is given, None for any other node."""
    if node.type in ("assignment_expression", "augmented_assignment_expression"):
        target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = target.child_by_field_name("property") if target is not None else None
        if name is not None and value is not None and _text(name) in _SINKS:
            return _text(name), value
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is not None and given is not None and given.named_children:
        page, _, verb = _text(called).rpartition(".")
        if verb == "insertAdjacentHTML" or (page == "document" and verb in ("write", "writeln")):
            return verb, given.named_children[-1]
    named = node.named_children
    if node.type == "jsx_attribute" and named and _text(named[0]) == "dangerouslySetInnerHTML":
        return _text(named[0]), named[-1]
    return None


def _is_open(value: "Node") -> bool:
    """Say whether a value holds anything that may come from people: more than literals, and not escaped."""
    if _SAFE.search(_text(value)):
        return False
    left = [value]
    while left:
        node = left.pop()
        if node.type in ("identifier", "member_expression", "call_expression", "subscript_expression"):
            return True
        left += node.named_children
    return False


def _text(node: "Node") -> str:
    return node.text.decode() if node.text else ""
