"""The preview gate: only signed links open a preview, and only that one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.preview.host import Previews
from adapters.store.database import Database
from adapters.store.sessions import Sessions
from adapters.vfs.git import GitRepository
from bot.gate.previews import COOKIE, Gate, Signer
from core.findings import CheckResult
from core.history import Draft
from core.messages import TurnResult
from core.receipts import receipt
from core.sessions import Session, ThreadKey
from tests.conftest import ANN

ZONE = "preview.localhost"


@pytest.fixture
def signer() -> Signer:
    return Signer(b"s" * 32, 3600)


@pytest.fixture
async def session(lite: Database, repository: GitRepository) -> Session:
    async with lite.write() as tx:
        session = await Sessions(lite).open(tx, ThreadKey("local", "w", "c", "t"), "A shop")
        await repository.commit(tx, Draft(session.id, None, {"index.html": b"<h1>Shop</h1>"}, "First", "t1", ANN))
    return session


@pytest.fixture
def previews(tmp_path: Path) -> Previews:
    return Previews(tmp_path / "previews", tmp_path / "shots", None, "none here", lambda slug: slug, None)


@pytest.fixture
async def gate(
    lite: Database, repository: GitRepository, signer: Signer, previews: Previews
) -> AsyncIterator[httpx.AsyncClient]:
    asgi = Gate(Sessions(lite), repository, previews, signer, ZONE).asgi
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://gate") as client:
        yield client


async def ask(gate: httpx.AsyncClient, slug: str, uri: str = "/", cookie: str = "", **headers: str) -> httpx.Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {
        "x-forwarded-host": f"{slug}.{ZONE}:8001",
        "x-forwarded-uri": uri,
        "cookie": cookie,
        "x-forwarded-method": "GET",
    }
    return await gate.get("/gate", headers=base | more)


async def test_without_a_link_nobody_passes(gate: httpx.AsyncClient, session: Session) -> None:
    answer = await ask(gate, session.slug)
    assert (answer.status_code, "private" in answer.text) == (401, True)


async def test_a_signed_link_becomes_a_cookie_and_opens_the_app(
    gate: httpx.AsyncClient, session: Session, signer: Signer
) -> None:
    token = signer.token(session.slug)
    entered = await ask(gate, session.slug, f"/a?x=1&{COOKIE}={token}&y=2")
    assert (entered.status_code, entered.headers["location"]) == (302, "/a?x=1&y=2")
    assert "HttpOnly" in entered.headers["set-cookie"]
    passed = await ask(gate, session.slug, cookie=f'odd="a b"; {COOKIE}=wrong; {COOKIE}={token}; other=1')
    assert passed.status_code == 200
    assert Path(passed.headers["x-root"], "index.html").read_text() == "<h1>Shop</h1>"


async def test_no_script_stands_between_a_link_and_the_gate(
    gate: httpx.AsyncClient, session: Session, signer: Signer
) -> None:
    cookie = f"{COOKIE}={signer.token(session.slug)}"
    assert (await ask(gate, session.slug, "/sw.js", cookie)).status_code == 200
    assert (await ask(gate, session.slug, "/sw.js", cookie, service_worker="script")).status_code == 403


async def test_a_page_of_another_preview_reaches_nothing_also_without_the_browsers_word(
    gate: httpx.AsyncClient, session: Session, signer: Signer
) -> None:
    cookie, here = f"{COOKIE}={signer.token(session.slug)}", f"http://{session.slug}.{ZONE}:8001"
    for origin in (f"http://other.{ZONE}:8001", "null", "https://evil.example", here + "1"):
        assert (await ask(gate, session.slug, "/ws", cookie, origin=origin)).status_code == 403
    assert (await ask(gate, session.slug, "/ws", cookie, origin=here)).status_code == 200


async def test_a_link_never_leads_to_another_site(gate: httpx.AsyncClient, session: Session, signer: Signer) -> None:
    for uri in ("//evil.example/", "/\\evil.example/", "///evil.example"):
        entered = await ask(gate, session.slug, f"{uri}?{COOKIE}={signer.token(session.slug)}")
        assert entered.headers["location"] == "/evil.example" + ("/" if uri.endswith("/") else "")


@pytest.mark.parametrize("how", ["other slug", "expired", "forged", "empty", "garbage"])
async def test_other_tokens_open_nothing(gate: httpx.AsyncClient, session: Session, signer: Signer, how: str) -> None:
    token = {
        "other slug": signer.token("another"), "expired": Signer(b"s" * 32, -1).token(session.slug),
        "forged": Signer(b"x" * 32, 3600).token(session.slug), "empty": "", "garbage": "9999999999.%.x",
    }[how]  # fmt: skip
    assert (await ask(gate, session.slug, cookie=f"{COOKIE}={token}")).status_code == 401


async def test_every_commit_has_a_preview_that_the_threads_link_opens(
    gate: httpx.AsyncClient, session: Session, signer: Signer, lite: Database, repository: GitRepository
) -> None:
    first = await repository.head(session.id)
    assert first is not None
    async with lite.write() as tx:
        await repository.commit(tx, Draft(session.id, first, {"index.html": b"<h1>Two</h1>"}, "Second", "t2", ANN))
    cookie = f"{COOKIE}={signer.token(session.slug)}"

    async def page(name: str) -> str:
        passed = await ask(gate, name, cookie=cookie)
        assert passed.status_code == 200, passed.text
        return Path(passed.headers["x-root"], "index.html").read_text()

    assert await page(session.slug) == "<h1>Two</h1>"
    assert await page(f"{session.slug}--{first[:10]}") == "<h1>Shop</h1>"
    assert await page(session.slug) == "<h1>Two</h1>"
    assert (await ask(gate, f"{session.slug}--{first[:10]}")).status_code == 401
    assert (await ask(gate, f"{session.slug}--0000000000", cookie=cookie)).status_code == 503
    # Each commit has one name: others would make homes without end.
    for name in ("", "../etc", "HEAD", "main", "main~0~0", first[:9], first[:11], first, first[:10].upper() + "G"):
        assert (await ask(gate, f"{session.slug}--{name}", cookie=cookie)).status_code == 404, name


@pytest.mark.parametrize(
    "path", ["/.env.local", "/%2eenv", "/%252eenv", "/a/.git/config", "/a/..%2f.env", "/x/../.env", "/.well-known/../.env", "/a\\.env"]
)  # fmt: skip
async def test_files_whose_names_begin_with_a_dot_are_not_served(
    gate: httpx.AsyncClient, session: Session, signer: Signer, path: str
) -> None:
    cookie = f"{COOKIE}={signer.token(session.slug)}"
    answer = await ask(gate, session.slug, path, cookie=cookie)
    assert (answer.status_code, "x-root" in answer.headers) == (404, False)
    for fine in ("/.well-known/acme", "/a.b", "/node_modules/.vite/x.js", "/a...b"):
        assert (await ask(gate, session.slug, fine, cookie=cookie)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "passed"),
    [("a=1; {}; b=2", "a=1; b=2"), ("a=1;{}", "a=1"), ("a=1,\t{}, b=2", "a=1; b=2"), ("{}", ""), ("TW_PREVIEW=x; {}", "")],
)  # fmt: skip
async def test_the_app_gets_every_cookie_but_ours(
    gate: httpx.AsyncClient, session: Session, signer: Signer, sent: str, passed: str
) -> None:
    answer = await ask(gate, session.slug, cookie=sent.format(f"{COOKIE}={signer.token(session.slug)}"))
    assert (answer.status_code, answer.headers["x-cookie"]) == (200, passed)


async def test_a_setting_revives_no_link_and_shortens_old_ones(
    gate: httpx.AsyncClient, session: Session, lite: Database
) -> None:
    long, short = Signer(b"s" * 32, 1_000_000), Signer(b"s" * 32, 60)
    token = long.token(session.slug)
    issued = int(token.partition(".")[0])
    assert long.good(session.slug, token, issued)
    # Taken back: whatever the setting is by now.
    assert not long.good(session.slug, token, issued + 0.5)
    assert not short.good(session.slug, token, issued + 0.5)
    assert not Signer(b"s" * 32, 9_000_000).good(session.slug, token, issued + 0.5)
    old = f"{issued - 100}.{issued + 999_900}"
    aged = f"{old}.{long._mac(session.slug, old)}"
    assert long.good(session.slug, aged)
    assert not short.good(session.slug, aged)
    for odd in (f"{'9' * 5_000}.{issued}", f"{issued}", "", f"{issued}.²", f"-1.{issued + 9}"):
        assert not long.good(session.slug, f"{odd}.{long._mac(session.slug, odd)}")


async def test_a_link_that_is_taken_back_ends_what_is_open(
    lite: Database, repository: GitRepository, signer: Signer, session: Session, previews: Previews
) -> None:
    gate, sessions = Gate(Sessions(lite), repository, previews, signer, ZONE), Sessions(lite)
    commit = await repository.head(session.id)
    assert commit is not None
    tree = await repository.tree(session.id, commit)
    names = (session.slug, f"{session.slug}--{commit[:10]}")

    async def served(change: Any) -> list[str]:
        for name in names:
            await previews.wake(name, commit, tree, None)
        await gate.narrow()
        async with lite.write() as tx:
            await change(tx)
        await gate.narrow()
        return previews.names()

    assert await served(lambda tx: sessions.change(tx, session, sharing="public")) == list(names)
    assert await served(lambda tx: sessions.change(tx, session, sharing="link")) == []
    assert await served(lambda tx: sessions.revoke_links(tx, session)) == []


async def test_links_can_be_taken_back_and_a_preview_be_public(
    gate: httpx.AsyncClient, session: Session, signer: Signer, lite: Database
) -> None:
    sessions, old = Sessions(lite), f"{COOKIE}={signer.token(session.slug)}"
    async with lite.write() as tx:
        await sessions.change(tx, session, sharing="public")
    assert (await ask(gate, session.slug)).status_code == 200
    assert (await ask(gate, session.slug, sec_fetch_site="cross-site", sec_fetch_mode="cors")).status_code == 403
    async with lite.write() as tx:
        await sessions.revoke_links(tx, session)
    assert (await ask(gate, session.slug)).status_code == 401
    assert (await ask(gate, session.slug, cookie=old)).status_code == 401
    assert (await ask(gate, session.slug, f"/?{old}")).status_code == 401
    await asyncio.sleep(1.1)
    assert (await ask(gate, session.slug, cookie=f"{COOKIE}={signer.token(session.slug)}")).status_code == 200


async def test_the_whole_receipt_opens_with_the_link_and_leads_to_both_versions(
    gate: httpx.AsyncClient, session: Session, signer: Signer, lite: Database, repository: GitRepository
) -> None:
    first = await repository.head(session.id)
    assert first is not None
    async with lite.write() as tx:
        files: dict[str, bytes | None] = {"index.html": b"<h1>Two</h1>"}
        second = (await repository.commit(tx, Draft(session.id, first, files, "<b>Second", "t2", ANN))).commit
        await Sessions(lite).change(tx, session, sharing="public")
        checks = (CheckResult("tests", "passed", 1.5, passed=("t::a",), proofs=("t::a",)),)
        result = TurnResult("t2", "done", "", checks=checks, model="<m>")
        await repository.note(tx, session.id, second, receipt(result))
    where = f"/__threadwright/receipt/{second[:10]}"
    assert (await ask(gate, session.slug, where)).status_code == 401
    token = signer.token(session.slug)
    cookie = f"{COOKIE}={token}"
    page = await ask(gate, session.slug, where, cookie=cookie)
    assert page.status_code == 200
    for words in ("&lt;b&gt;Second", "&lt;m&gt;", "t::a", "failed before this change", f"../commit/{first[:10]}"):
        assert words in page.text
    assert token not in page.text
    led = await ask(gate, session.slug, f"/__threadwright/commit/{first[:10]}", cookie=cookie)
    assert led.headers["location"] == f"//{session.slug}--{first[:10]}.{ZONE}:8001/?{COOKIE}={token}"
    odd = await ask(gate, session.slug, "/__threadwright/commit/@evil.example:1", cookie=cookie)
    assert odd.headers["location"] == f"//{session.slug}--eeae1.{ZONE}:8001/?{COOKIE}={token}"
    none = await ask(gate, session.slug, f"/__threadwright/receipt/{first[:10]}", cookie=cookie)
    assert (none.status_code, "has no receipt" in none.text) == (503, True)


class SlowPreviews(Previews):
    """Previews that take their time to start."""

    async def wake(self, *words: Any) -> str:
        await asyncio.sleep(0.6)
        return await super().wake(*words)


async def test_who_waits_for_a_preview_sees_a_page_and_a_program_gets_the_answer(
    lite: Database, repository: GitRepository, session: Session, signer: Signer, tmp_path: Path
) -> None:
    previews = SlowPreviews(tmp_path / "previews", tmp_path / "shots", None, "none here", lambda slug: slug, None)
    asgi = Gate(Sessions(lite), repository, previews, signer, ZONE).asgi
    gate = httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://gate")
    cookie = f"{COOKIE}={signer.token(session.slug)}"
    person = await ask(gate, session.slug, cookie=cookie, sec_fetch_mode="navigate")
    assert (person.status_code, "One moment" in person.text, 'http-equiv="refresh"' in person.text) == (503, True, True)
    assert (await ask(gate, session.slug, cookie=cookie)).status_code == 200
    assert (await ask(gate, session.slug, cookie=cookie, sec_fetch_mode="navigate")).status_code == 200


async def test_unknown_previews_and_those_that_do_not_start_say_so(gate: httpx.AsyncClient, signer: Signer) -> None:
    answer = await ask(gate, "ghost", cookie=f"{COOKIE}={signer.token('ghost')}")
    assert answer.status_code == 503
    assert "no such thread" in answer.text


async def test_requests_of_neighbours_are_refused_but_links_work(
    gate: httpx.AsyncClient, session: Session, signer: Signer
) -> None:
    cookie = f"{COOKIE}={signer.token(session.slug)}"
    assert (
        await ask(gate, session.slug, cookie=cookie, sec_fetch_site="same-site", sec_fetch_mode="cors")
    ).status_code == 403
    assert (
        await ask(gate, session.slug, cookie=cookie, sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    ).status_code == 200
    posted = {"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate", "x_forwarded_method": "POST"}
    assert (await ask(gate, session.slug, cookie=cookie, **posted)).status_code == 403


async def test_an_open_page_hears_of_a_new_version(
    gate: httpx.AsyncClient,
    session: Session,
    signer: Signer,
    repository: GitRepository,
    lite: Database,
    previews: Previews,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cookie = f"{COOKIE}={signer.token(session.slug)}"
    page = "<body><p>Shop</p></body>"
    first = await shown(previews, repository, lite, session, page)
    root = Path((await ask(gate, session.slug, cookie=cookie)).headers["x-root"])
    tag = f'<script src="/__threadwright/live.js" data-have="{first[:12]}"></script>\n'
    assert (root / "index.html").read_text() == f"<body><p>Shop</p>{tag}</body>"
    script = await ask(gate, session.slug, "/__threadwright/live.js", cookie)
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "x-root" not in script.headers
    assert (await ask(gate, session.slug, "/__threadwright/live.js")).status_code == 401
    assert (await ask(gate, session.slug, "/__threadwright/other", cookie)).status_code == 404

    used = previews.serving(session.slug)
    assert used is not None
    before = used.used
    waiting = asyncio.create_task(ask(gate, session.slug, f"/__threadwright/live?have={first[:12]}", cookie))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert used.used == before
    await shown(previews, repository, lite, session, page.replace("Shop", "More"))
    assert (await waiting).status_code == 205
    monkeypatch.setattr("bot.gate.previews.LIVE_SECONDS", 0.1)
    have = previews.version(session.slug)
    assert (await ask(gate, session.slug, f"/__threadwright/live?have={have}", cookie)).status_code == 204


async def shown(previews: Previews, repository: GitRepository, lite: Database, session: Session, page: str) -> str:
    """Commit a page and show it."""
    async with lite.write() as tx:
        head = await repository.head(session.id)
        changes: dict[str, bytes | None] = {"index.html": page.encode()}
        commit = (await repository.commit(tx, Draft(session.id, head, changes, "Next", page, ANN))).commit
    tree = await repository.tree(session.id, commit)
    assert (await previews.show(session.id, session.slug, commit, tree, None)).state == "ready"
    return commit
