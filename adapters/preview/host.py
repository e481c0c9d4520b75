"""
The PreviewHost port: one running instance per session, of its head.

A new version starts beside the old one and takes over when it answers; a broken one never replaces a working one.
"""

import asyncio
import contextlib
import html
import logging
import os
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.dependencies.install import Packages
from adapters.preview.live import add_live
from adapters.preview.runtime import BODY_BYTES, Answer, Home, Instance, Runtime, ready, with_log
from adapters.preview.screenshot import Browser
from adapters.preview.troubles import Trouble, troubles
from adapters.sandbox.folders import write_files
from core.errors import OutsideError
from core.files import FileTree
from core.manifests import AppManifest
from core.messages import PreviewState

MAX_RUNNING, STARTS_AT_ONCE = 12, 4
PAST = "--"
"""Between a session's slug and a commit in the name of a preview that shows that commit. No slug has it."""
SLEEP_SECONDS, IDLE_SECONDS = 5 * 60, 30 * 60
FAILED_SECONDS = 30
LINGER_SECONDS = 2.0
"""How long a version that was replaced still answers requests that were on their way to it."""
log = logging.getLogger(__name__)
_SILENT = (b"script", b"style", b"noscript", b"template", b"title")


@dataclass
class Served:
    """What the gate needs to know of one session's preview: an instance, or a folder of a static app."""

    commit: str
    root: Path
    instance: Instance | None
    used: float = field(default_factory=time.monotonic)
    built: bool = False
    """Whether the folder holds one built page, which answers for every address of the app by itself."""

    @property
    def header(self) -> tuple[str, str]:
        """Return the header that tells Caddy where to go."""
        if self.instance:
            return "X-Upstream", self.instance.upstream
        return "X-Built" if self.built else "X-Root", str(self.root)


class Previews:
    """Starts, replaces and stops previews. `url_of` makes the link that people get; `shots` holds the pictures."""

    def __init__(
        self,
        folder: Path,
        shots: Path,
        runtime: Runtime | None,
        why_none: str,
        url_of: Callable[[str], str],
        browser: Browser | None,
        most: int = MAX_RUNNING,
        packages: Packages | None = None,
    ) -> None:
        self._folder, self._shots, self.runtime, self._why_none = folder, shots, runtime, why_none
        self._url_of, self._browser, self._most, self._packages = url_of, browser, most, packages
        self._starting = asyncio.Semaphore(STARTS_AT_ONCE)
        # What a past commit stored ends with its preview.
        for left in folder.glob(f"*{PAST}*"):
            shutil.rmtree(left, ignore_errors=True)
        self._served: dict[str, Served] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._failed: dict[str, tuple[str, str, float]] = {}

    def version(self, slug: str) -> str:
        """Return the version that a preview shows, '' for none; asking does not keep it awake."""
        served = self._served.get(slug)
        return served.commit[:12] if served else ""

    def serving(self, slug: str) -> Served | None:
        """Return what is served under `slug`, and note that somebody asked."""
        found = self._served.get(slug)
        if found is not None:
            found.used = time.monotonic()
        return found

    async def show(
        self, session_id: str, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> PreviewState:
        """Bring the preview to `commit`, look at it, and say what was seen."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            try:
                return await self._show(slug, commit, tree, manifest)
            except OutsideError as error:
                return PreviewState("failed", commit=commit, note=str(error))
            except OSError as error:
                return PreviewState("failed", commit=commit, note=f"its files could not be written: {error.strerror}")

    async def wake(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> str:
        """Serve `commit` unless something is served already; return what is wrong, '' for nothing."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            known = self._served.get(slug)
            if known is not None and (known.instance is None or await known.instance.alive()):
                return ""
            failed_commit, problem, until = self._failed.get(slug, ("", "", 0.0))
            if failed_commit == commit and time.monotonic() < until:
                return problem
            try:
                served, answer = await self._start(slug, commit, tree, manifest)
            except OutsideError as error:
                return str(error)
            if problem := _problem(answer):
                await self._stop(served)
                # Every waiting request would start it again.
                self._failed[slug] = (commit, problem, time.monotonic() + FAILED_SECONDS)
                return problem
            self._served[slug] = served
            self._make_room()
            return ""

    async def _show(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> PreviewState:
        static = manifest is None or manifest.serverless
        if self.runtime is None and manifest is not None and manifest.sandboxed:
            return PreviewState("off", commit=commit, note=self._why_none)
        name = "static" if static else self.runtime.name if self.runtime else ""
        served, answer = await self._start(slug, commit, tree, manifest)
        if problem := _problem(answer):
            logs = await served.instance.logs() if served.instance else ""
            await self._drop(served, self._served.get(slug))
            return PreviewState(
                "failed", commit=commit, note=with_log(problem, logs), http_status=answer.status, runtime=name
            )
        before = self._served.get(slug)
        self._served[slug] = served
        url = self._url_of(slug)
        state = PreviewState("ready", url, commit, http_status=answer.status, runtime=name, title=_title(answer.body))
        if self._browser is not None:
            state = await self._looked_at(self._browser, state, slug, before.commit if before else "")
        if state.state == "failed" and before is not None:
            # A page whose scripts throw never replaces one that works.
            self._served[slug] = before
            await self._drop(served, before)
        elif before is not None:
            self._later(self._retire(before, served))
        self._make_room()
        return state

    async def _looked_at(self, browser: Browser, state: PreviewState, slug: str, before: str) -> PreviewState:
        """Add what a browser saw; a page that is blank or whose scripts throw is no working preview."""
        try:
            look = await browser.look(state.url)
            shot, phone = (self._shots / f"{slug}-{state.commit[:12]}{kind}.png" for kind in ("", "-phone"))
            self._shots.mkdir(parents=True, exist_ok=True)
            shot.write_bytes(look.png)
            phone.write_bytes(look.phone)
            old = self._shots / f"{slug}-{before[:12]}.png"
            differs = bool(before) and old.exists() and old.read_bytes() != look.png
        except (OutsideError, OSError) as error:
            log.warning("not_looked_at", extra={"why": str(error)})
            return replace(state, problems=(f"nobody could look at it: {error}",))
        problems = (*look.failed, *(f"console: {one}" for one in look.console))
        state = replace(
            state, screenshot=shot.name, phone=phone.name, before=old.name if differs else "", problems=problems
        )
        if look.errors:
            return replace(state, state="failed", note="the page's script failed: " + "; ".join(look.errors))
        if look.blank:
            return replace(state, state="failed", note="the page is blank")
        return state

    async def _start(
        self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> tuple[Served, Answer]:
        """Start a version beside what runs; a crowd waits in line, and sees a page that says so."""
        async with self._starting:
            return await self._started(slug, commit, tree, manifest)

    async def _started(
        self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> tuple[Served, Answer]:
        home, version = Home(self._folder / slug), commit[:12]
        static = manifest is None or manifest.serverless
        if self.runtime is None or static:
            home.make()
        else:
            await self.runtime.settle(home)
        root = home.app(version)
        if not root.exists():
            building = root.with_suffix(".new")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True)
            try:
                await self._write(tree, building, "" if PAST in slug else version, manifest)
                building.rename(root)
            finally:
                # Half a version would fill a disk that is full already.
                await asyncio.to_thread(shutil.rmtree, building, ignore_errors=True)
        if manifest is not None and manifest.bundled:
            await self._build(home, version)
        if manifest is None or static:
            folder = home.web(version) if manifest is not None and manifest.bundled else root
            page = await asyncio.to_thread(_start_page, folder)
            answer = Answer(200, page) if page else Answer(404, problem="there is no index.html")
            return Served(commit, folder, None, built=folder != root), answer
        if self.runtime is None:
            raise OutsideError(self._why_none)
        try:
            instance = await self.runtime.start(home, version, manifest.command)
        except OutsideError:
            known = self._served.get(slug)
            if known is None or known.root != root:
                await asyncio.to_thread(_forget, home, version)
            raise
        try:
            return Served(commit, root, instance), await ready(instance, manifest.health)
        except BaseException:
            await instance.stop()
            raise

    async def _write(self, tree: FileTree, folder: Path, live: str, manifest: AppManifest | None) -> None:
        """Write a version's files, with what reloads its pages (`live` is the version they are of) and the packages it asks for."""
        await asyncio.to_thread(write_files, tree, folder)
        if live:
            await asyncio.to_thread(add_live, folder, live)
        if self._packages is not None and manifest is not None and manifest.sandboxed:
            await self._packages.put(tree, folder)

    async def _build(self, home: Home, version: str) -> None:
        """Build the front end of a version, unless that was done before."""
        if self.runtime is None:
            raise OutsideError(self._why_none)
        web = home.web(version)
        if not web.exists():
            building = web.with_suffix(".new")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            try:
                await self.runtime.build(home.app(version), building)
                await asyncio.to_thread(_only_files, building)
                building.rename(web)
            finally:
                await asyncio.to_thread(shutil.rmtree, building, ignore_errors=True)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody has to wait for."""
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _retire(self, served: Served, other: Served) -> None:
        """Drop a version once nobody can be on the way to it any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._closing.wait()
        await self._drop(served, other)

    async def _drop(self, served: Served, other: Served | None) -> None:
        """Stop a version and remove its files, unless another instance serves the same; git has them."""
        await self._stop(served)
        if other is None or served.root != other.root:
            await asyncio.to_thread(_forget, Home(served.root.parents[1]), served.root.name)

    async def _stop(self, served: Served) -> None:
        if served.instance is not None:
            await served.instance.stop()

    def _make_room(self) -> None:
        """Stop the least recently used previews above the limit, meanwhile; a request wakes them again."""
        if len(self._running()) > self._most:
            self._later(self._made_room())

    def _running(self) -> list[str]:
        """Return the names of the previews that run, the least recently used first."""
        return [slug for _, slug in sorted((one.used, slug) for slug, one in self._served.items() if one.instance)]

    async def _made_room(self) -> None:
        while len(running := self._running()) > self._most:
            async with self._locks.setdefault(running[0], asyncio.Lock()):
                if len(self._running()) > self._most:
                    await self._end(running[0])

    async def troubles(self) -> list[tuple[str, str, list[Trouble]]]:
        """Return (slug, commit, errors) of every app that runs and has printed errors."""
        running = [(slug, one.commit, one.instance) for slug, one in self._served.items() if one.instance is not None]
        found = [(slug, commit, troubles(await instance.logs())) for slug, commit, instance in running]
        return [one for one in found if one[2]]

    async def _end(self, slug: str) -> None:
        """Stop a preview; a request starts it again."""
        if found := self._served.pop(slug, None):
            await self._stop(found)
            if PAST in slug:
                await asyncio.to_thread(shutil.rmtree, self._folder / slug, ignore_errors=True)

    async def rest(self, sleep_seconds: float = SLEEP_SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        """Let previews sleep that nobody asked for lately, and stop those that sleep for long."""
        now = time.monotonic()
        for slug, served in list(self._served.items()):
            if served.instance is None and PAST not in slug:
                continue
            async with self._locks.setdefault(slug, asyncio.Lock()):
                if now - served.used > idle_seconds:
                    await self._end(slug)
                elif now - served.used > sleep_seconds and served.instance is not None:
                    await served.instance.sleep()

    async def close(self) -> None:
        """Stop all."""
        self._closing.set()
        await asyncio.gather(*self._ending)
        for served in self._served.values():
            await self._stop(served)
        self._served.clear()
        if self.runtime is not None:
            await self.runtime.close()


def _start_page(folder: Path) -> bytes:
    path = folder / "index.html"
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(BODY_BYTES)


def _only_files(folder: Path) -> None:
    """Remove whatever is no plain file: what builds is code of others, and a link would be followed on the host."""
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place, name)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                path.unlink()


def _forget(home: Home, version: str) -> None:
    for folder in (home.app(version), home.web(version)):
        shutil.rmtree(folder, ignore_errors=True)


def _problem(answer: Answer) -> str:
    """Return what is wrong with a health answer; a page that shows nothing is wrong too."""
    if answer.status != 200:
        return answer.problem or f"the app answered {answer.status}"
    if not _shows_something(answer.body):
        return "the page is empty"
    return ""


def _shows_something(body: bytes) -> bool:
    """Say whether there is text outside tags, scripts and styles. Reads once forwards: a hostile page costs no more."""
    at, lowered = 0, body.lower()
    while at < len(body):
        tag = lowered.find(b"<", at)
        if body[at : tag if tag >= 0 else len(body)].strip():
            return True
        if tag < 0:
            return False
        silent = next((name for name in _SILENT if lowered.startswith(name, tag + 1)), None)
        closing = b"</" + silent if silent else b"-->" if lowered.startswith(b"<!--", tag) else b">"
        end = lowered.find(closing, tag + 1)
        if end < 0:
            return False
        at = lowered.find(b">", end) + 1
        if not at:
            return False
    return False


def _title(body: bytes) -> str:
    lowered = body.lower()
    start = lowered.find(b">", lowered.find(b"<title")) + 1
    end = lowered.find(b"</title", start)
    if b"<title" not in lowered or not start or end < 0:
        return ""
    return " ".join(html.unescape(body[start:end].decode("utf-8", "replace")).split())[:120]
