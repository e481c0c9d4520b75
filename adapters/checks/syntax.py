"""Parse what can be parsed in process: Python, JSON, YAML, TOML, HTML and CSS. JavaScript is the linter's."""

import asyncio
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import lru_cache

import tree_sitter_css
import tree_sitter_html
import yaml
from tree_sitter import Language, Node, Parser

from adapters.checks.material import Check, Material, Report
from core.edits.languages import python_tree
from core.findings import Finding, Level

MAX_BYTES = 500_000
MAX_NESTING, MAX_BRACKETS = 100, 20_000
_TEXT = r'("(?:\\.|[^"\\\n])*")'
_COMMENTS = re.compile(rf"{_TEXT}|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)")
_TRAILING = re.compile(rf"{_TEXT}|,(?=\s*[\]}}])")
_ENDINGS = (".py", ".json", ".yaml", ".yml", ".toml", ".html", ".css")


def syntax_check() -> Check:
    """Return the check; it costs a few milliseconds a file."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    return Check("syntax", 0, lambda material: bool(material.paths(*_ENDINGS)), run)


def _findings(material: Material) -> Iterator[Finding]:
    for path in material.paths(*_ENDINGS):
        content = material.tree[path]
        if len(content) > MAX_BYTES:
            yield Finding("too-large", "note", path, 0, f"{len(content):,} bytes were not parsed", "syntax")
            continue
        text = material.tree.text(path)
        if text is None:
            yield Finding("encoding", "error", path, 0, "the file is not UTF-8 text", "syntax")
            continue
        text = text.removeprefix("\ufeff")
        try:
            problem = _parser_of(path)(text)
        except (ValueError, RecursionError, OverflowError, MemoryError) as error:
            problem = ("error", 0, f"the file does not parse: {error}"[:200])
        if problem is not None:
            level, line, message = problem
            yield Finding("syntax", level, path, line, message, "syntax")


Problem = tuple[Level, int, str] | None


def _python(text: str) -> Problem:
    try:
        python_tree(text)
    except SyntaxError as error:
        return "error", error.lineno or 0, f"Python does not parse: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return "error", 0, f"Python does not parse: {error}"
    return None


def _json(text: str) -> Problem:
    try:
        # Numbers stay texts: Python refuses those with thousands of digits, JSON does not.
        json.loads(text, parse_int=str)
    except json.JSONDecodeError as error:
        return "error", error.lineno, f"JSON does not parse: {error.msg}"
    except RecursionError:
        return "error", 0, "JSON is nested too deeply"
    return None


def _commented_json(text: str) -> Problem:
    """Parse JSON as TypeScript's and editors' configuration has it: with comments and trailing commas."""
    plain = _COMMENTS.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
    return _json(_TRAILING.sub(lambda match: match[1] or " ", plain))


def _yaml(text: str) -> Problem:
    if (
        max(map(len, re.findall(r"[\[{]+", text)), default=0) > MAX_NESTING
        or text.count("[") + text.count("{") > MAX_BRACKETS
    ):
        return "error", 0, "YAML is nested too deeply"
    try:
        # Events, not objects: an alias bomb is not expanded.
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return "error", mark.line + 1 if mark else 0, f"YAML does not parse: {getattr(error, 'problem', error)}"
    return None


def _toml(text: str) -> Problem:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return "error", int(line[1]) if line else 0, f"TOML does not parse: {error}"
    return None


@lru_cache
def _parser(kind: str) -> Parser:
    return Parser(Language(tree_sitter_css.language() if kind == "css" else tree_sitter_html.language()))


def _first_error(node: Node) -> Node | None:
    if node.is_error or node.is_missing:
        return node
    return next((found for child in node.children if child.has_error and (found := _first_error(child))), None)


def _html(text: str) -> Problem:
    """Browsers mend bad HTML, so this only warns."""
    found = _first_error(_parser("html").parse(text.encode()).root_node)
    return ("warning", found.start_point[0] + 1, "HTML has a tag that does not fit here") if found else None


def _css(text: str) -> Problem:
    """The grammar lags behind the language: an error counts only where the braces do not match either."""
    bare = re.sub(r"/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", text, flags=re.S)
    if bare.count("{") == bare.count("}"):
        return None
    found = _first_error(_parser("css").parse(text.encode()).root_node)
    return "error", found.start_point[0] + 1 if found else 0, "CSS has braces that do not match"


def _parser_of(path: str) -> Callable[[str], Problem]:
    name = path.rpartition("/")[2]
    if re.fullmatch(r"[tj]sconfig[\w.-]*\.json", name) or ".vscode/" in f"/{path}":
        return _commented_json
    return _PARSERS[name.rpartition(".")[2]]


_PARSERS: dict[str, Callable[[str], Problem]] = {
    "py": _python, "json": _json, "yaml": _yaml, "yml": _yaml, "toml": _toml, "html": _html, "css": _css,
}  # fmt: skip
