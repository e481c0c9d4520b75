"""
The PreviewHost port: one running instance per session, of its head.

A new version starts beside the old one and takes over when it answers; a broken one never replaces a working one.
"""

import asyncio
import contextlib
import logging
import math
import shutil
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.dependencies.install import Packages
from adapters.host.folders import too_much
from adapters.preview.answers import BODY_BYTES, Answer, connected, problem_of, ready, title_of
from adapters.preview.disks import DATA_BYTES, is_full
from adapters.preview.hot import Hot
from adapters.preview.runtime import Instance, Runtime, with_log
from adapters.preview.screenshot import Browser
from adapters.preview.troubles import Trouble, in_browser, troubles
from adapters.preview.versions import Home, Versions
from adapters.sandbox.builds import Builds
from core.clock import SYSTEM, Clock
from core.errors import OutsideError
from core.files import FileTree
from core.manifests import AppManifest
from core.messages import PreviewState

MAX_RUNNING, STARTS_AT_ONCE = 12, 4
PAST = "--"
"""Between a session's slug and a commit in the name of a preview that shows that commit. No slug has it."""
CANDIDATE = f"{PAST}next"
"""What follows a session's slug in the name of a version that is looked at before it is shown."""
SLEEP_SECONDS, IDLE_SECONDS, WEIGH_SECONDS = 5 * 60, 30 * 60, 60
FAILED_SECONDS = 30
MOST_HEARD = 20
GROWN_BYTES = 128 * 1024 * 1024
"""By how much the disk has to fill up until it is looked who fills it."""
LINGER_SECONDS = 2.0
"""How long a version that was replaced still answers requests that were on their way to it."""
log = logging.getLogger(__name__)


@dataclass
class Served:
    """What the gate needs to know of one session's preview: an instance, or a folder of a static app."""

    commit: str
    root: Path
    instance: Instance | None
    used: float
    """When somebody asked for it, by the steady clock."""
    heard: dict[str, Trouble] = field(default_factory=dict)
    """What its pages have thrown, by fingerprint."""
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
        builds: Builds | None = None,
        data_bytes: int = DATA_BYTES,
        clock: Clock = SYSTEM,
    ) -> None:
        self._clock = clock
        self._folder, self._shots, self.runtime, self._why_none = folder, shots, runtime, why_none
        self._url_of, self._browser, self._most, self._data_bytes = url_of, browser, most, data_bytes
        self._free, self._weighed = 0.0, -math.inf
        self._overfull: dict[str, tuple[str, Trouble]] = {}
        self._packages, self._builds, self._versions = packages, builds, Versions(packages, builds, why_none)
        self._starting = asyncio.Semaphore(STARTS_AT_ONCE)
        # What a past commit stored ends with its preview.
        for left in folder.glob(f"*{PAST}*"):
            with fenced("forget", left.name):
                Home(left).remove()
        self._served: dict[str, Served] = {}
        self._candidates: dict[str, Served] = {}
        self._retiring: dict[str, list[Served]] = {}
        self._hot: dict[str, Hot] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._failed: dict[str, tuple[str, str, float]] = {}

    def version(self, slug: str) -> str:
        """Return the version that a preview shows, '' for none; asking does not keep it awake."""
        served = self._served.get(slug)
        return served.commit[:12] if served else ""

    def names(self) -> list[str]:
        """Return the names of the previews that are served."""
        return list(self._served)

    async def end(self, slug: str) -> None:
        """Stop a preview with all that is open to it; a request that may pass starts it again."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            await self._end(slug)

    def current(self, slug: str, have: str) -> bool:
        """Say whether a page of the version `have`, or of that state of the app's server, shows what there is."""
        hot = self._hot.get(slug)
        return self.version(slug) in ("", have) or (hot is not None and hot.mark == have)

    def hot(self, slug: str) -> Hot | None:
        """Return the Vite of a preview that has one."""
        return self._hot.get(slug)

    def serving(self, slug: str) -> Served | None:
        """Return what is served under `slug`, and note that somebody asked."""
        found = self._served.get(slug) or self._candidates.get(slug)
        if found is not None:
            found.used = self._clock.steady()
        return found

    async def show(
        self, session_id: str, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None
    ) -> PreviewState:
        """Bring the preview to `commit`, look at it, and say what was seen."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            try:
                return await self._show(slug, commit, tree, manifest)
            except Exception as error:  # noqa: BLE001 - `_why` logs what is ours
                return PreviewState("failed", commit=commit, note=_why(error, slug))

    async def wake(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> str:
        """Serve `commit` unless something is served already; return what is wrong, '' for nothing."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            known = self._served.get(slug)
            if known is not None and (known.instance is None or await known.instance.alive()):
                return ""
            failed_commit, problem, until = self._failed.get(slug, ("", "", 0.0))
            if failed_commit == commit and self._clock.steady() < until:
                return problem
            try:
                served, answer = await self._start(slug, commit, tree, manifest)
            except Exception as error:  # noqa: BLE001 - `_why` logs what is ours
                return _why(error, slug)
            if problem := problem_of(answer):
                await self._stop(served)
                # Every waiting request would start it again.
                self._failed[slug] = (commit, problem, self._clock.steady() + FAILED_SECONDS)
                return problem
            self._served[slug] = served
            if PAST not in slug:
                self._heat(slug, commit, tree, manifest)
            self._make_room()
            return ""

    async def _show(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> PreviewState:
        static = manifest is None or manifest.serverless
        if self.runtime is None and manifest is not None and manifest.sandboxed:
            return PreviewState("off", commit=commit, note=self._why_none)
        name = "static" if static else self.runtime.name if self.runtime else ""
        served, answer = await self._start(slug, commit, tree, manifest)
        if problem := problem_of(answer):
            logs = await served.instance.logs() if served.instance else ""
            await self._drop(served, self._served.get(slug))
            return PreviewState(
                "failed", commit=commit, note=with_log(problem, logs), http_status=answer.status, runtime=name
            )
        before = self._served.get(slug)
        state = PreviewState(
            "ready", self._url_of(slug), commit, http_status=answer.status, runtime=name, title=title_of(answer.body)
        )
        if self._browser is not None:
            # Under a name of its own: nobody sees a version that turns out to be broken.
            self._candidates[slug + CANDIDATE] = served
            try:
                state = await self._looked_at(self._browser, state, slug, before.commit if before else "")
            except BaseException:
                await self._drop(served, before)
                raise
            finally:
                del self._candidates[slug + CANDIDATE]
        if state.state == "failed" and before is not None:
            await self._drop(served, before)
            return state
        self._served[slug] = served
        self._heat(slug, commit, tree, manifest)
        if before is not None:
            self._retiring.setdefault(slug, []).append(before)
            self._later(self._retire(slug, before))
        self._make_room()
        return state

    async def _looked_at(self, browser: Browser, state: PreviewState, slug: str, before: str) -> PreviewState:
        """Add what a browser saw; a page that is blank or whose scripts throw is no working preview."""
        try:
            look = await browser.look(self._url_of(slug + CANDIDATE))
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
        await self._versions.write(home, version, tree, manifest, live=PAST not in slug)
        root = home.app(version)
        if manifest is None or static:
            folder = home.web(version) if manifest is not None and manifest.bundled else root
            page = await asyncio.to_thread(_start_page, folder)
            answer = Answer(200, page) if page else Answer(404, problem="there is no index.html")
            return Served(commit, folder, None, self._clock.steady(), built=folder != root), answer
        if self.runtime is None:
            raise OutsideError(self._why_none)
        if not home.on_disk and await asyncio.to_thread(too_much, home.data, self._data_bytes):
            raise OutsideError(self._overfilled)
        try:
            instance = await self.runtime.start(home, version, manifest.command, live=PAST not in slug)
        except OutsideError:
            known = self._served.get(slug)
            if known is None or known.root != root:
                await asyncio.to_thread(home.forget, version)
            raise
        try:
            return Served(commit, root, instance, self._clock.steady()), await ready(instance, manifest.health)
        except BaseException:
            await instance.stop()
            raise

    def _heat(self, slug: str, commit: str, tree: FileTree, manifest: AppManifest | None) -> None:
        """Let open pages of the head take the change in without a reload, where the kind of app can do that."""
        if manifest is None or not manifest.bundled or self._builds is None or self.runtime is None:
            if slug in self._hot:
                self._later(self._hot.pop(slug).stop())
            return
        hot = self._hot.setdefault(slug, Hot(Home(self._folder / slug), self.runtime, self._packages))
        hot.newest = commit[:12]

        async def heat() -> None:
            try:
                await hot.bring(tree, manifest, commit[:12])
                if self._hot.get(slug) is not hot:
                    # The preview was ended meanwhile.
                    await hot.stop()
            except (OutsideError, OSError) as error:
                # The pages reload, and show what was built.
                log.warning("no_hot_replacement", extra={"preview": slug, "why": str(error)[:300]})
                if self._hot.get(slug) is hot:
                    del self._hot[slug]
                await hot.stop()

        self._later(heat())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody has to wait for."""
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _retire(self, slug: str, served: Served) -> None:
        """Drop a version once nobody can be on the way to it any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._closing.wait()
        async with self._locks.setdefault(slug, asyncio.Lock()):
            if served in (retiring := self._retiring.get(slug, [])):
                retiring.remove(served)
            # What is shown by now may be the same version again.
            await self._drop(served, self._served.get(slug))

    async def _drop(self, served: Served, other: Served | None) -> None:
        """Stop a version and remove its files, unless another instance serves the same; git has them."""
        await self._stop(served)
        if other is None or served.root != other.root:
            await asyncio.to_thread(Home(served.root.parents[1]).forget, served.root.name)

    async def _stop(self, served: Served) -> None:
        if served.instance is not None:
            await served.instance.stop()

    def _make_room(self) -> None:
        """Stop the least recently used previews above the limit, meanwhile; a request wakes them again."""
        if len(self._running()) > self._most:
            self._later(self._made_room())

    def _running(self) -> list[str]:
        """Return the names of the previews that run, the least recently used first."""
        return [
            slug
            for _, slug in sorted(
                (one.used, slug) for slug, one in self._served.items() if one.instance or slug in self._hot
            )
        ]

    async def _made_room(self) -> None:
        while len(running := self._running()) > self._most:
            async with self._locks.setdefault(running[0], asyncio.Lock()):
                if len(self._running()) > self._most:
                    await self._end(running[0])

    async def troubles(self) -> list[tuple[str, str, list[Trouble]]]:
        """Return (slug, commit, errors) of every app that has printed errors, or whose pages have thrown them."""
        found = []
        for slug, one in list(self._served.items()):
            with fenced("troubles", slug):
                printed = troubles(await one.instance.logs()) if one.instance is not None else []
                found.append((slug, one.commit, [*printed, *one.heard.values()]))
        found += [(slug, commit, [one]) for slug, (commit, one) in self._overfull.items()]
        return [one for one in found if one[2]]

    @property
    def _overfilled(self) -> str:
        most = self._data_bytes // 1024 // 1024
        return (
            f"the app stores more than {most} MB, so it was stopped; “reset data” in its thread removes what it stored"
        )

    @property
    def _filled(self) -> str:
        return (
            f"the app has filled the {self._data_bytes // 1024 // 1024} MB that it may store and can save nothing more; "
            "delete something in it, or say “reset data” in its thread to remove all that it stored"
        )

    async def weigh(self) -> None:
        """Stop apps that store more than they may, and tell of those whose disk is full; looks closely once a minute, or when the disk has filled up."""
        free, now = await asyncio.to_thread(lambda: shutil.disk_usage(self._folder).free), self._clock.steady()
        if self._free - free < GROWN_BYTES and now - self._weighed < WEIGH_SECONDS:
            return
        self._free, self._weighed = free, now
        for slug, served in list(self._served.items()):
            with fenced("weigh", slug):
                await self._weigh(slug, served)

    async def _weigh(self, slug: str, served: Served) -> None:
        home = Home(self._folder / slug)
        if served.instance is None:
            return
        if home.on_disk:
            self._overfull.pop(slug, None)
            if PAST not in slug and await asyncio.to_thread(is_full, home.data):
                self._overfull[slug] = (served.commit, Trouble("full", "Storage full", self._filled))
            return
        unseen = await served.instance.unseen(home.data)
        if unseen > self._data_bytes or await asyncio.to_thread(too_much, home.data, self._data_bytes - unseen):
            log.warning("stores_too_much", extra={"preview": slug})
            await self.end(slug)
            if PAST not in slug:
                self._overfull[slug] = (served.commit, Trouble("overfull", "Too much stored", self._overfilled))

    async def reset(self, slug: str) -> None:
        """Remove what an app has stored; a request starts it again, with nothing."""
        async with self._locks.setdefault(slug, asyncio.Lock()):
            await self._end(slug)
            self._overfull.pop(slug, None)
            self._failed.pop(slug, None)
            await asyncio.to_thread(Home(self._folder / slug).clear)

    def heard(self, slug: str, said: str) -> None:
        """Note what a page of a preview says that its scripts threw."""
        served = self._served.get(slug)
        trouble = in_browser(said)
        if served is not None and trouble is not None and len(served.heard) < MOST_HEARD:
            served.heard.setdefault(trouble.fingerprint, trouble)

    async def _end(self, slug: str) -> None:
        """Stop a preview; a request starts it again."""
        if found := self._served.pop(slug, None):
            for one in (*self._retiring.pop(slug, ()), found):
                await self._stop(one)
            if slug in self._hot:
                await self._hot.pop(slug).stop()
            home = Home(self._folder / slug)
            with fenced("put away", slug):
                await asyncio.to_thread(home.remove if PAST in slug else home.detach)

    async def rest(self, sleep_seconds: float = SLEEP_SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        """Let previews sleep that nobody has used lately, and stop those that sleep for long."""
        now = self._clock.steady()
        for slug, served in list(self._served.items()):
            with fenced("rest", slug):
                await self._rest(slug, served, now, sleep_seconds, idle_seconds)

    async def _rest(self, slug: str, served: Served, now: float, sleep_seconds: float, idle_seconds: float) -> None:
        if served.instance is None and PAST not in slug and slug not in self._hot:
            return
        if now - served.used > sleep_seconds and served.instance and connected(served.instance.upstream):
            served.used = now
            return
        async with self._locks.setdefault(slug, asyncio.Lock()):
            if now - served.used > idle_seconds:
                await self._end(slug)
            elif now - served.used > sleep_seconds:
                hot = self._hot.get(slug)
                # They are in one container.
                if instance := served.instance or (hot.instance if hot else None):
                    await instance.sleep()

    async def close(self) -> None:
        """Stop all."""
        self._closing.set()
        await asyncio.gather(*self._ending, return_exceptions=True)
        for slug in list(self._served):
            with fenced("close", slug):
                await self._end(slug)
        if self.runtime is not None:
            await self.runtime.close()
        for folder in self._folder.iterdir():
            # Of an app that did not start, or whose last version still ran when it was ended.
            with fenced("detach", folder.name):
                await asyncio.to_thread(Home(folder).detach)


def _why(error: Exception, slug: str) -> str:
    """Return why a preview did not start; what is a fault of ours is logged, and no app's trouble."""
    if isinstance(error, OutsideError):
        return str(error)
    if isinstance(error, OSError):
        return f"its files could not be written: {error.strerror}"
    log.error("preview_failed", extra={"preview": slug}, exc_info=error)
    return "something in the bot broke while it was started"


@contextlib.contextmanager
def fenced(step: str, slug: str) -> Iterator[None]:
    """Let the trouble of one app stop nothing that is done for the others."""
    try:
        yield
    except Exception:
        log.exception("preview_step_failed", extra={"step": step, "preview": slug})


def _start_page(folder: Path) -> bytes:
    path = folder / "index.html"
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(BODY_BYTES)
