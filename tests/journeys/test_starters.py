"""Every app to start from, built and filled, in a browser at two widths, light and dark: nothing is thrown, cut off or no text."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from adapters.llm.builtin.model import BuiltinModel
from adapters.sandbox.docker import DockerSandbox
from core import planning
from core.context import Context
from core.files import FileTree
from core.manifests import AppManifest
from core.starters import STARTERS, Starter
from tests.needs import docker_client, missing
from tests.starters import PICTURES, pictures, running


@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.name)
async def test_an_app_to_start_from_works_and_looks_right(starter: Starter, tmp_path: Path) -> None:
    found = await planning.triage(starter.wish, Context(FileTree(), None), BuiltinModel())
    assert (found.intent, found.questions) == ("build", [])
    assert {path.name for path in PICTURES.glob(f"{starter.name}-*.jpg")} == {
        f"{starter.name}-{one}.jpg" for one in ("light", "dark")
    }
    async with chromium() as browser:
        with running(starter, tmp_path) as (url, manifest):
            await looks_right(browser, url, manifest)


@pytest.mark.parametrize("name", ["crm", "board", "orders"])
async def test_an_app_in_react_looks_right_too(name: str, tmp_path: Path) -> None:
    client = docker_client()
    starter = next(one for one in STARTERS if one.name == name)
    async with chromium() as browser:
        with running(starter, tmp_path / "app", DockerSandbox(client, tmp_path / "docker", "tests")) as (url, manifest):
            await looks_right(browser, url, manifest)
    client.close()


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        missing("a browser", "apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def looks_right(browser: Browser, url: str, manifest: AppManifest) -> None:
    """Take every page's picture at both widths, light and dark."""
    for page in manifest.pages:
        taken = await pictures(browser, url, f"/#{page.path}" if manifest.models else page.path)
        assert len(set(taken.values())) == 4
