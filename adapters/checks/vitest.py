"""The tests of an app's front end, by vitest in the sandbox, with our configuration."""

import re

from adapters.checks.build import without_node
from adapters.checks.material import Check, Material, Report
from adapters.checks.tests import UNFINISHED, is_test, tap_complete
from core.errors import OutsideError
from core.findings import Finding
from core.ports import Sandbox

SECONDS = 120
MOST_NAMES = 500
_ARGV = [
    "node", "/node_modules/vitest/vitest.mjs", "run", "--config", "/opt/sandbox/vitest.config.mjs", "--configLoader", "native",
    "--reporter=tap-flat", "--no-color",
]  # fmt: skip
# One line per test: "ok 1 - src/a.test.ts > adds # time=1.20ms"; below a failed one stands why.
_LINE = re.compile(
    r"^(?P<failed>not )?ok \d+ - (?P<path>[^>\n]+?\.[cm]?[jt]sx?)(?: > (?P<name>.*?))? # (?:time=|(?P<skipped>SKIP|TODO))",
    re.M,
)


def vitest_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check; it needs a sandbox with Node."""

    async def run(material: Material) -> Report:
        if (without := without_node(sandbox, why_none)) is not None:
            return without
        assert sandbox is not None
        ran = await sandbox.run(material.tree, _ARGV, {}, SECONDS)
        if ran.ended_for:
            why = f"did not end within {SECONDS} s" if ran.ended_for == "time" else "printed without end"
            return Report((Finding("vitest", "error", "", 0, f"the tests of the front end {why}", "vitest"),))
        lines = list(_LINE.finditer(ran.output))
        passed = tuple(_name(line) for line in lines if not line["failed"] and not line["skipped"])[:MOST_NAMES]
        failed = [
            Finding(
                "test", "error", f"frontend/{line['path']}", 0, f"{line['name']}: {_why(ran.output, line)}", "vitest"
            )
            for line in lines
            if line["failed"]
        ]
        if ran.exit_code and not failed:
            raise OutsideError(f"vitest ended with code {ran.exit_code}: {ran.output.strip()[-300:]}")
        if not lines:
            return Report(note="vitest ran no test", status="not_run")
        if not tap_complete(ran.output, len(lines)):
            failed.append(Finding("tests", "error", "", 0, UNFINISHED, "vitest"))
        note = f"{len(passed)} passed" + (f", {len(failed)} failed" if failed else "")
        return Report(tuple(failed), note=note, passed=passed)

    def applies(material: Material) -> bool:
        return any(path.startswith("frontend/") and is_test(path) for path in material.tree)

    return Check("vitest", 3, applies, run)


def _name(line: re.Match[str]) -> str:
    return f"frontend/{line['path']}::{line['name']}"


def _why(output: str, line: re.Match[str]) -> str:
    """Return what stands below a failed test's line, before that of the next."""
    following = _LINE.search(output, line.end())
    for said in output[line.end() : following.start() if following else len(output)].splitlines():
        if said[:1].isspace() and (text := said.strip()).startswith("message: "):
            return text.removeprefix("message: ").strip('"')[:300]
    return "failed"
