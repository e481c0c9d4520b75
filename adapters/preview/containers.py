"""
Previews in Docker: hardened containers on an internal network of their own, which only the host can talk to.

An internal network alone does not protect the host, so a packet filter is loaded beside it, and before the first
preview a canary container has to fail to reach the host. Otherwise there are no previews in Docker.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool

from adapters.preview.runtime import give
from adapters.sandbox.docker import LABEL, docker_errors, hardened
from core.errors import OutsideError

NETWORK, BRIDGE, SUBNET, GATEWAY = "threadwright-preview", "br-tw-preview", "172.30.0.0/20", "172.30.0.1"
PORT = 8000
BUILD = [
    "node",
    "/node_modules/vite/bin/vite.js",
    "build",
    "--config",
    "/opt/sandbox/vite.config.mjs",
    "--configLoader",
    "native",
]
BUILD_SECONDS = 120
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}  # noqa: S108 - inside the container
GUARD = f"""
table inet threadwright
delete table inet threadwright
table inet threadwright {{
  chain input {{
    type filter hook input priority -5; policy accept;
    iifname "{BRIDGE}" ct state established,related accept
    iifname "{BRIDGE}" counter drop
  }}
  chain forward {{
    type filter hook forward priority -5; policy accept;
    iifname "{BRIDGE}" ct state established,related accept
    iifname "{BRIDGE}" counter drop
  }}
}}
"""
_CANARY = """
import socket, sys
for address in sys.argv[2:]:
    try:
        socket.create_connection((address, int(sys.argv[1])), 1).close()
        print("reached", address)
    except OSError:
        pass
print("done")
"""


class DockerInstance:
    """One preview container."""

    def __init__(self, container: Container, address: str) -> None:
        self._container = container
        self.upstream = f"{address}:{PORT}"
        self._gone = False

    async def alive(self) -> bool:
        """Say whether its process still runs; an engine that does not answer runs nothing for us."""

        def look() -> bool:
            with docker_errors():
                self._container.reload()
            return bool(self._container.status == "running")

        try:
            return not self._gone and await asyncio.to_thread(look)
        except OutsideError:
            return False

    async def logs(self) -> str:
        """Return the last lines it printed."""

        def read() -> str:
            with docker_errors():
                return str(self._container.logs(tail=200).decode("utf-8", "replace"))

        try:
            return await asyncio.to_thread(read)
        except OutsideError as error:
            return str(error)

    async def stop(self) -> None:
        """Remove it."""
        if self._gone:
            return
        self._gone = True

        def remove() -> None:
            with docker_errors(), contextlib.suppress(NotFound):
                self._container.remove(force=True)

        with contextlib.suppress(OutsideError):
            await asyncio.to_thread(remove)


class DockerRuntime:
    """Starts apps in containers; call `prepare` once before."""

    name = "docker"

    def __init__(self, client: docker.DockerClient, owner: str) -> None:
        self._client, self._owner = client, owner

    def prepare(self) -> None:
        """
        Make the network, load the guard, and let the canary try to get out.

        Raises:
            OutsideError: previews in Docker would not be safe here; says why.
        """
        with docker_errors():
            self._remove_orphans()
            if not self._client.networks.list(names=[f"^{NETWORK}$"]):
                self._client.networks.create(
                    NETWORK, driver="bridge", internal=True,
                    options={"com.docker.network.bridge.name": BRIDGE, "com.docker.network.bridge.enable_icc": "false"},
                    ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET)]),
                )  # fmt: skip
        load_guard()
        self._canary()

    def _remove_orphans(self) -> None:
        """Remove the containers that a dead bot of this data directory has left; its lock says that it is dead."""
        for container in self._client.containers.list(all=True, filters={"label": f"{LABEL}={self._owner}"}):
            with contextlib.suppress(NotFound):
                container.remove(force=True)

    def _canary(self) -> None:
        with _listening() as (port, reachable):
            if not reachable:
                raise OutsideError("The preview canary proves nothing here: the host does not reach its own port.")
            addresses = [GATEWAY, *_own_addresses()]
            with docker_errors():
                output = self._client.containers.run(
                    **hardened(
                        self._owner,
                        detach=False,
                        command=["python", "-c", _CANARY, str(port), *addresses],
                        network=NETWORK,
                        remove=True,
                    )
                ).decode()
        if "reached" in output or "done" not in output:
            raise OutsideError(
                f"A container can reach the host ({output.strip()[:100]}), so previews in Docker stay off."
            )

    async def build(self, app: Path, web: Path) -> None:
        """Build the front end in a container without a network."""
        await asyncio.to_thread(self._build, app, web)

    def _build(self, app: Path, web: Path) -> None:
        if os.geteuid() == 0:
            give(web, 65_532)
        volumes = {str(app): {"bind": "/app", "mode": "ro"}, str(web): {"bind": "/web", "mode": "rw"}}
        options = hardened(self._owner, command=BUILD, environment=_ENVIRONMENT, network_mode="none", volumes=volumes)
        with docker_errors():
            container = self._client.containers.create(**options)
            try:
                container.start()
                code = container.wait(timeout=BUILD_SECONDS)["StatusCode"]
                said = container.logs(tail=20).decode("utf-8", "replace")
            finally:
                container.remove(force=True)
        if code:
            raise OutsideError(f"the front end does not build: {' | '.join(said.split(chr(10)))[-400:]}")

    async def start(self, app: Path, data: Path, argv: list[str], web: Path | None) -> DockerInstance:
        """Start an app in a container of its own."""
        return await asyncio.to_thread(self._start, app, data, argv, web)

    def _start(self, app: Path, data: Path, argv: list[str], web: Path | None) -> DockerInstance:
        if os.geteuid() == 0:
            give(data, 65_532)
        volumes = {str(app): {"bind": "/app", "mode": "ro"}, str(data): {"bind": "/data", "mode": "rw"}}
        if web is not None:
            volumes[str(web)] = {"bind": "/web", "mode": "ro"}
        options = hardened(
            self._owner,
            command=[*argv, "--host", "0.0.0.0", "--port", str(PORT), "--no-access-log"],  # noqa: S104 - in its own network
            environment={**_ENVIRONMENT, "DATA_DIR": "/data", "WEB_DIST": "/web"},
            network=NETWORK,
            volumes=volumes,
        )
        with docker_errors():
            container = self._client.containers.create(**options)
            try:
                container.start()
                container.reload()
                address = container.attrs["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
            except BaseException:
                container.remove(force=True)
                raise
        return DockerInstance(container, address)


def load_guard() -> None:
    """
    Load the packet filter between previews and the host.

    Raises:
        OutsideError: it cannot be loaded: nft is missing, or the bot is not root.
    """
    nft = shutil.which("nft")
    if nft is None:
        raise OutsideError("nft is not installed; install the package nftables.")
    done = subprocess.run([nft, "-f", "-"], input=GUARD, text=True, capture_output=True, timeout=20)
    if done.returncode:
        raise OutsideError(f"The packet filter for previews could not be loaded: {done.stderr.strip()[:200]}")


@contextlib.contextmanager
def _listening() -> Iterator[tuple[int, bool]]:
    """Open a port on all addresses for the canary, and say whether the host itself reaches it."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - the canary has to try it from outside
        port = server.getsockname()[1]
        ended = threading.Event()

        def accept() -> None:
            server.settimeout(0.2)
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    server.accept()[0].close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            socket.create_connection((GATEWAY, port), 2).close()
            yield port, True
        except OSError:
            yield port, False
        finally:
            ended.set()
            thread.join()


def _own_addresses() -> list[str]:
    """Return this host's other addresses."""
    with contextlib.suppress(OSError):
        found = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        return sorted(found - {"127.0.0.1"})
    return []
