"""Grammars: how much of a text does not parse, and what defines what in it."""

import ast
import json
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_CHARS = 1_000_000
"""Longer texts are not parsed."""
PATIENCE_SECONDS, PART_BYTES = 1.5, 8_192
SCRIPTS = ("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx")


PROSE = ("md", "mdx", "markdown", "rst", "txt", "adoc")
LISTS = ("gitignore", "dockerignore", "env", "txt")
"""Files whose lines mean something each on its own."""
KIN = (
    {"js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "javascript", "typescript", "node"},
    {"html", "htm", "vue", "svelte", "xml", "svg", "jinja", "jinja2", "j2", "django", "njk", "ejs", "php", "astro", "markup"},
    {"css", "scss", "sass", "less", "postcss"},
    {"json", "jsonc", "json5", "webmanifest"},
    {"yaml", "yml"},
    {"py", "pyi", "python", "python3", "pycon"},
    {"md", "mdx", "markdown", "rst", "txt", "text", "adoc"},
    {"sh", "bash", "zsh", "shell", "console", "terminal", "powershell", "ps1", "bat", "cmd", "fish"},
    {"sql", "psql", "pgsql", "sqlite", "mysql", "postgresql"},
    {"toml", "ini", "cfg", "conf", "env", "dotenv", "properties", "nginx"},
    {"rs", "rust"}, {"go", "golang"}, {"kt", "kts", "kotlin"}, {"ex", "exs", "elixir"}, {"rb", "ruby", "rake", "gemspec", "gemfile", "rakefile"}, {"java"},
    {"cs", "csharp", "c#"}, {"c", "h", "cpp", "cc", "cxx", "hpp", "hh", "c++", "arduino", "ino"}, {"swift"}, {"dart"}, {"lua"}, {"scala", "sbt"},
    {"hs", "haskell"}, {"pl", "pm", "perl"}, {"r", "rmd"}, {"jl", "julia"}, {"tf", "hcl", "terraform", "tfvars"}, {"proto", "protobuf"},
    {"graphql", "gql"}, {"dockerfile", "docker", "containerfile"}, {"makefile", "make", "mk", "gnumakefile"}, {"prisma"},
    {"erl", "erlang"}, {"clj", "clojure", "edn"}, {"zig"}, {"nim"}, {"groovy", "gradle", "jenkinsfile"}, {"tex", "latex"}, {"csv", "tsv"},
)  # fmt: skip
"""Languages whose blocks are taken for one another's files."""


def ending(path: str) -> str:
    """Return a path's ending in lower case, without the dot."""
    name = path.rpartition("/")[2]
    return "env" if name.startswith(".env") else name.rpartition(".")[2].lower()


_ONE_PARSE = threading.Lock()
"""A parser belongs to who uses it; while it reads, others run."""
TRIED_BYTES = 4_096
"""Shorter texts are not tried first: no grammar takes long for them."""
Trial = Callable[[str, bytes], bool]
_trials = list[Trial]()


def try_first(trial: Trial | None) -> None:
    """Let `trial` say of every longer text whether its grammar reads it in time, before it is parsed here; None ends that."""
    _trials[:] = [trial] if trial is not None else []


@lru_cache
def parser(kind: str) -> "Parser | None":
    """Return the parser of files with an ending; None where there is no grammar. Grammars are loaded when first needed."""
    from tree_sitter import Language, Parser

    if kind in ("js", "mjs", "cjs", "jsx"):
        import tree_sitter_javascript

        return Parser(Language(tree_sitter_javascript.language()))
    if kind in ("ts", "mts", "cts", "tsx"):
        import tree_sitter_typescript as typescript

        return Parser(Language(typescript.language_tsx() if kind == "tsx" else typescript.language_typescript()))
    if kind == "py":
        import tree_sitter_python

        return Parser(Language(tree_sitter_python.language()))
    if kind == "css":
        import tree_sitter_css

        return Parser(Language(tree_sitter_css.language()))
    if kind in ("html", "htm"):
        import tree_sitter_html

        return Parser(Language(tree_sitter_html.language()))
    if kind == "json":
        import tree_sitter_json

        return Parser(Language(tree_sitter_json.language()))
    return None


def hopeless(kind: str, text: str) -> bool:
    """Say whether a text cannot parse in a way on which its grammar would spend seconds: tried with 50 KB of each."""
    if kind == "css":
        return text.count("{") != text.count("}")
    return kind in ("html", "htm") and text.rfind("<!--") > text.rfind("-->")


def root(path: str, text: str) -> "Node | None":
    """Return the root of a text's syntax tree; None where there is no grammar, or looking for it takes too long."""
    return _root(ending(path), text) if len(text) <= MAX_CHARS and not hopeless(ending(path), text) else None


@lru_cache(maxsize=8)
def _root(kind: str, text: str) -> "Node | None":
    """
    Return the root of a text's syntax tree; None where looking for it takes too long.

    Grammars need milliseconds for files as people write them, and minutes for some that nobody would. Read in parts, so
    that others get their turn meanwhile.
    """
    by = parser(kind)
    if by is None:
        return None
    with _ONE_PARSE:
        data, until = text.encode(), time.monotonic() + PATIENCE_SECONDS
        # Between two calls of the callback a grammar may read for minutes, and holds up everything.
        if len(data) > TRIED_BYTES and not all(trial(kind, data) for trial in _trials):
            return None
        try:
            tree = by.parse(
                lambda at, _: data[at : at + PART_BYTES], progress_callback=lambda *_: time.monotonic() > until
            )
        except ValueError:
            by.reset()
            return None
    return tree.root_node


def errors(path: str, text: str) -> int:
    """Return how many places of a text do not parse; 0 too where nothing can tell."""
    if len(text) > MAX_CHARS:
        return 0
    if ending(path) == "py":
        # Python's own parser: the grammar, ten times as fast, sees no wrong indentation.
        return int(python_error(text) is not None)
    if hopeless(ending(path), text):
        return 1
    top = root(path, text)
    if top is None:
        return int(parser(ending(path)) is not None)
    return sum(node.type == "ERROR" or node.is_missing for node in _broken(top))


_ONE_AT_A_TIME = threading.Lock()


def python_tree(text: str) -> ast.Module:
    """
    Return Python's syntax tree.

    One thread at a time: Python 3.11 counts the depth of all threads together, and raises SystemError when two parse.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it does not parse.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text)


def worse(path: str, old: str, new: str) -> bool:
    """Say whether more of a text fails to parse than before."""
    found = errors(path, new)
    return bool(found) and found > errors(path, old)


def doubled_key(text: str) -> str:
    """Return a key that an object of a JSON file has twice, '' for none; readers keep the last and say nothing."""
    found = list[str]()

    def read(pairs: list[tuple[str, object]]) -> None:
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                found.append(name)
            seen.add(name)

    try:
        json.loads(text, object_pairs_hook=read)
    except (ValueError, RecursionError):
        return ""
    return next(iter(found), "")


_WITH_REMARKS = ("tsconfig", "jsconfig", "devcontainer", ".eslintrc", "settings.json", "launch.json", "tasks.json")


def json_error(path: str, content: bytes) -> str:
    """Return why a file is no JSON, '' for one that is or that may have remarks."""
    if path.rpartition("/")[2].startswith(_WITH_REMARKS):
        return ""
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        return str(error)[:200]
    return ""


def python_error(text: str) -> str | None:
    """Return why Python does not parse, None when it does."""
    try:
        python_tree(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    except (RecursionError, MemoryError):
        return "it is nested too deeply"
    return None


def _broken(top: "Node") -> "list[Node]":
    found, left = [], [top]
    while left:
        node = left.pop()
        found.append(node)
        left += [child for child in node.children if child.has_error or child.is_missing]
    return found
