"""The proxy in front of the previews goes where the gate says, and comes back when it dies."""

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from adapters.preview.caddy import running_caddy
from bot.web.server import running
from core.errors import OutsideError
from tests.servers.process import free_port


async def gate(scope: Any, receive: Any, send: Any) -> None:
    """Let nobody pass, and say whose gate it is."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"x-threadwright", b"here")]})
    await send({"type": "http.response.body", "body": b"private"})


async def test_a_proxy_that_was_killed_is_started_again(tmp_path: Path) -> None:
    port, gate_socket = free_port(), tmp_path / "gate.sock"
    config = uvicorn.Config(gate, uds=str(gate_socket), log_level="warning", lifespan="off", interface="asgi3")
    async with (
        running(config),
        running_caddy(tmp_path, gate_socket, "preview.localhost", port, "127.0.0.1", "here"),
        httpx.AsyncClient(trust_env=False, headers={"Host": f"ping.preview.localhost:{port}"}) as client,
    ):
        url = f"http://127.0.0.1:{port}/"
        assert (await client.get(url)).text == "private"
        found = subprocess.run(["pgrep", "-f", f"caddy run --config {tmp_path}"], capture_output=True, text=True)
        assert found.stdout
        for number in found.stdout.split():
            os.kill(int(number), signal.SIGKILL)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await client.get(url)).status_code == 401
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
    found = subprocess.run(["pgrep", "-f", f"caddy run --config {tmp_path}"], capture_output=True, text=True)
    assert found.stdout == ""


async def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            OutsideError, match=f"Port {port} is taken by another program; end that, or set THREADWRIGHT_PREVIEW"
        ):
            async with running_caddy(tmp_path, tmp_path / "gate.sock", "preview.localhost", port, "127.0.0.1", "here"):
                pass
    found = subprocess.run(["pgrep", "-f", f"caddy run --config {tmp_path}"], capture_output=True, text=True)
    assert found.stdout == ""


async def test_a_built_page_answers_for_every_address_and_stays_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("the app")
    (folder / "assets" / "a.js").write_text("a")
    (tmp_path / "secret").write_text("secret")

    async def built(scope: Any, receive: Any, send: Any) -> None:
        ping = dict(scope["headers"]).get(b"host", b"").startswith(b"ping") and (401, [(b"x-threadwright", b"here")])
        status, headers = ping or (200, [(b"x-built", str(folder).encode())])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    port, gate_socket = free_port(), tmp_path / "gate.sock"
    config = uvicorn.Config(built, uds=str(gate_socket), log_level="warning", lifespan="off", interface="asgi3")
    async with (
        running(config),
        running_caddy(tmp_path, gate_socket, "preview.localhost", port, "127.0.0.1", "here"),
        httpx.AsyncClient(trust_env=False, headers={"Host": f"app.preview.localhost:{port}"}) as client,
    ):
        texts = {}
        for path in ("/", "/notes/7", "/assets/a.js", "/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret"):
            answer = await client.get(f"http://127.0.0.1:{port}{path}")
            texts[path] = answer.text
        assert texts["/notes/7"] == texts["/"] == "the app"
        assert texts["/assets/a.js"] == "a"
        assert "secret" not in texts.values()
        assert "https://*.supabase.co" in answer.headers["content-security-policy"]
