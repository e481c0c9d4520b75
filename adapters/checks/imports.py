"""What the code imports must be there: in the sandbox, in Python itself, or among the app's own files and their names."""

import ast
import asyncio
import difflib
import posixpath
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.checks.material import Check, Material, Report
from adapters.checks.tests import is_test
from adapters.dependencies.install import Packages
from adapters.dependencies.wanted import node_there, python_there
from core.edits.languages import SCRIPTS, ending, python_error, python_tree, root
from core.findings import Finding

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_CHARS = 500_000
# What the sandbox's packages are imported as where that is not their name, and what they bring along.
_BROUGHT = frozenset(
    {"starlette", "anyio", "annotated_types", "typing_extensions", "markupsafe", "python_multipart", "multipart", "click",
     "h11", "httpcore", "idna", "certifi", "yaml", "dotenv", "websockets", "watchfiles", "packaging", "_pytest", "pydantic_core"}
)  # fmt: skip
_BROUGHT_NODE = frozenset({"react-router", "csstype"})
_BUILT = "frontend/"
"""Scripts below this folder are bundled; others are served as they are."""
_NODE = frozenset(
    {"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
     "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os", "path",
     "perf_hooks", "process", "querystring", "readline", "stream", "string_decoder", "sys", "timers", "tls", "url", "util", "v8",
     "vm", "worker_threads", "zlib"}
)  # fmt: skip
"""What Node brings itself; with `node:` before it, everything is taken for its own."""
_NAMED = re.compile(r"['\"]((?:@[\w.-]+/)?[a-zA-Z][\w.-]*)(?:/[\w./-]*)?['\"]")
_CONFIG = re.compile(r"\.config\.[cm]?[jt]s$")
_TRIED = (
    "", ".tsx", ".ts", ".mts", ".cts", ".jsx", ".js", ".mjs", ".cjs", ".d.ts", ".json", ".css",
    "/index.tsx", "/index.ts", "/index.jsx", "/index.js",
)  # fmt: skip
_SOURCES = {"js": ("ts", "tsx", "d.ts"), "jsx": ("tsx",), "mjs": ("mts", "d.mts"), "cjs": ("cts", "d.cts")}


@lru_cache
def python_packages() -> frozenset[str]:
    """Return what apps can import besides Python's own library and what they ask for."""
    return frozenset(name.replace("-", "_") for name in python_there()) | _BROUGHT


def imports_check(packages: Packages | None = None) -> Check:
    """Return the check; it only parses."""

    async def run(material: Material) -> Report:
        asked = packages.modules(material.tree) if packages is not None else frozenset()
        return Report(tuple(await asyncio.to_thread(lambda: [*_python(material, asked), *_scripts(material, asked)])))

    return Check("imports", 1, lambda material: bool(_of_interest(material)), run)


def imported(material: Material) -> set[str]:
    """Return the names of all modules and packages that the app's files import, guarded imports included."""
    found: set[str] = set()
    for path in material.paths(".py"):
        text = material.tree.text(path)
        if text is None or len(text) > MAX_CHARS or python_error(text):
            continue
        for node in ast.walk(python_tree(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    for path in material.paths(*(f".{one}" for one in SCRIPTS), ".css"):
        # Packages are named in many ways: import, require, import(), @import, @plugin.
        for source in _NAMED.findall(material.tree.text(path) or ""):
            found.add("/".join(source.split("/")[: 2 if source.startswith("@") else 1]))
    return found


def _of_interest(material: Material) -> list[str]:
    return material.paths(".py", *(f".{one}" for one in SCRIPTS))


def _python(material: Material, asked: frozenset[str]) -> Iterator[Finding]:
    own = asked | {part for path in material.paths(".py") for part in path.removesuffix(".py").split("/")}
    for path in material.paths(".py"):
        text = material.tree.text(path)
        if text is None or len(text) > MAX_CHARS or python_error(text):
            continue
        for line, name in _python_imports(python_tree(text)):
            if name not in own and name not in sys.stdlib_module_names and name.lower() not in python_packages():
                yield _missing(path, line, name, sorted(python_packages()))


def _python_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, top module) of what is imported for sure: not what a `try` guards or a type checker alone sees."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.split(".")[0]
        elif isinstance(node, ast.If) and _for_types(node.test):
            left += node.orelse
        elif not isinstance(node, ast.Try | ast.expr):
            left += ast.iter_child_nodes(node)


def _for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _missing(path: str, line: int, name: str, there: list[str]) -> Finding:
    wish = "requirements.txt" if path.endswith(".py") else "package.json"
    near = difflib.get_close_matches(name, there, 1, 0.75)
    hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(there)}."
    said = f"{name} is not installed where the app runs. Ask for its package in {wish}, or do without it.{hint}"
    return Finding("package", "error", path, line, said, "imports")


def _scripts(material: Material, asked: frozenset[str]) -> Iterator[Finding]:
    paths = [path for path in material.paths(*(f".{one}" for one in SCRIPTS)) if "node_modules/" not in path]
    exported: dict[str, set[str] | None] = {}
    mapped = any("importmap" in (material.tree.text(page) or "") for page in material.paths(".html"))
    node_app = material.manifest is not None and material.manifest.kind == "node"
    for path in paths:
        text = material.tree.text(path)
        top = root(path, text) if text and len(text) < MAX_CHARS else None
        if top is None or top.has_error:
            continue
        for node, source in _sources(top):
            line = node.start_point[0] + 1
            if not source.startswith((".", "/")) and mapped and not path.startswith(_BUILT):
                continue  # the page's import map says what it means
            if not source.startswith((".", "/")):
                yield from _package(path, line, source, node_app, asked | node_there() | _BROUGHT_NODE)
            elif source.startswith("."):
                yield from _own(material, path, line, node, source, exported)


def _sources(top: "Node") -> "Iterator[tuple[Node, str]]":
    for node in top.named_children:
        source = node.child_by_field_name("source")
        if node.type in ("import_statement", "export_statement") and source is not None and source.text:
            yield node, source.text.decode().strip("'\"")


def _package(path: str, line: int, source: str, node_app: bool, there: frozenset[str]) -> Iterator[Finding]:
    """Bundled scripts may import what the sandbox has; others have no packages, only addresses."""
    if source.startswith(("node:", "https://")) or is_test(path):
        return
    if source.split("/")[0] in _NODE and _CONFIG.search(path):
        return
    name = "/".join(source.split("/")[: 2 if source.startswith("@") else 1])
    if node_app and not path.startswith(("public/", _BUILT)):
        if name not in there and name not in _NODE:
            yield _missing(path, line, name, sorted(there))
    elif not path.startswith(_BUILT):
        text = f"{source} is a package, and no bundler serves this file; import a file of the app."
        yield Finding("package", "error", path, line, text, "imports")
    elif name not in there:
        yield _missing(path, line, name, sorted(there))


def _own(
    material: Material, path: str, line: int, node: "Node", source: str, exported: dict[str, set[str] | None]
) -> Iterator[Finding]:
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), source.split("?")[0]))
    tried = [wanted + tail for tail in (_TRIED if path.startswith(_BUILT) else ("",))]
    # TypeScript names its files as they will be called once they are JavaScript.
    base, _, ending_now = wanted.rpartition(".")
    tried += [f"{base}.{one}" for one in _SOURCES.get(ending_now, ()) if path.startswith(_BUILT)]
    found = next((one for one in tried if one in material.tree), None)
    if found is None:
        yield Finding("import", "error", path, line, f"{source} is no file of the app.", "imports")
        return
    if found not in exported:
        exported[found] = _exported(material, found)
    names = exported[found]
    if names is None:
        return
    for name in _imported(node):
        if name not in names:
            there = ", ".join(sorted(names)) or "nothing"
            yield Finding(
                "import", "error", path, line, f"{found} does not export {name}; it exports {there}.", "imports"
            )


def _imported(node: "Node") -> Iterator[str]:
    """Yield the names that an import or a re-export takes from another file."""
    left = list(node.named_children)
    while left:
        one = left.pop()
        if one.type in ("import_specifier", "export_specifier"):
            name = one.child_by_field_name("name")
            if name is not None and name.text:
                yield name.text.decode()
        elif one.type == "identifier" and one.parent is not None and one.parent.type == "import_clause":
            yield "default"
        else:
            left += one.named_children


def _exported(material: Material, path: str) -> set[str] | None:
    """Return the names that a script exports, None when that cannot be told."""
    text = material.tree.text(path)
    top = root(path, text) if text and ending(path) in SCRIPTS else None
    if top is None or top.has_error:
        return None
    names = set()
    if not any(node.type == "export_statement" for node in top.named_children) and "exports" in (text or ""):
        return None  # CommonJS: what it exports is known when it runs
    for node in top.named_children:
        if node.type != "export_statement":
            continue
        words = [child.type for child in node.children]
        if "*" in words or "namespace_export" in words:
            return None
        if "default" in words:
            names.add("default")
        names |= set(_declared(node))
    return names


def _declared(node: "Node") -> Iterator[str]:
    for child in node.named_children:
        if child.type == "export_clause":
            for one in child.named_children:
                name = one.child_by_field_name("alias") or one.child_by_field_name("name")
                if name is not None and name.text:
                    yield name.text.decode().strip("'\"")
            continue
        declared = [child, *(one for one in child.named_children if one.type == "variable_declarator")]
        for one in declared:
            name = one.child_by_field_name("name")
            if name is None or not name.text:
                continue
            if name.type in ("object_pattern", "array_pattern"):
                yield from re.findall(r"[A-Za-z_$][\w$]*", name.text.decode())
            else:
                yield name.text.decode()
