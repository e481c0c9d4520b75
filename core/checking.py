"""Run the checks, subtract what the parent had, decide; and the rules of the repair loop."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.errors import OutsideError
from core.files import FileTree
from core.findings import CheckResult, CheckStatus, Finding, blocking, fingerprinted, marked
from core.manifests import AppManifest, manifest_of
from core.ports import Checks, Worth

MAX_REPAIRS = 3
SAME_FINDING = 3
LINTERS = ("ruff", "oxlint")


@dataclass(frozen=True)
class Verdict:
    """A tree with its check results; `blocking` are the new errors, which keep it from being committed."""

    tree: FileTree
    results: tuple[CheckResult, ...]
    blocking: tuple[Finding, ...]

    @property
    def merit(self) -> tuple[int, int]:
        """How good it is: the more checks could run the better, then the less blocks."""
        return sum(result.status != "not_run" for result in self.results), -len(self.blocking)


async def judge(
    tree: FileTree,
    parent: FileTree,
    manifest: AppManifest,
    checks: Checks,
    progress: Callable[[str], None],
    waived: Mapping[str, str] = MappingProxyType({}),
) -> Verdict:
    """Check `tree`, and mark as new only what `parent` did not have; `waived` has who said that a finding is fine."""
    known: set[str] | None = None

    async def old() -> set[str]:
        nonlocal known
        if known is None:
            results = await checks.known(parent, manifest_of(parent)) if parent else ()
            known = {one.fingerprint for result in results for one in result.findings}
        return known | waived.keys()

    results = await checks.run(tree, manifest, progress, old)
    if any(result.findings for result in results):
        await old()
    results = marked(results, known or set(), waived)
    return Verdict(tree, results, blocking(results))


async def weighed(
    verdict: Verdict,
    parent: FileTree,
    manifest: AppManifest,
    checks: Checks,
    waived: Mapping[str, str] = MappingProxyType({}),
) -> Verdict:
    """
    Name the tests that passed and would fail without the change: they are its evidence.

    New ones that pass whatever the app does are refused.
    """
    if verdict.blocking:
        return verdict
    results = []
    for result in verdict.results:
        worth = Worth()
        if result.passed:
            with suppress(OutsideError):
                worth = await checks.worth(verdict.tree, parent, manifest, result.passed)
        note = f"{result.note}, {len(worth.proofs)} of them failed before" if worth.proofs and parent else result.note
        said = "{} passes whatever the app does, even nothing at all; let it assert what the app has to do."
        found = [
            Finding("cannot-fail", "error", name.partition("::")[0], 0, said.format(name), result.name)
            for name in worth.hollow
        ]
        (marks,) = marked((replace(result, findings=fingerprinted(found, verdict.tree)),), (), waived)
        status: CheckStatus = "failed" if found else result.status
        findings = (*result.findings, *marks.findings)
        results.append(replace(result, status=status, findings=findings, proofs=worth.proofs, note=note))
    return Verdict(verdict.tree, tuple(results), blocking(results))


def mendable(verdict: Verdict, parent: FileTree) -> dict[str, list[str]]:
    """
    Return the rules of linters, by path, of which this turn's files have new findings.

    A rule that the file broke before is left out: mending it would change what nobody asked about.
    """
    touched = parent.changes_to(verdict.tree)
    found: dict[str, list[str]] = {}
    spoiled: set[tuple[str, str]] = set()
    for one in (finding for result in verdict.results for finding in result.findings if finding.tool in LINTERS):
        if one.path in touched and one.new and not one.waived:
            found.setdefault(one.path, []).append(one.rule)
        else:
            spoiled.add((one.path, one.rule))
    kept = {path: [rule for rule in rules if (path, rule) not in spoiled] for path, rules in found.items()}
    return {path: rules for path, rules in kept.items() if rules}


async def repaired(
    first: Verdict,
    fix: Callable[[FileTree, tuple[Finding, ...]], Awaitable[FileTree]],
    again: Callable[[FileTree], Awaitable[Verdict]],
) -> tuple[Verdict, int]:
    """
    Repair until nothing blocks, and return the best attempt with the number of repairs made.

    Stops after MAX_REPAIRS, when an attempt changes nothing or makes nothing better, or when one finding comes
    back for the third time.
    """
    best = latest = first
    seen = {one.fingerprint: 1 for one in first.blocking}
    rounds = 0
    while latest.blocking and rounds < MAX_REPAIRS:
        before = latest
        tree = await fix(latest.tree, latest.blocking)
        if tree == latest.tree:
            break
        rounds += 1
        latest = await again(tree)
        if latest.merit > best.merit:
            best = latest
        for one in latest.blocking:
            seen[one.fingerprint] = seen.get(one.fingerprint, 0) + 1
        if latest.merit <= before.merit or any(count >= SAME_FINDING for count in seen.values()):
            break
    return best, rounds
