"""Whether the front end builds, and whether its types agree, in the sandbox."""

import re

from adapters.checks.material import Check, Material, Report
from adapters.sandbox.builds import Builds, DoesNotBuild
from core.errors import OutsideError
from core.findings import Finding
from core.ports import Sandbox

SECONDS = 120
NO_NODE = "there is no Node in this sandbox"
_TSC = ["node", "/node_modules/typescript/bin/tsc", "-p", "/opt/sandbox/tsconfig.json", "--pretty", "false"]
_WRONG = re.compile(
    r"^(?:/app/|(?:\.\./)*app/)?(?P<path>frontend/[^\s(]+)\((?P<line>\d+),\d+\): error (?P<code>TS\d+): (?P<text>.*)$",
    re.M,
)
_PLACE = re.compile(r"(?:/app/)?(?P<path>frontend/[^\s:\]]+):(?P<line>\d+)")


def without_node(sandbox: Sandbox | None, why_none: str) -> Report | None:
    """Return the report of a check that needs Node where there is none."""
    if sandbox is None or sandbox.name != "docker":
        return Report(note=why_none or NO_NODE, status="not_run")
    return None


def build_check(builds: Builds | None, why_none: str) -> Check:
    """Return the check; what it builds is what the preview shows."""

    async def run(material: Material) -> Report:
        if builds is None:
            return Report(note=why_none or NO_NODE, status="not_run")
        try:
            await builds.of(material.tree)
        except DoesNotBuild as error:
            place = _PLACE.search(str(error))
            path, line = (place["path"], int(place["line"])) if place else ("frontend/index.html", 0)
            return Report(
                (Finding("build", "error", path, line, f"the front end does not build: {error}"[:430], "vite"),)
            )
        return Report()

    return Check("build", 2, lambda material: material.manifest is not None and material.manifest.bundled, run)


def tsc_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check of TypeScript's types, with our configuration; it needs a sandbox with Node."""

    async def run(material: Material) -> Report:
        if (without := without_node(sandbox, why_none)) is not None:
            return without
        assert sandbox is not None
        ran = await sandbox.run(material.tree, _TSC, {}, SECONDS)
        found = tuple(
            Finding(match["code"], "error", match["path"], int(match["line"]), match["text"], "tsc")
            for match in _WRONG.finditer(ran.output)
        )
        if ran.exit_code != 0 and not found:
            raise OutsideError(f"tsc ended with code {ran.exit_code}: {ran.output.strip()[-200:] or ran.ended_for}")
        return Report(found)

    def applies(material: Material) -> bool:
        return any(path.startswith("frontend/") for path in material.paths(".ts", ".tsx"))

    return Check("tsc", 2, applies, run)
