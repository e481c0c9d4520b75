"""The packages that apps ask for: each set is installed once, and laid beside the app's files as hard links."""

import asyncio
import email.parser
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from adapters.dependencies.egress import egress
from adapters.dependencies.registry import Published, Registries
from adapters.dependencies.wanted import Package, node_there, wanted
from adapters.host.folders import plain_files, remove
from core.errors import OutsideError, UserError
from core.files import FileTree
from core.ports import Ran

INSIDE = Path(__file__).parent / "inside.py"
PYTHON_FOLDER, NODE_FOLDER = ".packages", "node_modules"
INSTALL_SECONDS = 180
MOST_ROUNDS = 5
MOST_BYTES, MOST_UNPACKED = 400_000_000, 1_000_000_000
DAY = 86_400
Run = Callable[[Path, Path, float], Awaitable[Ran]]
"""Runs /app/inside.py in a sandbox over the first folder (at /app, to read), which may write the second (at /data)."""


class Uninstallable(UserError):
    """What an app asks for cannot be had; the message says why, for people and models."""


class Packages:
    """
    Installs them. `folder` keeps what was installed; `run` is the sandbox's; `base` names what it brings along.

    A version counts once it is `age_days` old: malicious ones are mostly found and removed within days.
    """

    def __init__(
        self,
        folder: Path,
        registries: Registries,
        run: Run,
        base: str,
        age_days: int,
        *,
        node: bool,
        most_bytes: int = MOST_UNPACKED,
    ) -> None:
        self._folder, self.registries, self._run, self._base = folder, registries, run, base
        self._age_days, self._node, self._most_bytes = age_days, node, most_bytes
        self._locks: dict[str, asyncio.Lock] = {}
        for left in [*folder.glob(".in-*"), *folder.glob(".new-*")]:
            remove(left)

    def too_young(self, published: float | None) -> bool:
        """Say whether something was published too lately; what the registry does not date is let through."""
        return published is not None and time.time() - published < self._age_days * DAY

    async def put(self, tree: FileTree, folder: Path) -> None:
        """
        Lay what `tree` asks for beside its files in `folder`.

        Raises:
            OutsideError: it could not be installed.
        """
        try:
            layer = await self.layer(tree)
        except Uninstallable as error:
            raise OutsideError(str(error)) from error
        if layer is not None:
            await asyncio.to_thread(_lay, layer, folder)

    def modules(self, tree: FileTree) -> frozenset[str]:
        """Return the names under which what was installed for `tree` is imported: of Python's modules and Node's packages."""
        layer = self._folder / self._key(tree)
        python = {path.name.split(".")[0] for path in (layer / "python").glob("*")}
        return frozenset(python | {one.name for one in wanted(tree).node})

    def provided(self, tree: FileTree) -> dict[str, set[str]]:
        """Return, for each package of Python that was installed for `tree`, the names under which it is imported."""
        found: dict[str, set[str]] = {}
        for info in (self._folder / self._key(tree) / "python").glob("*.dist-info/RECORD"):
            about = email.parser.HeaderParser().parsestr((info.parent / "METADATA").read_text("utf-8", "replace"))
            paths = [
                line.rpartition(",")[0].rpartition(",")[0] for line in info.read_text("utf-8", "replace").splitlines()
            ]
            tops = {path.partition("/")[0].partition(".")[0] for path in paths if not path.startswith((".", "/"))}
            found.setdefault(canonicalize_name(about["Name"] or ""), set()).update(tops)
        return found

    async def layer(self, tree: FileTree) -> Path | None:
        """
        Return the folder with what `tree` asks for beyond the sandbox, None when that is nothing.

        Raises:
            Uninstallable: it cannot be had.
            OutsideError: the registry or the sandbox does not work.
        """
        asked = wanted(tree)
        if asked.refused:
            raise Uninstallable(asked.refused[0].message)
        if not asked.python and not asked.node:
            return None
        if asked.node and not self._node:
            raise OutsideError("packages of Node need the sandbox of Docker")
        key = self._key(tree)
        async with self._locks.setdefault(key, asyncio.Lock()):
            layer = self._folder / key
            if not layer.exists():
                await self._install(asked.python, asked.node, layer)
            return layer

    def _key(self, tree: FileTree) -> str:
        asked = wanted(tree)
        lines = sorted(
            f"{kind} {one.name} {one.versions}"
            for kind, group in (("py", asked.python), ("js", asked.node))
            for one in group
        )
        return hashlib.sha256("\n".join([self._base, *lines]).encode()).hexdigest()[:24]

    async def _install(self, python: tuple[Package, ...], node: tuple[Package, ...], layer: Path) -> None:
        barred = [f"{one.name.partition('[')[0]}!={version}" for one in python for version in await self._young(one)]
        before = datetime.fromtimestamp(time.time() - self._age_days * DAY, UTC).isoformat() if self._age_days else ""
        order: dict[str, Any] = {
            "python": [f"{one.name}{one.versions}" for one in python], "pypi": self.registries.pypi, "not": barred,
            "npm": self.registries.npm, "node": {one.name: one.versions or "*" for one in node}, "before": before,
            "there": sorted(node_there()), "most_bytes": self._most_bytes,
        }  # fmt: skip
        self._folder.mkdir(parents=True, exist_ok=True)
        too_young = ""
        for _ in range(MOST_ROUNDS):
            try:
                young = await self._tried(order, layer)
            except Uninstallable as error:
                raise Uninstallable(f"{too_young}; take an older version.") if too_young else error from None
            if not young:
                return
            # What came along and is too young: again without it.
            barred += [f"{name}!={version}" for name, version in young]
            too_young = "{} {}, which comes along, is younger than {} days".format(*young[0], self._age_days)
        raise Uninstallable(f"{too_young}; take an older version.")

    async def _tried(self, order: dict[str, Any], layer: Path) -> list[tuple[str, str]]:
        """Install what an order says as `layer`, or return what is too young for that."""
        work, out = (Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder)) for prefix in (".in-", ".new-"))
        handle = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            work.chmod(0o755)
            (work / "order.json").write_text(json.dumps(order), encoding="utf-8")
            shutil.copy(INSIDE, work / "inside.py")
            if authority := os.environ.get("SSL_CERT_FILE"):
                shutil.copy(authority, work / "authority.crt")
            # By its handle: a socket's name has room for 107 bytes.
            path = Path(f"/proc/self/fd/{handle}/egress.sock")
            async with egress(path, self.registries.hosts, MOST_BYTES) as refused:
                ran = await self._run(work, out, INSTALL_SECONDS)
            if ran.exit_code:
                why = f"it wanted to reach {refused[0]}" if refused else _why(ran)
                raise Uninstallable(f"What the app asks for could not be installed: {why}")
            await asyncio.to_thread(plain_files, out)
            young = []
            for name, version in _installed(out / "python"):
                published = await self.registries.python(name)
                if published is not None and self.too_young(published.when(version)):
                    young.append((name, version))
            if not young:
                out.rename(layer)
            return young
        finally:
            os.close(handle)
            for folder in (work, out):
                await asyncio.to_thread(remove, folder)

    async def _young(self, package: Package) -> list[str]:
        """Return the versions of a package of Python that are too young; one that fits and is old enough must be there."""
        published = await self.registries.python(package.name)
        if published is None:
            raise Uninstallable(f"There is no package {package.name} in the registry.")
        require_fitting(package, published, self.too_young)
        return [version for version, when in published.versions.items() if self.too_young(when)]


def require_fitting(package: Package, published: Published, too_young: Callable[[float | None], bool]) -> None:
    """
    See to it that a version fits and is not too young, as far as the registry tells.

    Raises:
        Uninstallable: there is none.
    """
    if not published.versions:
        return  # an index of mere pages: the installer finds out
    specifiers = SpecifierSet(package.versions)
    versions = [Version(text) for text in published.versions if specifiers.contains(text)]
    fitting = [one for one in versions if not one.is_prerelease or specifiers.prereleases]
    if not fitting:
        there = ", ".join(list(published.versions)[-3:])
        raise Uninstallable(
            f"No version of {package.name} fits {package.versions or 'anything'}; the registry has {there}."
        )
    if all(too_young(published.when(str(one))) for one in fitting):
        raise Uninstallable(
            f"{package.name} {max(fitting)} was published only days ago; take an older version or another package."
        )


def _installed(folder: Path) -> Iterator[tuple[str, str]]:
    # By what is written in it: what the folder is called is up to who made it.
    for info in sorted(folder.glob("*.dist-info/METADATA")):
        about = email.parser.HeaderParser().parsestr(info.read_text(encoding="utf-8", errors="replace"))
        yield canonicalize_name(about["Name"] or ""), about["Version"] or ""


def _lay(layer: Path, folder: Path) -> None:
    for source, name in ((layer / "python", PYTHON_FOLDER), (layer / "node_modules", NODE_FOLDER)):
        target = folder / name
        if not source.exists():
            continue
        if target.exists():
            raise OutsideError(f"the app has a folder {name} of its own; remove it, packages are installed for it")
        try:
            shutil.copytree(source, target, copy_function=_linked)
        except OSError as error:
            raise OutsideError(f"packages could not be laid beside the app: {error}"[:300]) from error


def _linked(source: str, target: str) -> None:
    """Give a file a second name; on another file system it is copied."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target)


def _why(ran: Ran) -> str:
    """Return what pip or npm complained of."""
    if ran.ended_for:
        return f"it did not end within {INSTALL_SECONDS} s"
    if found := re.search(r"^More than .* were unpacked\.$", ran.output, re.M):
        return found[0]
    lines = [
        re.sub(r"^(?:ERROR:|npm (?:error|ERR!))\s*", "", line.strip())
        for line in ran.output.splitlines()
        if line.strip()
    ]
    if any("CERTIFICATE_VERIFY_FAILED" in line or "SELF_SIGNED" in line for line in lines):
        return "the registry's certificate is not trusted; name its authority's file in SSL_CERT_FILE"
    telling = [
        line
        for line in lines
        if re.search(r"No matching|not found|conflict|Could not find|requires|E404|ETARGET", line)
    ]
    return (telling or lines or ["no word"])[0][:300]
