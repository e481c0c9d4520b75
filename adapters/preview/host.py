"""
The PreviewHost port: one running instance per session, of its head.

A new version starts beside the old one and takes over when it answers; a broken one never replaces a working one.
"""

import asyncio
import contextlib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.preview.runtime import Answer, Instance, Runtime, ready
from adapters.preview.screenshot import Browser
from adapters.sandbox.folders import write_files
from core.errors import OutsideError
from core.files import FileTree
from core.manifests import AppManifest
from core.messages import PreviewState

MAX_RUNNING = 12
IDLE_SECONDS = 30 * 60
_TAGS = re.compile(rb"<(script|style|noscript|template)\b.*?</\1>|<[^>]+>|<!--.*?-->", re.S | re.I)


@dataclass
class Served:
    """What the gate needs to know of one session's preview: an instance, or a folder of a static app."""

    commit: str
    root: Path
    instance: Instance | None
    used: float = field(default_factory=time.monotonic)

    @property
    def header(self) -> tuple[str, str]:
        """Return the header that tells Caddy where to go."""
        return ("X-Upstream", self.instance.upstream) if self.instance else ("X-Root", str(self.root))


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
    ) -> None:
        self._folder, self._shots, self.runtime, self._why_none = folder, shots, runtime, why_none
        self._url_of, self._browser = url_of, browser
        self._served: dict[str, Served] = {}
        self._locks: dict[str, asyncio.Lock] = {}

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

    async def wake(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> str:
        """Serve `commit` unless something is served already; return what is wrong, '' for nothing."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            known = self._served.get(slug)
            if known is not None and (known.instance is None or await known.instance.alive()):
                return ""
            try:
                served, answer = await self._start(slug, commit, tree, manifest)
            except OutsideError as error:
                return str(error)
            if problem := _problem(answer):
                await self._stop(served)
                return problem
            await self._replace(slug, served)
            return ""

    async def _show(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> PreviewState:
        static = manifest is None or manifest.kind == "static"
        if not static and self.runtime is None:
            return PreviewState("off", commit=commit, note=self._why_none)
        name = "static" if static else self.runtime.name if self.runtime else ""
        served, answer = await self._start(slug, commit, tree, manifest)
        if problem := _problem(answer):
            logs = await served.instance.logs() if served.instance else ""
            await self._stop(served)
            return PreviewState(
                "failed", commit=commit, note=_with_log(problem, logs), http_status=answer.status, runtime=name
            )
        await self._replace(slug, served)
        url = self._url_of(slug)
        state = PreviewState("ready", url, commit, http_status=answer.status, runtime=name, title=_title(answer.body))
        if self._browser is None:
            return state
        return await self._looked_at(state, slug)

    async def _looked_at(self, state: PreviewState, slug: str) -> PreviewState:
        """Add a screenshot; a page whose scripts throw is no working preview."""
        assert self._browser is not None
        with contextlib.suppress(OutsideError):
            look = await self._browser.look(state.url)
            self._shots.mkdir(parents=True, exist_ok=True)
            name = f"{slug}-{state.commit[:12]}.png"
            (self._shots / name).write_bytes(look.png)
            state = replace(state, screenshot=name)
            if look.errors:
                state = replace(state, state="failed", note="the page's script failed: " + "; ".join(look.errors))
        return state

    async def _start(
        self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> tuple[Served, Answer]:
        root = self._folder / slug / commit[:12]
        if not root.exists():
            building = root.with_suffix(".new")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True)
            await asyncio.to_thread(write_files, tree, building)
            building.rename(root)
        if manifest is None or manifest.kind == "static":
            page = tree.get("index.html")
            return Served(commit, root, None), Answer(200, page) if page else Answer(
                404, problem="there is no index.html"
            )
        if self.runtime is None:
            raise OutsideError(self._why_none)
        data = self._folder / slug / "data"
        data.mkdir(exist_ok=True)
        instance = await self.runtime.start(root, data, ["python", "-m", *manifest.start], {})
        return Served(commit, root, instance), await ready(instance, manifest.health)

    async def _replace(self, slug: str, served: Served) -> None:
        before = self._served.get(slug)
        self._served[slug] = served
        if before is not None:
            await self._stop(before)
        await self._make_room()

    async def _stop(self, served: Served) -> None:
        if served.instance is not None:
            await served.instance.stop()

    async def _make_room(self) -> None:
        """Stop the least recently used previews above the limit; a request wakes them again."""
        running = sorted((one.used, slug) for slug, one in self._served.items() if one.instance)
        for _, slug in running[: max(0, len(running) - MAX_RUNNING)]:
            await self._stop(self._served.pop(slug))

    async def stop_idle(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Stop previews that nobody asked for lately."""
        now = time.monotonic()
        for slug, served in list(self._served.items()):
            if served.instance is not None and now - served.used > idle_seconds:
                await self._stop(self._served.pop(slug))

    async def close(self) -> None:
        """Stop all."""
        for served in self._served.values():
            await self._stop(served)
        self._served.clear()


def _problem(answer: Answer) -> str:
    """Return what is wrong with a health answer; a page that shows nothing is wrong too."""
    if answer.status != 200:
        return f"the app answered {answer.status}" if answer.status else answer.problem
    if not _TAGS.sub(b"", answer.body).strip():
        return "the page is empty"
    return ""


def _title(body: bytes) -> str:
    match = re.search(rb"<title[^>]*>(.*?)</title>", body, re.S | re.I)
    return " ".join(match[1].decode("utf-8", "replace").split())[:120] if match else ""


def _with_log(problem: str, logs: str) -> str:
    last = [line for line in logs.splitlines() if line.strip()][-6:]
    return problem + (": " + " | ".join(last)[-600:] if last else "")
