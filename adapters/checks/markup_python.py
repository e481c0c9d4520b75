"""Where Python answers with HTML, and whether what is put into it may hold what people wrote."""

import ast
import re
from collections.abc import Iterator

from adapters.checks.markup_script import SAFE_CALL
from core.edits.languages import python_error, python_tree

MAX_DEPTH = 12
_RESPONSES = ("HTMLResponse", "Markup")
_NUMBERS = frozenset(
    {"len", "int", "float", "round", "sum", "abs", "isoformat", "strftime", "url_for", "count", "render"}
)
_NUMERIC = re.compile(r"[,_.\d+ <>=^]*[bcdeEfFgGnoxX%]|[\d.,_]+")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def open_responses(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of what takes HTML that is not escaped."""
    if not any(name in text for name in _RESPONSES) or python_error(text):
        return
    tree = python_tree(text)
    judge = _Judge(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _RESPONSES:
            given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "content")]
            if any(judge.puts_in(one) for one in given):
                yield node.lineno, _called(node)
        elif isinstance(node, _Function) and _answers_html(node):
            for one in _returned(node):
                if judge.puts_in(one):
                    yield one.lineno, "HTMLResponse"


def _answers_html(function: _Function) -> bool:
    keywords = (word for one in function.decorator_list if isinstance(one, ast.Call) for word in one.keywords)
    return any(
        word.arg == "response_class" and isinstance(word.value, ast.Name) and word.value.id == "HTMLResponse"
        for word in keywords
    )


def _returned(function: _Function) -> Iterator[ast.expr]:
    left: list[ast.AST] = list(function.body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        elif not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            left += ast.iter_child_nodes(node)


def _called(node: ast.Call) -> str:
    return (
        node.func.attr
        if isinstance(node.func, ast.Attribute)
        else node.func.id
        if isinstance(node.func, ast.Name)
        else ""
    )


class _Judge:
    """Follows a value to where it comes from, within one file."""

    def __init__(self, tree: ast.Module) -> None:
        self._values: dict[str, list[ast.expr]] = {}
        self._functions: dict[str, _Function] = {}
        self._safe: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._values.setdefault(target.id, []).append(node.value)
            elif isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name) and node.value:
                self._values.setdefault(node.target.id, []).append(node.value)
            elif isinstance(node, _Function):
                self._functions[node.name] = node
            elif isinstance(node, ast.ImportFrom):
                self._safe |= {one.asname for one in node.names if one.asname and SAFE_CALL.search(one.name)}

    def puts_in(self, node: ast.expr, depth: int = 0) -> bool:
        """Say whether a text is put together from something that may be open; a whole text from elsewhere is not judged."""
        if depth > MAX_DEPTH:
            return False
        if isinstance(node, ast.JoinedStr):
            return any(self._formatted(one, depth) for one in node.values if isinstance(one, ast.FormattedValue))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = (node.left, node.right)
            if any(isinstance(one, ast.Constant | ast.JoinedStr) for one in sides):
                return any(self.is_open(one, depth + 1) for one in sides)
            return any(self.puts_in(one, depth + 1) for one in sides)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
            parts = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            return any(self.is_open(one, depth + 1) for one in parts)
        if isinstance(node, ast.Call) and _called(node) == "format" and isinstance(node.func, ast.Attribute):
            given = [*node.args, *(one.value for one in node.keywords)]
            known = isinstance(node.func.value, ast.Constant | ast.Name)
            return known and any(self.is_open(one, depth + 1) for one in given)
        if isinstance(node, ast.Name):
            return any(self.puts_in(one, depth + 1) for one in self._values.get(node.id, []))
        if isinstance(node, ast.IfExp):
            return self.puts_in(node.body, depth + 1) or self.puts_in(node.orelse, depth + 1)
        return False

    def _formatted(self, node: ast.FormattedValue, depth: int) -> bool:
        spec = node.format_spec
        parts = spec.values if isinstance(spec, ast.JoinedStr) else []
        numeric = len(parts) == 1 and isinstance(parts[0], ast.Constant) and _NUMERIC.fullmatch(str(parts[0].value))
        return not numeric and self.is_open(node.value, depth + 1)

    def is_open(self, node: ast.expr, depth: int) -> bool:
        """Say whether a value may hold what people wrote and nobody escaped."""
        if isinstance(node, ast.Constant):
            return False
        if depth > MAX_DEPTH:
            return True
        if isinstance(node, ast.JoinedStr):
            return self.puts_in(node, depth + 1)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add | ast.Mod) and self.puts_in(node, depth + 1)
        if isinstance(node, ast.IfExp):
            return self.is_open(node.body, depth + 1) or self.is_open(node.orelse, depth + 1)
        if isinstance(node, ast.BoolOp):
            return any(self.is_open(one, depth + 1) for one in node.values)
        if isinstance(node, ast.Compare | ast.UnaryOp):
            return False
        if isinstance(node, ast.Name):
            known = self._values.get(node.id, [])
            return not known or any(self.is_open(one, depth + 1) for one in known)
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return self.is_open(node.elt, depth + 1)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        return True

    def _call(self, node: ast.Call, depth: int) -> bool:
        name = _called(node)
        if SAFE_CALL.search(name) or name in self._safe or name in _NUMBERS:
            return False
        if name == "join" and node.args:
            return self.is_open(node.args[0], depth + 1)
        if name in ("str", "strip", "title", "upper", "lower") and (node.args or isinstance(node.func, ast.Attribute)):
            of = node.args[0] if name == "str" else node.func.value if isinstance(node.func, ast.Attribute) else node
            return self.is_open(of, depth + 1)
        if isinstance(node.func, ast.Name) and name in self._functions:
            return any(self.is_open(one, depth + 1) for one in _returned(self._functions[name]))
        return True
