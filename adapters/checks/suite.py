"""The Checks port: all checks of a level at once, levels in order, results kept by tree and tools."""

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from adapters.checks.build import build_check, tsc_check
from adapters.checks.fix import mend
from adapters.checks.hollow import hollow_check
from adapters.checks.imports import imports_check
from adapters.checks.lint import oxlint_check, ruff_check
from adapters.checks.markup import markup_check
from adapters.checks.material import Check, Material
from adapters.checks.mutation import touched_tests, worthless
from adapters.checks.packages import packages_check
from adapters.checks.pages import pages_check
from adapters.checks.security import bandit_check, leaks, secrets_check
from adapters.checks.sql import sql_check
from adapters.checks.syntax import syntax_check
from adapters.checks.tests import is_test, run_tests, tests_check
from adapters.checks.types import mypy_check
from adapters.checks.vitest import vitest_check
from adapters.dependencies.install import Packages
from adapters.host.folders import remove, temporary_folder
from adapters.sandbox.builds import Builds
from adapters.store.check_runs import CheckRuns
from adapters.store.database import Database
from core.concurrency import all_of
from core.errors import OutsideError
from core.files import FileTree
from core.findings import MARKS, CheckResult, fingerprinted
from core.manifests import AppManifest
from core.ports import Sandbox, Worth

log = logging.getLogger(__name__)
RULES = "3"
"""Goes up when our own checks change, so that what they said before is not taken for what they say now."""
TOOLS = ("ruff", "oxlint", "mypy", "bandit", "detect-secrets")


def all_checks(
    cache: Path,
    sandbox: Sandbox | None,
    why_none: str,
    packages: Packages | None = None,
    builds: Builds | None = None,
) -> list[Check]:
    """Return every check there is."""
    return [
        syntax_check(), packages_check(packages), imports_check(packages), pages_check(), sql_check(), hollow_check(), markup_check(),
        ruff_check(), oxlint_check(), mypy_check(cache / "mypy"), bandit_check(), secrets_check(),
        tests_check(sandbox, why_none), vitest_check(sandbox, why_none), build_check(builds, why_none),
        tsc_check(sandbox, why_none),
    ]  # fmt: skip


WARMING = """import sqlite3

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()
used = (sqlite3, pytest, TestClient, BaseModel)
"""


class CheckSuite:
    """Runs checks over trees. A check that crashes, hangs or is missing is `not_run`, never passed."""

    def __init__(self, checks: Sequence[Check], database: Database, scratch: Path, sandbox: Sandbox | None) -> None:
        self._checks, self._runs, self._scratch, self._sandbox = checks, CheckRuns(database), scratch, sandbox
        where = sandbox.name if sandbox else "no sandbox"
        self._tools = " ".join([RULES, *(f"{name}-{version(name)}" for name in TOOLS), where])

    async def run(
        self,
        tree: FileTree,
        manifest: AppManifest | None,
        progress: Callable[[str], None],
        old: Callable[[], Awaitable[Collection[str]]] | None = None,
    ) -> tuple[CheckResult, ...]:
        """
        Return one result for each check that applies, and remember them all.

        An error whose fingerprint is not among the `old` ones keeps later levels from running.
        """
        results: list[CheckResult] = []
        with temporary_folder(self._scratch / uuid.uuid4().hex[:8], tree) as folder:
            material = Material(tree, folder, manifest)
            todo = [check for check in self._checks if _applies(check, material)]
            early = {check.name: asyncio.create_task(_result(check, material)) for check in todo if check.early}
            try:
                for level in sorted({check.level for check in todo}):
                    now = [check for check in todo if check.level == level]
                    if await _stops(results, old):
                        results += [CheckResult(check.name, "not_run", 0.0, note=EARLIER) for check in now]
                        continue
                    await _level(now, material, results, progress, early)
            finally:
                for task in early.values():
                    task.cancel()
                await asyncio.gather(*early.values(), return_exceptions=True)
        await asyncio.to_thread(remove, folder.parent)
        order = [check.name for check in todo]
        found = tuple(sorted(results, key=lambda one: order.index(one.name)))
        if all(result.status != "not_run" for result in found):
            await self._runs.remember(_name(tree), self._tools, found)
        return found

    async def leaking(self, tree: FileTree) -> frozenset[str]:
        """Return the files in which something looks like a secret."""
        return frozenset(one.path for one in await leaks(tree))

    async def worth(self, tree: FileTree, parent: FileTree, manifest: AppManifest, passed: Collection[str]) -> Worth:
        """Run the tests that the change added or touched over the parent, and those that pass there over a worthless app."""
        changed = [path for path in parent.changes_to(tree) if path in tree and is_test(path)]
        # Those of pytest: `passing` runs no others.
        touched = {
            path: touched_tests(parent.text(path) or "", tree.text(path) or "")
            for path in changed
            if path.endswith(".py")
        }
        mine = [name for name in passed if (path := name.partition("::")[0]) in touched and touched[path](name)]
        if not mine:
            return Worth()
        before = frozenset(mine)
        if "pytest" in manifest.test:
            # The other tests have nothing to say here.
            manifest = manifest.model_copy(update={"test": [*manifest.test, *sorted(touched)]})
        if parent:
            before = await self.passing(parent.changed({path: tree[path] for path in changed}), manifest)
        proofs = tuple(name for name in mine if name not in before)
        if len(proofs) == len(mine):
            return Worth(proofs)
        alive = before
        for broken in worthless(tree):
            alive = alive and alive & await self.passing(broken, manifest)
        return Worth(proofs, tuple(name for name in mine if name in alive))

    async def passing(self, tree: FileTree, manifest: AppManifest) -> frozenset[str]:
        """
        Return the names of the tests that pass over a tree.

        Raises:
            OutsideError: there is no sandbox, or it does not work.
        """
        if self._sandbox is None or not manifest.test:
            raise OutsideError("there is no sandbox to run the tests in" if manifest.test else "the app has no tests")
        return frozenset((await run_tests(self._sandbox, tree, manifest)).passed)

    async def fixed(self, tree: FileTree, rules: Mapping[str, Sequence[str]]) -> FileTree:
        """Return the tree with what linters can mend themselves; `rules` has the rules for each path."""
        scratch = self._scratch / uuid.uuid4().hex[:8]
        try:
            with temporary_folder(scratch, tree) as folder:
                await mend(folder, rules)
                return tree.changed({path: (folder / path).read_bytes() for path in rules})
        except OutsideError as error:
            log.warning("not_mended", extra={"why": str(error)})
            return tree
        finally:
            await asyncio.to_thread(remove, scratch)

    async def warm(self) -> None:
        """Check a tiny app once, so that the tools know the common libraries before the first turn needs them."""
        await self.run(FileTree({"main.py": WARMING.encode()}), None, lambda _: None)

    async def known(self, tree: FileTree, manifest: AppManifest | None) -> tuple[CheckResult, ...]:
        """Return the results for a tree that was checked before, or check it now."""
        if (results := await self._runs.known(_name(tree), self._tools)) is not None:
            return results
        return await self.run(tree, manifest, lambda _: None)


EARLIER = "the errors that were found before it come first"


async def _level(
    checks: Sequence[Check],
    material: Material,
    results: list[CheckResult],
    progress: Callable[[str], None],
    early: Mapping[str, asyncio.Task[CheckResult]],
) -> None:
    """Run the checks of a level side by side; `results` and `progress` get each when it is done."""
    running = [check.name for check in checks]
    progress(_so_far(results, running))

    async def one(check: Check) -> None:
        results.append(await (early[check.name] if check.name in early else _result(check, material)))
        running.remove(check.name)
        progress(_so_far(results, running))

    await all_of(one(check) for check in checks)


async def _stops(results: Sequence[CheckResult], old: Callable[[], Awaitable[Collection[str]]] | None) -> bool:
    """Say whether something is broken that makes later checks pointless."""
    if any(result.name == "syntax" and result.status == "failed" for result in results):
        return True
    errors = {one.fingerprint for result in results for one in result.findings if one.level == "error"}
    return bool(errors and old is not None and errors - set(await old()))


def _applies(check: Check, material: Material) -> bool:
    """Say whether a check has something to look at; one that stumbles over that runs, and then says that it failed."""
    try:
        return check.applies(material)
    except Exception:
        log.exception("check_crashed", extra={"check": check.name})
        return True


def _so_far(results: Sequence[CheckResult], running: Sequence[str]) -> str:
    """Return the checks that are done with a mark each, and those that run."""
    return " ".join([*(f"{one.name} {MARKS[one.status]}" for one in results), *(f"{name} …" for name in running)])


async def _result(check: Check, material: Material) -> CheckResult:
    began = time.monotonic()
    try:
        report = await check.run(material)
    except OutsideError as error:
        return CheckResult(check.name, "not_run", time.monotonic() - began, note=str(error))
    except Exception:
        log.exception("check_crashed", extra={"check": check.name})
        return CheckResult(check.name, "not_run", time.monotonic() - began, note="the check itself failed")
    findings = fingerprinted(report.findings, material.tree)
    failed = any(one.level == "error" for one in findings)
    status = report.status or ("failed" if failed else "passed")
    return CheckResult(check.name, status, round(time.monotonic() - began, 3), findings, report.note, report.passed)


def _name(tree: FileTree) -> str:
    """Return the identity of a tree's content."""
    digest = hashlib.sha256()
    for path, content in tree.items():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
