"""
Tests that cannot fail are no evidence, so they are refused.

Reading finds only those that call nothing which could object; `mutation.py` finds the others by running them.
"""

import ast
import asyncio
import re
from collections.abc import Iterator

from adapters.checks.material import Check, Material, Report
from adapters.checks.tests import is_test
from core.edits.languages import python_error, python_tree
from core.findings import Finding

MAX_CHARS = 200_000
_CASE = re.compile(r"^[ \t]*(?:it|test)(?:\.(?:only|concurrent|fails))?\([ \t]*(['\"`])(?P<name>[^\n]*?)\1", re.M)
_JUDGES = re.compile(r"\b(?:expect|assert\w*|should|throw|(?:get|find)(?:All)?By\w+)\b")
_NO_CODE = re.compile(r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)")
_HELPER = re.compile(r"^(?:export )?(?:async )?(?:function (\w+)|const (\w+) = (?:async )?(?:function|\())", re.M)
_HELPERS = ("test", "spec", "helper", "util", "setup", "fixture")
"""What files are called that may do the judging for others."""
_HARMLESS = frozenset(
    {"print", "len", "str", "int", "float", "list", "dict", "set", "tuple", "range", "sorted", "bool", "repr", "type",
     "isinstance", "sum", "min", "max", "any", "all", "zip", "enumerate"}
)  # fmt: skip
_Function = ast.FunctionDef | ast.AsyncFunctionDef


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
        if len(text) > MAX_CHARS:
            continue
        found = _python(text) if path.endswith(".py") else _script(text)
        for line, name in found:
            said = f"{name} asserts nothing that could be false, so it passes whatever the app does."
            yield Finding("cannot-fail", "error", path, line, said, "test-worth")


def _python(text: str) -> Iterator[tuple[int, str]]:
    if python_error(text):
        return
    for function in _cases(python_tree(text)):
        if not any(_may_fail(node) for one in function.body for node in ast.walk(one)):
            yield function.lineno, function.name


def _cases(tree: ast.Module) -> Iterator[_Function]:
    """Yield what pytest takes for tests: not fixtures, not what is skipped, not methods of helpers."""
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    tested = [one for one in classes if one.name.startswith("Test") or any("TestCase" in _called(b) for b in one.bases)]
    for one in [*tree.body, *(inner for group in tested for inner in group.body)]:
        if isinstance(one, _Function) and one.name.startswith("test"):
            marks = [_called(mark.func if isinstance(mark, ast.Call) else mark) for mark in one.decorator_list]
            if not {"fixture", "skip", "xfail"} & set(marks):
                yield one


def _may_fail(node: ast.AST) -> bool:
    """Say whether a piece of a test could object to something."""
    if isinstance(node, ast.Assert):
        return not _always_true(node.test)
    if isinstance(node, ast.Call):
        return not (isinstance(node.func, ast.Name) and node.func.id in _HARMLESS)
    return isinstance(node, ast.Raise | ast.With | ast.AsyncWith | ast.Await)


def _always_true(test: ast.expr) -> bool:
    """Say whether what is asserted is written to be true."""
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(isinstance(one, ast.Constant) and one.value for one in test.values)
    return not any(isinstance(one, ast.Name | ast.Call | ast.Attribute | ast.Subscript) for one in ast.walk(test))


def _called(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _imports_helper(line: str) -> bool:
    source = line.replace('"', "'").rstrip("; \t\r").removesuffix("'").rpartition("'")[2].lower()
    return line.startswith("import ") and source.startswith(".") and any(word in source for word in _HELPERS)


def _script(text: str) -> Iterator[tuple[int, str]]:
    text = _NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    cases = list(_CASE.finditer(text))
    if not cases or any(map(_imports_helper, text.split("\n"))):
        return
    # A function of the file may do the judging for the cases that call it.
    helpers = [match[1] or match[2] for match in _HELPER.finditer(text)]
    judged_by = re.compile(rf"{_JUDGES.pattern}|\b(?:{'|'.join(map(re.escape, helpers)) or '(?!)'})\(")
    for at, case in enumerate(cases):
        end = cases[at + 1].start() if at + 1 < len(cases) else len(text)
        if not judged_by.search(text[case.end() : end].replace("expect(true).toBe(true)", "")):
            yield text.count("\n", 0, case.start("name")) + 1, case["name"]
