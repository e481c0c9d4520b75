"""Look at a page with a headless browser that can reach the preview proxy and nothing else."""

import asyncio
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.programs import run_limited
from core.errors import OutsideError

SECONDS = 30
WIDTH, HEIGHT = 1280, 800
UID = 61_999
_ERROR = re.compile(r'CONSOLE[:(]\d+\)?\] "(?P<text>Uncaught .*?|.*?SyntaxError.*?)", source: (?P<source>\S*)')


@dataclass(frozen=True)
class Look:
    """What the browser saw: a PNG, and the errors that the page's scripts threw."""

    png: bytes
    errors: tuple[str, ...]


def find_browser() -> str | None:
    """Return a Chromium or Chrome on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """Takes screenshots, one page at a time."""

    def __init__(self, program: str, proxy_port: int) -> None:
        self._program, self._proxy_port = program, proxy_port
        self._one_at_a_time = asyncio.Lock()

    async def look(self, url: str, *, width: int = WIDTH, height: int = HEIGHT) -> Look:
        """
        Open `url` and return what is seen once the page is quiet.

        Raises:
            OutsideError: the browser does not work.
        """
        async with self._one_at_a_time:
            with tempfile.TemporaryDirectory(prefix="tw-browser-") as name:
                return await self._look(url, Path(name), width, height)

    async def picture(self, html: str, *, width: int, height: int) -> bytes:
        """
        Return a PNG of a page of our own making.

        Raises:
            OutsideError: the browser does not work.
        """
        async with self._one_at_a_time:
            with tempfile.TemporaryDirectory(prefix="tw-browser-") as name:
                page = Path(name) / "page.html"
                page.write_text(html, encoding="utf-8")
                return (await self._look(page.as_uri(), Path(name), width, height)).png

    async def _look(self, url: str, folder: Path, width: int, height: int) -> Look:
        shot = folder / "page.png"
        drop: list[str] = []
        if os.geteuid() == 0:
            # As root the browser would run without its own sandbox.
            os.chown(folder, UID, UID)
            drop = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "--"]
        argv = [
            *drop, self._program, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-default-apps", "--mute-audio", "--enable-logging=stderr", "--disable-dev-shm-usage",
            # Everything goes to the preview proxy, loopback included; it knows no host but the previews'.
            f"--proxy-server=http://127.0.0.1:{self._proxy_port}", "--proxy-bypass-list=<-loopback>",
            "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}", "--virtual-time-budget=4000",
            f"--screenshot={shot}", url,
        ]  # fmt: skip
        ran = await run_limited(
            argv, SECONDS, cwd=str(folder), env={"HOME": str(folder), "PATH": os.environ.get("PATH", "")}
        )
        if not shot.exists():
            raise OutsideError(f"The browser took no picture: {ran.output.strip()[-200:] or ran.ended_for}")
        errors = [f"{match['text']} ({match['source'].rpartition('/')[2]})" for match in _ERROR.finditer(ran.output)]
        return Look(shot.read_bytes(), tuple(dict.fromkeys(errors))[:5])
