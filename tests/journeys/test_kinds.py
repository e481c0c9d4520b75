"""Each kind of app in a real browser: opened, used, changed while it is open, and back after sleep."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot.app import App
from bot.settings import Settings
from bot.web.chat import thread_key
from bot.wiring import opened
from core.files import FileTree
from core.history import Draft
from core.manifests import MANIFEST_PATH, AppManifest, PlannedFile
from core.sessions import Session
from tests.conftest import ANN
from tests.needs import docker_client
from tests.servers.process import free_port, seeded

PAGE = """<!doctype html><html lang="en"><head><title>Counter</title></head><body><h1>{title}</h1>
<button onclick="this.textContent = Number(this.textContent) + 1">0</button></body></html>
"""
FASTAPI = """
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
@app.get("/", response_class=HTMLResponse)
def page() -> str:
    return {page!r}
"""
NODE = """import {{ createServer }} from "node:http";
const page = {page!r};
createServer((request, response) => response.setHeader("content-type", "text/html").end(page)).listen(process.env.PORT, process.env.HOST);
"""
REACT_SERVER = """
import os, pathlib
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
app = FastAPI()
web = pathlib.Path(os.environ["WEB_DIST"])
@app.get("/api/word")
def word() -> dict[str, str]:
    return {"word": "first word"}
@app.get("/report", response_class=HTMLResponse)
def report() -> str:
    return "<h1>Written by the server</h1>"
app.mount("/assets", StaticFiles(directory=web / "assets"))
@app.get("/{rest:path}")
def page(rest: str) -> FileResponse:
    return FileResponse(web / "index.html")
"""
REACT = {
    "frontend/index.html": '<!doctype html><html lang="en"><head><title>Counter</title></head><body>'
    '<div id="root"></div><script type="module" src="/src/main.jsx"></script></body></html>',
    "frontend/src/main.jsx": 'import { createRoot } from "react-dom/client";\nimport { App } from "./App.jsx";\n'
    'createRoot(document.getElementById("root")).render(<App />);\n',
    "frontend/src/App.jsx": """import { useEffect, useState } from "react";
import { Title } from "./Title.jsx";
export function App() {
  const [count, setCount] = useState(0);
  const [word, setWord] = useState("");
  useEffect(() => { fetch("/api/word").then((answer) => answer.json()).then((found) => setWord(found.word)).catch(() => {}); }, []);
  return <main><Title /><button onClick={() => setCount(count + 1)}>{count}</button><p>{word}</p></main>;
}
""",
    "frontend/src/Title.jsx": "export function Title() { return <h1>{title}</h1>; }\n",
}
ON_A_PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36"


def files(kind: str, title: str) -> dict[str, str]:
    page = PAGE.replace("{title}", title)
    react = {path: text.replace("<h1>{title}</h1>", f"<h1>{title}</h1>") for path, text in REACT.items()}
    return {
        "static": {"index.html": page},
        "fastapi": {"main.py": FASTAPI.format(page=page)},
        "node": {"server.mjs": NODE.format(page=page)},
        "fastapi_react": {"main.py": REACT_SERVER, **react},
        "react_supabase": react,
    }[kind]


def described(kind: str) -> AppManifest:
    start = {"fastapi": ["uvicorn", "main:app"], "fastapi_react": ["uvicorn", "main:app"], "node": ["server.mjs"]}
    planned = [PlannedFile(path="x", role="backend", description="All of it")]
    return AppManifest.model_validate(
        {
            "name": "app",
            "title": "App",
            "analysis": "An app",
            "kind": kind,
            "start": start.get(kind, []),
            "files": planned,
        }
    )


class Thread:
    """A thread whose app the test writes itself."""

    def __init__(self, app: App, session: Session) -> None:
        self.app, self.session = app, session
        self.tree = FileTree()

    async def show(self, changes: dict[str, str]) -> None:
        """Commit changed files, and bring the preview to them."""
        async with self.app.database.write() as tx:
            head = await self.app.repository.head(self.session.id)
            body: dict[str, bytes | None] = {path: text.encode() for path, text in changes.items()}
            commit = (await self.app.repository.commit(tx, Draft(self.session.id, head, body, "Next", "t", ANN))).commit
        self.tree = await self.app.repository.tree(self.session.id, commit)
        manifest = AppManifest.model_validate_json(self.tree[MANIFEST_PATH])
        state = await self.app.previews.show(self.session.id, self.session.slug, commit, self.tree, manifest)
        assert (state.state, state.note) == ("ready", ""), state.note

    async def begin(self, kind: str) -> None:
        await self.show({MANIFEST_PATH: described(kind).to_bytes().decode(), **files(kind, "One")})

    async def warm(self) -> None:
        """Wait until Vite is there."""
        async with asyncio.timeout(30):
            while (hot := self.app.previews.hot(self.session.slug)) is None or hot.instance is None:
                await asyncio.sleep(0.05)

    @property
    def link(self) -> str:
        return self.app.preview_link(self.session.slug)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    docker_client().close()
    settings = Settings(
        data_dir=seeded(tmp_path / "data"), sandbox="docker", browser="none", preview_port=free_port(), preview_pool=0
    )
    async with opened(settings) as app:
        yield app


@pytest.fixture
async def thread(app: App) -> Thread:
    async with app.database.write() as tx:
        return Thread(app, await app.sessions.open(tx, thread_key("t"), "A counter"))


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


async def desk(browser: Browser) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    return context


async def same_page(page: Page) -> bool:
    """Say whether the page has not been loaded again since `opened_page`."""
    return bool(await page.evaluate("window.sinceTheBeginning === true"))


async def opened_page(context: BrowserContext, link: str) -> Page:
    page = await context.new_page()
    await page.goto(link)
    await page.evaluate("window.sinceTheBeginning = true")
    return page


async def fetched(page: Page, path: str) -> str:
    """Return what a script of the page gets."""
    return str(await page.evaluate("async (path) => (await fetch(path)).text()", path))


@pytest.mark.parametrize("kind", ["static", "fastapi", "node", "fastapi_react", "react_supabase"])
async def test_a_person_opens_uses_and_leaves_an_app_and_comes_back(
    thread: Thread, app: App, browser: Browser, kind: str
) -> None:
    await thread.begin(kind)
    react = kind in ("fastapi_react", "react_supabase")
    if react:
        await thread.warm()
    page = await opened_page(await desk(browser), thread.link)
    await expect(page.get_by_role("heading", name="One")).to_be_visible()
    for _ in range(3):
        await page.get_by_role("button").click()
    await expect(page.get_by_role("button")).to_have_text("3")

    two = files(kind, "Two")
    await thread.show({path: two[path] for path in two if files(kind, "One")[path] != two[path]})
    await expect(page.get_by_role("heading", name="Two")).to_be_visible(timeout=20_000)
    # What was counted stays where the change came in without a reload.
    assert await same_page(page) is react
    await expect(page.get_by_role("button")).to_have_text("3" if react else "0")

    await app.previews.rest(sleep_seconds=0)
    await page.reload()
    await expect(page.get_by_role("heading", name="Two")).to_be_visible()
    if kind != "static":
        async with asyncio.timeout(20):
            # A request of the page may still be under way.
            while app.previews.version(thread.session.slug):
                await app.previews.rest(sleep_seconds=0, idle_seconds=0)
                await asyncio.sleep(0.1)
    await page.reload()
    await expect(page.get_by_role("heading", name="Two")).to_be_visible()


async def test_a_change_of_the_server_loads_open_pages_again_and_one_of_both_comes_at_once(
    thread: Thread, browser: Browser
) -> None:
    await thread.begin("fastapi_react")
    await thread.warm()
    page = await opened_page(await desk(browser), thread.link)
    await expect(page.get_by_text("first word")).to_be_visible()
    await thread.show({"main.py": REACT_SERVER.replace("first word", "second word")})
    await expect(page.get_by_text("second word")).to_be_visible(timeout=20_000)
    assert not await same_page(page)
    both = {
        "main.py": REACT_SERVER.replace("first word", "third word"),
        "frontend/src/Title.jsx": files("fastapi_react", "Both")["frontend/src/Title.jsx"],
    }
    await thread.show(both)
    await expect(page.get_by_role("heading", name="Both")).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("third word")).to_be_visible(timeout=20_000)


async def test_each_address_is_answered_by_who_has_it(thread: Thread, app: App, browser: Browser) -> None:
    await thread.begin("fastapi_react")
    await thread.warm()
    context = await desk(browser)
    page = await opened_page(context, thread.link)
    base = page.url.rstrip("/")
    assert await page.locator('script[src="/@vite/client"]').count() == 1
    for path in ("/orders/3", "/orders/3?sort=name"):
        await page.goto(base + path)
        await expect(page.get_by_role("heading", name="One")).to_be_visible()
        assert await page.locator('script[src="/@vite/client"]').count() == 1
    await page.goto(f"{base}/report")
    await expect(page.get_by_role("heading", name="Written by the server")).to_be_visible()
    assert await fetched(page, "/api/word") == '{"word":"first word"}'
    for path in ("/@fs/etc/passwd", "/@fs/data/app.db", "/@fs/app/live/main.py", "/src/../../main.py", "/@fs/opt/sandbox/forks.py",
                 "/@fs/app/live/frontend/../../../etc/passwd?raw", "/@fs/etc/passwd?import&raw", "/@fs/etc/passwd?url"):  # fmt: skip
        said = await fetched(page, path)
        assert "root:" not in said, path
        assert "FastAPI" not in said, path

    # A phone gets what was built; so does who was only shown a public link.
    phone = await browser.new_context(user_agent=ON_A_PHONE, is_mobile=True, viewport={"width": 390, "height": 844})
    small = await phone.new_page()
    got = []
    small.on("response", lambda response: got.append(response.url))
    await small.goto(thread.link)
    await expect(small.get_by_role("heading", name="One")).to_be_visible()
    assert not [url for url in got if "/@vite" in url or "/src/" in url]
    assert [url for url in got if "/assets/" in url]
    # And it follows new versions by loading itself again.
    await thread.show({"frontend/src/Title.jsx": files("fastapi_react", "Two")["frontend/src/Title.jsx"]})
    await expect(small.get_by_role("heading", name="Two")).to_be_visible(timeout=20_000)


async def test_new_settings_of_vite_and_a_vite_that_died(thread: Thread, app: App, browser: Browser) -> None:
    await thread.begin("fastapi_react")
    await thread.warm()
    page = await opened_page(await desk(browser), thread.link)
    await expect(page.get_by_role("heading", name="One")).to_be_visible()
    config = 'export default { define: { __TITLE__: JSON.stringify("Defined") } };\n'
    title = "export function Title() { return <h1>{__TITLE__}</h1>; }\n"
    await thread.show({"frontend/vite.config.js": config, "frontend/src/Title.jsx": title})
    await expect(page.get_by_role("heading", name="Defined")).to_be_visible(timeout=30_000)

    await thread.warm()
    hot = app.previews.hot(thread.session.slug)
    assert hot is not None
    assert hot.instance is not None
    await hot.instance.stop()
    async with asyncio.timeout(10):
        while await hot.instance.alive():
            await asyncio.sleep(0.05)
    await page.reload()
    # What was built stands in.
    await expect(page.get_by_role("heading", name="Defined")).to_be_visible()
    assert await page.locator('script[src="/@vite/client"]').count() == 0
    await thread.show({"frontend/src/Title.jsx": title.replace("{__TITLE__}", "{__TITLE__} again")})
    await expect(page.get_by_role("heading", name="Defined again")).to_be_visible(timeout=30_000)


async def test_what_a_page_throws_in_a_browser_is_told_once(thread: Thread, app: App, browser: Browser) -> None:
    broken = PAGE.replace("this.textContent =", "missing.value =").replace("{title}", "One")
    await thread.show({MANIFEST_PATH: described("static").to_bytes().decode(), "index.html": broken})
    for _ in range(2):
        page = await opened_page(await desk(browser), thread.link)
        for _ in range(2):
            await page.get_by_role("button").click()
    stranger = await (await desk(browser)).new_page()
    await stranger.goto(thread.link.partition("?")[0] + "__threadwright/error?text=Error:%20forged")
    async with asyncio.timeout(10):
        while not (told := await app.previews.troubles()):
            await asyncio.sleep(0.05)
    ((slug, _, (one,)),) = told
    assert slug == thread.session.slug
    assert one.kind == "ReferenceError: missing is not defined"
    assert one.text.startswith(
        "In the browser: ReferenceError: missing is not defined\n    at HTMLButtonElement.onclick (/:"
    )
    assert "tw_preview" not in one.text
