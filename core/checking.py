"""Run the checks, subtract what the parent had, decide; and the rules of the repair loop."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.files import FileTree
from core.findings import CheckResult, Finding, blocking, marked_new
from core.manifests import MANIFEST_PATH, AppManifest, read_manifest
from core.ports import Checks

MAX_REPAIRS = 3
SAME_FINDING = 3


@dataclass(frozen=True)
class Verdict:
    """A tree with its check results; `blocking` are the new errors, which keep it from being committed."""

    tree: FileTree
    results: tuple[CheckResult, ...]
    blocking: tuple[Finding, ...]


async def judge(
    tree: FileTree, parent: FileTree, manifest: AppManifest, checks: Checks, progress: Callable[[str], None]
) -> Verdict:
    """Check `tree`, and mark as new only what `parent` did not have."""
    results = await checks.run(tree, manifest, progress)
    if parent and any(result.findings for result in results):
        known = await checks.known(parent, read_manifest(parent.get(MANIFEST_PATH)))
        results = marked_new(results, known)
    return Verdict(tree, results, blocking(results))


async def repaired(
    first: Verdict,
    fix: Callable[[FileTree, tuple[Finding, ...]], Awaitable[FileTree]],
    again: Callable[[FileTree], Awaitable[Verdict]],
) -> tuple[Verdict, int]:
    """
    Repair until nothing blocks, and return the best attempt with the number of repairs made.

    Stops after MAX_REPAIRS, when an attempt changes nothing, or when one finding comes back for the third time.
    """
    best = latest = first
    seen = {one.fingerprint: 1 for one in first.blocking}
    rounds = 0
    while latest.blocking and rounds < MAX_REPAIRS:
        tree = await fix(latest.tree, latest.blocking)
        if tree == latest.tree:
            break
        rounds += 1
        latest = await again(tree)
        if len(latest.blocking) < len(best.blocking):
            best = latest
        for one in latest.blocking:
            seen[one.fingerprint] = seen.get(one.fingerprint, 0) + 1
        if any(count >= SAME_FINDING for count in seen.values()):
            break
    return best, rounds
