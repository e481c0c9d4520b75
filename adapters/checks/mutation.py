"""
An app made worthless, to see which of its tests notice: extreme mutation, after Niedermayr, Juergens and Wagner,
"Will my tests tell me if I break this code?" (2016). Two runs tell of all tests at once.
"""

import ast
from collections.abc import Callable

from adapters.checks.tests import is_test
from core.edits.languages import python_error, python_tree
from core.files import FileTree

MAX_CHARS = 200_000
_CONFIGURATION = frozenset(
    {"requirements.txt", "package.json", "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "app.json"}
)
"""Without these no test would run at all."""


def worthless(tree: FileTree) -> tuple[FileTree, FileTree]:
    """
    Return the tree twice with the tests as they are and everything else broken, in a way that can still be imported.

    In the first functions return None. In the second routes and constants are others, and what is not Python is empty.
    A test that notices neither cannot fail; one alone proves nothing, as a test of an answer "not found" may like it.
    """
    mine = {path: content for path, content in tree.items() if not _of_tests(path)}
    python = {path: content for path, content in mine.items() if path.endswith(".py")}
    emptied = {path: b"" for path in mine if path.rpartition("/")[2] not in _CONFIGURATION}
    return (
        tree.changed({path: _broken(content, _Idle()) for path, content in python.items()}),
        tree.changed(emptied | {path: _broken(content, _Other()) for path, content in python.items()}),
    )


def touched_tests(old: str, new: str) -> Callable[[str], bool]:
    """
    Return what says, of a test's name, whether the test reads otherwise than before.

    All do where that cannot be told, or where the data and helpers around them are others.
    """
    if python_error(old) or python_error(new):
        return lambda name: True
    (tests, around), (tests_before, around_before) = _parts(new), _parts(old)
    touched = {name for name, body in tests if (name, body) not in tests_before}
    return lambda name: around != around_before or name.rpartition("::")[2].partition("[")[0] in touched


def _parts(text: str) -> tuple[set[tuple[str, str]], list[str]]:
    """Return the tests of a file by name, and everything else in it."""
    tests, around = set(), []
    left: list[ast.stmt] = list(python_tree(text).body)
    while left:
        node = left.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            tests.add((node.name, ast.dump(node)))
        elif isinstance(node, ast.ClassDef):
            left += node.body
        else:
            around.append(ast.dump(node))
    return tests, around


def _of_tests(path: str) -> bool:
    parts = path.split("/")
    return is_test(path) or parts[-1] == "conftest.py" or bool({"tests", "test"} & set(parts[:-1]))


def _broken(content: bytes, breaker: ast.NodeTransformer) -> bytes:
    text = content.decode("utf-8", "replace")
    if len(text) > MAX_CHARS or python_error(text):
        return content
    return ast.unparse(ast.fix_missing_locations(breaker.visit(python_tree(text)))).encode()


class _Idle(ast.NodeTransformer):
    """Functions do nothing."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.body = [self.visit(one) for one in node.body]
        # What yields opens something for others: without it they would not come to judge anything.
        if not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node)):
            node.body = [ast.Return(ast.Constant(None))]
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        return ast.Yield(ast.Constant(None))

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = ast.Constant(None)
        return node


class _Other(ast.NodeTransformer):
    """Routes, numbers and prose are others."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            return ast.Constant(not value)
        if isinstance(value, int | float):
            return ast.Constant(value + 1)
        if isinstance(value, str) and _said(value):
            return ast.Constant(value + "x")
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if any("Enum" in ast.dump(base) for base in node.bases):
            for one in ast.walk(node):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    one.value += "x"
            return node
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if isinstance(node.value, ast.List | ast.Tuple | ast.Set):
            for word in node.value.elts:
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    word.value += "x"
            return node
        return self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node


def _said(text: str) -> bool:
    """Say whether a text is a route or prose. Other words may be settings, files or names, without which nothing would start."""
    return text.startswith("/") or (text != text.lower() and not text.isupper()) or " " in text
