"""What the registries know of a package: PyPI's simple API as JSON (PEP 691, 700) and npm's packuments."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_version,
    parse_sdist_filename,
    parse_wheel_filename,
)

from core.clock import SYSTEM, Clock
from core.errors import OutsideError

ASK_SECONDS = 20
KNOWN_SECONDS = 600
"""How long an answer counts: new versions come, and must be seen to be too young."""
MAX_BYTES = 60_000_000
# Where the public registries keep their files, besides themselves.
_FILES_OF = {"pypi.org": ("files.pythonhosted.org",)}


@dataclass(frozen=True)
class Published:
    """The versions of a package with the time of publication in Unix seconds, None where the registry does not tell."""

    versions: dict[str, float | None] = field(default_factory=dict)

    def when(self, version: str) -> float | None:
        """Return when a version was published; one that a registry with dates does not know was published just now."""
        return self.versions.get(
            canonicalize_version(version, strip_trailing_zero=False), None if self.since is None else time.time()
        )

    @property
    def since(self) -> float | None:
        """When it was first published."""
        return min((one for one in self.versions.values() if one is not None), default=None)


class Registries:
    """Asks them. `pypi` is an index like https://pypi.org/simple/, `npm` a registry's address; '' for none."""

    def __init__(self, pypi: str, npm: str, more_hosts: frozenset[str] = frozenset(), clock: Clock = SYSTEM) -> None:
        self.pypi, self.npm = (url.rstrip("/") + "/" if url else "" for url in (pypi, npm))
        self._more, self._clock = more_hosts, clock
        self._known: dict[tuple[str, str], tuple[float, Published]] = {}

    @property
    def hosts(self) -> frozenset[tuple[str, int]]:
        """Return the hosts and ports that an installation may talk to, and no others."""
        found = set()
        for url in filter(None, (self.pypi, self.npm)):
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            found |= {(name, port) for name in (parts.hostname or "", *_FILES_OF.get(parts.hostname or "", ()))}
        for name in self._more:
            host, _, port_text = name.partition(":")
            found.add((host, int(port_text or 443)))
        return frozenset(found)

    async def python(self, name: str) -> Published | None:
        """
        Return what is known of a package of Python, None when there is no such package.

        Raises:
            OutsideError: the registry does not answer, or none is set.
        """
        return await self._once("python", name.partition("[")[0])

    async def node(self, name: str) -> Published | None:
        """Return what is known of a package of Node, as above."""
        return await self._once("node", name)

    async def _once(self, kind: str, name: str) -> Published | None:
        asked, known = self._known.get((kind, name), (0.0, None))
        if known is None or self._clock.steady() - asked > KNOWN_SECONDS:
            known = await (self._ask_pypi(name) if kind == "python" else self._ask_npm(name))
            if known is None:
                return None  # it may be published yet
            self._known[kind, name] = (self._clock.steady(), known)
        return known

    async def _ask_pypi(self, name: str) -> Published | None:
        body = await _get(
            self.pypi and f"{self.pypi}{quote(name)}/", "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
        )
        if not isinstance(body, dict):
            return None if body is None else Published()
        versions: dict[str, float | None] = {}
        for file in body.get("files", []):
            if version := _version_of(str(file.get("filename", ""))):
                when = _time(file.get("upload-time"))
                known = versions.get(version)
                versions[version] = when if known is None or (when is not None and when < known) else known
        return Published(versions)

    async def _ask_npm(self, name: str) -> Published | None:
        body = await _get(self.npm and f"{self.npm}{quote(name, safe='@')}", "application/json")
        if not isinstance(body, dict):
            return None
        times = body.get("time") or {}
        return Published({version: _time(times.get(version)) for version in body.get("versions", {})})


async def _get(url: str, accept: str) -> object | None:
    """Return a JSON answer, an empty text for one of another kind, None for 404."""
    if not url:
        raise OutsideError("no registry is set for such packages")
    try:
        async with (
            asyncio.timeout(ASK_SECONDS),
            httpx.AsyncClient(timeout=ASK_SECONDS, follow_redirects=True) as client,
            client.stream("GET", url, headers={"Accept": accept}) as answer,
        ):
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise OutsideError("the registry's answer is far too long")
            if "json" not in answer.headers.get("content-type", ""):
                return ""
            return httpx.Response(200, content=bytes(body)).json()  # type: ignore[no-any-return]
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        raise OutsideError(f"the registry does not answer ({type(error).__name__})", retryable=True) from error


def _version_of(filename: str) -> str:
    try:
        if filename.endswith(".whl"):
            return str(parse_wheel_filename(filename)[1])
        return str(parse_sdist_filename(filename)[1])
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""


def _time(text: object) -> float | None:
    try:
        when = datetime.fromisoformat(str(text))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return None
