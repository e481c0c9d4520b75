"""Where an app's files lie for its preview, and how a version of them gets there."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.dependencies.install import Packages
from adapters.host.folders import remove, write_files
from adapters.preview.disks import attach, detach
from adapters.preview.live import add_live
from adapters.sandbox.builds import Builds
from core.errors import OutsideError
from core.files import FileTree
from core.manifests import AppManifest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Home:
    """The folders of one app: its versions side by side, what was built of them, and what it stores."""

    folder: Path

    @property
    def data(self) -> Path:
        """The one folder that the app may write."""
        return self.folder / "data"

    @property
    def live(self) -> Path:
        """The files that Vite watches; they are changed in place."""
        return self.app("live")

    def app(self, version: str) -> Path:
        """Return the files of a version."""
        return self.folder / "app" / version

    def web(self, version: str) -> Path:
        """Return the front end that was built of a version; it exists only where there is one."""
        return self.folder / "web" / version

    @property
    def disk(self) -> Path:
        """The file system with what it stores, where the kernel holds the limit."""
        return self.folder / "data.img"

    def make(self, disk_bytes: int = 0) -> None:
        """
        Make the folders, with a disk for the data if `disk_bytes` says how large.

        Raises:
            OutsideError: what the app stored is on a disk that cannot be mounted.
        """
        for name in ("app", "web", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        try:
            # What lies on a disk already stays on it.
            if disk_bytes or self.disk.exists():
                attach(self.data, self.disk, disk_bytes)
        except OutsideError as error:
            if self.disk.exists():
                # To start with nothing would look as if all were lost.
                raise OutsideError(f"what the app stored lies in {self.disk}, and {error}") from error
            log.warning("no_disk", extra={"home": self.folder.name, "why": str(error)})

    @property
    def on_disk(self) -> bool:
        """Whether the kernel holds the limit of what is stored."""
        return os.path.ismount(self.data)

    def detach(self) -> None:
        """Unmount the disk of an app that has ended; where something still uses it, it stays."""
        with contextlib.suppress(OutsideError):
            detach(self.data)

    def clear(self) -> None:
        """Remove what the app has stored; it has ended."""
        detach(self.data)
        self.disk.unlink(missing_ok=True)
        remove(self.data)

    def remove(self) -> None:
        """Remove all; the app has ended."""
        self.clear()
        remove(self.folder)

    def forget(self, version: str) -> None:
        """Remove the files of a version; git has them."""
        for folder in (self.app(version), self.web(version)):
            remove(folder)


@dataclass(frozen=True)
class Versions:
    """Writes versions, with what they ask for beside their own files: packages, and what is built of them."""

    packages: Packages | None
    builds: Builds | None
    why_none: str

    async def write(
        self, home: Home, version: str, tree: FileTree, manifest: AppManifest | None, *, live: bool
    ) -> None:
        """
        Write a version unless it is there; `live` says whether its pages follow the newest one, where no server of its own writes them.

        Raises:
            OutsideError: what it needs cannot be had here.
        """
        mark = version if live and (manifest is None or manifest.serverless) else ""
        await _whole(home.app(version), lambda folder: self._files(tree, folder, mark, manifest))
        if manifest is not None and manifest.bundled:
            await _whole(home.web(version), lambda folder: self._built(tree, folder, mark))

    async def _files(self, tree: FileTree, folder: Path, mark: str, manifest: AppManifest | None) -> None:
        folder.mkdir(parents=True)
        await asyncio.to_thread(write_files, tree, folder)
        if mark:
            await asyncio.to_thread(add_live, folder, mark)
        if self.packages is not None and manifest is not None and manifest.sandboxed:
            await self.packages.put(tree, folder)

    async def _built(self, tree: FileTree, folder: Path, mark: str) -> None:
        if self.builds is None:
            raise OutsideError(
                self.why_none or "this app needs Node to be built, which this sandbox does not have; use Docker"
            )
        await self.builds.put(tree, folder)
        if mark:
            await asyncio.to_thread(add_live, folder, mark)


async def _whole(folder: Path, write: Callable[[Path], Awaitable[None]]) -> None:
    """Let `write` make a folder that is there afterwards as a whole or not at all."""
    if folder.exists():
        return
    fresh = folder.with_suffix(".new")
    remove(fresh)
    try:
        await write(fresh)
        fresh.rename(folder)
    finally:
        # Half a version would fill a disk that is full already.
        await asyncio.to_thread(remove, fresh)
