"""
Run a server in a network namespace of its own, and reach it through unix sockets: `unshare -n python namespace.py …`.

    namespace.py IN PORT OUT OUT_PORT -- COMMAND…

Connections to the socket IN reach 127.0.0.1:PORT inside; connections inside to OUT_PORT reach the socket OUT outside.
Unix sockets know no network namespaces. Everything ends with the process that started it.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from collections.abc import Awaitable, Callable

SIOCSIFFLAGS, IFF_UP, PR_SET_PDEATHSIG = 0x8914, 0x41, 1
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def end_with_parent() -> None:
    """Die when the parent does, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def raise_loopback() -> None:
    """Switch the namespace's loopback on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def relay(connect: Callable[[], Awaitable[Streams]]) -> Callable[..., Awaitable[None]]:
    """Return a server's handler that joins each connection with one of its own."""

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65_536):
                target.write(chunk)
                await target.drain()
            target.write_eof()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))
        writer.close()
        other_writer.close()

    return serve


async def main() -> None:
    """Run the command and both relays until the command ends."""
    at = sys.argv.index("--")
    inward, port, outward, out_port = sys.argv[1:at]
    child = await asyncio.create_subprocess_exec(*sys.argv[at + 1 :], preexec_fn=end_with_parent)
    await asyncio.start_unix_server(relay(lambda: asyncio.open_connection("127.0.0.1", int(port))), inward)
    await asyncio.start_server(relay(lambda: asyncio.open_unix_connection(outward)), "127.0.0.1", int(out_port))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, child.terminate)
    await child.wait()
    os._exit(0)


if __name__ == "__main__":
    end_with_parent()
    raise_loopback()
    asyncio.run(main())
