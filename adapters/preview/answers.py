"""What an app answers when it is asked, and whether that is an app that works."""

import asyncio
import contextlib
import html
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from adapters.preview.runtime import START_SECONDS, Instance

BODY_BYTES = 65_536
ASK_SECONDS = 5
MOST_REDIRECTS = 3
_TCP, _UNIX = Path("/proc/net/tcp"), Path("/proc/net/unix")
_CONNECTED = ("02", "03")
"""The kernel's words for a connection that the app has not accepted yet, and for one that it has."""
_LOADS_SCRIPT = re.compile(rb"<script\s[^>]{0,300}\bsrc\s*=", re.IGNORECASE)
_SILENT = (b"script", b"style", b"noscript", b"template", b"title")


@dataclass(frozen=True)
class Answer:
    """What the app answered to the health request; status 0 when it did not."""

    status: int
    body: bytes = b""
    problem: str = ""


async def ask(upstream: str, path: str, redirects: int = MOST_REDIRECTS) -> Answer:
    """Send one GET to an instance; redirects are followed on the same instance only."""
    unix = upstream.removeprefix("unix/") if upstream.startswith("unix/") else None
    # There is no TLS between us and an app; to read all certificates for nothing takes 30 ms.
    transport = httpx.AsyncHTTPTransport(verify=False, uds=unix)
    base = "http://app" if unix else f"http://{upstream}"
    headers = {"accept-encoding": "identity", "accept": "text/html,*/*"}
    try:
        async with (
            asyncio.timeout(ASK_SECONDS),
            httpx.AsyncClient(
                transport=transport, base_url=base, timeout=ASK_SECONDS, trust_env=False, headers=headers
            ) as client,
        ):
            for _ in range(1 + redirects):
                answer, target = await _get(client, path)
                if not target.startswith("/") or target.startswith("//"):
                    break
                path = target
            return answer
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        return Answer(0, problem=type(error).__name__)


async def _get(client: httpx.AsyncClient, path: str) -> tuple[Answer, str]:
    """Return an answer, read no further than BODY_BYTES, and where it redirects to."""
    body = bytearray()
    async with client.stream("GET", path) as response:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= BODY_BYTES:
                break
        target = response.headers.get("location", "") if response.is_redirect else ""
        return Answer(response.status_code, bytes(body[:BODY_BYTES])), target


def connected(upstream: str) -> bool:
    """Say whether somebody holds a connection to an instance: a request that takes long, a stream, a WebSocket."""
    if upstream.startswith("unix/"):
        path = upstream.removeprefix("unix/")
        lines = (line.split(maxsplit=7) for line in _UNIX.read_text(encoding="utf-8", errors="replace").split("\n"))
        return any(line[7:] == [path] and line[5] in _CONNECTED for line in lines)
    address, port = upstream.rsplit(":", 1)
    # The kernel prints an address as a number of this machine's byte order.
    target = f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}:{int(port):04X}"
    return any(line.split()[2:4] == [target, "01"] for line in _TCP.read_text(encoding="ascii").splitlines())


async def ready(instance: Instance, path: str, seconds: float = START_SECONDS) -> Answer:
    """Wait until the instance answers, ends, or the time is up."""
    answer = Answer(0, problem="it did not start")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await instance.alive():
                answer = await ask(instance.upstream, path)
                if answer.status:
                    return answer
                await asyncio.sleep(0.03)
            return Answer(0, problem="its process ended")
    return Answer(0, problem=f"no answer within {seconds:.0f} s") if not answer.status else answer


def problem_of(answer: Answer) -> str:
    """Return what is wrong with a health answer; a page that shows nothing is wrong too."""
    if answer.status != 200:
        return answer.problem or f"the app answered {answer.status}"
    # What a script will show is for a browser to see.
    if not _shows_something(answer.body) and not _LOADS_SCRIPT.search(answer.body):
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


def title_of(body: bytes) -> str:
    """Return the title of a page, '' for none."""
    lowered = body.lower()
    start = lowered.find(b">", lowered.find(b"<title")) + 1
    end = lowered.find(b"</title", start)
    if b"<title" not in lowered or not start or end < 0:
        return ""
    return " ".join(html.unescape(body[start:end].decode("utf-8", "replace")).split())[:120]
