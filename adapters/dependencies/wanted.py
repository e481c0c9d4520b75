"""What an app asks for: requirements.txt for Python, package.json for JavaScript."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from core.files import FileTree
from core.findings import Finding

IMAGE = Path(__file__).parents[1] / "sandbox" / "image"
REQUIREMENTS, PACKAGE_JSONS = "requirements.txt", ("package.json", "frontend/package.json")
MAX_PACKAGES, MAX_LINES = 40, 1_000
# https://github.com/npm/validate-npm-package-name; versions are ranges or tags, never an address, a folder or an alias.
_NODE_NAME = re.compile(r"(?:@[a-z0-9][a-z0-9._-]{0,100}/)?[a-z0-9][a-z0-9._-]{0,100}")
_NODE_RANGE = re.compile(r"(?!.*\.(?:tgz|tar|gz)$)(?:[\w*^~<>=][\w.*^~<>=| +-]{0,60})?")


@dataclass(frozen=True)
class Package:
    """One package that an app asks for: its registry's name, the versions it takes, and where it says so."""

    name: str
    versions: str
    path: str
    line: int


@dataclass(frozen=True)
class Wanted:
    """What is asked for, without what the sandbox has, and what cannot be asked for."""

    python: tuple[Package, ...] = ()
    node: tuple[Package, ...] = ()
    refused: tuple[Finding, ...] = ()


@lru_cache
def python_there() -> frozenset[str]:
    """Return the names of the Python packages that the sandbox is built with."""
    lines = (IMAGE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(canonicalize_name(Requirement(line).name) for line in lines if line.strip())


@lru_cache
def node_there() -> frozenset[str]:
    """Return the names of the packages of Node that the sandbox is built with."""
    return frozenset(json.loads((IMAGE / "package.json").read_text(encoding="utf-8"))["dependencies"])


def wanted(tree: FileTree) -> Wanted:
    """Read the files that name packages."""
    found = [*_python((tree.text(REQUIREMENTS) or "").removeprefix("\ufeff"))]
    for path in PACKAGE_JSONS:
        found += _node((tree.text(path) or "").removeprefix("\ufeff"), path)
    python = tuple(one for one in found if isinstance(one, Package) and one.path == REQUIREMENTS)
    node = tuple(one for one in found if isinstance(one, Package) and one.path != REQUIREMENTS)
    refused = [one for one in found if isinstance(one, Finding)]
    if len(python) + len(node) > MAX_PACKAGES:
        refused.append(_refused(REQUIREMENTS, 0, f"More than {MAX_PACKAGES} packages are asked for."))
    return Wanted(python, node, tuple(refused))


def _python(text: str) -> Iterator[Package | Finding]:
    for number, line in enumerate(text.splitlines()[:MAX_LINES], 1):
        said = re.split(r"(?:^|\s)#", line)[0].strip()
        if not said:
            continue
        try:
            asked = Requirement(said)
            meant = asked.marker is None or asked.marker.evaluate()
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
            yield _refused(
                REQUIREMENTS,
                number,
                f"{said[:80]!r} is no requirement; a line is a name and versions, like “rich>=14”.",
            )
            continue
        if asked.url:
            yield _refused(REQUIREMENTS, number, f"{asked.name} comes from an address; only the registry is open.")
        elif canonicalize_name(asked.name) not in python_there() and meant:
            extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
            yield Package(f"{canonicalize_name(asked.name)}{extras}", str(asked.specifier), REQUIREMENTS, number)


def _node(text: str, path: str) -> Iterator[Package | Finding]:
    try:
        body = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return  # the syntax check says it
    lines = text.splitlines()
    for group in ("dependencies", "devDependencies"):
        asked = body.get(group) if isinstance(body, dict) else None
        # One more than may be: that is refused, and nobody looks for the others.
        for name, versions in islice(asked.items(), MAX_PACKAGES + 1) if isinstance(asked, dict) else ():
            line = next((at for at, one in enumerate(lines, 1) if f'"{name}"' in one), 0)
            if not _NODE_NAME.fullmatch(name) or not _NODE_RANGE.fullmatch(str(versions)):
                said = f"{name[:80]} {str(versions)[:80]!r} is no package and range of the registry; only the registry is open."
                yield _refused(path, line, said)
            elif name not in node_there():
                yield Package(name, str(versions), path, line)


def _refused(path: str, line: int, said: str) -> Finding:
    return Finding("requirement", "error", path, line, said, "packages")
