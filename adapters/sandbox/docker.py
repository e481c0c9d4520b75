"""
The sandbox on Docker: one hardened, throw-away container per run, without a network.

The image is built from `image/Dockerfile` and tagged by its content, so that a new version of the bot asks for a new
image instead of running on an old one.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Ulimit

from adapters.dependencies.install import PYTHON_FOLDER, Packages
from adapters.host.folders import temporary_folder, too_much
from adapters.sandbox.programs import shortened
from adapters.sandbox.seccomp import profile
from core.errors import OutsideError
from core.files import FileTree
from core.ports import Ran

IMAGE_FOLDER = Path(__file__).parent / "image"
LABEL = "threadwright"
FILE_BYTES, OUT_BYTES = 256 * 1024 * 1024, 1024 * 1024 * 1024
"""What a program may write into one file, and into the folder that it is given for what it makes."""
log = logging.getLogger(__name__)
API_SECONDS, LOOK_SECONDS = 60, 1.0
UID = 65_532
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp", "PYTHONPATH": f"/app/{PYTHON_FOLDER}"}  # noqa: S108 - inside the container
BUILD_SECONDS = 1_200


@contextlib.contextmanager
def docker_errors() -> Iterator[None]:
    """Translate what the SDK raises."""
    try:
        yield
    except ImageNotFound as error:
        raise OutsideError("The sandbox image is not built; run `make image`.") from error
    except (APIError, DockerException, requests.exceptions.RequestException) as error:
        text = getattr(error, "explanation", None) or str(error)
        raise OutsideError(f"Docker failed: {str(text)[:200]}", retryable=True) from error


def image_tag() -> str:
    """Return the image's name; its tag is a hash of what it is built from."""
    parts = [path.read_bytes() for path in sorted(IMAGE_FOLDER.iterdir()) if path.is_file()]
    return f"threadwright-sandbox:{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"


def open_client() -> docker.DockerClient:
    """
    Connect to the engine that DOCKER_HOST names, or the local one.

    Raises:
        OutsideError: no engine answers.
    """
    try:
        with docker_errors():
            client = docker.from_env(timeout=API_SECONDS)
            client.ping()
    except OutsideError as error:
        said = str(error)
        if "PermissionError" in said or "Permission denied" in said:
            raise OutsideError("This user may not use Docker; add it to the group docker, and log in again.") from error
        if any(
            word in said
            for word in (
                "FileNotFoundError",
                "ConnectionRefusedError",
                "Connection refused",
                "Name or service not known",
            )
        ):
            raise OutsideError(
                "No Docker engine answers; install docker.io and start it, or set DOCKER_HOST."
            ) from error
        raise
    return client


def build_image(base_image: str = "") -> str:
    """Build the image and return its name; takes minutes the first time."""
    with docker_errors():
        client = docker.from_env(timeout=BUILD_SECONDS)
        arguments = {"BASE_IMAGE": base_image} if base_image else {}
        client.images.build(path=str(IMAGE_FOLDER), tag=image_tag(), buildargs=arguments, rm=True, forcerm=True)
        client.close()
    return image_tag()


def offered_runtimes(client: docker.DockerClient) -> frozenset[str]:
    """Return the names of the runtimes that an engine is configured with."""
    with docker_errors():
        return frozenset(client.info().get("Runtimes", {}))


def runtime_of(client: docker.DockerClient, offered: Collection[str]) -> str:
    """Return gVisor's runtime if it is `offered` and works, '' for the engine's own."""
    if "runsc" not in offered:
        return ""
    try:
        with docker_errors():
            client.containers.run(
                **hardened("probe", command=["true"], network_mode="none", runtime="runsc", detach=False, remove=True)
            )
    except OutsideError as error:
        log.warning("gvisor_does_not_work", extra={"why": str(error)})
        return ""
    return "runsc"


def hardened(owner: str, **more: Any) -> dict[str, Any]:
    """Return the options of every container that runs code of others; `owner` labels it."""
    return {
        "image": image_tag(),
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges", f"seccomp={profile()}"],
        "user": "65532:65532",
        "pids_limit": 256,
        "mem_limit": "512m",
        "memswap_limit": "512m",
        "nano_cpus": 1_000_000_000,
        "tmpfs": {"/tmp": "rw,size=256m,mode=1777,nosuid,nodev"},  # noqa: S108 - inside the container
        "ulimits": [
            Ulimit(name="nofile", soft=4096, hard=4096),
            Ulimit(name="fsize", soft=FILE_BYTES, hard=FILE_BYTES),
        ],
        "log_config": LogConfig(type="json-file", config={"max-size": "1m", "max-file": "1"}),
        "labels": {LABEL: owner},
        "detach": True,
        **more,
    }


class DockerSandbox:
    """Runs programs over a copy of a tree. `scratch` must be a path that the engine sees too."""

    name = "docker"

    def __init__(self, client: docker.DockerClient, scratch: Path, owner: str, runtime: str = "") -> None:
        self._client, self._scratch, self._owner, self._runtime = client, scratch, owner, runtime
        self.packages: Packages | None = None

    async def problem(self) -> str:
        """Return why the sandbox does not work here, '' when it does."""
        try:
            ran = await self.run(FileTree({"a": b""}), ["python", "-c", "print('works')"], {}, 60)
        except OutsideError as error:
            return str(error)
        return "" if ran.output.strip() == "works" else f"The container answered: {ran.output[:200]}"

    async def run(self, tree: FileTree, argv: Sequence[str], env: Mapping[str, str], seconds: float) -> Ran:
        """Run `argv` over the tree in a container of its own."""
        return await self._over(tree, None, list(argv), dict(env), seconds)

    async def run_into(self, tree: FileTree, out: Path, argv: Sequence[str], seconds: float) -> Ran:
        """Run `argv` over the tree; it may write the empty folder `out`, which it finds as /data."""
        return await self._over(tree, out, list(argv), {}, seconds)

    async def install(self, work: Path, out: Path, seconds: float) -> Ran:
        """Run the installer in the folder `work`, which may write `out`; it has no network, only the socket in `work`."""
        return await self._contained(work, out, ["python", "/app/inside.py"], {}, seconds)

    async def _over(
        self, tree: FileTree, out: Path | None, argv: list[str], env: dict[str, str], seconds: float
    ) -> Ran:
        with temporary_folder(self._scratch, tree) as folder:
            if self.packages is not None:
                await self.packages.put(tree, folder)
            return await self._contained(folder, out, argv, env, seconds)

    async def _contained(
        self, folder: Path, out: Path | None, argv: list[str], env: dict[str, str], seconds: float
    ) -> Ran:
        """Run in a container that sees `folder` and may write `out`; nobody waits for it any more when this is cancelled."""
        volumes = {str(folder): {"bind": "/app", "mode": "ro"}}

        def full() -> bool:
            return out is not None and too_much(out, OUT_BYTES)

        if out is not None:
            if os.geteuid() == 0:
                os.chown(out, UID, UID)
            else:
                out.chmod(0o777)
            volumes[str(out)] = {"bind": "/data", "mode": "rw"}
        unwanted = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._run, volumes, argv, env, seconds, unwanted, full))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            unwanted.set()
            await asyncio.gather(work, return_exceptions=True)
            raise

    def _run(
        self,
        volumes: dict[str, dict[str, str]],
        argv: list[str],
        env: dict[str, str],
        seconds: float,
        unwanted: threading.Event,
        full: Callable[[], bool],
    ) -> Ran:
        began = time.monotonic()
        options = hardened(
            self._owner,
            runtime=self._runtime or None,
            command=argv,
            environment={**ENVIRONMENT, **env},
            network_mode="none",
            volumes=volumes,
        )
        with docker_errors():
            container = self._client.containers.create(**options)
            try:
                container.start()
                ended = _wait(container, seconds, lambda: unwanted.is_set() or full())
                output = shortened(container.logs(stdout=True, stderr=True))
            finally:
                with contextlib.suppress(NotFound):
                    container.remove(force=True)
        if full():
            return Ran(-1, output, time.monotonic() - began, "output")
        if ended is None:
            return Ran(-1, output, time.monotonic() - began, "time")
        return Ran(ended, output, time.monotonic() - began)


def _wait(container: Container, seconds: float, over: Callable[[], bool]) -> int | None:
    """Return the exit code, None when the time was up, or it was `over` for another reason, and the container killed."""
    deadline = time.monotonic() + seconds
    while not over() and (left := deadline - time.monotonic()) > 0:
        try:
            return int(container.wait(timeout=min(left, LOOK_SECONDS))["StatusCode"])
        except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError):
            # Raises where the engine itself is gone.
            container.reload()
    container.reload()
    if container.status == "exited":
        return int(container.attrs["State"]["ExitCode"])
    container.kill()
    return None
