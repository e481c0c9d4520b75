"""Say what a test needs that this machine lacks; with REQUIRE_ALL=1 that is a failure, not a skip."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker
import pytest

from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.docker import image_tag, open_client
from core.errors import OutsideError


def missing(what: str, how: str) -> None:
    """Skip the test, or fail it where everything has to be there."""
    text = f"needs {what}: {how}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)


def summary_of(reasons: Sequence[str]) -> list[str]:
    """Return what was not tried, and how to get what it needs: a line for each need, the most tests first."""
    needs = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    return [f"{count:5} test{'s' * (count != 1):1}  {need}" for need, count in needs.most_common()]


async def bubblewrap(scratch: Path) -> BubblewrapSandbox:
    """Return a sandbox of bubblewrap that works."""
    box = BubblewrapSandbox(scratch)
    if problem := await box.problem():
        missing("bubblewrap", problem)
    return box


def some_sandbox(scratch: Path) -> None:
    """Skip a test of apps that run where nothing runs them, neither Docker nor bubblewrap."""
    with contextlib.suppress(OutsideError):
        client = open_client()
        built = client.images.list(image_tag())
        client.close()
        if built:
            return
    if problem := asyncio.run(BubblewrapSandbox(scratch).problem()):
        missing("bubblewrap", problem)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of its own, of a size as mount takes it, so that it can really be full."""
    if shutil.which("mount") is None:
        missing("mount", "apt-get install mount")
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True).returncode:
        missing("a disk that can be filled", "mount needs root, and a machine that lets root mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def own_address() -> str:
    """Return an address of this machine by its name; not everywhere the name is known."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.1.1"


def docker_client() -> docker.DockerClient:
    """Return a client of an engine that has the sandbox's image; close it."""
    try:
        client = open_client()
    except OutsideError as error:
        missing("Docker", str(error))
    if not client.images.list(image_tag()):
        missing("the sandbox image", "make image")
    return client
