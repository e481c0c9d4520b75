"""A person at the local chat, in a real browser: build, change, use the app, undo, redo, stop, restart, go on."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.needs import missing
from tests.servers.process import BotProcess, running_bot

REQUEST = (
    "Build a CRM for a bakery: customers with name, email and phone; orders with customer, item, price, due date and "
    "status (new, baking, done)"
)
WAIT = 90_000
LATE_FOR_RYE = """() => {
  const ask = window.fetch;
  window.lateAnswers = 0;
  window.fetch = async (address, options) => {
    const answer = await ask(address, options);
    if (String(address).includes("search=rye")) {
      await new Promise((go) => setTimeout(go, 1500));
      window.lateAnswers += 1;
    }
    return answer;
  };
}"""


@pytest.fixture
def page() -> Iterator[Page]:
    """A browser window."""
    program = shutil.which("chromium")
    if program is None:
        missing("a browser", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(20_000)
        yield page
        browser.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the journey leaves its screenshots."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


def reply(page: Page, count: int) -> str:
    """Wait for the thread's reply number `count` and return its text."""
    replies = page.locator(".message.reply")
    expect(replies).to_have_count(count, timeout=WAIT)
    return replies.nth(count - 1).inner_text()


def test_to_whom_no_words_come_there_are_apps_to_start_from_and_a_form(page: Page, tmp_path: Path) -> None:
    with running_bot(tmp_path / "data", THREADWRIGHT_SANDBOX="none", THREADWRIGHT_BROWSER="none") as bot:
        page.goto(bot.url)
        expect(page.get_by_text("Model: the built-in builder, a demonstration that needs no key")).to_be_visible()
        starters = page.locator(".starter")
        expect(starters).to_have_count(12)
        loaded = "one => { one.loading = 'eager'; return one.decode().then(() => one.naturalWidth) }"
        assert [one.evaluate(loaded) for one in page.locator(".starter img").all()] == [640] * 12
        starters.filter(has_text="Help desk").click()
        expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile("Build a help desk: tickets with"))
        page.get_by_role("button", name="Say it in a form").click()
        build = page.get_by_role("button", name="Build it")
        build.click()
        expect(page.locator("#form-problem")).to_have_text("Name a list and what it has.")
        page.get_by_label("What is it called?").fill("Bike rental")
        page.get_by_role("button", name="+ Another list").click()
        bikes, rentals = page.locator(".list").all()
        bikes.get_by_label("A list of").fill("bikes")
        rentals.get_by_label("A list of").fill("rentals")
        names = [("model", ""), ("state", "choice"), ("daily rate (in euros)", "money")]
        for field, (name, kind) in zip(bikes.locator(".field").all(), names, strict=True):
            field.get_by_label("Name of the field").fill(name)
            field.get_by_label("Type", exact=True).select_option(kind)
        bikes.get_by_label("The words, with commas").nth(1).fill("new, used")
        bikes.get_by_label("needed").nth(2).check()
        which, who, spare = rentals.locator(".field").all()
        which.get_by_label("Name of the field").fill("which one")
        which.get_by_label("Type", exact=True).select_option("relation")
        which.get_by_label("Of which list").select_option("bikes")
        who.get_by_label("Name of the field").fill("who")
        spare.get_by_role("button", name="Remove this field").click()
        page.get_by_label("How shall it look?").fill("teal")
        build.click()
        assert "Bike rental: an app that keeps bikes and rentals." in reply(page, 1)
        asked = page.locator(".message.person").inner_text()
        assert "bikes: model, state (new, used), required daily rate in euros (money)" in asked
        assert "rentals: which one (one of the bikes), who" in asked


def open_preview(page: Page, bot: BotProcess) -> Page:
    """Open the newest preview link, as a click does."""
    url = page.locator("a.open").last.get_attribute("href")
    assert url is not None
    preview = page.context.new_page()
    preview.goto(bot.url + url)
    assert f".preview.localhost:{bot.preview_port}/" in preview.url
    return preview


def test_a_message_becomes_a_running_app_and_the_next_ones_change_it(
    page: Page, tmp_path: Path, pictures: Path
) -> None:
    with running_bot(tmp_path / "data") as bot:
        page.goto(bot.url)
        page.screenshot(path=pictures / "1-welcome.png")
        say(page, REQUEST)
        first = reply(page, 1)
        assert "CRM for a bakery" in first
        assert "✓ tests" in first
        assert "files changed" in first
        page.screenshot(path=pictures / "2-built.png", full_page=True)

        preview = open_preview(page, bot)
        expect(preview.get_by_role("heading", name="Customers")).to_be_visible()
        preview.get_by_role("button", name="New customer").click()
        preview.get_by_label("Name").fill("Ann Baker")
        preview.get_by_label("Email").fill("ann@example.com")
        preview.get_by_role("button", name="Save").click()
        expect(preview.get_by_role("cell", name="Ann Baker", exact=True)).to_be_visible()
        preview.get_by_role("link", name="Orders").click()
        preview.get_by_role("button", name="New order").click()
        preview.get_by_label("Customer").select_option(label="Ann Baker")
        preview.get_by_label("Item").fill("Rye bread")
        preview.get_by_label("Price").fill("4.50")
        preview.get_by_label("Due date").fill("2030-05-01")
        preview.screenshot(path=pictures / "3-form.png")
        preview.get_by_role("button", name="Save").click()
        expect(preview.get_by_role("cell", name="Rye bread", exact=True)).to_be_visible()
        expect(preview.get_by_role("cell", name="Ann Baker", exact=True)).to_be_visible()
        preview.screenshot(path=pictures / "4-app.png")
        preview.close()

        say(page, "Add a notes field to orders and sort by due date")
        assert "Orders have notes; orders are sorted by due date." in reply(page, 2)
        preview = open_preview(page, bot)
        preview.get_by_role("link", name="Orders").click()
        expect(preview.get_by_role("button", name="Notes")).to_be_visible()
        expect(preview.get_by_role("cell", name="Rye bread", exact=True)).to_be_visible()
        preview.close()

        page.locator(".message.reply").nth(1).get_by_title("Undo this turn").click()
        assert "Undone" in reply(page, 3)
        preview = open_preview(page, bot)
        preview.get_by_role("link", name="Orders").click()
        expect(preview.get_by_role("cell", name="Rye bread", exact=True)).to_be_visible()
        expect(preview.get_by_role("button", name="Notes")).to_have_count(0)
        preview.close()

        # Taking the reaction back redoes the turn.
        page.locator(".message.reply").nth(1).get_by_title("Undo this turn").click()
        assert "Redone" in reply(page, 4)
        page.locator(".message.reply").nth(3).get_by_title("Good").click()
        page.screenshot(path=pictures / "5-thread.png", full_page=True)

        address = page.url
        assert bot.stop() == 0
        bot.start()
        page.goto(bot.url)
        page.get_by_label("Threads").get_by_role("link", name="CRM for a bakery", exact=True).click()
        assert page.url == address
        assert page.locator(".message.reply").count() == 4
        expect(page.locator(".message.reply").nth(3).get_by_title("Good")).to_have_attribute("aria-pressed", "true")
        say(page, "Add search")
        assert "searched" in reply(page, 5)
        preview = open_preview(page, bot)
        preview.get_by_role("link", name="Orders").click()
        preview.get_by_label("Search").fill("rye")
        expect(preview.get_by_role("cell", name="Rye bread", exact=True)).to_be_visible()
        # An answer that comes late never takes the place of a newer one.
        preview.evaluate(LATE_FOR_RYE)
        preview.get_by_label("Search").fill("")
        expect(preview.get_by_role("cell", name="Rye bread", exact=True)).to_be_visible()
        preview.get_by_label("Search").fill("rye")
        preview.get_by_label("Search").fill("nothing like it")
        expect(preview.get_by_text("Nothing matches.")).to_be_visible()
        preview.wait_for_function("window.lateAnswers > 0")
        preview.wait_for_timeout(100)
        expect(preview.get_by_text("Nothing matches.")).to_be_visible(timeout=1)
        preview.screenshot(path=pictures / "6-search.png")

        page.locator("details summary", has_text="files changed").last.click()
        page.get_by_role("link", name="Diff and evidence").last.click()
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
        page.screenshot(path=pictures / "7-evidence.png")


def test_a_running_turn_can_be_stopped_and_the_next_message_works(page: Page, tmp_path: Path, pictures: Path) -> None:
    from tests.servers.model import model_server

    with (
        model_server() as slow,
        running_bot(
            tmp_path / "data",
            THREADWRIGHT_MODEL_BASE_URL=slow.url,
            THREADWRIGHT_MODEL_NAME="slow",
            THREADWRIGHT_BROWSER="none",
        ) as bot,
    ):
        slow.late = '<write>{"path":"styles.css"'
        page.goto(bot.url)
        say(page, "Make a landing page for a bicycle workshop called Spoke & Chain")
        expect(page.locator(".files-now")).to_contain_text("index.html")
        page.get_by_role("button", name="❌ Stop").click()
        assert "Stopped by you" in reply(page, 1)
        page.locator("summary", has_text="kept beside the app").click()
        page.screenshot(path=pictures / "1-stopped.png")
        page.get_by_role("link", name="Diff and evidence").click()
        expect(page.get_by_text("This isn't in the app.")).to_be_visible()
        page.screenshot(path=pictures / "2-kept.png")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="App as it would be").click()
        expect(opened.value.locator("body")).not_to_be_empty()
        opened.value.screenshot(path=pictures / "3-as-it-would-be.png")
        page.go_back()
        slow.late = ""
        say(page, "Build a todo app")
        assert re.search(r"keeps tasks", reply(page, 2))
