"""
Previews in Docker: hardened containers on an internal network of their own, which only the host can talk to.

An internal network alone does not protect the host, so a packet filter is loaded beside it, and before the first
preview a canary container has to fail to reach the host. Otherwise there are no previews in Docker.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import json
import logging
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool

from adapters.preview import removed
from adapters.preview.caddy import BUILT_POLICY
from adapters.preview.disks import PROBE_BYTES
from adapters.preview.runtime import give, with_log
from adapters.preview.versions import Home
from adapters.sandbox.builds import VITE
from adapters.sandbox.docker import LABEL, docker_errors, hardened
from core.errors import OutsideError

NETWORK, BRIDGE, SUBNET, GATEWAY = "threadwright-preview", "br-tw-preview", "172.30.0.0/20", "172.30.0.1"
FIRST_ADDRESS, ADDRESSES, ADDRESS_TRIES = ipaddress.ip_address("172.30.0.16"), 4_000, 5
CONTROL_PORT, PORTS = 9000, range(8000, 8010)
START_SECONDS = 20
log = logging.getLogger(__name__)
VITE_PORTS, VITE_MEMORY = range(5173, 5176), "768m"
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
import os, socket, sys
for address in sys.argv[2:]:
    try:
        socket.create_connection((address, int(sys.argv[1])), 1).close()
        print("reached", address)
    except OSError:
        pass
print("done", *(os.listdir("/data") if os.path.isdir("/data") else ()))
"""


_REMOVED = Path(removed.__file__).read_text(encoding="utf-8")


class Slot:
    """A container with the fork server: it loads versions of one app, each on a port of its own."""

    def __init__(self, container: Container, address: str) -> None:
        self.container, self.address = container, address
        self.ports: set[int] = set()
        # Never the port that was used last: who was told to go may still be there.
        self.app_ports, self.vite_ports = itertools.cycle(PORTS), itertools.cycle(VITE_PORTS)
        self._one_at_a_time = asyncio.Lock()
        self._pausing, self._sleeps = asyncio.Lock(), False

    async def load(
        self, version: str, arguments: list[str], env: dict[str, str], *, node: bool, ports: Iterator[int] | None = None
    ) -> int:
        """
        Start a version beside those that run, with the arguments of `node` or of uvicorn, and return its port.

        Raises:
            OutsideError: it does not start; says why.
        """
        free = ports or self.app_ports
        port = next((port for _ in PORTS if (port := next(free)) not in self.ports), 0)
        if not port:
            raise OutsideError("too many versions of this app are running", retryable=True)
        self.ports.add(port)
        try:
            order = {"load": f"/app/{version}", "arguments": arguments, "port": port, "env": env, "node": node}
            problem = await self._ordered(order)
        except BaseException:
            self.ports.discard(port)
            raise
        if problem:
            self.ports.discard(port)
            raise OutsideError(with_log(problem, await asyncio.to_thread(self.logs)))
        return port

    async def drop(self, port: int) -> None:
        """End a version; what is gone is gone."""
        self.ports.discard(port)
        with contextlib.suppress(OutsideError):
            await self._ordered({"drop": port})

    async def _ordered(self, order: dict[str, Any]) -> str:
        """Give the fork server an order and return what went wrong, '' for nothing; it may have to start first."""
        await self.wake()
        async with self._one_at_a_time:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    reader, writer = await asyncio.open_connection(self.address, CONTROL_PORT)
                    break
                except OSError as error:
                    if time.monotonic() > deadline or not await asyncio.to_thread(self.runs):
                        raise OutsideError("the preview's container does not answer", retryable=True) from error
                    await asyncio.sleep(0.02)
            try:
                writer.write(json.dumps(order).encode() + b"\n")
                async with asyncio.timeout(START_SECONDS + 5):
                    return str(json.loads(await reader.readline())["problem"])
            except (OSError, ValueError, TimeoutError, KeyError, TypeError) as error:
                raise OutsideError("the preview's container broke off", retryable=True) from error
            finally:
                writer.close()

    def grow(self) -> None:
        """Give the container the memory that Vite needs beside an app."""
        with docker_errors():
            self.container.update(mem_limit=VITE_MEMORY, memswap_limit=VITE_MEMORY)

    def runs(self) -> bool:
        """Say whether the container runs; an engine that does not answer runs nothing for us."""
        try:
            with docker_errors():
                self.container.reload()
        except OutsideError:
            return False
        return str(self.container.status) in ("running", "paused")

    def logs(self) -> str:
        """Return the last lines that were printed in it."""
        try:
            with docker_errors():
                return str(self.container.logs(tail=200).decode("utf-8", "replace"))
        except OutsideError as error:
            return str(error)

    def removed(self) -> int:
        """Return the bytes of files in /data that were removed and are open."""
        if self._sleeps:
            return 0
        with contextlib.suppress(OutsideError, ValueError), docker_errors():
            printed: Any = self.container.exec_run(["python", "-c", _REMOVED, "/data"]).output
            return int(printed)
        return 0

    async def sleep(self) -> None:
        """Freeze every process in it."""
        async with self._pausing:
            if not self._sleeps:
                await asyncio.to_thread(self._engine, self.container.pause)
                self._sleeps = True

    async def wake(self) -> None:
        """Let a frozen container go on."""
        if self._sleeps or self._pausing.locked():
            async with self._pausing:
                if self._sleeps:
                    await asyncio.to_thread(self._engine, self.container.unpause)
                    self._sleeps = False

    async def remove(self) -> None:
        """Remove the container."""
        await asyncio.to_thread(self._engine, lambda: self.container.remove(force=True))

    def _engine(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(OutsideError), docker_errors(), contextlib.suppress(NotFound):
            work()


class DockerInstance:
    """One version of an app in its container."""

    def __init__(self, slot: Slot, port: int, forget: Callable[[], None]) -> None:
        self._slot, self._port, self._forget = slot, port, forget
        self.upstream = f"{slot.address}:{port}"

    async def alive(self) -> bool:
        """Say whether it listens; one that sleeps is woken."""
        await self._slot.wake()
        try:
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(self._slot.address, self._port)
        except OSError:
            return False
        writer.close()
        return True

    async def logs(self) -> str:
        """Return the last lines that its container printed."""
        return await asyncio.to_thread(self._slot.logs)

    async def unseen(self, data: Path) -> int:
        """Look at what the processes of its container have open; while it sleeps nothing changes."""
        del data
        return await asyncio.to_thread(self._slot.removed)

    async def sleep(self) -> None:
        """Freeze it, together with its container."""
        await self._slot.sleep()

    async def stop(self) -> None:
        """End it; the last one takes the container along."""
        if self._port not in self._slot.ports:
            return
        if self._slot.ports == {self._port}:
            self._slot.ports.clear()
            self._forget()
            await self._slot.remove()
        else:
            await self._slot.drop(self._port)


class DockerRuntime:
    """
    Starts apps in containers; call `prepare` once before.

    `homes` is the folder of all homes, which the engine sees too; `pool` the number of warm containers for new ones;
    `disk_bytes` the size of the disk that each app gets for what it stores, where 0 is a folder.
    """

    name = "docker"

    def __init__(
        self,
        client: docker.DockerClient,
        owner: str,
        homes: Path,
        pool: int,
        runtime: str = "",
        disk_bytes: int = 0,
    ) -> None:
        self._client, self._owner, self._homes, self._pool = client, owner, homes, pool
        self._runtime, self._disk_bytes = runtime or None, disk_bytes
        self._slots: dict[Path, Slot] = {}
        self._warm: list[tuple[Home, Slot]] = []
        self._filling: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """
        Make the network, load the guard, and let the canary try to get out.

        Raises:
            OutsideError: previews in Docker would not be safe here; says why.
        """
        with docker_errors():
            self._remove_orphans()
            for left in self._homes.glob(".warm-*"):
                Home(left).remove()
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
            with docker_errors(), self._probe() as volumes:
                output = self._client.containers.run(
                    **hardened(
                        self._owner,
                        runtime=self._runtime,
                        detach=False,
                        command=["python", "-c", _CANARY, str(port), *addresses],
                        network=NETWORK,
                        volumes=volumes,
                        remove=True,
                    )
                ).decode()
        if "reached" in output or "done" not in output:
            raise OutsideError(
                f"A container can reach the host ({output.strip()[:100]}), so previews in Docker stay off."
            )
        if self._disk_bytes and "disk" not in output:
            log.warning("storage_is_counted", extra={"why": "the engine does not see what the bot mounts"})
            self._disk_bytes = 0

    @contextlib.contextmanager
    def _probe(self) -> Iterator[dict[str, dict[str, str]]]:
        """Offer the canary a disk with a mark: an engine in a mount namespace of its own sees an empty folder."""
        if not self._disk_bytes:
            yield {}
            return
        home = Home(self._homes / ".warm-probe")
        try:
            home.make(PROBE_BYTES)
            (home.data / "disk").touch()
            yield {str(home.data): {"bind": "/data", "mode": "ro"}}
        finally:
            home.remove()

    async def develop(self, home: Home, *, serverless: bool) -> DockerInstance:
        """Start Vite in the app's container, which gets the memory for it."""
        slot = await self._slot(home)
        await asyncio.to_thread(slot.grow)
        # gVisor tells nothing of what changes on the host.
        poll = {"POLL": "1"} if self._runtime else {}
        env = {"NODE_ENV": "development", "PAGE_POLICY": BUILT_POLICY if serverless else "", **poll}
        port = await self._loaded(slot, slot.load("live", VITE, env, node=True, ports=slot.vite_ports), home)
        return DockerInstance(slot, port, lambda: self._forget(home, slot))

    async def settle(self, home: Home) -> None:
        """Make a new home of a warm container's folders if there is one; the folders keep their place in it."""
        if not home.folder.exists() and self._warm:
            ready, slot = self._warm.pop()
            ready.folder.rename(home.folder)
            self._slots[home.folder] = slot
            self.fill()
        await asyncio.to_thread(home.make, self._disk_bytes)

    @property
    def warm(self) -> int:
        """How many warm containers wait for a new app."""
        return len(self._warm)

    def fill(self) -> None:
        """Make warm containers in the background until there are enough."""
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        with contextlib.suppress(OutsideError):
            while len(self._warm) < self._pool:
                home = Home(self._homes / f".warm-{secrets.token_hex(6)}")
                slot = await asyncio.to_thread(self._container, home)
                # Nothing is there to drop: this waits until the libraries are loaded.
                await slot.drop(PORTS[0])
                self._warm.append((home, slot))

    async def close(self) -> None:
        """Remove the warm containers."""
        self._pool = 0
        if self._filling is not None:
            # A container that is just being made would be left behind.
            await asyncio.gather(self._filling, return_exceptions=True)
        for home, slot in self._warm:
            await slot.remove()
            await asyncio.to_thread(home.remove)
        self._warm.clear()

    async def start(self, home: Home, version: str, argv: list[str], *, live: bool) -> DockerInstance:
        """Start a version in its app's container, which is made if there is none."""
        if argv[:3] != ["python", "-m", "uvicorn"] and argv[0] != "node":
            raise OutsideError("apps are started by uvicorn here, as in “uvicorn main:app”")
        slot = await self._slot(home)
        arguments = argv[1:] if argv[0] == "node" else argv[3:]
        env = {"WEB_DIST": f"/web/{version}", **({"LIVE_MARK": version} if live else {})}
        port = await self._loaded(slot, slot.load(version, arguments, env, node=argv[0] == "node"), home)
        return DockerInstance(slot, port, lambda: self._forget(home, slot))

    async def _slot(self, home: Home) -> Slot:
        """Return the container of an app, which is made if there is none that runs."""
        slot = self._slots.get(home.folder)
        if slot is None or not await asyncio.to_thread(slot.runs):
            if slot is not None:
                await slot.remove()
            slot = self._slots[home.folder] = await asyncio.to_thread(self._container, home)
        return slot

    async def _loaded(self, slot: Slot, loading: Awaitable[int], home: Home) -> int:
        """Return the port of what is loaded; a container with nothing in it goes."""
        try:
            return await loading
        except BaseException:
            if not slot.ports:
                self._forget(home, slot)
                await slot.remove()
            raise

    def _forget(self, home: Home, slot: Slot) -> None:
        if self._slots.get(home.folder) is slot:
            del self._slots[home.folder]

    def _container(self, home: Home) -> Slot:
        home.make(self._disk_bytes)
        if os.geteuid() == 0:
            give(home.data, 65_532)
        volumes = {
            str(home.folder / "app"): {"bind": "/app", "mode": "ro"}, str(home.folder / "web"): {"bind": "/web", "mode": "ro"},
            str(home.data): {"bind": "/data", "mode": "rw"},
        }  # fmt: skip
        environment = {**_ENVIRONMENT, "DATA_DIR": "/data"}
        command = ["python", "/opt/sandbox/forks.py"]
        options = hardened(
            self._owner,
            runtime=self._runtime,
            command=command,
            environment=environment,
            network=NETWORK,
            volumes=volumes,
        )
        for tries in range(ADDRESS_TRIES):
            # Never the address that a dead container has just left: who remembers that would be sent to this app.
            address = str(ipaddress.ip_address(int(FIRST_ADDRESS) + secrets.randbelow(ADDRESSES)))
            with docker_errors():
                place = {NETWORK: self._client.api.create_endpoint_config(ipv4_address=address)}
                container = self._client.containers.create(**options, networking_config=place)
                try:
                    container.start()
                    return Slot(container, address)
                except BaseException as error:
                    container.remove(force=True)
                    if "already in use" not in str(error).lower() or tries == ADDRESS_TRIES - 1:
                        raise
        raise OutsideError("no address is free for another preview", retryable=True)


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
