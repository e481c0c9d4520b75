"""Front ends as Vite builds them in the sandbox, kept by their content: the check and the preview share one build."""

import asyncio
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from adapters.host.folders import plain_files, remove
from adapters.sandbox.docker import DockerSandbox, image_tag
from core.errors import OutsideError
from core.files import FileTree

BUILD_SECONDS = 120
KEPT = 40
"""How many builds are kept; one of our own React apps has 270 KB."""
VITE = ["/node_modules/vite/bin/vite.js", "--config", "/opt/sandbox/vite.config.mjs", "--configLoader", "native"]
_ARGV = ["node", VITE[0], "build", *VITE[1:], "--outDir", "/data", "--logLevel", "error"]


class DoesNotBuild(OutsideError):
    """The front end itself is wrong; says what the builder said."""


def front_end(tree: FileTree) -> FileTree:
    """Return the files that a front end may be made of: all but those of Python."""
    return FileTree({path: content for path, content in tree.items() if not path.endswith(".py")})


class Builds:
    """Builds front ends. `folder` holds what was built."""

    def __init__(self, folder: Path, sandbox: DockerSandbox) -> None:
        self._folder, self._sandbox = folder, sandbox
        self._locks: dict[str, asyncio.Lock] = {}
        for left in folder.glob(".new-*"):
            remove(left)

    async def of(self, tree: FileTree) -> Path:
        """
        Return the folder with the front end of `tree` as it was built, which is not to be changed.

        Raises:
            DoesNotBuild: the builder refuses it.
            OutsideError: the sandbox does not work.
        """
        files = front_end(tree)
        key = _key(files)
        async with self._locks.setdefault(key, asyncio.Lock()):
            built = self._folder / key
            if built.exists():
                await asyncio.to_thread(os.utime, built)
            else:
                await self._build(files, built)
        self._locks.pop(key, None)
        return built

    async def put(self, tree: FileTree, folder: Path) -> None:
        """
        Copy the front end of `tree`, as it was built, to `folder`, which must not be there yet.

        Raises:
            DoesNotBuild: the builder refuses it.
            OutsideError: the sandbox or the disk does not work.
        """
        built = await self.of(tree)
        try:
            await asyncio.to_thread(shutil.copytree, built, folder)
        except OSError as error:
            raise OutsideError(f"What was built could not be copied: {error}"[:300]) from error

    async def _build(self, files: FileTree, built: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        out = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            ran = await self._sandbox.run_into(files, out, _ARGV, BUILD_SECONDS)
            if ran.ended_for:
                why = (
                    f"not built within {BUILD_SECONDS} s"
                    if ran.ended_for == "time"
                    else "what its builder prints or writes has no end"
                )
                raise DoesNotBuild(why)
            if ran.exit_code:
                raise DoesNotBuild(" | ".join(line.strip() for line in ran.output.splitlines() if line.strip())[:600])
            await asyncio.to_thread(plain_files, out)
            out.rename(built)
        finally:
            await asyncio.to_thread(remove, out)
        await asyncio.to_thread(self._make_room)

    def _make_room(self) -> None:
        """Remove the builds that nobody asked for longest."""
        there = [path for path in self._folder.iterdir() if not path.name.startswith(".")]
        for old in sorted(there, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            remove(old)


def _key(files: FileTree) -> str:
    digest = hashlib.sha256(image_tag().encode())
    for path, content in files.items():
        digest.update(f"\0{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:24]
