"""Text that becomes HTML without being escaped: whoever writes it can run scripts in the page."""

import asyncio
from collections.abc import Iterator

from adapters.checks.markup_python import open_responses
from adapters.checks.markup_script import open_sinks
from adapters.checks.material import Check, Material, Report
from core.edits.languages import SCRIPTS
from core.findings import Finding

MAX_CHARS = 500_000
_ENDINGS = (".py", *(f".{one}" for one in SCRIPTS))


def markup_check() -> Check:
    """Return the check of scripts and Python; it only parses."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    return Check("markup", 0, lambda material: bool(material.paths(*_ENDINGS)), run)


def _findings(material: Material) -> Iterator[Finding]:
    for path in material.paths(*_ENDINGS):
        text = material.tree.text(path)
        if text is None or len(text) > MAX_CHARS:
            continue
        for line, where in open_responses(text) if path.endswith(".py") else open_sinks(path, text):
            said = (
                f"{where} takes a text as HTML that was not escaped, so whoever writes it can run scripts in the page."
            )
            yield Finding("xss", "error", path, line, said, "markup")
