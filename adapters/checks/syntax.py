"""Parse what can be parsed in process: Python, JSON, YAML, TOML, HTML and CSS. JavaScript is the linter's."""

import asyncio
import json
import re
import tomllib
from collections.abc import Callable, Iterator

import yaml
from tree_sitter import Node

from adapters.checks.material import Check, Material, Report
from core.edits.languages import hopeless, python_tree, root
from core.findings import Finding, Level

MAX_BYTES = 500_000
MAX_NESTING, MAX_BRACKETS = 100, 20_000
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
    return _json(_without_trailing_commas(without_comments(text, "//")))


def without_comments(text: str, *line_starts: str, quotes: str = '"') -> str:
    """
    Return a text with blanks in the place of its comments, `/* … */` and those that go from `line_starts` to a line's end.

    Step by step and never back, whatever the text: what has no end goes on to the end of the file, a text to that of its line.
    """
    out, at = list[str](), 0
    while at < len(text):
        if text[at] in quotes:
            end = _text_end(text, at)
            out.append(text[at:end])
        elif text.startswith("/*", at):
            end = _behind(text, "*/", at + 2)
            out.append("".join("\n" if char == "\n" else " " for char in text[at:end]))
        elif text.startswith(line_starts or ("\0",), at):
            end = _behind(text, "\n", at) - (text.find("\n", at) >= 0)
            out.append(" " * (end - at))
        else:
            end = at + 1
            out.append(text[at])
        at = end
    return "".join(out)


def _text_end(text: str, start: int) -> int:
    """Return where a quoted text has ended."""
    at = start + 1
    while at < len(text) and text[at] not in (text[start], "\n"):
        at += 2 if text[at] == "\\" else 1
    return min(at + 1, len(text)) if text[at : at + 1] == text[start] else min(at, len(text))


def _behind(text: str, end: str, at: int) -> int:
    found = text.find(end, at)
    return len(text) if found < 0 else found + len(end)


def _without_trailing_commas(text: str) -> str:
    out, at, comma = list[str](), 0, -1
    while at < len(text):
        end = _text_end(text, at) if text[at] == '"' else at + 1
        if comma >= 0 and text[at] in "]}":
            out[comma] = " "
        if text[at] == ",":
            comma = len(out)
        elif not text[at].isspace():
            comma = -1
        out.append(text[at:end])
        at = end
    return "".join(out)


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
    except RecursionError:
        return "error", 0, "TOML is nested too deeply"
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return "error", int(line[1]) if line else 0, f"TOML does not parse: {error}"
    return None


def _first_error(node: Node) -> Node | None:
    left = [node]
    while left:
        node = left.pop()
        if node.is_error or node.is_missing:
            return node
        left += reversed([child for child in node.children if child.has_error or child.is_missing])
    return None


def _html(text: str) -> Problem:
    """Browsers mend bad HTML, so this only warns. The grammar takes seconds where a comment does not end."""
    if hopeless("html", text):
        return "warning", text.count("\n", 0, text.rfind("<!--")) + 1, "HTML has a comment that does not end"
    top = root("x.html", text)
    if top is None:
        return "note", 0, "HTML was not looked at: that would have taken too long"
    found = _first_error(top)
    return ("warning", found.start_point[0] + 1, "HTML has a tag that does not fit here") if found else None


def _css(text: str) -> Problem:
    """Only braces are looked at: grammars lag behind the language."""
    opened = list[int]()
    line = 1
    at = 0
    bare = without_comments(text, quotes="\"'")
    while at < len(bare):
        char = bare[at]
        if char in "\"'":
            end = _text_end(bare, at)
            line += bare.count("\n", at, end)
            at = end
            continue
        line += char == "\n"
        if char == "{":
            opened.append(line)
        elif char == "}":
            if not opened:
                return "error", line, "CSS has braces that do not match"
            opened.pop()
        at += 1
    return ("error", opened[-1], "CSS has braces that do not match") if opened else None


def _parser_of(path: str) -> Callable[[str], Problem]:
    name = path.rpartition("/")[2]
    if re.fullmatch(r"[tj]sconfig[\w.-]*\.json", name) or ".vscode/" in f"/{path}":
        return _commented_json
    return _PARSERS[name.rpartition(".")[2]]


_PARSERS: dict[str, Callable[[str], Problem]] = {
    "py": _python, "json": _json, "yaml": _yaml, "yml": _yaml, "toml": _toml, "html": _html, "css": _css,
}  # fmt: skip
