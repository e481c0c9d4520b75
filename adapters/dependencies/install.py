"""The packages that apps ask for: each set is installed once, and laid beside the app's files as hard links."""

import asyncio
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

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from adapters.dependencies.egress import egress
from adapters.dependencies.registry import Published, Registries
from adapters.dependencies.wanted import Package, node_there, wanted
from core.errors import OutsideError, UserError
from core.files import FileTree
from core.ports import Ran

INSIDE = Path(__file__).parent / "inside.py"
PYTHON_FOLDER, NODE_FOLDER = ".packages", "node_modules"
INSTALL_SECONDS = 180
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

    def __init__(self, folder: Path, registries: Registries, run: Run, base: str, age_days: int, *, node: bool) -> None:
        self._folder, self.registries, self._run, self._base = folder, registries, run, base
        self._age_days, self._node = age_days, node
        self._locks: dict[str, asyncio.Lock] = {}

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
        pinned = [f"{one.name}=={await self._pin(one)}" for one in python]
        before = datetime.fromtimestamp(time.time() - self._age_days * DAY, UTC).isoformat() if self._age_days else ""
        order = {
            "python": pinned, "pypi": self.registries.pypi, "npm": self.registries.npm, "before": before,
            "node": {one.name: one.versions or "*" for one in node}, "there": sorted(node_there()),
        }  # fmt: skip
        self._folder.mkdir(parents=True, exist_ok=True)
        # A short path: a socket's name has room for 107 bytes.
        work, out = Path(tempfile.mkdtemp(prefix="tw-in-")), Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            work.chmod(0o755)
            (work / "order.json").write_text(json.dumps(order), encoding="utf-8")
            shutil.copy(INSIDE, work / "inside.py")
            if authority := os.environ.get("SSL_CERT_FILE"):
                shutil.copy(authority, work / "authority.crt")
            async with egress(work / "egress.sock", self.registries.hosts, MOST_BYTES) as refused:
                ran = await self._run(work, out, INSTALL_SECONDS)
            if ran.exit_code:
                why = f"it wanted to reach {refused[0]}" if refused else _why(ran)
                raise Uninstallable(f"What the app asks for could not be installed: {why}")
            await asyncio.to_thread(_plain, out)
            await self._judge(out / "python", {canonicalize_name(one.name.partition("[")[0]) for one in python})
            out.rename(layer)
        finally:
            shutil.rmtree(work, ignore_errors=True)
            shutil.rmtree(out, ignore_errors=True)

    async def _pin(self, package: Package) -> str:
        """Return the newest version of a package of Python that fits and is old enough."""
        published = await self.registries.python(package.name)
        if published is None:
            raise Uninstallable(f"There is no package {package.name} in the registry.")
        return newest(package, published, self.too_young)

    async def _judge(self, folder: Path, asked: set[str]) -> None:
        """Refuse a set of packages that brings along something too young."""
        for name, version in _installed(folder):
            if name in asked:
                continue
            published = await self.registries.python(name)
            if published is not None and self.too_young(published.versions.get(version)):
                raise Uninstallable(
                    f"{name} {version}, which comes along, is younger than {self._age_days} days; take an older version."
                )


def newest(package: Package, published: Published, too_young: Callable[[float | None], bool]) -> str:
    """
    Return the newest version that fits and is not too young.

    Raises:
        Uninstallable: there is none.
    """
    fitting: list[Version] = []
    specifiers = SpecifierSet(package.versions)
    for text in published.versions:
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        if specifiers.contains(version) and (not version.is_prerelease or specifiers.prereleases):
            fitting.append(version)
    if not fitting:
        there = ", ".join(list(published.versions)[-3:]) or "no version"
        raise Uninstallable(
            f"No version of {package.name} fits {package.versions or 'anything'}; the registry has {there}."
        )
    old = [one for one in fitting if not too_young(published.versions.get(str(one)))]
    if not old:
        raise Uninstallable(
            f"{package.name} {max(fitting)} was published only days ago; take an older version or another package."
        )
    return str(max(old))


def _installed(folder: Path) -> Iterator[tuple[str, str]]:
    for info in folder.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        yield canonicalize_name(name), version


def _plain(folder: Path) -> None:
    """Leave plain files only, for everybody to read, and not too many bytes of them."""
    size = 0
    for place, folders, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in [*folders, *files]:
            path = Path(place, name)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                path.unlink()
            elif path.is_file():
                size += path.stat().st_size
                path.chmod(0o644)
    if size > MOST_UNPACKED:
        raise Uninstallable(
            f"What the app asks for takes {size / 1e6:,.0f} MB; {MOST_UNPACKED / 1e6:,.0f} MB is the limit."
        )


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
