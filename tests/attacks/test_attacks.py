"""Everything in `inside.py` is tried wherever untrusted code runs. Each attempt is listed with its result; none succeeds."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.preview.host import Previews
from core.files import FileTree
from core.ports import Sandbox
from tests.adapters.test_previews import MANIFEST, previews, show
from tests.needs import own_address
from tests.ports.test_sandbox import sandbox

__all__ = ["previews", "sandbox"]
INSIDE = (Path(__file__).parent / "inside.py").read_bytes()
LISTED = Path(__file__).parents[2] / "docs" / "attacks.md"
APP = b"""
from fastapi import FastAPI
import inside
app = FastAPI()
@app.get("/")
def page() -> dict[str, str]:
    return {"state": "ready"}
@app.post("/attack")
def attack(arguments: list[str]) -> dict[str, str]:
    return inside.run(arguments)
"""


@pytest.fixture
def host_services() -> Iterator[list[str]]:
    """A service of the host on all its addresses, where code inside would look for it."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        own = own_address()
        yield [
            f"{address}:{port}" for address in ("127.0.0.1", "172.17.0.1", "172.30.0.1", own, "host.docker.internal")
        ]


def report(place: str, results: dict[str, str]) -> None:
    print(f"\n{place}")
    for name, came_of_it in results.items():
        print(f"  {name:45} {came_of_it}")
    assert [f"{name}: {one}" for name, one in results.items() if not one.startswith("refused")] == []
    listed = set(re.findall(r"^\| ([^|]+?) \| refused \|", LISTED.read_text(), re.M))
    assert set(results) == listed


async def test_nothing_gets_out_of_a_test_run(sandbox: Sandbox, host_services: list[str]) -> None:
    argv = ["python", "inside.py", *host_services, "--", "127.0.0.1:8000"]
    ran = await sandbox.run(FileTree({"inside.py": INSIDE}), argv, {}, 100)
    match = re.search(r"^REPORT (.*)$", ran.output, re.M)
    assert match, ran.output
    report(f"test run, {sandbox.name}", json.loads(match[1]))


async def test_nothing_gets_out_of_a_preview(previews: Previews, host_services: list[str]) -> None:
    assert await show(previews, "neighbour", "one") == "ready"
    served = previews.serving("neighbour")
    assert served is not None
    assert served.instance is not None
    tree = FileTree({"main.py": APP, "inside.py": INSIDE})
    state = await previews.show("s", "attacker", "one000000000", tree, MANIFEST)
    assert state.state == "ready", state.note
    mine = previews.serving("attacker")
    assert mine is not None
    assert mine.instance is not None
    arguments = [*host_services, "--", served.instance.upstream, f"{served.instance.upstream.partition(':')[0]}:9000"]
    async with httpx.AsyncClient(trust_env=False, timeout=100) as client:
        answer = await client.post(f"http://{mine.instance.upstream}/attack", json=arguments)
    results = answer.json()
    report("preview, docker", results)
    # The neighbour noticed nothing.
    assert await served.instance.alive()
