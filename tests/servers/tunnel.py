"""A tunnel to a unix socket that can be cut and mended: a daemon that dies, without killing the machine's own."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path


class Tunnel:
    """Relays connections from `path` to `target` while it is whole."""

    def __init__(self, path: Path, target: str) -> None:
        self._target = target
        self.whole = True
        self._open: list[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        self.whole = False
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Relay again."""
        self.whole = True

    def close(self) -> None:
        """End it for good."""
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self.whole:
                client.close()
                continue
            daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            daemon.connect(self._target)
            self._open += [client, daemon]
            for one, other in ((client, daemon), (daemon, client)):
                threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := one.recv(65_536):
                other.sendall(chunk)
            other.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def tunnel_to(target: str, folder: Path) -> Iterator[tuple[Tunnel, str]]:
    """Open a tunnel and return it with its address for DOCKER_HOST."""
    path = folder / "docker.sock"
    tunnel = Tunnel(path, target)
    try:
        yield tunnel, f"unix://{path}"
    finally:
        tunnel.close()
