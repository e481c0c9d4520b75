"""Where a script gives the page HTML, and whether what it gives may hold what people wrote."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.edits.languages import root

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 12
SINKS = ("innerHTML", "outerHTML")
# What makes a text harmless, by the name of the function that does it; "unescape" does not.
SAFE_CALL = re.compile(r"(?<!un)(?:escape|esc$)|sanit|purify|encodeuri|(?<!de)encodehtml|htmlencode", re.IGNORECASE)
_NUMBERS = frozenset(
    {
        "Number",
        "parseInt",
        "parseFloat",
        "toFixed",
        "toLocaleDateString",
        "toLocaleTimeString",
        "getFullYear",
        "indexOf",
    }
)
_SAME = frozenset(
    {"trim", "slice", "substring", "toUpperCase", "toLowerCase", "join", "concat", "repeat", "flat", "reverse"}
)
_HARMLESS = frozenset({"length", "size", "index", "count", "id"})
_LITERALS = frozenset({"string", "number", "regex", "true", "false", "null", "undefined", "comment"})


def open_sinks(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of what takes HTML that is not escaped."""
    top = root(path, text)
    if top is None or top.has_error:
        return
    judge: _Judge | None = None
    left = [top]
    while left:
        node = left.pop()
        left += node.children
        if (found := _sink(node)) is not None:
            judge = judge or _Judge(top)
            if judge.is_open(found[1]):
                yield node.start_point[0] + 1, found[0]


def _sink(node: "Node") -> "tuple[str, Node] | None":
    """Return what takes HTML and what it is given, None for any other node."""
    if node.type in ("assignment_expression", "augmented_assignment_expression"):
        target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = _property(target) if target is not None else ""
        return (name, value) if name in SINKS and value is not None else None
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is not None and given is not None and given.named_children:
        page, _, verb = text_of(called).rpartition(".")
        if verb == "insertAdjacentHTML" or (page == "document" and verb in ("write", "writeln")):
            return verb, given.named_children[-1]
    named = node.named_children
    if node.type == "jsx_attribute" and named and text_of(named[0]) == "dangerouslySetInnerHTML":
        return text_of(named[0]), named[-1]
    return None


def _property(target: "Node") -> str:
    """Return the name of the property that is written, be it `a.b` or `a["b"]`."""
    name = target.child_by_field_name("property") or target.child_by_field_name("index")
    return text_of(name).strip("'\"`") if name is not None else ""


class _Judge:
    """Follows a value to where it comes from, within one file."""

    def __init__(self, top: "Node") -> None:
        self._values: dict[str, list[Node]] = {}
        left = [top]
        while left:
            node = left.pop()
            left += node.named_children
            name = node.child_by_field_name("name")
            if node.type == "variable_declarator" and name is not None and name.type == "identifier":
                if (value := node.child_by_field_name("value")) is not None:
                    self._values.setdefault(text_of(name), []).append(value)
            elif node.type == "function_declaration" and name is not None:
                self._values.setdefault(text_of(name), []).append(node)
            elif node.type in ("assignment_expression", "augmented_assignment_expression"):
                target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
                if target is not None and value is not None and target.type == "identifier":
                    self._values.setdefault(text_of(target), []).append(value)

    def is_open(self, node: "Node", depth: int = 0) -> bool:
        """Say whether a value may hold what people wrote and nobody escaped."""
        kind = node.type
        if kind in _LITERALS:
            return False
        if depth > MAX_DEPTH:
            return True
        if kind == "identifier":
            known = self._values.get(text_of(node), [])
            return not known or any(self.is_open(one, depth + 1) for one in known)
        if kind == "member_expression":
            return _property(node) not in _HARMLESS
        if kind == "call_expression":
            return self._call(node, depth)
        if kind == "ternary_expression":
            parts = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
            return any(self.is_open(one, depth + 1) for one in parts if one is not None)
        if kind == "binary_expression":
            sign = node.child_by_field_name("operator")
            if sign is None or text_of(sign) not in ("+", "||", "&&", "??"):
                return False
            if text_of(sign) == "+" and self._counts(node):
                return False
        if kind in ("arrow_function", "function_expression", "function_declaration"):
            return self._returns(node, depth)
        if kind == "pair":
            value = node.child_by_field_name("value")
            return value is not None and self.is_open(value, depth + 1)
        if kind in (
            "subscript_expression",
            "this",
            "await_expression",
            "new_expression",
            "shorthand_property_identifier",
        ):
            return True
        return any(self.is_open(one, depth + 1) for one in node.named_children)

    def _counts(self, node: "Node") -> bool:
        """Say whether a sum is one of numbers, as in `i + 1`."""
        kinds = [one.type for one in node.named_children]
        return "number" in kinds and all(one in ("number", "identifier", "member_expression") for one in kinds)

    def _call(self, node: "Node", depth: int) -> bool:
        called = node.child_by_field_name("function")
        if called is None:
            return True
        name = _property(called) or text_of(called)
        if SAFE_CALL.search(name) or name in _NUMBERS or text_of(called).startswith("Math."):
            return False
        of = called.child_by_field_name("object")
        given = node.child_by_field_name("arguments")
        arguments = given.named_children if given is not None else []
        if of is not None and name in ("map", "flatMap") and arguments:
            return self.is_open(arguments[0], depth + 1)
        if of is not None and name in _SAME:
            return self.is_open(of, depth + 1)
        if of is None and name in self._values:
            return any(self.is_open(one, depth + 1) for one in self._values[name])
        return True

    def _returns(self, function: "Node", depth: int) -> bool:
        body = function.child_by_field_name("body")
        if body is None:
            return True
        if body.type != "statement_block":
            return self.is_open(body, depth + 1)
        left, found = list(body.named_children), []
        while left:
            node = left.pop()
            if node.type == "return_statement":
                found += node.named_children
            elif node.type not in ("arrow_function", "function_expression", "function_declaration"):
                left += node.named_children
        return any(self.is_open(one, depth + 1) for one in found)


def text_of(node: "Node") -> str:
    """Return the source of a node."""
    return node.text.decode() if node.text else ""
