"""Which lines define what: functions, classes and the like of Python, JavaScript and TypeScript."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.edits.languages import SCRIPTS, ending, python_error, python_tree, root

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMED = (
    "function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
    "method_definition", "interface_declaration", "type_alias_declaration", "enum_declaration",
)  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """A definition's name, its lines (from 0, end excluded), where its own first line is below decorators, and its depth."""

    name: str
    start: int
    end: int
    first: int
    depth: int = 0


def definitions(path: str, text: str) -> list[Definition]:
    """Return every definition of a text, outer before inner; empty where it does not parse or nothing can tell."""
    if ending(path) == "py":
        return list(_python(_body(text), 0))
    top = root(path, text) if ending(path) in SCRIPTS else None
    return list(_script(top, 0)) if top is not None else []


def statements(path: str, text: str) -> int:
    """Return how many statements stand at the outermost level; 0 where nothing can tell."""
    if ending(path) == "py":
        return len(_body(text))
    top = root(path, text) if ending(path) in SCRIPTS else None
    return sum(child.is_named and child.type != "comment" for child in top.children) if top is not None else 0


def lacks_members(old: Definition, known: Sequence[Definition], said: set[str]) -> bool:
    """Say whether a definition has members of which an answer shows others, or fewer: it is no whole one."""
    members = {one.name for one in known if old.start < one.start and one.end <= old.end and one.depth == old.depth + 1}
    return bool(members) and bool(members & said) and not members <= said


def _body(text: str) -> list[ast.stmt]:
    return [] if python_error(text) else python_tree(text).body


def _python(body: Sequence[ast.stmt], depth: int) -> Iterator[Definition]:
    left = [(node, depth) for node in reversed(body)]
    while left:
        node, depth = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            start = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
            yield Definition(node.name, start, node.end_lineno or node.lineno, node.lineno - 1, depth)
        inner = [one for name in ("body", "orelse", "finalbody") for one in getattr(node, name, [])]
        left += [(one, depth + 1) for one in reversed(inner)]


def _script(top: "Node", depth: int) -> "Iterator[Definition]":
    """Walk step by step: a model's code may be nested deeper than Python calls."""
    left = [(child, depth) for child in reversed(top.named_children)]
    while left:
        child, depth = left.pop()
        if name := _name(child):
            outer = child.parent if child.parent is not None and child.parent.type == "export_statement" else child
            start, end = outer.start_point[0], outer.end_point[0] + 1
            yield Definition(name, start, end, child.start_point[0], depth)
        deeper = depth + (child.type not in ("export_statement", "class_body", "statement_block"))
        left += [(one, deeper) for one in reversed(child.named_children)]


def _name(node: "Node") -> str:
    """Return what a node defines; a constant counts when it holds a function, a class or an object."""
    if node.type in _NAMED:
        named = node.child_by_field_name("name")
        return named.text.decode() if named is not None and named.text else ""
    if node.type in ("lexical_declaration", "variable_declaration") and node.named_child_count == 1:
        holder = node.named_children[0]
        named, value = holder.child_by_field_name("name"), holder.child_by_field_name("value")
        if named is not None and value is not None and named.type == "identifier" and named.text:
            return named.text.decode()
    return ""
