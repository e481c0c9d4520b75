"""Tests that cannot fail are no evidence, so they are refused."""

import ast
import asyncio
import re
from collections.abc import Iterator

from adapters.checks.material import Check, Material, Report
from adapters.checks.tests import is_test
from core.edits.languages import python_error, python_tree
from core.findings import Finding

_CASE = re.compile(r"^\s*(?:it|test)(?:\.\w+)?\(\s*(['\"`])(?P<name>.*?)\1", re.M)
_JUDGES = re.compile(r"\b(?:expect|assert\w*|should)\b")
_CALLS = ("raises", "warns", "fail", "raise_for_status")


def hollow_check() -> Check:
    """Return the check of test files; it only parses."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    return Check("test-worth", 0, lambda material: bool(_tests(material)), run)


def _tests(material: Material) -> list[str]:
    return [path for path in material.tree if is_test(path)]


def _findings(material: Material) -> Iterator[Finding]:
    for path in _tests(material):
        text = material.tree.text(path) or ""
        found = _python(text) if path.endswith(".py") else _script(text)
        for line, name in found:
            said = f"{name} asserts nothing that could be false, so it passes whatever the app does."
            yield Finding("cannot-fail", "error", path, line, said, "test-worth")


def _python(text: str) -> Iterator[tuple[int, str]]:
    if python_error(text):
        return
    tree = python_tree(text)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    judging = {name for name, node in functions.items() if _judges(node)}
    for name, node in functions.items():
        helped = any(
            isinstance(one, ast.Name | ast.Attribute) and _called(one) in judging - {name} for one in ast.walk(node)
        )
        if name.startswith("test") and name not in judging and not helped:
            yield node.lineno, name


def _judges(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Call) and (_called(node.func) in _CALLS or _called(node.func).startswith("assert")):
            return True
    return False


def _called(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _script(text: str) -> Iterator[tuple[int, str]]:
    cases = list(_CASE.finditer(text))
    for at, case in enumerate(cases):
        end = cases[at + 1].start() if at + 1 < len(cases) else len(text)
        if not _JUDGES.search(text[case.end() : end]):
            yield text.count("\n", 0, case.start("name")) + 1, case["name"]
