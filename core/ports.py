"""The ports: everything the core needs of the world. One Protocol each; the adapters implement them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from core.files import FileTree
from core.findings import CheckResult
from core.history import Commit, Committed, Draft
from core.manifests import AppManifest
from core.memory import Memory, Recollection
from core.messages import PreviewState, Progress, Signal

Value = TypeVar("Value")
Tx = Any
"""An open database transaction; opaque to the core, passed from `Steps.transaction` to the ports that write."""


class Steps(Protocol):
    """The durable steps of one turn. A finished step is not run again after a crash; an unfinished one is."""

    async def step(self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work` at least once; its value must fit into JSON as `kind`."""
        ...

    async def interruptible(
        self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]
    ) -> Value | list[Signal]:
        """Run `work`, or end it early and return what people have said to the turn by now, in order, up to a stop."""
        ...

    async def transaction(self, name: str, work: Callable[[Tx], Awaitable[Value]], kind: type[Value]) -> Value:
        """Run `work` in one database transaction together with the step's own record: exactly once."""
        ...


class Repository(Protocol):
    """Every session's git history."""

    async def head(self, session_id: str) -> str | None:
        """Return the head commit, None before the first."""
        ...

    async def tree(self, session_id: str, commit: str | None) -> FileTree:
        """Return a commit's files; the empty tree for None."""
        ...

    async def log(self, session_id: str, most: int = 1_000) -> list[Commit]:
        """Return the history of the head, newest first."""
        ...

    async def commit(self, tx: Tx, draft: Draft) -> Committed:
        """
        Commit `draft` and move the head, inside `tx`.

        If somebody committed meanwhile the two are merged; where they clash nothing moves and the clashes return.
        """
        ...

    async def keep(self, tx: Tx, draft: Draft) -> Committed:
        """Commit `draft` beside the history, inside `tx`; the head stays where it is."""
        ...

    async def reversed(self, session_id: str, commits: Sequence[str], *, prevails: bool = False) -> FileTree | None:
        """Return the files that reversing `commits`, in this order, would leave; None where that clashes. Nothing is committed."""
        ...

    async def reverse(self, tx: Tx, draft: Draft, commit: str) -> Committed:
        """Commit the reversal of `commit` onto the head, three-way; clashes, and what prevails, as in `commit`."""
        ...


@dataclass(frozen=True)
class Worth:
    """What tests are worth, by name: `proofs` fail without the change, `hollow` pass whatever the app does."""

    proofs: tuple[str, ...] = ()
    hollow: tuple[str, ...] = ()


class Checks(Protocol):
    """All checks over one tree."""

    async def run(
        self,
        tree: FileTree,
        manifest: AppManifest | None,
        progress: Callable[[str], None],
        old: Callable[[], Awaitable[Collection[str]]] | None = None,
    ) -> tuple[CheckResult, ...]:
        """
        Return one result per check; a check that could not run says `not_run` and why.

        Cheap checks come first; an error that is not among the `old` fingerprints skips the expensive ones.
        """
        ...

    async def worth(self, tree: FileTree, parent: FileTree, manifest: AppManifest, passed: Collection[str]) -> Worth:
        """
        Return what those of the tests that `passed` over `tree` are worth which its change added or touched.

        Raises:
            OutsideError: it cannot be found out.
        """
        ...

    async def fixed(self, tree: FileTree, rules: Mapping[str, Sequence[str]]) -> FileTree:
        """Return the tree with what linters can mend themselves; `rules` has the rules for each path."""
        ...

    async def leaking(self, tree: FileTree) -> Collection[str]:
        """Return the files in which something looks like a secret."""
        ...

    async def known(self, tree: FileTree, manifest: AppManifest | None) -> tuple[CheckResult, ...]:
        """Return the results for a tree that was checked before, or check it now."""
        ...


@dataclass(frozen=True)
class Ran:
    """What a program in the sandbox did. `exit_code` is -1 when it was ended for time or output."""

    exit_code: int
    output: str
    seconds: float
    ended_for: Literal["", "time", "output"] = ""


class Sandbox(Protocol):
    """Where untrusted code runs: no network, no secrets, limits on everything."""

    name: str

    async def run(self, tree: FileTree, argv: Sequence[str], env: Mapping[str, str], seconds: float) -> Ran:
        """
        Run `argv` over a copy of the tree and return what it printed (shortened).

        Raises:
            OutsideError: the sandbox itself does not work.
        """
        ...


class PreviewHost(Protocol):
    """Runs previews: one per session, of its head."""

    async def show(
        self, session_id: str, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> PreviewState:
        """Bring the preview to `commit`, look at it, and say what was seen; never raises for a broken app."""
        ...


class MemoryStore(Protocol):
    """What a session remembers."""

    async def remember(self, tx: Tx, session_id: str, memories: Sequence[Memory]) -> None:
        """Add facts inside `tx`."""
        ...

    async def retract(self, tx: Tx, session_id: str, turn_id: str, retracted: bool) -> None:
        """Hide the facts of an undone turn, or show them again."""
        ...

    async def standing(self, session_id: str) -> list[Memory]:
        """Return the decisions and preferences that hold, oldest first."""
        ...

    async def recall(self, session_id: str, text: str, *, most: int = 8) -> list[Recollection]:
        """Return past requests that are like `text`, best first."""
        ...


class Waivers(Protocol):
    """Findings that people said are fine."""

    async def waived(self, session_id: str) -> Mapping[str, str]:
        """Return fingerprint -> the name of who waived it."""
        ...


class Transcript(Protocol):
    """What was said in a session's thread."""

    async def talk(self, session_id: str, turn_id: str) -> Sequence[Mapping[str, str]]:
        """Return the latest messages before this turn's, oldest first, as `by` and `said`; shortened."""
        ...


Frontend = Literal["html", "react"]
"""What the sandbox can build a user interface with: plain HTML always, React where it has Node."""

ProgressSink = Callable[[Progress], None]
"""Takes the state of a running turn; must not block and must not fail."""
