"""Waivers, receipts and “when did it break?”, through the whole bot with real tools."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.bisect import first_bad
from bot.settings import Settings
from bot.web.chat import YOU, web_app
from bot.wiring import opened
from core.chat import Event
from core.history import Commit, Draft
from core.manifests import MANIFEST_PATH, read_manifest
from core.messages import Action, DiffText, Para, TurnResult
from core.sessions import Author
from tests.journeys.test_bad_input import Talk
from tests.servers.model import model_server
from tests.servers.process import seeded

RISKY = "\n\ndef worth(text: str) -> object:\n    return eval(text)\n"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """A bot whose model writes what a test tells it to."""
    async with AsyncExitStack() as stack:
        model = stack.enter_context(model_server())
        settings = Settings(
            data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none", model_base_url=model.url, model_name="m", model_seconds=20,
        )  # fmt: skip
        yield Talk(await stack.enter_async_context(opened(settings, previews=False)), model)


async def test_what_blocks_can_be_said_to_be_fine(talk: Talk) -> None:
    built = await talk.say("Build a todo app")
    assert isinstance(built, TurnResult)

    def risky(body: dict[str, Any]) -> str | None:
        system, asked = body["messages"][0]["content"], body["messages"][-1]["content"]
        if system.startswith("You repair"):
            return "I would rather not."
        wanted = re.search(r'<write>{"path":"(backend/tasks\.py)"', asked)
        return f"FILE: {wanted[1]}\n````python\n{files.text(wanted[1])}{RISKY}````" if wanted else None

    (session,) = await talk.app.sessions.list()
    files = await talk.app.repository.tree(session.id, built.commit)
    talk.model.fault = risky
    blocked = await talk.say("Add a priority (low, high) to tasks")
    assert isinstance(blocked, TurnResult)
    assert (blocked.outcome, blocked.commit) == ("blocked", "")
    assert "B307" in blocked.message
    reply = (await talk.app.messages.since(session.id))[-1].doc
    assert [one.verb for one in reply.actions] == ["retry", "waive", "diff"]

    asked = len(talk.model.bodies)
    done = await talk.say("This is fine: only numbers get there")
    assert isinstance(done, TurnResult)
    assert done.commit, done.message
    assert len(talk.model.bodies) == asked
    waived = [one for check in done.checks for one in check.findings if one.waived]
    assert [(one.rule, one.waived) for one in waived] == [("B307", YOU.name)]
    note = await talk.app.repository.noted(session.id, done.commit)
    assert f"Said to be fine by {YOU.name}" in note
    assert '"not_verified": [' in note
    assert await talk.say("this is fine") == "There is no blocked change to accept."

    # What somebody waived stays waived in later turns.
    talk.model.fault = lambda _: None
    later = await talk.say("Add search")
    assert isinstance(later, TurnResult)
    assert later.commit


async def test_when_did_it_break(talk: Talk) -> None:
    built = await talk.say("Build a todo app")
    assert isinstance(built, TurnResult)
    assert await talk.say("When did mypy break?") != ""
    (session,) = await talk.app.sessions.list()
    repository = talk.app.repository
    assert await said(talk, "when did mypy break") == "mypy passes in the app as it is now."
    assert (await said(talk, "when did the frobnicator fail?")).startswith("I know no check and no test called")

    async def push(text: bytes, title: str) -> str:
        async with talk.app.database.write() as tx:
            head = await repository.head(session.id)
            draft = Draft(
                session.id, head, {"extra.py": text}, title, title, Author("u2", "Ben"), link="https://x.org/m"
            )
            return (await repository.commit(tx, draft)).commit

    await push(b"count: int = 1\n", "Count")
    broken = await push(b"count: int = 'one'\n", "Count in words")
    await push(b"count: int = 'one'\nmore = 2\n", "More")
    answer = await said(talk, "Since when did mypy fail?")
    assert answer == f"mypy passed until “Count in words” by Ben (https://x.org/m), commit {broken[:10]}."
    messages = await talk.app.messages.since(session.id)
    assert messages[-1].doc.actions == (Action("undo", "Count in words"),)


async def said(talk: Talk, text: str) -> str:
    """Return what the bot says to a question."""
    await talk.say(text)
    (session,) = await talk.app.sessions.list()
    doc = (await talk.app.messages.since(session.id))[-1].doc
    return "\n".join(block.text for block in doc.blocks if isinstance(block, Para))


async def test_the_search_asks_few_commits() -> None:
    log = [Commit(str(at), (), str(at), YOU, 0) for at in range(100)]
    asked: list[str] = []

    def since(newest_good: int) -> Any:
        async def bad(commit: Commit) -> bool:
            asked.append(commit.id)
            return int(commit.id) < newest_good

        return bad

    for newest_good in (1, 2, 37, 99):
        asked.clear()
        assert await first_bad(log, since(newest_good)) == log[newest_good - 1]
        assert len(asked) < 16
    assert await first_bad(log, since(0)) is None
    assert await first_bad(log, since(200)) == log[99]
    assert await first_bad([], since(0)) is None


async def test_a_reaction_counts_only_where_it_is_offered(talk: Talk) -> None:
    built = await talk.say("Build a todo app")
    assert isinstance(built, TurnResult)
    (session,) = await talk.app.sessions.list()
    reply = (await talk.app.messages.since(session.id))[-1]
    event = Event("r1", session.key, YOU, "reaction_added", message_id=reply.id, emoji="👌")
    assert (await talk.app.intake.accept(event)).turn_id == ""


async def test_a_clash_is_settled_by_a_button(talk: Talk) -> None:
    built = await talk.say("Build a todo app")
    assert isinstance(built, TurnResult)
    (session,) = await talk.app.sessions.list()
    repository = talk.app.repository
    theirs = (await repository.tree(session.id, built.commit)).changed({"README.md": b"# By hand\n"})

    async def clashing(text: str) -> TurnResult:
        """Change the title while somebody pushes another text for the same lines."""
        pushed = False

        def meanwhile(body: dict[str, Any]) -> str | None:
            nonlocal pushed
            if '<write>{"path":"README.md"' in body["messages"][-1]["content"] and not pushed:
                pushed = True
                asyncio.run_coroutine_threadsafe(push(), loop).result(20)
            return None

        async def push() -> None:
            async with talk.app.database.write() as tx:
                head = await repository.head(session.id)
                draft = Draft(
                    session.id, head, {"README.md": theirs["README.md"] + text.encode()}, "By hand", text, YOU
                )
                await repository.commit(tx, draft)

        loop = asyncio.get_running_loop()
        talk.model.fault = meanwhile
        result = await talk.say(text)
        assert isinstance(result, TurnResult)
        assert (result.outcome, result.clashed) == ("blocked", True), result
        return result

    async def press(result: TurnResult, emoji: str) -> str:
        talk.count += 1
        reply = next(
            one
            for one in await talk.app.messages.since(session.id)
            if one.turn_id == result.turn_id and one.kind == "reply"
        )
        assert [one.verb for one in reply.doc.actions] == ["reconcile", "keep_mine", "keep_theirs", "sides"]
        event = Event(f"r{talk.count}", session.key, YOU, "reaction_added", message_id=reply.id, emoji=emoji)
        turn_id = (await talk.app.intake.accept(event)).turn_id
        while turn_id and (done := await talk.app.turns.result(turn_id)) is None:
            await asyncio.sleep(0.02)
        return (done.outcome if done else "") if turn_id else ""

    async def readme() -> str:
        return (await repository.tree(session.id, await repository.head(session.id))).text("README.md") or ""

    clashed = await clashing("Change the title to Chores")
    asked = len(talk.model.bodies)
    assert await press(clashed, "🔍") == ""
    *_, shown = await talk.app.messages.since(session.id)
    code = "".join(block.text for block in shown.doc.blocks if isinstance(block, DiffText))
    assert "README.md\nnow in the app:" in code
    assert "Chores" in code
    assert await press(clashed, "➡️") == "unverified"
    assert len(talk.model.bodies) == asked
    assert "Chores" in await readme()
    clashed = await clashing("Change the title to Errands")
    assert await press(clashed, "⬅️") == ""
    assert (await readme()).startswith("# By hand")

    # An undo asks in the same way before it takes later work away.
    talk.model.fault = lambda _: None
    built = await talk.say("Make it blue")
    assert isinstance(built, TurnResult)
    assert isinstance(await talk.say("Make it red"), TurnResult)
    talk.count += 1
    undo = Event(f"u{talk.count}", session.key, YOU, "command", text="undo", target=built.turn_id)
    turn_id = (await talk.app.intake.accept(undo)).turn_id
    while (clashed_undo := await talk.app.turns.result(turn_id)) is None:
        await asyncio.sleep(0.02)
    assert clashed_undo.clashed, clashed_undo
    talk.model.bodies.clear()
    await press(clashed_undo, "🤝")
    assert "keep what the later work was for" in talk.model.bodies[0]["messages"][1]["content"]
    # In the person's name the thread has what they chose, and none of the code.
    people = [str(one.doc) for one in await talk.app.messages.since(session.id) if one.kind == "person"]
    assert all(len(one) < 600 and "now in the app:" not in one for one in people), people
    assert await press(clashed_undo, "➡️") == "unverified"
    themes = []
    for commit in (built.parent, built.commit, await repository.head(session.id)):
        manifest = read_manifest((await repository.tree(session.id, commit))[MANIFEST_PATH])
        assert manifest is not None
        themes.append(manifest.theme)
    assert themes[0] == themes[2] != themes[1]


async def test_certificates_are_made_for_previews_that_there_are(talk: Talk) -> None:
    await talk.say("Build a todo app")
    (session,) = await talk.app.sessions.list()
    zone = talk.app.settings.preview_zone
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(talk.app)), base_url=f"http://127.0.0.1:{talk.app.settings.port}"
    ) as client:

        async def answer(domain: str, **more: str) -> int:
            return (await client.get("/tls", params={"domain": domain}, headers=more)).status_code

        head = await talk.app.repository.head(session.id)
        assert head is not None

        assert await answer(f"{session.slug}.{zone}") == 200
        assert await answer(f"{session.slug}--{head[:10]}.{zone}".upper()) == 200
        for other in ("0123456789", "main", "main~0", head[:9], head, "next"):
            assert await answer(f"{session.slug}--{other}.{zone}") == 404, other
        for domain in (f"nobody.{zone}", zone, session.slug, f"{session.slug}.example.com", f".{zone}", ""):
            assert await answer(domain) == 404, domain
        # Who asks for others, or is no proxy of ours, learns nothing of what there is.
        for name in ("X-Forwarded-For", "Forwarded"):
            assert await answer(f"{session.slug}.{zone}", **{name: "127.0.0.1"}) == 403
        assert await answer(f"{session.slug}.{zone}", Host="evil.example") == 421
        stranger = httpx.ASGITransport(web_app(talk.app), client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=stranger, base_url=client.base_url) as far:
            assert (await far.get("/tls", params={"domain": f"{session.slug}.{zone}"})).status_code == 403
        assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 421
