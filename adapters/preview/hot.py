"""Hot replacement: Vite over one app's live folder, so that open pages take a change in without a reload."""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from adapters.dependencies.install import Packages
from adapters.host.folders import remove, write_files
from adapters.preview.answers import ask
from adapters.preview.live import tag
from adapters.preview.runtime import Instance, Runtime
from adapters.preview.versions import Home
from adapters.sandbox.builds import front_end
from core.files import FileTree
from core.manifests import BESIDE_PATH, MANIFEST_PATH, AppManifest

FRONT = "frontend"
MARK = "mark"
"""The file beside the live files with what the pages of Vite are of; the server's part of the app."""
PING = "vite-ping"
MOST_PAGES = 200
_SETTINGS = ("package.json", "package-lock.json", "tsconfig.json", "requirements.txt")
_CONFIGS = ("vite.config.", "tailwind.config.", "postcss.config.", ".env", "tsconfig.")


class Hot:
    """
    Vite for the head of one session.

    `mark` tells which state of the server's part its pages belong to; `newest` is the version that they shall come to.
    """

    def __init__(self, home: Home, runtime: Runtime, packages: Packages | None) -> None:
        self._home, self._runtime, self._packages = home, runtime, packages
        self._tree = FileTree()
        self._version, self._page = "", b""
        self._pages: dict[str, bool] = {}
        self._one_at_a_time = asyncio.Lock()
        self.instance: Instance | None = None
        self.mark = self.newest = ""

    async def bring(self, tree: FileTree, manifest: AppManifest, version: str) -> None:
        """
        Bring what is shown to `tree`, whose build is the one of `version`, unless `newest` names another by now.

        What Vite only reads at its start starts it again.

        Raises:
            OutsideError: Vite does not start, or the files cannot be written.
        """
        async with self._one_at_a_time:
            if version != self.newest:
                return
            page = await asyncio.to_thread((self._home.web(version) / "index.html").read_bytes)
            files, live = front_end(tree), self._home.live
            changes = self._tree.changes_to(files)
            runs = self.instance is not None and await self.instance.alive()
            mark = _server_part(tree)
            if runs and not any(_read_at_start(path) for path in changes):
                # Pages ask for what is new before this has returned.
                self._tree = FileTree({**self._tree, **files})
                await asyncio.to_thread(_put, live, changes, mark)
            else:
                await self._stop()
                await asyncio.to_thread(_fresh, live, files, mark)
                if self._packages is not None:
                    await self._packages.put(tree, live)
                self.instance = await self._runtime.develop(self._home, serverless=manifest.serverless)
            self._tree, self.mark, self._pages = files, mark, {}
            self._version, self._page = version, page

    async def takes(self, path: str, headers: Mapping[str, str], app: Instance | None) -> str:
        """
        Return where Vite is if a request is its: its own addresses, the sources, and the one page of the app on a desk's browser; else ''.

        Whether an address shows that page is up to the app's server `app`: it is asked once, without cookies.
        """
        asked = unquote(path)
        own = asked.startswith(("/@", "/node_modules/")) or (FRONT + asked in self._tree and asked != "/index.html")
        if not own and not is_socket(headers) and not (_opens_page(headers) and await self._is_page(path, app)):
            return ""
        instance = self.instance
        return instance.upstream if instance is not None and await instance.alive() else ""

    async def _is_page(self, path: str, app: Instance | None) -> bool:
        if not path.startswith("/") or path.startswith("//"):
            return False
        if app is None:
            return "." not in path.rpartition("/")[2]
        known = self._pages.get(path)
        if known is None:
            answer = await ask(app.upstream, path, redirects=0)
            page = answer.body.replace(tag(self._version), b"")
            known = answer.status == 200 and page == self._page[: len(page)] != b""
            if len(self._pages) < MOST_PAGES:
                self._pages[path] = known
        return known

    async def stop(self) -> None:
        """End it."""
        async with self._one_at_a_time:
            await self._stop()

    async def _stop(self) -> None:
        if self.instance is not None:
            instance, self.instance, self._tree = self.instance, None, FileTree()
            await instance.stop()


def is_socket(headers: Mapping[str, str]) -> bool:
    """Say whether a page of Vite's opens its socket, or looks for it again."""
    return headers.get("sec-websocket-protocol", "").startswith("vite-")


def _opens_page(headers: Mapping[str, str]) -> bool:
    """Say whether somebody opens a page at a desk; phones get what was built, which is a fortieth of the bytes."""
    if headers.get("x-forwarded-method", "GET") != "GET":
        return False
    if headers.get("sec-ch-ua-mobile") == "?1" or "Mobi" in headers.get("user-agent", ""):
        return False
    mode = headers.get("sec-fetch-mode")
    # Browsers say the mode only where they trust the connection.
    return mode == "navigate" if mode else headers.get("accept", "").startswith("text/html")


def _read_at_start(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in _SETTINGS or name.startswith(_CONFIGS)


def _server_part(tree: FileTree) -> str:
    """Return what identifies all that is not the front end: when that changes, open pages are loaded again."""
    digest = hashlib.sha256()
    for path, content in tree.items():
        if not path.startswith((f"{FRONT}/", "tests/")) and path not in (MANIFEST_PATH, BESIDE_PATH, "README.md"):
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]


def _fresh(live: Path, files: FileTree, mark: str) -> None:
    remove(live)
    live.mkdir(parents=True)
    write_files(files, live)
    (live / MARK).write_text(mark)


def _put(live: Path, changes: Mapping[str, bytes | None], mark: str) -> None:
    """Put changed files in place, each as a whole and all within a moment: Vite looks at each as it appears."""
    fresh = live.with_suffix(".new")
    remove(fresh)
    fresh.mkdir()
    try:
        write_files(FileTree({path: content for path, content in changes.items() if content is not None}), fresh)
        (fresh / MARK).write_text(mark)
        for path, content in changes.items():
            if content is not None:
                (live / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh / MARK, live / MARK)
        # What is new comes first: what is changed may ask for it.
        for path in sorted(changes, key=lambda path: (live / path).exists()):
            if changes[path] is not None:
                os.replace(fresh / path, live / path)
        for path, content in changes.items():
            if content is None:
                (live / path).unlink(missing_ok=True)
    finally:
        remove(fresh)
