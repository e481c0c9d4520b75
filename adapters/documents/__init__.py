"""
The text of documents that people drop into a thread: PDF, Word, Excel, PowerPoint.

They come from anybody, and the libraries that read them are large: each is read by a process of its own, in bubblewrap where
that works, with little memory, little time and no network.
"""

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from adapters.host.folders import remove
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.programs import limits, run_limited
from core.errors import OutsideError

log = logging.getLogger(__name__)
ENDINGS = ("pdf", "docx", "xlsx", "pptx")
SECONDS = 20
_INSIDE = Path(__file__).parent / "inside.py"
_MOST = {"as": 1024**3, "cpu": SECONDS, "core": 0, "nofile": 256}


class Documents:
    """Reads documents; `scratch` is for the copies that are read."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._box: BubblewrapSandbox | None = None
        self._tried = asyncio.Lock()
        self._known = False

    async def text(self, name: str, content: bytes) -> str | None:
        """
        Return the text of a document by its name's ending, None for what is none.

        Raises:
            OutsideError: it cannot be read; says why.
        """
        ending = name.rpartition(".")[2].casefold()
        if ending not in ENDINGS:
            return None
        self._scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        try:
            folder.chmod(0o755)
            shutil.copy(_INSIDE, folder / "inside.py")
            (folder / f"document.{ending}").write_bytes(content)
            ran = await run_limited(await self._command(folder, f"document.{ending}"), SECONDS)
        finally:
            remove(folder)
        if ran.ended_for or ran.exit_code:
            why = "it takes too long" if ran.ended_for == "time" else _last(ran.output)
            raise OutsideError(f"its text cannot be read ({why})")
        return ran.output.strip()

    async def _command(self, folder: Path, document: str) -> list[str]:
        async with self._tried:
            if not self._known:
                box = BubblewrapSandbox(self._scratch)
                problem = await box.problem()
                self._box, self._known = None if problem else box, True
        if self._box is not None:
            return self._box.command(folder, ["python", "/app/inside.py", f"/app/{document}"], {}, cpu_seconds=SECONDS)
        return [*limits(**_MOST), sys.executable, "-I", str(folder / "inside.py"), str(folder / document)]


def _last(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "no reason given"
