"""What a stranger, or a person with a link to one preview, can try through the proxy. Each attempt is listed; none succeeds."""

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

from bot.app import App
from bot.gate.previews import COOKIE, Signer
from bot.settings import Settings
from bot.web.chat import thread_key
from bot.wiring import opened
from core.manifests import MANIFEST_PATH
from tests.journeys.test_kinds import Thread, described, files
from tests.needs import docker_client
from tests.servers.process import free_port

LISTED = Path(__file__).parents[2] / "docs" / "attacks.md"
SECRET = "the neighbour's secret"
ECHO = """
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
app = FastAPI()
@app.get("/rules")
def rules() -> Response:
    return Response("", headers={
        "NEL": "x", "Report-To": "x", "Clear-Site-Data": '"cookies"', "Service-Worker-Allowed": "/", "Strict-Transport-Security": "max-age=9",
        "Set-Cookie": "a=1; Path=/; Domain=preview.localhost; HttpOnly",
    })
@app.get("/{rest:path}", response_class=HTMLResponse)
def page(request: Request, rest: str) -> str:
    return "<h1>" + " ".join(f"{name}={value}" for name, value in request.headers.items()) + "</h1>"
"""


class Proxy:
    """The preview proxy as one who writes requests by hand sees it."""

    def __init__(self, port: int, zone: str) -> None:
        self.port, self.zone = port, zone

    async def say(self, host: str, line: str, *headers: str, body: str = "") -> str:
        """Send one request as it is written, and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [line, f"Host: {host}", *headers, "Connection: close"]
        writer.write("\r\n".join([*lines, "", body]).encode("latin-1"))
        try:
            async with asyncio.timeout(20):
                return (await reader.read()).decode("utf-8", "replace")
        finally:
            writer.close()

    def host(self, slug: str) -> str:
        return f"{slug}.{self.zone}:{self.port}"


async def attempts(app: App, proxy: Proxy, mine: Thread, victim: Thread, static: Thread) -> dict[str, list[str]]:
    """Try everything, and return what came back of each attempt."""
    own, other, plain = mine.session.slug, victim.session.slug, static.session.slug
    link, there, here = app.signer.token(own), proxy.host(other), proxy.host(own)
    cookie, head = f"Cookie: {COOKIE}={link}", await app.repository.head(victim.session.id)
    assert head is not None
    other_zone = there.replace("localhost", "localhost.evil.example")
    expired = Signer(b"x" * 32, -1).token(other)
    forged = f"{int(link.partition('.')[0]) + 9}.{link.partition('.')[2]}"
    upstream = app.previews.serving(other)
    assert upstream is not None
    assert upstream.instance is not None

    async def get(host: str, path: str = "/", *headers: str) -> str:
        return await proxy.say(host, f"GET {path} HTTP/1.1", *headers)

    return {
        "open a preview without its link": [await get(there)],
        "open another thread's preview with one's own link": [
            await get(there, "/", cookie), await get(there, f"/?{COOKIE}={link}"), await get(there, f"/?{COOKIE}={link}", cookie),
        ],
        "forge the cookie": [
            await get(there, "/", f"Cookie: {COOKIE}={one}")
            for one in (forged, expired, "", "9999999999.", f"{link}; {COOKIE}={forged}", "9" * 5000, "\xff.\xff")
        ],
        "forge the name of the preview": [
            await get(host, "/", cookie)
            for host in (there.upper(), there.replace(":", ".:"), other_zone, f"{own}.{there}", f"{there}@{here}", f"{other}%00.{here}")
        ],
        "open another thread's commit with one's own link": [
            await get(proxy.host(f"{other}--{head[:10]}"), "/", cookie), await get(proxy.host(f"{own}--{head[:10]}"), "/", cookie),
        ],
        "look at a version before it is shown": [await get(proxy.host(f"{other}--next"), "/", cookie), await get(proxy.host(f"{other}--next"))],
        "say where the proxy shall go": [
            await get(there, "/", f"{name}: {value}")
            for name, value in (("X-Upstream", upstream.instance.upstream), ("X-Root", str(upstream.root)), ("X-Built", "/"))
        ] + [
            (await get(here, "/", cookie, f"{name}: {value}"))
            for name, value in (("X-Upstream", upstream.instance.upstream), ("X-Root", str(upstream.root)), ("X-Built", str(upstream.root)))
        ],
        "say who asks for what": [
            await get(there, "/", cookie, f"X-Forwarded-Host: {here}"), await get(here, "/", cookie, f"X-Forwarded-Host: {there}"),
            await get(there, "/", cookie, f"X-Forwarded-Uri: /?{COOKIE}={link}", "X-Forwarded-Method: GET", "Forwarded: host=" + here),
            await get(there, "/", cookie, "X-Original-URL: /", "X-Rewrite-URL: /", "Connection: X-Forwarded-Host"),
        ],
        "send two hosts": [
            await get(here, "/", f"Host: {there}", cookie), await proxy.say(here, f"GET http://{there}/ HTTP/1.1", cookie),
            await proxy.say(there, f"GET http://{here}/ HTTP/1.1"),
        ],
        "hide one request in another": [
            await proxy.say(here, "POST / HTTP/1.1", cookie, "Content-Length: 4", "Transfer-Encoding: chunked", body=f"0\r\n\r\nGET / HTTP/1.1\r\nHost: {there}\r\n\r\n"),
            await proxy.say(here, "GET / HTTP/1.1\r\nX: y", f"{cookie}\r\n\r\nGET / HTTP/1.1\r\nHost: {there}"),
        ],
        "ask the gate itself": [await get(there, path, cookie) for path in ("/gate", "/tls?domain=x", "/%2e%2e/gate")],
        "read a receipt without the link": [await get(there, f"/__threadwright/receipt/{head[:10]}", cookie), await get(there, f"/__threadwright/receipt/{head[:10]}")],
        "be led to another site": [
            answer for path in ("//evil.example/", "/\\evil.example/", "///evil.example")
            if not re.search(r"Location: /[^/\\]", answer := await get(here, f"{path}?{COOKIE}={link}"))
        ],
        "write from another site": [
            await proxy.say(there, "POST / HTTP/1.1", cookie, "Sec-Fetch-Site: cross-site", "Origin: http://evil.example"),
            await proxy.say(
                there, "POST / HTTP/1.1", f"Cookie: {COOKIE}={app.signer.token(other)}", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors"
            ),
        ],
        "put a service worker before a preview": [await get(there, "/sw.js", cookie, "Service-Worker: script")],
        "leave the folder of a static app": [
            await get(proxy.host(plain), path, f"Cookie: {COOKIE}={app.signer.token(plain)}")
            for path in ("/../../../../secret", "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret", "/..%2f..%2f..%2f..%2fsecret", "/..\\..\\..\\secret",
                         "/a/../../../../secret", "//../../secret", "/%00/../secret", "/....//....//secret", "/.git/config", "/../data/kept")
        ],
        "leave the front end through Vite": [
            await get(here, path, cookie)
            for path in ("/@fs/etc/passwd", "/@fs/etc/passwd?raw", "/@fs/etc/passwd?import&raw", "/@fs/etc/passwd?url&inline", "/@fs//etc/passwd?raw??",
                         "/@fs/app/live/main.py", "/@fs/app/live/mark", "/@fs/data/kept", "/@fs/opt/sandbox/forks.py", "/src/../../main.py",
                         "/src/%2e%2e/%2e%2e/main.py", "/@fs/app/live/frontend/../../../etc/passwd", "/@id/__x00__/etc/passwd", "/@fs/proc/self/environ?raw")
        ],
        "speak to Vite's socket without the link": [
            await get(host, "/?token=x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {name}", *more)
            for name in ("vite-hmr", "vite-ping") for host, more in ((there, ()), (there, (cookie,)))
        ],
        "learn the link's secret as an app": [
            answer for more in ("", "a=b; ", f"{COOKIE}=old; ", "a=b;", "a=b,", "a=b;\t", "a=b ; ", "a=b;;", f"a=b\r\nCookie: {COOKIE}=old\r\nCookie: ")
            if link in (answer := await get(proxy.host(other), "/", f"Cookie: {more}{COOKIE}={app.signer.token(other)}; z=1")) or app.signer.token(other) in answer
        ],
        "read a file whose name begins with a dot": [
            await get(proxy.host(plain), path, f"Cookie: {COOKIE}={app.signer.token(plain)}")
            for path in ("/.env.local", "/%2eenv.local", "/%252eenv.local", "/x/../.env.local", "/./.env.local", "//.env.local", "/.env.local/", "/.env.local%00")
        ],
        "name a commit in another way": [
            await get(proxy.host(f"{other}--{name}"), "/", f"Cookie: {COOKIE}={app.signer.token(other)}") for name in ("main~0~0", "main", head, head[:9], "HEAD")
        ],
        "be shown in a frame of another page": [
            told for host in (other, plain)
            if "frame-ancestors 'none'" not in (told := (await get(proxy.host(host), "/", f"Cookie: {COOKIE}={app.signer.token(host)}")).partition("\r\n\r\n")[0].lower())
        ],
        "leave a rule behind in browsers": [
            line for line in (await get(proxy.host(other), "/rules", f"Cookie: {COOKIE}={app.signer.token(other)}")).partition("\r\n\r\n")[0].split("\r\n")
            if line.lower().startswith(("nel:", "report-to:", "clear-site-data:", "service-worker-allowed:", "strict-transport-security:")) or "domain=" in line.lower()
        ],
    }  # fmt: skip


async def test_nobody_gets_in_through_the_proxy(tmp_path: Path) -> None:
    docker_client().close()
    (tmp_path / "secret").write_text(SECRET)
    settings = Settings(
        data_dir=tmp_path / "data", sandbox="docker", browser="none", preview_port=free_port(), preview_pool=0
    )
    async with opened(settings) as app:
        threads = []
        for name in ("mine", "victim", "static"):
            async with app.database.write() as tx:
                threads.append(Thread(app, await app.sessions.open(tx, thread_key(name), name)))
        mine, victim, static = threads
        await mine.begin("fastapi_react")
        await mine.warm()
        await victim.show(
            {MANIFEST_PATH: described("fastapi").to_bytes().decode(), "main.py": ECHO.replace("<h1>", f"<h1>{SECRET} ")}
        )
        await static.show(
            {
                MANIFEST_PATH: described("static").to_bytes().decode(),
                **files("static", "One"),
                ".env.local": f"KEY={SECRET}",
            }
        )
        (tmp_path / "data" / "previews" / "secret").write_text(SECRET)
        proxy = Proxy(settings.preview_port, settings.preview_zone)

        # The door itself is open to who has the key.
        opens = await proxy.say(
            proxy.host(victim.session.slug),
            "GET / HTTP/1.1",
            f"Cookie: {COOKIE}={app.signer.token(victim.session.slug)}",
        )
        assert SECRET in opens
        assert f"host={victim.session.slug}" in opens
        assert urlsplit(victim.link).hostname == f"{victim.session.slug}.{settings.preview_zone}"

        results = {}
        for name, answers in (await attempts(app, proxy, mine, victim, static)).items():
            told = [one for one in answers if name.startswith(("learn", "be led", "leave a rule"))]
            got = [
                one
                for one in answers
                if SECRET in one or "root:" in one or "CONTROL_PORT" in one or "FastAPI" in one or "PATH=" in one
            ]
            results[name] = f"succeeded: {(told or got)[0][:200]}" if told or got else "refused"
            print(f"  {name:55} {results[name]}")
        assert {name: came for name, came in results.items() if came != "refused"} == {}
        listed = re.findall(r"^\| ([^|]+?) \| no \|$", LISTED.read_text(), re.M)
        assert list(results) == listed
        # All that time it went on.
        assert SECRET in await proxy.say(
            proxy.host(victim.session.slug),
            "GET / HTTP/1.1",
            f"Cookie: {COOKIE}={app.signer.token(victim.session.slug)}",
        )
