"""
The app's own tests, in the sandbox.

What they print is no evidence: a test, or a conftest.py, can print “3 passed” and end the process well. For pytest a result
counts only if its own report is there and complete, under a secret that this run alone has; Node's has to be as long as it
says.
"""

import json
import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.checks.material import Check, Material, Report
from adapters.dependencies.install import PYTHON_FOLDER
from core.files import FileTree
from core.findings import Finding
from core.manifests import AppManifest
from core.ports import Ran, Sandbox

SECONDS = 120
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<path>[^:\s]+)(?:::(?P<name>\S+))?(?: - (?P<text>.*))?$", re.M)
_INSIDE = Path(__file__).parent / "inside.py"
_PLUGIN, _PLUGINS = "threadwright_evidence", ".threadwright"
# Plugins of the bot's own environment stay out; -rfE lists what failed.
_ENVIRONMENT = {
    "DATA_DIR": "/tmp", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # noqa: S108 - inside the sandbox
    "PYTEST_ADDOPTS": f"-p {_PLUGIN} -p no:cacheprovider -p no:warnings -p anyio -rfE --color=no --tb=short",
    "PYTHONPATH": f"/app/{PYTHON_FOLDER}:/app/{_PLUGINS}",
}  # fmt: skip


_NODE = {"DATA_DIR": "/tmp", "NODE_OPTIONS": "--test-reporter=tap"}  # noqa: S108 - inside the sandbox
# One line per test: "not ok 2 - adds"; below a failed one stand its place and its error.
_TAP = re.compile(r"^(?P<failed>not )?ok \d+ - (?P<name>.*?)(?: # (?P<skipped>SKIP|TODO).*)?$", re.M)
_TAP_PLACE = re.compile(r"^  location: '/app/(?P<path>[^:']+)", re.M)
_TAP_WHY = re.compile(r"^  error: (?:\|-\n +)?'?(?P<text>.*?)'?$", re.M)
_TAP_PLAN = re.compile(r"^1\.\.(?P<count>\d{1,9})$", re.M)
MOST_NAMES = 500
UNFINISHED = (
    "the tests ended before their report was complete, so none of them counts: a test or a conftest.py ends the process"
)


@dataclass(frozen=True)
class TestsRan:
    """A run of an app's tests. `passed` are those that pytest itself said have passed; `complete` is whether it reported on all."""

    ran: Ran
    complete: bool = False
    passed: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """Return “3 passed, 1 failed”."""
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)


def is_test(path: str) -> bool:
    """Say whether a file holds tests."""
    return bool(re.fullmatch(r"(?:test_.*|.*_test)\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?", path.rpartition("/")[2]))


async def run_tests(sandbox: Sandbox, tree: FileTree, manifest: AppManifest) -> TestsRan:
    """Run an app's tests."""
    if manifest.kind == "node":
        return TestsRan(await sandbox.run(tree, manifest.test, _NODE, SECONDS))
    secret = secrets.token_hex(16)
    tree = tree.changed({f"{_PLUGINS}/{_PLUGIN}.py": _INSIDE.read_bytes()})
    ran = await sandbox.run(tree, manifest.test, {**_ENVIRONMENT, "THREADWRIGHT_RUN": secret}, SECONDS)
    lines = [line for line in ran.output.splitlines() if line.startswith(f"{secret} ")]
    shown = replace(ran, output="\n".join(line for line in ran.output.splitlines() if secret not in line))
    if not lines:
        return TestsRan(shown)
    report = json.loads(lines[-1].removeprefix(secret))
    counts: dict[str, int] = report["counts"]
    # What stops at the first failure reports on fewer than it found.
    complete = report["exit"] == ran.exit_code and (bool(ran.exit_code) or sum(counts.values()) == report["collected"])
    return TestsRan(shown, complete, tuple(report["names"]), counts)


def tests_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check; without a sandbox it is not run, and says why."""

    async def run(material: Material) -> Report:
        if sandbox is None:
            return Report(note=why_none, status="not_run")
        assert material.manifest is not None
        if not material.manifest.test:
            return Report(note="the app has no tests", status="not_run")
        tests = await run_tests(sandbox, material.tree, material.manifest)
        ran = tests.ran
        if ran.ended_for:
            text = (
                f"the tests did not end within {SECONDS} s"
                if ran.ended_for == "time"
                else "the tests printed without end"
            )
            return Report((Finding("tests", "error", "", 0, text, "tests"),))
        if material.manifest.kind == "node" and _TAP.search(ran.output):
            return _tap(ran.output)
        if ran.exit_code == 0:
            if tests.complete and tests.counts["passed"] and not tests.counts["failed"]:
                return Report(note=tests.summary, passed=tests.passed)
            if "pytest" in " ".join(material.manifest.test) and not tests.complete:
                return Report((Finding("tests", "error", "", 0, UNFINISHED, "tests"),))
            # A command that ends well without a test is no evidence.
            return Report(note="the test command ran no test", status="not_run")
        findings = tuple(
            Finding(
                "test",
                "error",
                match["path"],
                0,
                f"{match['name'] or 'collection'}: {match['text'] or 'failed'}",
                "tests",
            )
            for match in _FAILED.finditer(ran.output)
        )
        if not findings:
            last = " | ".join(ran.output.strip().splitlines()[-4:])[-400:] or "no word"
            findings = (
                Finding("tests", "error", "", 0, f"the tests ended with code {ran.exit_code}: {last}", "tests"),
            )
        return Report(findings, note=tests.summary, passed=tests.passed)

    return Check("tests", 3, lambda material: material.manifest is not None and not material.manifest.serverless, run)


def _tap(output: str) -> Report:
    """Read what Node's test runner printed."""
    lines = list(_TAP.finditer(output))
    passed = tuple(line["name"] for line in lines if not line["failed"] and not line["skipped"])[:MOST_NAMES]
    findings = []
    for at, line in enumerate(lines):
        if line["failed"]:
            below = output[line.end() : lines[at + 1].start() if at + 1 < len(lines) else len(output)]
            place, why = _TAP_PLACE.search(below), _TAP_WHY.search(below)
            said = f"{line['name']}: {why['text'][:300] if why else 'failed'}"
            findings.append(Finding("test", "error", place["path"] if place else "", 0, said, "tests"))
    if not passed and not findings:
        return Report(note="the test command ran no test", status="not_run")
    if not tap_complete(output, len(lines)):
        findings.append(Finding("tests", "error", "", 0, UNFINISHED, "tests"))
    return Report(
        tuple(findings), f"{len(passed)} passed" + (f", {len(findings)} failed" if findings else ""), passed=passed
    )


def tap_complete(output: str, lines: int) -> bool:
    """Say whether a report in TAP has as many tests as it says: what an app prints among them is one too many."""
    plan = _TAP_PLAN.search(output)
    return plan is not None and int(plan["count"]) == lines
