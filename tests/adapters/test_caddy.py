"""The proxy in front of the previews goes where the gate says, and comes back when it dies."""

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from adapters.host.folders import remove, short_folder
from adapters.preview.caddy import listening, reachable, running_caddy
from bot.web.server import running
from core.errors import OutsideError
from tests.needs import missing


async def gate(scope: Any, receive: Any, send: Any) -> None:
    """Let nobody pass, and say whose gate it is."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"x-threadwright", b"here")]})
    await send({"type": "http.response.body", "body": b"private"})


def proxies(folder: Path) -> list[int]:
    """Return the Caddys that run with a folder's configuration."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdecimal() and f"--config\0{folder}/".encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


async def test_a_proxy_that_was_killed_is_started_again(tmp_path: Path) -> None:
    listener, gate_socket = listening("127.0.0.1", 0), tmp_path / "gate.sock"
    port = listener.getsockname()[1]
    config = uvicorn.Config(gate, uds=str(gate_socket), log_level="warning", lifespan="off", interface="asgi3")
    async with (
        running(config),
        running_caddy(tmp_path, gate_socket, "preview.localhost", listener, "here"),
        httpx.AsyncClient(trust_env=False, headers={"Host": f"ping.preview.localhost:{port}"}) as client,
    ):
        url = f"http://127.0.0.1:{port}/"
        assert (await client.get(url)).text == "private"
        found = proxies(tmp_path)
        assert found
        for number in found:
            os.kill(number, signal.SIGKILL)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await client.get(url)).status_code == 401
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
    listener.close()
    assert proxies(tmp_path) == []


async def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    """Also where another Caddy has it, with which it would share the visitors."""
    with listening("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            OutsideError, match=f"Port {port} is taken by another program; end that, or set THREADWRIGHT_PREVIEW"
        ):
            listening("127.0.0.1", port)
    with pytest.raises(OutsideError, match="set THREADWRIGHT_PREVIEW_BIND to an address of this machine"):
        listening("192.0.2.7", 0)


def test_addresses_are_written_as_urls_have_them() -> None:
    assert [reachable(bind) for bind in ("0.0.0.0", "127.0.0.1", "::", "::1")] == [
        "127.0.0.1",
        "127.0.0.1",
        "[::1]",
        "[::1]",
    ]


async def test_a_folder_for_sockets_may_have_a_blank_in_its_name_and_an_address_may_be_of_ipv6(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            missing("IPv6 on this machine", "switch it on for the loopback interface")
    folder = short_folder("tw test ")
    config = uvicorn.Config(gate, uds=str(folder / "gate.sock"), log_level="warning", lifespan="off", interface="asgi3")
    try:
        with listening("::1", 0) as listener:
            port = listener.getsockname()[1]
            async with (
                running(config),
                running_caddy(folder, folder / "gate.sock", "preview.localhost", listener, "here"),
                httpx.AsyncClient(trust_env=False, headers={"Host": f"app.preview.localhost:{port}"}) as client,
            ):
                assert (await client.get(f"http://[::1]:{port}/")).text == "private"
    finally:
        remove(folder)


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

    listener, gate_socket = listening("127.0.0.1", 0), tmp_path / "gate.sock"
    port = listener.getsockname()[1]
    config = uvicorn.Config(built, uds=str(gate_socket), log_level="warning", lifespan="off", interface="asgi3")
    async with (
        running(config),
        running_caddy(tmp_path, gate_socket, "preview.localhost", listener, "here"),
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
