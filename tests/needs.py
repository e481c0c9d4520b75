"""Say what a test needs that this machine lacks; with REQUIRE_ALL=1 that is a failure, not a skip."""

import os

import docker
import pytest

from adapters.sandbox.docker import image_tag, open_client
from core.errors import OutsideError


def missing(what: str, how: str) -> None:
    """Skip the test, or fail it where everything has to be there."""
    text = f"needs {what}: {how}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)


def docker_client() -> docker.DockerClient:
    """Return a client of an engine that has the sandbox's image; close it."""
    try:
        client = open_client()
    except OutsideError as error:
        missing("Docker", str(error))
    if not client.images.list(image_tag()):
        missing("the sandbox image", "make image")
    return client
