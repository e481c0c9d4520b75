"""Whether the front end builds, in the sandbox."""

import re

from adapters.checks.material import Check, Material, Report
from core.findings import Finding
from core.ports import Sandbox

SECONDS = 120
_ARGV = [
    "node", "/node_modules/vite/bin/vite.js", "build", "--config", "/opt/sandbox/vite.config.mjs", "--configLoader", "native",
    "--outDir", "/tmp/web", "--logLevel", "error",  # noqa: S108 - inside the sandbox
]  # fmt: skip
_PLACE = re.compile(r"(?:/app/)?(?P<path>frontend/[^\s:\]]+):(?P<line>\d+)")


def build_check(sandbox: Sandbox | None, why_none: str) -> Check:
    """Return the check; it needs a sandbox with Node."""

    async def run(material: Material) -> Report:
        if sandbox is None or sandbox.name != "docker":
            return Report(note=why_none or "there is no Node in this sandbox", status="not_run")
        ran = await sandbox.run(material.tree, _ARGV, {}, SECONDS)
        if ran.exit_code == 0:
            return Report()
        if ran.ended_for:
            return Report(
                (Finding("build", "error", "", 0, f"the front end was not built within {SECONDS} s", "vite"),)
            )
        place = _PLACE.search(ran.output)
        path, line = (place["path"], int(place["line"])) if place else ("frontend/index.html", 0)
        text = " | ".join(part.strip() for part in ran.output.splitlines() if part.strip())[:400]
        return Report((Finding("build", "error", path, line, f"the front end does not build: {text}", "vite"),))

    return Check(
        "build", 2, lambda material: material.manifest is not None and material.manifest.kind == "fastapi_react", run
    )
