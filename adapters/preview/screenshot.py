"""Look at a page with a headless browser that can reach the preview proxy and nothing else."""

import asyncio
import base64
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.preview.devtools import Devtools, browser
from core.errors import OutsideError

SECONDS, QUIET_SECONDS, SETTLE_SECONDS = 30, 5.0, 0.15
DESKTOP, PHONE = (1280, 800), (390, 844)
UID = 61_999
LOOK_SECONDS, STILL_LOOKS = 0.05, 6
"""A page is quiet when it asks for nothing at so many looks in a row."""
BLANK_SECONDS, MAX_SAID = 2.0, 320
MOST = 5
"""How many errors and failed requests are told."""
_HAS_CONTENT = (
    "!!document.body && (document.body.innerText.trim() !== '' || "
    "document.querySelector('img,svg,canvas,video,input,button,iframe,object,embed') !== null || "
    "[...document.querySelectorAll('body *')].slice(0, 2000).some(one => { "
    "if (one.shadowRoot && one.shadowRoot.textContent.trim() !== '') return true; "
    "const style = getComputedStyle(one), box = one.getBoundingClientRect(); "
    "return box.width > 0 && box.height > 0 && "
    "(style.backgroundColor !== 'rgba(0, 0, 0, 0)' || style.backgroundImage !== 'none' || style.borderTopWidth !== '0px'); }))"
)


@dataclass(frozen=True)
class Look:
    """
    What the browser saw of a page: PNGs at desktop and phone width, and what went wrong.

    `errors` are what its scripts threw, `console` what they wrote as errors, `failed` requests that came to nothing.
    """

    png: bytes
    phone: bytes
    blank: bool = False
    errors: tuple[str, ...] = ()
    console: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass
class _Ear:
    """Hears what happens in a page while it loads."""

    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    requests: dict[str, str] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    loaded: bool = False
    answer: Callable[[], object] = lambda: None

    async def quiet(self) -> None:
        """Wait until the page has loaded and asks for nothing more."""
        still = 0
        while still < STILL_LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
            still = still + 1 if self.loaded and not self.under_way else 0

    def hear(self, method: str, params: dict[str, Any]) -> None:
        """Take in one event of the browser."""
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Page.javascriptDialogOpening":
            # It would stand there, and the page behind it would wait, for ever.
            self.answer()
        elif method in ("Network.loadingFinished", "Network.loadingFailed"):
            self.under_way.discard(params["requestId"])
        if method == "Runtime.exceptionThrown":
            self.errors.append(_thrown(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.console.append(
                _clean(" ".join(str(one.get("value", one.get("description", ""))) for one in params["args"]))
            )
        elif method == "Network.requestWillBeSent":
            self.under_way.add(params["requestId"])
            self.requests[params["requestId"]] = f"{params['request']['method']} {_short(params['request']['url'])}"
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            self._fail(params["requestId"], str(params["response"]["status"]))
        elif method == "Network.loadingFailed" and not params.get("canceled"):
            self._fail(params["requestId"], params["errorText"])

    def _fail(self, request: str, why: str) -> None:
        asked = self.requests.get(request, "")
        # Browsers ask for it by themselves.
        if asked and not asked.endswith("/favicon.ico"):
            self.failed.append(f"{asked} {why}"[:MAX_SAID])


def _thrown(details: dict[str, Any]) -> str:
    said = details.get("exception", {}).get("description", "").split("\n")[0] or details.get("text", "an error")
    place = _short(details.get("url", "")).rpartition("/")[2]
    return _clean(f"{said[:300]} ({place or 'the page'}:{details.get('lineNumber', 0) + 1})")


def _clean(text: str) -> str:
    """Return what can be stored: scripts may write halves of characters."""
    return text[:MAX_SAID].encode("utf-8", "replace").decode()


def _short(url: str) -> str:
    """Return an address without its host, and without a query that may hold the link's secret."""
    try:
        return (urlsplit(url).path or url)[:120]
    except ValueError:
        return url[:60]


def find_browser() -> str | None:
    """Return a Chromium or Chrome on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """Looks at one page at a time, each with a browser that starts empty."""

    def __init__(self, program: str, proxy_port: int, proxy_address: str = "127.0.0.1") -> None:
        self._program, self._proxy = program, f"{proxy_address}:{proxy_port}"
        self._one_at_a_time = asyncio.Lock()

    async def look(self, url: str) -> Look:
        """
        Open `url` and return what is seen once the page is quiet, at desktop and at phone width.

        Raises:
            OutsideError: the browser does not work.
        """
        async with self._opened(url, *DESKTOP) as (tools, ear):
            blank = await _is_blank(tools)
            wide = await _picture(tools)
            await _resize(tools, *PHONE, mobile=True)
            await asyncio.sleep(SETTLE_SECONDS)
            narrow = await _picture(tools)
            kept = (tuple(dict.fromkeys(one))[:MOST] for one in (ear.errors, ear.console, ear.failed))
            return Look(wide, narrow, blank, *kept)

    async def picture(self, html: str, *, width: int, height: int) -> bytes:
        """
        Return a PNG of a page of our own making.

        Raises:
            OutsideError: the browser does not work.
        """
        encoded = base64.b64encode(html.encode()).decode()
        async with self._opened(f"data:text/html;charset=utf-8;base64,{encoded}", width, height) as (tools, _):
            return await _picture(tools)

    @contextlib.asynccontextmanager
    async def _opened(self, url: str, width: int, height: int) -> AsyncIterator[tuple[Devtools, _Ear]]:
        with tempfile.TemporaryDirectory(prefix="tw-browser-", ignore_cleanup_errors=True) as folder:
            drop: list[str] = []
            if os.geteuid() == 0:
                # As root the browser would run without its own sandbox.
                os.chown(folder, UID, UID)
                drop = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "--"]
            argv = [
                *drop, self._program, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
                "--disable-default-apps", "--mute-audio", "--disable-dev-shm-usage",
                # Everything goes to the preview proxy, loopback included; it knows no host but the previews'.
                f"--proxy-server=http://{self._proxy}", "--proxy-bypass-list=<-loopback>",
                "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", f"--user-data-dir={Path(folder) / 'profile'}",
            ]  # fmt: skip
            try:
                async with self._one_at_a_time, asyncio.timeout(SECONDS), browser(argv, folder) as tools:
                    ear = _Ear()
                    tools.heard = ear.hear
                    ear.answer = lambda: tools.send("Page.handleJavaScriptDialog", accept=True)
                    for domain in ("Page", "Runtime", "Network"):
                        await tools.call(f"{domain}.enable")
                    await _resize(tools, width, height)
                    ear.loaded = False
                    await tools.call("Page.navigate", url=url)
                    with contextlib.suppress(TimeoutError):
                        # A page that never stops asking is looked at as it is.
                        async with asyncio.timeout(QUIET_SECONDS):
                            await ear.quiet()
                    yield tools, ear
            except TimeoutError as error:
                raise OutsideError(f"The browser was not done within {SECONDS} s.") from error


async def _is_blank(tools: Devtools) -> bool:
    """Say whether a page shows nothing, also not after a while: some scripts take their time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BLANK_SECONDS):
            while True:
                found = await tools.call("Runtime.evaluate", expression=_HAS_CONTENT, returnByValue=True)
                if found.get("result", {}).get("value") is not False:
                    return False
                await asyncio.sleep(LOOK_SECONDS)
    return True


async def _resize(tools: Devtools, width: int, height: int, *, mobile: bool = False) -> None:
    await tools.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
    )


async def _picture(tools: Devtools) -> bytes:
    return base64.b64decode((await tools.call("Page.captureScreenshot", format="png"))["data"])
