"""A proxy on a Unix socket that leads to the hosts of an allow-list and nowhere else."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

log = logging.getLogger(__name__)
HEAD_SECONDS, CONNECT_SECONDS = 20, 20
MAX_HEAD, CHUNK = 32_768, 65_536


class TooMuch(Exception):
    """More bytes came in than an installation may load."""


@contextlib.asynccontextmanager
async def egress(path: Path, hosts: frozenset[tuple[str, int]], most_bytes: int) -> AsyncIterator[list[str]]:
    """Serve at `path`; yields the list of the hosts that were asked for and refused. `most_bytes` is for all together."""
    refused: list[str] = []
    left = [most_bytes]
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(
                OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                await _served(reader, writer, hosts, refused, left)
        except asyncio.CancelledError:
            pass  # the installation is over; this task is nobody's but ours
        except TooMuch:
            refused.append(f"more than {most_bytes:,} bytes")
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(one, path, limit=MAX_HEAD)
    path.chmod(0o666)
    try:
        yield refused
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _served(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    hosts: frozenset[tuple[str, int]],
    refused: list[str],
    left: list[int],
) -> None:
    async with asyncio.timeout(HEAD_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    method, target, _ = line.decode("ascii").split(" ", 2)
    if method == "CONNECT":
        name, _, port_text = target.rpartition(":")
        host, port = name.strip("[]"), int(port_text)
    else:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port or 80
    if (host, port) not in hosts or (method not in ("CONNECT", "GET", "HEAD")):
        refused.append(f"{host}:{port}")
        log.warning("egress_refused", extra={"host": host[:100], "port": port})
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        return
    async with asyncio.timeout(CONNECT_SECONDS):
        there, upstream = await asyncio.open_connection(host, port)
    try:
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            # One request for each connection: the next could name another host.
            kept = b"\r\n".join(
                one for one in rest.split(b"\r\n") if not one.lower().startswith((b"connection:", b"proxy-"))
            )
            path = target.partition("://")[2].partition("/")[2]
            upstream.write(f"{method} /{path} HTTP/1.1\r\nConnection: close\r\n".encode("ascii") + kept)
        back = asyncio.create_task(_copied(there, writer, left))
        if method == "CONNECT":
            sending = asyncio.create_task(_copied(reader, upstream, left))
            await asyncio.wait({back, sending}, return_when=asyncio.FIRST_COMPLETED)
            sending.cancel()
        await back
    finally:
        upstream.close()


async def _copied(source: asyncio.StreamReader, target: asyncio.StreamWriter, left: list[int]) -> None:
    while chunk := await source.read(CHUNK):
        left[0] -= len(chunk)
        if left[0] < 0:
            raise TooMuch
        target.write(chunk)
        await target.drain()
