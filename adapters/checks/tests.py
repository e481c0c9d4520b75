"""The app's own tests, in the sandbox."""

import re

from adapters.checks.material import Check, Material, Report
from core.files import FileTree
from core.findings import Finding
from core.manifests import AppManifest
from core.ports import Ran, Sandbox

SECONDS = 120
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<path>[^:\s]+)(?:::(?P<name>\S+))?(?: - (?P<text>.*))?$", re.M)
# Plugins of the bot's own environment stay out; -rpfE lists what passed and what failed.
_ENVIRONMENT = {
    "DATA_DIR": "/tmp", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # noqa: S108 - inside the sandbox
    "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:warnings -p anyio -rpfE --color=no --tb=short",
}  # fmt: skip


_NODE = {"DATA_DIR": "/tmp", "NODE_OPTIONS": "--test-reporter=tap"}  # noqa: S108 - inside the sandbox
# One line per test: "not ok 2 - adds"; below a failed one stand its place and its error.
_TAP = re.compile(r"^(?P<failed>not )?ok \d+ - (?P<name>.*?)(?: # (?P<skipped>SKIP|TODO).*)?$", re.M)
_TAP_PLACE = re.compile(r"^  location: '/app/(?P<path>[^:']+)", re.M)
_TAP_WHY = re.compile(r"^  error: (?:\|-\n +)?'?(?P<text>.*?)'?$", re.M)
_PASSED = re.compile(r"^PASSED (?P<name>\S+::\S.*)$", re.M)
MOST_NAMES = 500
MOST_SUMMARY_LINES, MOST_SUMMARY_CHARS = 200, 300


def is_test(path: str) -> bool:
    """Say whether a file holds tests."""
    return bool(re.fullmatch(r"(?:test_.*|.*_test)\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?", path.rpartition("/")[2]))


async def run_tests(sandbox: Sandbox, tree: FileTree, manifest: AppManifest) -> Ran:
    """Run an app's tests."""
    return await sandbox.run(tree, manifest.test, _NODE if manifest.kind == "node" else _ENVIRONMENT, SECONDS)


def passed_in(output: str) -> tuple[str, ...]:
    """Return the names of the tests that passed."""
    return tuple(match["name"].strip() for match in _PASSED.finditer(output))[:MOST_NAMES]


def tests_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check; without a sandbox it is not run, and says why."""

    async def run(material: Material) -> Report:
        if sandbox is None:
            return Report(note=why_none, status="not_run")
        assert material.manifest is not None
        if not material.manifest.test:
            return Report(note="the app has no tests", status="not_run")
        ran = await run_tests(sandbox, material.tree, material.manifest)
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
            summary = _summary(ran.output)
            # A command that ends well without a test is no evidence.
            return (
                Report(note=summary, passed=passed_in(ran.output))
                if " passed" in summary
                else Report(note="the test command ran no test", status="not_run")
            )
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
        return Report(findings, note=_summary(ran.output), passed=passed_in(ran.output))

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
    return Report(
        tuple(findings), f"{len(passed)} passed" + (f", {len(findings)} failed" if findings else ""), passed=passed
    )


def _summary(output: str) -> str:
    """Return `3 passed, 1 failed` of pytest's last lines; words and no pattern, for the app prints what it likes."""
    for line in reversed(output.splitlines()[-MOST_SUMMARY_LINES:]):
        counts, found, seconds = line[:MOST_SUMMARY_CHARS].strip("= ").partition(" in ")
        parts = [part.split() for part in counts.split(",")]
        if found and seconds[:1].isdecimal() and all(len(part) == 2 and part[0].isdecimal() for part in parts):
            return ", ".join(" ".join(part) for part in parts)
    return ""
