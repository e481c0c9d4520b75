"""The files that go with a message: the diff as a file and as a picture, the screenshot, the ZIP of the app."""

import html
import logging
import re
from pathlib import Path

from adapters.preview.screenshot import Browser
from adapters.vfs.git import GitRepository
from core.chat import Picture
from core.errors import BotError
from core.messages import Doc, Enclosed, PreviewCard
from core.sessions import Session

log = logging.getLogger(__name__)
PICTURE_LINES = 48
LINE_PIXELS, WIDTH_PIXELS = 20, 900
LINE_CHARS = 108
_CLASSES = (("+++", "head"), ("---", "head"), ("diff ", "head"), ("@@", "at"), ("+", "added"), ("-", "removed"))
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff; font: 13px/{height}px "DejaVu Sans Mono", monospace; color: #24292f }}
div {{ height: {height}px; padding: 0 14px; white-space: pre; overflow: hidden }}
.added {{ background: #e6ffec; color: #116329 }} .removed {{ background: #ffebe9; color: #82071e }}
.at {{ color: #6e7781; background: #f6f8fa }} .head {{ font-weight: 600; background: #f6f8fa }}
</style>{lines}"""


class Enclosures:
    """Makes them. `shots` holds the pictures; one that was made is kept."""

    def __init__(self, repository: GitRepository, shots: Path, browser: Browser | None) -> None:
        self._repository, self._shots, self._browser = repository, shots, browser

    async def of(self, session: Session, doc: Doc) -> tuple[Picture, ...]:
        """Return the files that a message encloses; what cannot be made is left out and logged."""
        found: list[Picture] = []
        for block in doc.blocks:
            try:
                if isinstance(block, PreviewCard) and block.preview.screenshot:
                    alt = f"Screenshot of {block.preview.title or session.title}"
                    found.append(Picture("preview.png", (self._shots / block.preview.screenshot).read_bytes(), alt))
                elif isinstance(block, Enclosed) and block.kind == "export":
                    content = await self._repository.archive(session.id, block.commit)
                    found.append(Picture(f"{session.slug}.zip", content))
                elif isinstance(block, Enclosed):
                    found += await self._diff(session, block.commit)
            except (BotError, OSError):
                log.exception("enclosure_failed")
        return tuple(found)

    async def _diff(self, session: Session, commit: str) -> list[Picture]:
        text = (await self._repository.show(session.id, commit))[1].text
        found = [Picture(f"{commit[:7]}.diff", text.encode())]
        if self._browser is None or not text.strip():
            return found
        path = self._shots / f"diff-{commit}.png"
        if not path.exists():
            page, height = diff_page(text)
            png = await self._browser.picture(page, width=WIDTH_PIXELS, height=height)
            self._shots.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
        return [*found, Picture("diff.png", path.read_bytes(), "The diff")]


def diff_page(text: str) -> tuple[str, int]:
    """Return a page that shows the beginning of a diff in colours, and its height in pixels."""
    files = sorted(re.split(r"^(?=diff --git )", text, flags=re.M), key=_interest)
    lines = [
        line for line in "".join(files).splitlines() if not line.startswith(("index ", "new file", "deleted file"))
    ]
    shown = [_line(line) for line in lines[:PICTURE_LINES]]
    if len(lines) > PICTURE_LINES:
        shown.append(f'<div class="at">… {len(lines) - PICTURE_LINES} more lines in the file</div>')
    return _PAGE.format(height=LINE_PIXELS, lines="".join(shown)), len(shown) * LINE_PIXELS


def _interest(diff: str) -> int:
    """Return where a file's diff belongs in a picture that has room for the beginning only: code comes first."""
    name = diff.partition("\n")[0].rpartition(" b/")[2]
    return 2 if name in ("app.json", "README.md", "requirements.txt") else int(name.startswith("tests/"))


def _line(line: str) -> str:
    name = next((name for start, name in _CLASSES if line.startswith(start)), "")
    text = line if len(line) <= LINE_CHARS else line[: LINE_CHARS - 1] + "…"
    return f'<div class="{name}">{html.escape(text) or "&nbsp;"}</div>'
