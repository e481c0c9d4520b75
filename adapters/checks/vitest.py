"""The tests of an app's front end, by vitest in the sandbox, with our configuration."""

import secrets
from pathlib import Path

from adapters.checks.build import without_node
from adapters.checks.material import Check, Material, Report
from adapters.checks.tests import UNFINISHED, evidence, is_test
from core.errors import OutsideError
from core.findings import Finding
from core.ports import Sandbox

SECONDS = 120
_REPORTER = ".threadwright/evidence.mjs"
_INSIDE = Path(__file__).parent / "inside_vitest.mjs"
_ARGV = [
    "node", "/node_modules/vitest/vitest.mjs", "run", "--config", "/opt/sandbox/vitest.config.mjs", "--configLoader", "native",
    f"--reporter=/app/{_REPORTER}", "--no-color",
]  # fmt: skip


def vitest_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check; it needs a sandbox with Node."""

    async def run(material: Material) -> Report:
        if (without := without_node(sandbox, why_none)) is not None:
            return without
        assert sandbox is not None
        secret = secrets.token_hex(16)
        tree = material.tree.changed({_REPORTER: _INSIDE.read_bytes()})
        ran, report = evidence(await sandbox.run(tree, _ARGV, {"THREADWRIGHT_RUN": secret}, SECONDS), secret)
        if ran.ended_for:
            why = f"did not end within {SECONDS} s" if ran.ended_for == "time" else "printed without end"
            return Report((Finding("vitest", "error", "", 0, f"the tests of the front end {why}", "vitest"),))
        failures = report.failures if report else []
        if ran.exit_code and not failures:
            last = " | ".join(report.errors) if report else ran.output.strip()
            raise OutsideError(f"vitest ended with code {ran.exit_code}: {last[-300:]}")
        failed = [
            Finding("test", "error", f"frontend/{path}", 0, f"{name}: {why or 'failed'}", "vitest")
            for path, name, why in failures
        ]
        if report is None or not report.on_all:
            failed.append(Finding("tests", "error", "", 0, UNFINISHED, "vitest"))
        elif not report.collected:
            return Report(note="vitest ran no test", status="not_run")
        passed = tuple(f"frontend/{name}" for name in report.names) if report else ()
        note = f"{len(passed)} passed" + (f", {len(failed)} failed" if failed else "")
        return Report(tuple(failed), note=note, passed=passed)

    def applies(material: Material) -> bool:
        return any(path.startswith("frontend/") and is_test(path) for path in material.tree)

    return Check("vitest", 3, applies, run)
