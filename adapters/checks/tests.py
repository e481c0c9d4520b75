"""
The app's own tests, in the sandbox.

What they print is no evidence: a test, or a conftest.py, can print “3 passed” and end the process well. A result counts only if
the runner's own report is there and complete, under a secret that this run alone has.
"""

import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from adapters.checks.material import Check, Material, Report
from adapters.dependencies.install import PYTHON_FOLDER
from core.files import FileTree
from core.findings import Finding
from core.manifests import AppManifest
from core.ports import Ran, Sandbox

SECONDS = 120
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<path>[^:\s]+)(?:::(?P<name>\S+))?(?: - (?P<text>.*))?$", re.M)
_HERE = Path(__file__).parent
_PLUGIN, _PLUGINS = "threadwright_evidence", ".threadwright"
# Plugins of the bot's own environment stay out; -rfE lists what failed.
_ENVIRONMENT = {
    "DATA_DIR": "/tmp", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # noqa: S108 - inside the sandbox
    "PYTEST_ADDOPTS": f"-p {_PLUGIN} -p no:cacheprovider -p no:warnings -p anyio -rfE --color=no --tb=short",
    "PYTHONPATH": f"/app/{PYTHON_FOLDER}:/app/{_PLUGINS}",
}  # fmt: skip


_NODE_FILE = f"{_PLUGINS}/evidence.mjs"
_NODE = {"DATA_DIR": "/tmp", "NODE_OPTIONS": f"--test-reporter=/app/{_NODE_FILE} --test-reporter-destination=stdout"}  # noqa: S108 - inside the sandbox
UNFINISHED = (
    "the tests ended before their report was complete, so none of them counts: a test or a conftest.py ends the process"
)


@dataclass(frozen=True)
class TestsRan:
    """
    A run of an app's tests. `passed` are those that the runner itself said have passed; `complete` is whether it reported on all.

    `failures` are the path, the name and the error of each of Node's that failed; `silent` are its files that ended without a test.
    """

    ran: Ran
    complete: bool = False
    passed: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[tuple[str, str, str], ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Return “3 passed, 1 failed”."""
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)


def is_test(path: str) -> bool:
    """Say whether a file holds tests."""
    return bool(re.fullmatch(r"(?:test_.*|.*_test)\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?", path.rpartition("/")[2]))


async def run_tests(sandbox: Sandbox, tree: FileTree, manifest: AppManifest) -> TestsRan:
    """Run an app's tests."""
    secret, node = secrets.token_hex(16), manifest.kind == "node"
    name, inside = (_NODE_FILE, "inside_node.mjs") if node else (f"{_PLUGINS}/{_PLUGIN}.py", "inside.py")
    tree = tree.changed({name: (_HERE / inside).read_bytes()})
    environment = _NODE if node else _ENVIRONMENT
    ran = await sandbox.run(tree, manifest.test, {**environment, "THREADWRIGHT_RUN": secret}, SECONDS)
    shown, report = evidence(ran, secret)
    if report is None:
        return TestsRan(shown)
    names, counts = tuple(report.names), report.counts
    if node:
        silent = tuple(path for path in report.silent if is_test(path))
        failures = tuple((path.removeprefix("/app/"), name, why) for path, name, why in report.failures)
        return TestsRan(shown, report.on_all and not silent, names, counts, failures, silent)
    # What stops at the first failure reports on fewer than it found.
    complete = report.exit == ran.exit_code and (bool(ran.exit_code) or report.on_all)
    return TestsRan(shown, complete, names, counts)


class Evidence(BaseModel):
    """
    What a runner reports at its end: how many tests it found, what came of them, and which have passed.

    `failures` are the path, the name and the error of each that failed, `silent` the files that ended without a test, `errors` what
    no test was to blame for; pytest's says its exit code, and prints the rest.
    """

    exit: int = 0
    collected: int
    counts: dict[str, int]
    names: list[str]
    failures: list[tuple[str, str, str]] = []
    silent: list[str] = []
    errors: list[str] = []

    @property
    def on_all(self) -> bool:
        """Whether it tells of as many tests as there are."""
        return sum(self.counts.values()) == self.collected


def evidence(ran: Ran, secret: str) -> tuple[Ran, Evidence | None]:
    """Return a run without the report that its runner wrote under the secret, and that report; None where there is none."""
    lines = [line for line in ran.output.splitlines() if line.startswith(f"{secret} ")]
    shown = replace(ran, output="\n".join(line for line in ran.output.splitlines() if secret not in line))
    try:
        return shown, Evidence.model_validate_json(lines[-1].removeprefix(secret)) if lines else None
    except ValidationError:
        return shown, None


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
        if material.manifest.kind == "node" and tests.counts:
            return _of_node(tests)
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


def _of_node(tests: TestsRan) -> Report:
    """Say what Node's test runner found."""
    findings = [
        Finding("test", "error", path, 0, f"{name}: {why or 'failed'}", "tests") for path, name, why in tests.failures
    ]
    if not (tests.passed or findings or tests.silent):
        return Report(note="the test command ran no test", status="not_run")
    findings += [
        Finding("tests", "error", path, 0, f"{path} ended without having run a test to its end", "tests")
        for path in tests.silent
    ]
    if not (tests.complete or findings):
        findings.append(Finding("tests", "error", "", 0, UNFINISHED, "tests"))
    return Report(tuple(findings), note=tests.summary, passed=tests.passed)
