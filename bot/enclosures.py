"""The files that go with a message: the diff as a file and as a picture, the screenshot, the ZIP of the app."""

import html
import logging
import re
from base64 import b64encode
from pathlib import Path

from adapters.preview.screenshot import Browser
from adapters.vfs.git import GitRepository
from core.chat import Picture
from core.errors import BotError
from core.messages import Doc, Enclosed, PreviewCard, PreviewState
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


_BESIDE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px; display: flex; gap: 16px; background: #f6f8fa; font: 600 15px system-ui, "DejaVu Sans", sans-serif }}
figure {{ margin: 0; flex: 1 }} figcaption {{ padding: 0 0 8px; color: #57606a }}
img {{ width: 100%; border: 1px solid #d0d7de; border-radius: 6px; display: block }}
</style><figure><figcaption>Before</figcaption><img src="data:image/png;base64,{}"></figure>
<figure><figcaption>After</figcaption><img src="data:image/png;base64,{}"></figure>"""

_DEVICES = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px; display: flex; gap: 16px; background: #f6f8fa; height: 600px }}
img {{ height: 600px; object-fit: cover; object-position: top; border: 1px solid #d0d7de; border-radius: 8px; box-sizing: border-box }}
</style><img src="data:image/png;base64,{}" style="width: 960px"><img src="data:image/png;base64,{}" style="width: 277px; border-radius: 20px">"""


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
                    found += await self._pictures(block.preview, block.preview.title or session.title)
                elif isinstance(block, Enclosed) and block.kind == "export":
                    content = await self._repository.archive(session.id, block.commit)
                    found.append(Picture(f"{session.slug}.zip", content))
                elif isinstance(block, Enclosed):
                    found += await self._diff(session, block.commit)
            except (BotError, OSError):
                log.exception("enclosure_failed")
        return tuple(found)

    async def _pictures(self, preview: PreviewState, title: str) -> list[Picture]:
        """Return the page as it looks; where it looked different before, both side by side."""
        now = (self._shots / preview.screenshot).read_bytes()
        found = [Picture("preview.png", await self._devices(preview, now), f"{title} on a desk and on a phone")]
        if preview.before and self._browser is not None:
            path = self._shots / f"{preview.screenshot.removesuffix('.png')}-change.png"
            if not path.exists():
                page = _BESIDE.format(
                    *(b64encode(png).decode() for png in ((self._shots / preview.before).read_bytes(), now))
                )
                path.write_bytes(await self._browser.picture(page, width=1_320, height=470))
            found = [Picture("before-after.png", path.read_bytes(), f"{title} before and after"), *found]
        return found

    async def _devices(self, preview: PreviewState, desk: bytes) -> bytes:
        """Return both widths in one picture: two of them fill a thread."""
        if not preview.phone or self._browser is None:
            return desk
        path = self._shots / f"{preview.screenshot.removesuffix('.png')}-both.png"
        if not path.exists():
            phone = (self._shots / preview.phone).read_bytes()
            page = _DEVICES.format(*(b64encode(png).decode() for png in (desk, phone)))
            path.write_bytes(await self._browser.picture(page, width=1_300, height=632))
        return path.read_bytes()

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
