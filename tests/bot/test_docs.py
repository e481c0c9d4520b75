"""The documentation tells what the code does: settings, commands, words, links."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.__main__ import _parser
from bot.settings import PREFIX, PROVIDER_KEYS, Settings
from core.messages import Outcome

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`{PREFIX}{name.upper()}`" in text
        assert (field.description or "no description") in text


def test_every_provider_key_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(key in text for key in PROVIDER_KEYS.values())


def test_every_command_of_the_terminal_is_in_the_changelog() -> None:
    commands = next(action for action in _parser()._actions if action.dest == "command").choices
    assert commands is not None
    text = (ROOT / "CHANGELOG.md").read_text()
    assert [name for name in commands if f"`{name}`" not in text] == []


def test_every_outcome_is_in_the_glossary() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    assert all(f"`{outcome}`" in text for outcome in get_args(Outcome))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_readme_has_two_set_up_commands() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert [block.strip() for block in blocks] == ["make run", "make test"]


def test_decisions_are_short() -> None:
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert len(path.read_text().splitlines()) <= 40
