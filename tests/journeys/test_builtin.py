"""The built-in builder: ten apps and twenty changes, each with its own tests passing in the sandbox and a page that renders."""

import asyncio
import os
from pathlib import Path

import pytest

from adapters.llm.builtin.render import render
from bot.app import App
from bot.settings import Settings
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from core.manifests import manifest_of
from core.messages import TurnResult
from tests.servers.process import free_port, seeded

JOURNEYS = {
    "crm": ("Build a CRM for a bakery: customers with name, email and phone; orders with customer, item, price, due date and status (new, baking, done)",
            "Add a notes field to orders and sort by due date", "Rename phone to mobile and add search", "Rename customers to clients"),
    "todo": ("Build a todo app", "Add a priority (low, high) to tasks", "Show 25 per page, with pagination"),
    "kanban": ("Make a kanban board for our team", "Add an estimate (number) to cards and make it purple", "Filter cards by status"),
    "landing": ("Create a landing page for a coffee shop called Bean There", "Add a pricing section and a team page", "Use dark mode"),
    "inventory": ("We need an inventory for a bike shop: products with name, sku, price, quantity and supplier; suppliers with name, email and website",
                  "Export products to CSV", "Sort products by price descending"),
    "booking": ("Build us a booking page", "Change the title to Table for Two", "Remove the guests field"),
    "blog": ("Build a blog", "Show posts as a table", "Add an about page saying We write on Sundays.", "Make it teal"),
    "survey": ("Create a survey", "Make the accent colour #aa3355"),
    "library": ("Build a library app: authors with name and birthday; books with title, author, year and genre (fiction, science, history)",
                "Add publishers with name and city", "Remove the birthday from authors"),
    "gym": ("i want to manage gym members. Members have name, email, membership (basic, plus), joined (date) and active (yes/no)",
            "Remove the email field"),
}  # fmt: skip


def test_there_are_thirty_requests() -> None:
    assert len(JOURNEYS) == 10
    assert sum(len(texts) for texts in JOURNEYS.values()) >= 30


async def say(app: App, name: str, text: str) -> TurnResult:
    accepted = await app.intake.accept(Event(f"{name}-{text}", thread_key(name), YOU, text=text))
    while (result := await app.turns.result(accepted.turn_id)) is None:
        await asyncio.sleep(0.05)
    return result


@pytest.mark.parametrize("name", JOURNEYS)
async def test_every_request_ends_in_a_working_app(name: str, tmp_path: Path, chromium: str) -> None:
    settings = Settings(
        data_dir=seeded(tmp_path / "data"), sandbox="bubblewrap", preview_port=free_port(), browser=chromium
    )
    async with opened(settings) as app:
        for text in JOURNEYS[name]:
            result = await say(app, name, text)
            assert (result.outcome, result.notes) == ("done", ()), result
            assert {check.status for check in result.checks} == {"passed"}
            if name != "landing":
                assert "passed" in next(check.note for check in result.checks if check.name == "tests")
            assert (result.preview.state, result.preview.http_status) == ("ready", 200)
            shot = settings.data_dir / "shots" / result.preview.screenshot
            assert shot.stat().st_size > 8_000
            assert result.left_out == ()
            assert result.model == "builtin"
            if keep := os.environ.get("KEEP_SHOTS"):
                Path(keep, f"{name}-{JOURNEYS[name].index(text)}.png").write_bytes(shot.read_bytes())


async def test_an_old_change_is_undone_though_later_ones_touched_the_same_files(tmp_path: Path) -> None:
    """Their lines clash; but what is written from the manifest is written anew."""
    settings = Settings(data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none")
    async with opened(settings, previews=False) as app:
        await say(app, "bikes", "Build a list of bikes with owner and model")
        old = await say(app, "bikes", "Add a priority (low, high) to bikes")
        await say(app, "bikes", "Add a colour to bikes and rename owner to holder")
        accepted = await app.intake.accept(
            Event("undo", thread_key("bikes"), YOU, "command", text="undo", target=old.turn_id)
        )
        while (undone := await app.turns.result(accepted.turn_id)) is None:
            await asyncio.sleep(0.05)
        assert undone.commit, undone
        session = accepted.session
        assert session is not None
        tree = await app.repository.tree(session.id, undone.commit)
        manifest = manifest_of(tree)
        assert manifest is not None
        assert [one.name for one in manifest.models[0].fields] == ["holder", "model", "colour"]
        for path, content in tree.items():
            if path != "app.json":
                assert content.decode() == render(manifest, path), path


async def test_what_it_cannot_do_it_says_in_a_sentence_with_a_way_on(tmp_path: Path) -> None:
    settings = Settings(data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none")
    async with opened(settings, previews=False) as app:
        result = await say(app, "game", "Build a 3D shooter game")
        assert (result.outcome, result.commit) == ("asked", "")
        assert "OPENROUTER_API_KEY" in result.message
        built = await say(app, "game", "Build a todo app")
        assert built.outcome == "unverified"
        assert (await say(app, "game", "Integrate it with our SAP system")).outcome == "asked"
        partly = await say(app, "game", "Add a priority (low, high) to tasks and integrate our SAP system")
        assert "Tasks have priority" in partly.message
