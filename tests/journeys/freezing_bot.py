"""What `test_freezes` runs: a bot in which everything stands still as soon as a turn runs, if it is told so."""

import asyncio
import sys
import time
from pathlib import Path

from bot.app import App
from bot.settings import Settings
from bot.watchdog import watched
from bot.web.chat import YOU, thread_key
from bot.wiring import opened
from core.chat import Event
from tests.servers.process import free_port


async def main(data: Path, model: str, freezes: bool) -> None:
    """Ask for something, stand still if told so, and print what became of it."""
    settings = Settings(
        data_dir=data, sandbox="none", browser="none", preview_port=free_port(), pypi_url="", npm_url="",
        model_base_url=model, model_name="m",
    )  # fmt: skip
    async with opened(settings) as app:
        await stand_still(app, data, freezes)


async def stand_still(app: App, data: Path, freezes: bool) -> None:
    """Ask, and stand still as soon as the turn runs."""
    with watched(data, 2):
        accepted = await app.intake.accept(Event("the-one-event", thread_key("t"), YOU, text="Build a todo app"))
        assert accepted.session is not None
        turn_id = f"{1:012d}-the-one-event"
        while freezes:
            async with app.database.write() as tx:
                runs = [running for _, running in await app.turns.waiting(tx, accepted.session.id)]
            if runs == [True]:
                time.sleep(600)  # noqa: ASYNC251 - this is the fault
            await asyncio.sleep(0.02)
        async with asyncio.timeout(120):
            while (result := await app.turns.result(turn_id)) is None:
                await asyncio.sleep(0.05)
        print(result.outcome, result.message, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "freeze"))
