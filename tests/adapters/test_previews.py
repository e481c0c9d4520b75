"""Previews in Docker: one container per app, versions beside each other in it, warm ones for new apps."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapters.preview.answers import connected
from adapters.preview.containers import DockerRuntime
from adapters.preview.host import Previews
from adapters.preview.runtime import BubblewrapRuntime
from adapters.sandbox.builds import Builds
from adapters.sandbox.docker import LABEL, DockerSandbox, open_client
from core.files import FileTree
from core.manifests import AppManifest, PlannedFile
from tests.needs import bubblewrap, docker_client, small_disk

OWNER = f"test-previews-{os.getpid()}"
APP = """
import os, pathlib
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
@app.get("/")
def page():
    kept = pathlib.Path(os.environ["DATA_DIR"], "kept")
    with kept.open("a") as file:
        file.write("+")
    return HTMLResponse("<h1>{version} " + kept.read_text() + "</h1>")
"""
MANIFEST = AppManifest(
    name="app", title="App", analysis="An app", kind="fastapi", start=["uvicorn", "main:app"],
    files=[PlannedFile(path="main.py", role="backend", description="All of it")],
)  # fmt: skip


def tree(version: str) -> FileTree:
    return FileTree({"main.py": APP.replace("{version}", version).encode()})


@pytest.fixture
async def previews(tmp_path: Path) -> AsyncIterator[Previews]:
    client = docker_client()
    homes = tmp_path / "previews"
    homes.mkdir()
    runtime = DockerRuntime(client, OWNER, homes, 1)
    await asyncio.to_thread(runtime.prepare)
    builds = Builds(tmp_path / "builds", DockerSandbox(client, tmp_path / "scratch", OWNER))
    host = Previews(homes, tmp_path / "shots", runtime, "", lambda slug: f"http://{slug}", None, builds=builds)
    yield host
    await host.close()
    assert client.containers.list(all=True, filters={"label": f"{LABEL}={OWNER}"}) == []
    client.close()


async def page(previews: Previews, slug: str) -> str:
    served = previews.serving(slug)
    assert served is not None
    assert served.instance is not None
    assert await served.instance.alive()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return (await client.get(f"http://{served.instance.upstream}/")).text


async def show(previews: Previews, slug: str, version: str) -> str:
    state = await previews.show("s", slug, version.ljust(12, "0"), tree(version), MANIFEST)
    return state.state if state.state == "ready" else f"{state.state}: {state.note}"


async def test_a_new_version_takes_over_without_a_gap_and_keeps_what_was_stored(previews: Previews) -> None:
    assert await show(previews, "app", "one") == "ready"
    seen, ended = [], asyncio.Event()

    async def watch() -> None:
        while not ended.is_set():
            seen.append(await page(previews, "app"))

    watching = asyncio.create_task(watch())
    for version in ("two", "three", "four"):
        assert await show(previews, "app", version) == "ready"
    ended.set()
    await watching
    assert len({text.split()[0] for text in seen}) > 1
    assert all(text.startswith("<h1>") for text in seen)
    assert (await page(previews, "app")).startswith("<h1>four ++++")


async def test_a_version_that_does_not_start_leaves_the_old_one_up(previews: Previews) -> None:
    assert await show(previews, "app", "one") == "ready"
    broken = FileTree({"main.py": b"raise ValueError('not like this')"})
    state = await previews.show("s", "app", "two000000000", broken, MANIFEST)
    assert state.state == "failed"
    assert "ValueError: not like this" in state.note
    silent = FileTree({"main.py": b"import sys; sys.exit(0)"})
    assert (await previews.show("s", "app", "three0000000", silent, MANIFEST)).state == "failed"
    assert "<h1>one" in await page(previews, "app")
    assert await show(previews, "app", "four") == "ready"


async def test_a_new_app_moves_into_a_warm_container(previews: Previews, tmp_path: Path) -> None:
    runtime = previews.runtime
    assert isinstance(runtime, DockerRuntime)
    runtime.fill()
    for _ in range(200):
        if runtime.warm:
            break
        await asyncio.sleep(0.1)
    (warm,) = tmp_path.glob("previews/.warm-*")
    inode = warm.stat().st_ino
    assert await show(previews, "new", "one") == "ready"
    assert (tmp_path / "previews" / "new").stat().st_ino == inode
    assert "<h1>one" in await page(previews, "new")


async def test_a_sleeping_preview_wakes_and_a_dead_one_is_made_again(previews: Previews) -> None:
    assert await show(previews, "app", "one") == "ready"
    await page(previews, "app")
    await previews.rest(sleep_seconds=0)
    client = open_client()
    (container,) = client.containers.list(filters={"label": f"{LABEL}={OWNER}", "status": "paused"})
    assert "<h1>one" in await page(previews, "app")
    container.remove(force=True)
    served = previews.serving("app")
    assert served is not None
    assert served.instance is not None
    assert not await served.instance.alive()
    assert await previews.wake("app", "one".ljust(12, "0"), tree("one"), MANIFEST) == ""
    assert "<h1>one +++" in await page(previews, "app")
    client.close()


async def test_previews_that_rest_long_are_stopped_and_a_past_commit_leaves_nothing(
    previews: Previews, tmp_path: Path
) -> None:
    for name in ("app", "app--0123456789"):
        assert await previews.wake(name, "one".ljust(12, "0"), tree("one"), MANIFEST) == ""
        # One is from the look whether it answers.
        assert "<h1>one ++<" in await page(previews, name)
    await previews.rest(sleep_seconds=0, idle_seconds=0)
    assert previews.serving("app") is None
    assert [one.name for one in (tmp_path / "previews").iterdir() if not one.name.startswith(".")] == ["app"]
    assert (tmp_path / "previews" / "app" / "data" / "kept").read_text() == "++"


async def test_what_somebody_is_connected_to_does_not_sleep(previews: Previews) -> None:
    assert await show(previews, "app", "one") == "ready"
    await in_use(previews)
    await previews.rest(sleep_seconds=0)
    client = open_client()
    assert client.containers.list(filters={"label": f"{LABEL}={OWNER}", "status": "paused"})
    client.close()
    await previews.rest(idle_seconds=0, sleep_seconds=0)
    assert previews.serving("app") is None


async def test_nor_is_it_stopped_in_bubblewrap(tmp_path: Path) -> None:
    async with in_bubblewrap(tmp_path) as host:
        assert await show(host, "app", "one") == "ready"
        await in_use(host)
        await host.rest(idle_seconds=0, sleep_seconds=0)
        assert host.serving("app") is None


async def in_use(previews: Previews) -> None:
    """Hold a connection to the app, as a WebSocket does, and see that it stays awake meanwhile."""
    served = previews.serving("app")
    assert served is not None
    assert served.instance is not None
    upstream = served.instance.upstream
    if upstream.startswith("unix/"):
        reader, writer = await asyncio.open_unix_connection(upstream.removeprefix("unix/"))
    else:
        reader, writer = await asyncio.open_connection(*upstream.split(":"))
    await previews.rest(sleep_seconds=0, idle_seconds=0)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert b"<h1>one" in await reader.read()
    writer.close()
    await writer.wait_closed()
    assert previews.serving("app") is served


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET], ids=["socket", "port"])
def test_who_waits_for_a_busy_app_is_connected_to_it_too(family: socket.AddressFamily) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tw-") as folder,
        socket.socket(family) as listener,
        socket.socket(family) as client,
    ):
        listener.bind(f"{folder}/app.sock" if family == socket.AF_UNIX else ("127.0.0.1", 0))
        listener.listen()
        bound = listener.getsockname()
        upstream = f"unix/{bound}" if family == socket.AF_UNIX else f"{bound[0]}:{bound[1]}"
        assert not connected(upstream)
        client.connect(bound)
        assert connected(upstream)
        client.close()
        listener.accept()[0].close()
        assert not connected(upstream)


@contextlib.asynccontextmanager
async def in_bubblewrap(tmp_path: Path, most: int = 12) -> AsyncIterator[Previews]:
    """Run previews in bubblewrap, where there is one."""
    box = await bubblewrap(tmp_path / "scratch")
    sockets, homes = Path(tempfile.mkdtemp(prefix="tw-")), tmp_path / "previews"
    homes.mkdir(exist_ok=True)
    host = Previews(homes, tmp_path / "shots", BubblewrapRuntime(box, sockets), "", lambda slug: slug, None, most=most)
    try:
        yield host
    finally:
        await host.close()
        shutil.rmtree(sockets)


async def test_a_crowd_waits_in_line_and_everybody_is_served(tmp_path: Path) -> None:
    async with in_bubblewrap(tmp_path, most=3) as host:
        names = [f"app{number}" for number in range(60)]
        woken = await asyncio.gather(*(host.wake(name, "one".ljust(12, "0"), tree("one"), MANIFEST) for name in names))
        assert woken == [""] * 60
        async with asyncio.timeout(60):
            while sum(host.version(name) != "" for name in names) != 3:
                await asyncio.sleep(0.05)
        # Who was stopped to make room comes back when asked for.
        assert await host.wake("app0", "one".ljust(12, "0"), tree("one"), MANIFEST) == ""
        assert host.serving("app0") is not None


async def test_a_preview_starts_whatever_descriptors_are_free(tmp_path: Path) -> None:
    """The shell before bubblewrap opens the filter as descriptor 9, whatever was there."""
    async with in_bubblewrap(tmp_path) as host:
        kept = os.dup(9) if os.path.exists("/proc/self/fd/9") else None
        if kept is not None:
            flags = os.get_inheritable(9)
            os.close(9)
        try:
            assert await show(host, "app", "one") == "ready"
        finally:
            await host.close()
            if kept is not None:
                os.dup2(kept, 9, inheritable=flags)
                os.close(kept)


async def test_a_full_disk_is_said_and_the_old_version_stays_up(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "256k") as homes:
        host = Previews(homes, tmp_path / "shots", None, "none here", lambda slug: f"http://{slug}", None)
        manifest = planned("static", [])
        pages = FileTree({"index.html": b"<h1>one</h1>"})
        assert (await host.show("s", "app", "1" * 12, pages, manifest)).state == "ready"
        full = await host.show("s", "app", "2" * 12, pages.changed({"big.bin": b"x" * 1_000_000}), manifest)
        assert (full.state, "No space left on device" in full.note) == ("failed", True)
        served = host.serving("app")
        assert served is not None
        assert (served.commit, (served.root / "index.html").read_bytes()) == ("1" * 12, b"<h1>one</h1>")
        small = await host.show("s", "app", "3" * 12, pages.changed({"index.html": b"<h1>three</h1>"}), manifest)
        assert small.state == "ready", small.note
        await host.close()


async def test_without_its_image_the_sandbox_says_how_to_make_it(
    previews: Previews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await show(previews, "app", "one") == "ready"
    runtime = previews.runtime
    assert isinstance(runtime, DockerRuntime)
    await runtime.close()
    monkeypatch.setattr("adapters.sandbox.docker.image_tag", lambda: "threadwright-sandbox:never-built")
    said = "The sandbox image is not built; run `make image`."
    assert await show(previews, "other", "one") == f"failed: {said}"
    client = open_client()
    assert await DockerSandbox(client, tmp_path / "scratch", OWNER).problem() == said
    client.close()
    # What runs goes on, also to its next version.
    assert await show(previews, "app", "two") == "ready"
    monkeypatch.undo()
    assert await show(previews, "other", "one") == "ready"


SERVER = """
import express from "express";
const app = express();
app.get("/", (request, response) => response.send("<h1>{version}</h1>"));
app.listen(process.env.PORT, process.env.HOST);
"""


def planned(kind: str, start: list[str]) -> AppManifest:
    return MANIFEST.model_copy(update={"kind": kind, "start": start})


async def test_a_node_app_runs_beside_its_older_version(previews: Previews) -> None:
    manifest = planned("node", ["server.mjs"])
    for version in ("one", "two"):
        files = FileTree({"server.mjs": SERVER.replace("{version}", version).encode()})
        state = await previews.show("s", "node", version.ljust(12, "0"), files, manifest)
        assert (state.state, state.note) == ("ready", "")
        assert await page(previews, "node") == f"<h1>{version}</h1>"
    broken = FileTree({"server.mjs": b"throw new Error('no server today');\n"})
    state = await previews.show("s", "node", "three".ljust(12, "0"), broken, manifest)
    assert (state.state, "no server today" in state.note) == ("failed", True)
    assert await page(previews, "node") == "<h1>two</h1>"
    client = open_client()
    containers = client.containers.list(filters={"label": f"{LABEL}={OWNER}"})
    async with asyncio.timeout(20):
        while sum("server.mjs" in line[-1] for one in containers for line in one.top()["Processes"]) != 1:
            await asyncio.sleep(0.2)
    client.close()


SUPABASE = {
    "frontend/index.html": b'<!doctype html><title>Notes</title><body>Notes<div id="root"></div><script type="module" src="/main.tsx"></script></body>',
    "frontend/main.tsx": b"""import { createClient } from "@supabase/supabase-js";
import { createRoot } from "react-dom/client";
const url = import.meta.env.VITE_SUPABASE_URL;
const client = url ? createClient(url, import.meta.env.VITE_SUPABASE_ANON_KEY) : null;
createRoot(document.getElementById("root")!).render(<p>{client ? "Connected" : "Not connected"}</p>);
""",
    "frontend/vite.config.ts": b"""import { symlinkSync, writeFileSync } from "node:fs";
export default { plugins: [{ name: "trap", closeBundle() { symlinkSync("/etc", "/data/etc"); symlinkSync("/etc/passwd", "/data/a.txt"); writeFileSync("/data/ran.txt", ""); } }] };
""",
}


async def test_an_app_on_supabase_is_served_as_built_files_and_nothing_else(previews: Previews) -> None:
    state = await previews.show("s", "notes", "one".ljust(12, "0"), FileTree(SUPABASE), planned("react_supabase", []))
    assert (state.state, state.note, state.runtime, state.title) == ("ready", "", "static", "Notes")
    served = previews.serving("notes")
    assert served is not None
    name, folder = served.header
    assert name == "X-Built"
    files = sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*"))
    assert [path for path in files if not path.startswith("assets")] == ["index.html", "ran.txt"]
    script = next(Path(folder).glob("assets/*.js")).read_text()
    assert "Not connected" in script


async def test_a_build_that_writes_without_end_is_ended(previews: Previews, tmp_path: Path) -> None:
    trap = b"""import { writeFileSync } from "node:fs";
export default { plugins: [{ name: "trap", closeBundle() { for (let n = 0; ; n++) writeFileSync(`/data/${n}`, "x".repeat(1e8)); } }] };
"""
    state = await previews.show(
        "s", "notes", "one", FileTree(SUPABASE | {"frontend/vite.config.ts": trap}), planned("react_supabase", [])
    )
    assert (state.state, state.note) == ("failed", "what its builder prints or writes has no end")
    assert list((tmp_path / "builds").iterdir()) == []


WRITING = """
import os, pathlib
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
app = FastAPI()
PAGE = "<!doctype html><html><head lang='en'><title>T</title></head><body>Page</body></html>"
pathlib.Path("/tmp/page.html").write_text(PAGE)
@app.get("/", response_class=HTMLResponse)
def page():
    return PAGE
@app.get("/file")
def file():
    return FileResponse("/tmp/page.html")
@app.get("/stream")
def stream():
    return StreamingResponse(iter([PAGE[:40], PAGE[40:]]), media_type="text/html")
@app.get("/headless", response_class=HTMLResponse)
def headless():
    return "<p>A part</p>"
@app.get("/packed")
def packed():
    return Response(b"<head>", media_type="text/html", headers={"content-encoding": "x-own"})
@app.get("/text", response_class=PlainTextResponse)
def text():
    return PAGE
@app.get("/kept")
def kept():
    return FileResponse("/tmp/page.html", media_type="text/plain")
@app.get("/fill")
def fill():
    pathlib.Path(os.environ["DATA_DIR"], "big").write_bytes(os.urandom(3_000_000))
    return {}
"""
NODE_WRITING = """
import { createServer } from "node:http";
import { createReadStream, writeFileSync } from "node:fs";
const page = "<!doctype html><html><head lang='en'><title>T</title></head><body>Page</body></html>";
writeFileSync("/tmp/page.html", page);
const kept = { etag: '"1"', "last-modified": "Mon, 23 Nov 2026 00:00:00 GMT" };
const html = { ...kept, "content-type": "text/html", "Content-Length": page.length };
const ways = {
  "/": (response) => response.writeHead(200, html).end(page),
  "/file": (response) => { response.writeHead(200, "OK", html); createReadStream("/tmp/page.html").pipe(response); },
  "/stream": (response) => { response.setHeader("Content-Type", "text/html; charset=utf-8"); response.write(page.slice(0, 40)); response.end(page.slice(40)); },
  "/headless": (response) => { response.setHeader("Content-Type", "text/html"); response.end("<p>A part</p>"); },
  "/packed": (response) => response.writeHead(200, { "content-type": "text/html", "content-encoding": "x-own" }).end(Buffer.from("<head>")),
  "/kept": (response) => response.writeHead(200, { ...kept, "content-type": "text/plain" }).end(page),
  "/text": (response) => response.writeHead(200, ["content-type", "text/plain"]).end(page),
};
createServer((request, response) => ways[request.url](response)).listen(process.env.PORT, process.env.HOST);
"""
TAG = '<script src="/__threadwright/live.js" data-have="one000000000"></script>\n'


@pytest.mark.parametrize(("kind", "start", "path", "code"), [("fastapi", ["uvicorn", "main:app"], "main.py", WRITING),
                                                            ("node", ["main.mjs"], "main.mjs", NODE_WRITING)])  # fmt: skip
async def test_pages_that_a_server_writes_follow_new_versions(
    previews: Previews, kind: str, start: list[str], path: str, code: str
) -> None:
    files, manifest = FileTree({path: code.encode()}), planned(kind, start)
    await shows_tags(previews, files, manifest)


async def test_they_do_so_in_bubblewrap_too(tmp_path: Path) -> None:
    async with in_bubblewrap(tmp_path) as host:
        await shows_tags(host, FileTree({"main.py": WRITING.encode()}), MANIFEST)


async def shows_tags(previews: Previews, files: FileTree, manifest: AppManifest) -> None:
    commit = "one".ljust(12, "0")
    state = await previews.show("s", "app", commit, files, manifest)
    assert (state.state, state.note) == ("ready", "")
    for name in ("/", "/file", "/stream", "/headless", "/packed", "/text", "/kept"):
        body, headers = await got(previews, "app", name)
        # What is marked anew with each version must not be taken for the same page.
        assert ("etag" in headers) == (name == "/kept"), name
        assert body.count(TAG) == (name in ("/", "/file", "/stream")), name
        if TAG in body:
            assert body == f"<!doctype html><html><head lang='en'>{TAG}<title>T</title></head><body>Page</body></html>"
    # A commit of the past stays as it was.
    assert await previews.wake("app--one0000000", commit, files, manifest) == ""
    assert TAG not in (await got(previews, "app--one0000000", "/"))[0]


async def got(previews: Previews, slug: str, path: str) -> tuple[str, httpx.Headers]:
    served = previews.serving(slug)
    assert served is not None
    assert served.instance is not None
    upstream = served.instance.upstream
    unix = upstream.removeprefix("unix/") if upstream.startswith("unix/") else None
    base = "http://app" if unix else f"http://{upstream}"
    transport = httpx.AsyncHTTPTransport(uds=unix)
    # Raw, because one answer says that it is packed in a way that nobody knows.
    async with (
        httpx.AsyncClient(transport=transport, base_url=base, timeout=10) as client,
        client.stream("GET", path) as answer,
    ):
        return b"".join([part async for part in answer.aiter_raw()]).decode(), answer.headers


HIDING = """
import os
from fastapi import FastAPI
app, kept = FastAPI(), []
@app.get("/")
def page() -> dict[str, str]:
    return {}
@app.get("/hide")
def hide() -> dict[str, str]:
    path = os.path.join(os.environ["DATA_DIR"], "big")
    file = open(path, "wb")
    file.write(os.urandom(3_000_000))
    file.flush()
    os.unlink(path)
    kept.append(file)
    return {}
"""


async def test_what_an_app_has_removed_and_keeps_open_counts(previews: Previews) -> None:
    await check_what_is_hidden(previews)


async def test_what_an_app_has_removed_and_keeps_open_counts_in_bubblewrap(tmp_path: Path) -> None:
    box = await bubblewrap(tmp_path / "scratch")
    (tmp_path / "previews").mkdir()
    with tempfile.TemporaryDirectory(prefix="tw-") as sockets:
        runtime = BubblewrapRuntime(box, Path(sockets))
        host = Previews(tmp_path / "previews", tmp_path / "shots", runtime, "", lambda slug: slug, None)
        try:
            await check_what_is_hidden(host)
        finally:
            await host.close()


async def test_the_rubbish_of_one_app_stops_no_other_app_and_no_shutdown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = await bubblewrap(tmp_path / "scratch")
    folder = tmp_path / "previews"
    folder.mkdir()
    with tempfile.TemporaryDirectory(prefix="tw-") as sockets:
        host = Previews(folder, tmp_path / "shots", BubblewrapRuntime(box, Path(sockets)), "", lambda slug: slug, None)
        files, commit = FileTree({"main.py": WRITING.encode()}), "one".ljust(12, "0")
        try:
            for name in ("bad", "good"):
                assert (await host.show("s", name, commit, files, MANIFEST)).state == "ready"
            # What stands in the place of its folder is no folder any more.
            shutil.rmtree(folder / "bad")
            (folder / "bad").symlink_to(folder / "bad")
            host._weighed = -1e9
            await host.weigh()
            await host.rest(0, 0)
            assert host.version("good") == ""
            assert await host.wake("good", commit, files, MANIFEST) == ""
        finally:
            await host.close()
        # A start looks at all that is there.
        (folder / "x--past--y").symlink_to(folder / "x--past--y")
        again = Previews(folder, tmp_path / "shots", BubblewrapRuntime(box, Path(sockets)), "", lambda slug: slug, None)
        try:
            assert (await again.show("s", "good", commit, files, MANIFEST)).state == "ready"
        finally:
            await again.close()
    assert {one.preview for one in caplog.records if one.message == "preview_step_failed"} == {"bad", "x--past--y"}  # type: ignore[attr-defined]


async def check_what_is_hidden(previews: Previews) -> None:
    """No walk through the folder finds it."""
    previews._data_bytes = 2_000_000
    files, commit = FileTree({"main.py": HIDING.encode()}), "one".ljust(12, "0")
    assert (await previews.show("s", "app", commit, files, MANIFEST)).state == "ready"
    previews._weighed = 0.0
    await previews.weigh()
    assert previews.version("app") == commit
    assert (await got(previews, "app", "/hide"))[0] == "{}"
    previews._weighed = 0.0
    await previews.weigh()
    assert previews.version("app") == ""
    assert ["stores more than" in one.text for _, _, found in await previews.troubles() for one in found] == [True]
    # With the process the files are gone.
    assert await previews.wake("app", commit, files, MANIFEST) == ""


async def test_an_app_that_stores_too_much_is_stopped_and_begins_again_when_its_data_are_removed(
    tmp_path: Path,
) -> None:
    box = await bubblewrap(tmp_path / "scratch")
    sockets = Path(tempfile.mkdtemp(prefix="tw-"))
    runtime = BubblewrapRuntime(box, sockets)
    (tmp_path / "previews").mkdir()
    host = Previews(
        tmp_path / "previews", tmp_path / "shots", runtime, "", lambda slug: slug, None, data_bytes=2 * 1024 * 1024
    )
    files, commit = FileTree({"main.py": WRITING.encode()}), "one".ljust(12, "0")
    said = "the app stores more than 2 MB, so it was stopped; “reset data” in its thread removes what it stored"
    try:
        for name in ("app", "other"):
            assert (await host.show("s", name, commit, files, MANIFEST)).state == "ready"
        await host.weigh()
        assert (await got(host, "app", "/fill"))[0] == "{}"
        # It is looked closely once a minute only, unless the disk fills up.
        await host.weigh()
        assert host.version("app") == commit
        host._weighed = 0.0
        await host.weigh()
        assert (host.version("app"), host.version("other")) == ("", commit)
        assert [(slug, one.text) for slug, _, found in await host.troubles() for one in found] == [("app", said)]
        assert await host.wake("app", commit, files, MANIFEST) == said
        shown = await host.show("s", "app", "two".ljust(12, "0"), files, MANIFEST)
        assert (shown.state, shown.note) == ("failed", said)
        await host.reset("app")
        assert await host.troubles() == []
        assert await host.wake("app", commit, files, MANIFEST) == ""
        assert not (tmp_path / "previews" / "app" / "data" / "big").exists()
    finally:
        await host.close()
        shutil.rmtree(sockets)
