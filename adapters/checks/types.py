"""mypy, with our configuration: no plugins, nothing imported, a cache that all apps share."""

import asyncio
import re
from pathlib import Path

from adapters.checks.material import Check, Material, Report
from adapters.checks.tools import output_of, program, relative
from core.errors import OutsideError
from core.findings import Finding

SECONDS = 90
_LINE = re.compile(
    r"^(?P<path>[^:\n]+):(?P<line>\d+):(?:\d+:)? (?P<level>error|note): (?P<text>.*?)(?:  \[(?P<code>[\w-]+)\])?$", re.M
)


def mypy_check(cache: Path) -> Check:
    """Return the check of Python types; `cache` keeps what mypy knows of the libraries."""
    one_at_a_time = asyncio.Lock()

    async def run(material: Material) -> Report:
        # Reading the libraries for the first time takes seconds; two do it faster, one is faster afterwards.
        workers = [] if cache.exists() else ["-n", "2"]
        argv = [
            program("mypy"), *workers, "--config-file=", f"--cache-dir={cache}", "--no-error-summary", "--show-error-codes",
            "--ignore-missing-imports", "--explicit-package-bases", "--namespace-packages", "--no-color-output",
            "--hide-error-context", "--exclude", "^(node_modules|\\.venv)/", ".",
        ]  # fmt: skip
        cache.mkdir(parents=True, exist_ok=True)
        async with one_at_a_time:
            output = await output_of(argv, material.folder, SECONDS, codes=(0, 1, 2))
        if not _LINE.search(output) and output.strip() and not output.startswith("Success"):
            # Nothing was checked: a module that shadows a library, or mypy itself failed.
            raise OutsideError(f"mypy checked nothing: {output.strip().splitlines()[0][:200]}")
        return Report(
            tuple(
                Finding(
                    match["code"] or "mypy",
                    "error",
                    relative(match["path"], material.folder),
                    int(match["line"]),
                    match["text"],
                    "mypy",
                )  # fmt: skip
                for match in _LINE.finditer(output)
                if match["level"] == "error"
            )
        )

    return Check("mypy", 2, lambda material: bool(material.paths(".py")), run, early=True)
