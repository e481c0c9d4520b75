"""What a browser sees of a page: two pictures, what its scripts threw, what it asked for in vain, and nothing outside."""

import http.server
import io
import struct
import threading
from collections.abc import Iterator

import pytest

from adapters.preview.screenshot import DESKTOP, PHONE, Browser
from core.errors import OutsideError

PAGES = {
    "/good": "<h1>Hello</h1>",
    "/blank": "<html><body></body></html>",
    "/late": "<script>setTimeout(() => document.body.append('here'), 20)</script>",
    "/throws": "<h1>x</h1><script>nope()</script>",
    "/talks": "<h1>x</h1><script>alert('hi'); prompt('name?'); setTimeout(() => confirm('ok?'), 50); console.error('a\\ud800b')</script>",
    "/odd": "<h1>x</h1><script>nope()\n//# sourceURL=http://[</script>",
    "/shadow": "<my-app></my-app><script>customElements.define('my-app', class extends HTMLElement { connectedCallback() { this.attachShadow({mode: 'open'}).innerHTML = '<h1>x</h1>' } })</script>",
    "/boxes": "<body><div style='width:50px;height:50px;background:red'></div></body>",
    "/slow": "<body><script>setTimeout(() => document.body.append('here'), 600)</script></body>",
    "/asks": "<h1>x</h1><img src='/api/a.png?tw=secret'><script>fetch('/api/b'); console.error('oh', 3)</script>",
}


@pytest.fixture(scope="module")
def proxy() -> Iterator[int]:
    """Speak as the preview proxy does: it knows these pages, whatever the host."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = "/" + self.path.split("?")[0].rpartition("/")[2]
            page = PAGES.get(path)
            self.send_response(200 if page is not None and "/api/" not in self.path else 500)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    found: tuple[int, int] = struct.unpack(">II", io.BytesIO(png[16:24]).read())
    return found


async def test_a_page_is_seen_at_two_widths(chromium: str, proxy: int) -> None:
    look = await Browser(chromium, proxy).look("http://app.localhost/good")
    assert (size(look.png), size(look.phone)) == (DESKTOP, PHONE)
    assert (look.blank, look.errors, look.console, look.failed) == (False, (), (), ())


async def test_what_is_wrong_with_a_page_is_told(chromium: str, proxy: int) -> None:
    browser = Browser(chromium, proxy)
    assert (await browser.look("http://app.localhost/blank")).blank
    assert not (await browser.look("http://app.localhost/late")).blank
    threw = await browser.look("http://app.localhost/throws")
    assert threw.errors == ("ReferenceError: nope is not defined (throws:1)",)
    talks = await browser.look("http://app.localhost/talks")
    assert (talks.blank, talks.errors, len(talks.console)) == (False, (), 1)
    talks.console[0].encode()
    assert "nope is not defined" in (await browser.look("http://app.localhost/odd")).errors[0]
    for page in ("shadow", "boxes", "slow"):
        assert not (await browser.look(f"http://app.localhost/{page}")).blank, page
    asked = await browser.look("http://app.localhost/asks")
    assert sorted(asked.failed) == ["GET /api/a.png 500", "GET /api/b 500"]
    assert asked.console == ("oh 3",)


async def test_pictures_of_our_own(chromium: str) -> None:
    assert size(await Browser(chromium, 9).picture("<p>ä</p>", width=321, height=123)) == (321, 123)


@pytest.mark.parametrize("program", ["/bin/false", "/nowhere/chromium"])
async def test_a_browser_that_does_not_work_is_an_outside_error(program: str) -> None:
    with pytest.raises(OutsideError):
        await Browser(program, 9).look("http://app.localhost/good")
