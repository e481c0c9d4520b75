"""Every app to start from, built and filled, in a browser at two widths, light and dark: nothing is thrown, cut off or no text."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from adapters.llm.builtin.model import BuiltinModel
from core import planning
from core.context import Context
from core.files import FileTree
from core.starters import STARTERS, Starter
from tests.needs import missing
from tests.starters import PICTURES, pictures, running


@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.name)
async def test_an_app_to_start_from_works_and_looks_right(starter: Starter, tmp_path: Path) -> None:
    found = await planning.triage(starter.wish, Context(FileTree(), None), BuiltinModel())
    assert (found.intent, found.questions) == ("build", [])
    assert {path.name for path in PICTURES.glob(f"{starter.name}-*.jpg")} == {
        f"{starter.name}-{one}.jpg" for one in ("light", "dark")
    }
    program = shutil.which("chromium")
    if program is None:
        missing("a browser", "apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        with running(starter, tmp_path) as (url, manifest):
            for page in manifest.pages:
                taken = await pictures(browser, url, f"/#{page.path}" if manifest.models else page.path)
                assert len(set(taken.values())) == 4
        await browser.close()
