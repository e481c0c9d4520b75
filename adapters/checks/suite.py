"""The Checks port: all checks of a level at once, levels in order, results kept by tree and tools."""

import asyncio
import hashlib
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa

from adapters.checks.build import build_check
from adapters.checks.lint import oxlint_check, ruff_check
from adapters.checks.material import Check, Material
from adapters.checks.security import bandit_check, secrets_check
from adapters.checks.syntax import syntax_check
from adapters.checks.tests import tests_check
from adapters.checks.types import mypy_check
from adapters.sandbox.folders import temporary_folder
from adapters.store.database import Database, from_json, to_json
from adapters.store.tables import check_run
from core.concurrency import all_of
from core.errors import OutsideError
from core.files import FileTree
from core.findings import CheckResult, fingerprinted
from core.manifests import AppManifest
from core.ports import Sandbox

log = logging.getLogger(__name__)
TOOLS = ("ruff", "oxlint", "mypy", "bandit", "detect-secrets")


def all_checks(cache: Path, sandbox: Sandbox | None, why_none: str) -> list[Check]:
    """Return every check there is."""
    return [
        syntax_check(), ruff_check(), oxlint_check(), mypy_check(cache / "mypy"), bandit_check(), secrets_check(),
        tests_check(sandbox, why_none),
        build_check(sandbox, why_none),
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

    def __init__(self, checks: Sequence[Check], database: Database, scratch: Path, sandbox_name: str) -> None:
        self._checks, self._database, self._scratch = checks, database, scratch
        self._tools = " ".join([*(f"{name}-{version(name)}" for name in TOOLS), sandbox_name or "no sandbox"])

    async def run(
        self, tree: FileTree, manifest: AppManifest | None, progress: Callable[[str], None]
    ) -> tuple[CheckResult, ...]:
        """Return one result for each check that applies, and remember them all."""
        results: list[CheckResult] = []
        with temporary_folder(self._scratch / uuid.uuid4().hex[:8], tree) as folder:
            material = Material(tree, folder, manifest)
            todo = [check for check in self._checks if check.applies(material)]
            for level in sorted({check.level for check in todo}):
                now = [check for check in todo if check.level == level]
                if _broken(results, level):
                    results += [
                        CheckResult(check.name, "not_run", 0.0, note="the syntax errors come first") for check in now
                    ]
                    continue
                progress(", ".join(check.name for check in now))
                results += await all_of(_result(check, material) for check in now)
        await asyncio.to_thread(shutil.rmtree, folder.parent, ignore_errors=True)
        found = tuple(results)
        if all(result.status != "not_run" for result in found):
            await self._remember(tree, found)
        return found

    async def warm(self) -> None:
        """Check a tiny app once, so that the tools know the common libraries before the first turn needs them."""
        await self.run(FileTree({"main.py": WARMING.encode()}), None, lambda _: None)

    async def known(self, tree: FileTree, manifest: AppManifest | None) -> tuple[CheckResult, ...]:
        """Return the results for a tree that was checked before, or check it now."""
        async with self._database.read() as connection:
            body = await connection.scalar(
                sa.select(check_run.c.results).where(check_run.c.tree == _name(tree), check_run.c.tools == self._tools)
            )
        if body is not None:
            return from_json(body, tuple[CheckResult, ...])
        return await self.run(tree, manifest, lambda _: None)

    async def _remember(self, tree: FileTree, results: tuple[CheckResult, ...]) -> None:
        key = {"tree": _name(tree), "tools": self._tools}
        where = (check_run.c.tree == key["tree"], check_run.c.tools == key["tools"])
        async with self._database.write() as tx:
            await tx.execute(check_run.delete().where(*where))
            row = {**key, "results": to_json(results, tuple[CheckResult, ...]), "created": time.time()}
            await tx.execute(check_run.insert().values(row))


def _broken(results: Sequence[CheckResult], level: int) -> bool:
    return level > 0 and any(result.name == "syntax" and result.status == "failed" for result in results)


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
    return CheckResult(check.name, status, round(time.monotonic() - began, 3), findings, report.note)


def _name(tree: FileTree) -> str:
    """Return the identity of a tree's content."""
    digest = hashlib.sha256()
    for path, content in tree.items():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
