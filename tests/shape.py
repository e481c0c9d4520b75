"""
The shape of the house: how long functions, classes and files are, and which rooms use which.

`python -m tests.shape` prints the figures and draws the picture in docs/shape.md anew.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "shape.md"
PACKAGES = ("bot", "core", "adapters")
MOST_CLASS_LINES, MOST_FILE_LINES, MOST_SHOWN = 200, 400, 30
Graph = Mapping[str, frozenset[str]]


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Return the name and the file of each module, without the templates of generated apps."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "templates" not in path.parts and "image" not in path.parts:
                yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"), path


def rooms(root: Path) -> Graph:
    """Return which rooms use which: a room is a package or a module of the second level."""
    known = dict(modules(root))

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    uses: dict[str, set[str]] = defaultdict(set)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []
            uses[room(name)] |= {room(one) for one in names if one in known}
    return {name: frozenset(used - {name, *PACKAGES}) for name, used in sorted(uses.items()) if name not in PACKAGES}


def reaches(graph: Graph, start: str, end: str, without: tuple[str, str]) -> bool:
    """Say whether a room uses another one by way of others."""
    seen, rest = {start}, [start]
    while rest:
        at = rest.pop()
        for other in graph.get(at, ()):
            if (at, other) != without and other not in seen:
                if other == end:
                    return True
                seen.add(other)
                rest.append(other)
    return False


def mermaid(graph: Graph) -> str:
    """Return the graph as Mermaid: an arrow only where no other way leads there, a thick one where two use each other."""
    lines = ["flowchart TD"]
    for name, used in graph.items():
        for other in sorted(used):
            both = name in graph.get(other, ())
            if both or not reaches(graph, name, other, (name, other)):
                lines.append(f"  {_id(name)}[{name}] {'==>' if both else '-->'} {_id(other)}[{other}]")
    return "\n".join(lines)


def _id(name: str) -> str:
    return name.replace(".", "_")


def figures(root: Path) -> dict[str, Any]:
    """Return the figures: lengths of functions, and the classes and files that are too long."""
    functions, classes, files = list[int](), list[tuple[int, str]](), list[tuple[int, str]]()
    for name, path in modules(root):
        text = path.read_text(encoding="utf-8")
        files.append((text.count("\n"), name))
        for node in ast.walk(ast.parse(text)):
            lines = getattr(node, "end_lineno", 0) - getattr(node, "lineno", 0) + 1
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append(lines)
            elif isinstance(node, ast.ClassDef):
                classes.append((lines, f"{name}.{node.name}"))
    return {
        "functions": len(functions), "median lines": median(functions), "p90 lines": round(quantiles(functions, n=10)[-1]),
        "longest": max(functions),
        f"classes over {MOST_CLASS_LINES} lines": [f"{name} {lines}" for lines, name in sorted(classes, reverse=True) if lines > MOST_CLASS_LINES],
        f"files over {MOST_FILE_LINES} lines": [f"{name} {lines}" for lines, name in sorted(files, reverse=True) if lines > MOST_FILE_LINES],
    }  # fmt: skip


def drawn(text: str, graph: Graph) -> str:
    """Return docs/shape.md with the picture as it is now; it is the first."""
    before, _, rest = text.partition("```mermaid\n")
    return f"{before}```mermaid\n{mermaid(graph)}\n```{rest.partition('```')[2]}"


def main() -> None:
    """Draw the picture, and print the figures."""
    DOCS.write_text(drawn(DOCS.read_text(encoding="utf-8"), rooms(ROOT)), encoding="utf-8")
    for name, value in figures(ROOT).items():
        shown = "\n".join(["", *(f"  {one}" for one in value[:MOST_SHOWN])]) if isinstance(value, list) else value
        sys.stdout.write(f"{name}: {shown}\n")


if __name__ == "__main__":
    main()
