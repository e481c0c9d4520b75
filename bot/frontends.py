"""Connects the chat platforms that the settings name: what comes in goes to the inbox, what goes out to a courier."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial

from adapters.store.outbox import Outbox
from bot.app import App
from bot.catchup import CatchUp
from bot.outbox import Courier
from core.chat import ChatPort, Revoked
from core.clock import SYSTEM, Clock
from core.errors import OutsideError

log = logging.getLogger(__name__)
LOOK_SECONDS, SILENT_SECONDS = 15.0, 60.0
FIRST_SECONDS = 10
"""How long everybody else waits for a platform at the start."""
PAUSES = (1, 2, 5, 10)
"""Seconds after which a platform is tried again that could not be reached."""
Connection = Callable[[App], contextlib.AbstractAsyncContextManager[None]]


@contextlib.asynccontextmanager
async def connected(app: App) -> AsyncIterator[None]:
    """
    Connect to every platform that has a token. One that cannot be reached is tried again, and keeps nobody else waiting.

    Raises:
        Revoked: a platform refuses its token.
    """
    wanted = {"slack": (app.settings.slack_bot_token, _slack), "discord": (app.settings.discord_token, _discord)}
    tried: list[asyncio.Future[None]] = []
    tasks = []
    for name, (token, connection) in wanted.items():
        if token.get_secret_value():
            tried.append(first := asyncio.get_running_loop().create_future())
            tasks.append(asyncio.create_task(_kept(app, name, connection, first)))
    try:
        if tried:
            await asyncio.wait(tried, timeout=FIRST_SECONDS)
        for first in tried:
            if first.done():
                first.result()
            else:
                first.cancel()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept(app: App, name: str, connection: Connection, first: asyncio.Future[None]) -> None:
    """Keep a platform connected; `first` is done once it was tried."""
    for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
        try:
            async with connection(app):
                app.lost.pop(name, None)
                if not first.done():
                    first.set_result(None)
                await asyncio.Event().wait()
        except Revoked as error:
            if first.done():
                log.critical("platform_lost: %s Then start the bot again.", error)
                app.lost[name] = f"{error} Then start the bot again."
            else:
                first.set_exception(error)
            return
        except OutsideError as error:
            log.critical("platform_unreachable: %s It is tried again.", error)
            app.lost[name] = f"{error} It is tried again."
            if not first.done():
                first.set_result(None)
        except Exception as error:
            log.exception("platform_failed")
            if not first.done():
                first.set_exception(error)
                return
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def _discord(app: App) -> AsyncIterator[None]:
    # Only what is used: each platform's library takes tens of megabytes.
    from adapters.chat.discord.port import DiscordPort

    gap = asyncio.Event()
    port = DiscordPort(app.intake.accept, app.enclosures.of, gap.set)
    token = app.settings.discord_token.get_secret_value()
    async with (
        port.opened(token, app.settings.discord_api_url, app.settings.discord_gateway_url) as opened,
        served(app, opened, gap),
    ):
        log.info("discord_connected")
        yield


@contextlib.asynccontextmanager
async def _slack(app: App) -> AsyncIterator[None]:
    from adapters.chat.slack.port import SlackPort

    gap, settings = asyncio.Event(), app.settings
    port = SlackPort(app.intake.accept, partial(_threads_of, app), gap.set)
    bot, connection, signing = (
        one.get_secret_value()
        for one in (settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret)
    )
    async with (
        port.opened(bot, connection, signing, settings.slack_api_url) as opened,
        served(app, opened, gap),
    ):
        log.info("slack_connected")
        yield


async def _threads_of(app: App, workspace: str, person: str) -> list[tuple[str, str, str]]:
    """Return a person's threads for Slack's App Home: title, link to the thread, link to the preview."""
    found = []
    for session in await app.sessions.of_person("slack", workspace, person):
        key = session.key
        link = f"https://slack.com/app_redirect?team={key.workspace}&channel={key.channel}&message_ts={key.thread}"
        has_app = await app.repository.head(session.id) is not None
        preview = app.preview_link(session.slug) if has_app else ""
        found.append((session.title, link, preview))
    return found


@contextlib.asynccontextmanager
async def served(app: App, port: ChatPort, gap: asyncio.Event) -> AsyncIterator[None]:
    """Deliver what is to be said on a platform, and catch up whenever there was a gap."""
    courier = Courier(
        port, app.database, app.sessions, app.messages, app.threads.people, Outbox(app.database), app.threads.early, app.enclosures.of,
        app.intake.accept, partial(_give_up, app, port),
    )  # fmt: skip
    app.platforms[port.platform] = port
    app.board.wakers.append(courier.wake)
    tasks = [asyncio.create_task(work) for work in (courier.run(), _catching_up(app, port, gap), _watched(app, port))]
    try:
        yield
    finally:
        app.board.wakers.remove(courier.wake)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        del app.platforms[port.platform]


async def _catching_up(app: App, port: ChatPort, gap: asyncio.Event) -> None:
    catch_up = CatchUp(port, app.intake.accept, app.threads)
    while True:
        await gap.wait()
        gap.clear()
        try:
            await catch_up.run(app.caught_up[port.platform].set)
        except OutsideError:
            log.exception("catch_up_failed")


async def _watched(app: App, port: ChatPort, clock: Clock = SYSTEM) -> None:
    """Say in the log when a platform has not been heard for a while, and when it is again."""
    since: float | None = None
    told = False
    while port.platform not in app.lost:
        await asyncio.sleep(LOOK_SECONDS)
        problem = await port.problem()
        since = (clock.steady() if since is None else since) if problem else None
        if since is not None and not told and clock.steady() - since > SILENT_SECONDS:
            log.critical("platform_silent: %s", problem)
            told = True
        elif told and not problem:
            log.info("platform_heard_again", extra={"platform": port.platform})
            told = False


def _give_up(app: App, port: ChatPort, error: Revoked) -> None:
    """A token that does not work any more is the operator's to mend; the rest of the bot goes on, and nothing is lost."""
    log.critical("platform_lost: %s Then start the bot again.", error)
    app.lost[port.platform] = f"{error} Then start the bot again."
    _ending.add(task := asyncio.create_task(port.disconnect()))
    task.add_done_callback(_ending.discard)


_ending: set[asyncio.Task[None]] = set()
