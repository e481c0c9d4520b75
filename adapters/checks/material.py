"""What a check gets to see, and what it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from core.files import FileTree
from core.findings import CheckStatus, Finding
from core.manifests import AppManifest


@dataclass(frozen=True)
class Material:
    """A tree, the same files in a folder that tools may read, and the app's manifest if it has one."""

    tree: FileTree
    folder: Path
    manifest: AppManifest | None

    def paths(self, *endings: str) -> list[str]:
        """Return the paths with one of the endings."""
        return [path for path in self.tree if path.endswith(endings)]


@dataclass(frozen=True)
class Report:
    """
    What one check found; `status` None means: failed if there is an error among the findings, else passed.

    `passed` names the tests that passed.
    """

    findings: tuple[Finding, ...] = ()
    note: str = ""
    status: CheckStatus | None = None
    passed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """
    One check. `applies` says whether the tree has anything for it; lower levels run first.

    An `early` one takes long: it starts with the first level, and is asked for its result when its own is due.
    """

    name: str
    level: int
    applies: Callable[[Material], bool]
    run: Callable[[Material], Awaitable[Report]]
    early: bool = False
