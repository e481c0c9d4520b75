"""Connects the chat platforms that the settings name: what comes in goes to the inbox, what goes out to a courier."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from adapters.chat.discord.port import DiscordPort
from adapters.store.outbox import Outbox
from bot.catchup import CatchUp
from bot.outbox import Courier
from bot.wiring import App
from core.chat import ChatPort, Revoked

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def connected(app: App) -> AsyncIterator[None]:
    """
    Connect to every platform that has a token.

    Raises:
        Revoked: a platform refuses its token.
    """
    async with contextlib.AsyncExitStack() as stack:
        if app.settings.discord_token.get_secret_value():
            await stack.enter_async_context(_discord(app))
        yield


@contextlib.asynccontextmanager
async def _discord(app: App) -> AsyncIterator[None]:
    gap = asyncio.Event()
    port = DiscordPort(app.inbox.accept, app.enclosures.of, gap.set)
    token = app.settings.discord_token.get_secret_value()
    async with (
        port.opened(token, app.settings.discord_api_url, app.settings.discord_gateway_url, _give_up) as opened,
        _served(app, opened, gap),
    ):
        log.info("discord_connected")
        yield


@contextlib.asynccontextmanager
async def _served(app: App, port: ChatPort, gap: asyncio.Event) -> AsyncIterator[None]:
    """Deliver what is to be said on a platform, and catch up whenever there was a gap."""
    courier = Courier(
        port, app.database, app.sessions, app.messages, Outbox(app.database), app.inbox.early, app.enclosures.of,
        app.inbox.accept, _give_up,
    )  # fmt: skip
    app.platforms[port.platform] = port
    app.board.wakers.append(courier.wake)
    tasks = [asyncio.create_task(courier.run()), asyncio.create_task(_catching_up(app, port, gap))]
    try:
        yield
    finally:
        app.board.wakers.remove(courier.wake)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        del app.platforms[port.platform]


async def _catching_up(app: App, port: ChatPort, gap: asyncio.Event) -> None:
    catch_up = CatchUp(port, app.inbox, app.sessions, app.messages)
    while True:
        await gap.wait()
        gap.clear()
        try:
            await catch_up.run()
        except Exception:
            log.exception("catch_up_failed")


def _give_up(error: Revoked) -> None:
    """A token that does not work any more is the operator's to mend; the rest of the bot goes on."""
    log.critical("platform_lost: %s", error)
