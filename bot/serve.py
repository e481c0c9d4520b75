"""Run the bot with its web pages until it is told to stop."""

import asyncio
import errno
import gc
import socket
from functools import partial

import uvicorn

from adapters.llm.builtin import BuiltinModel
from adapters.llm.local import local_models
from adapters.preview.caddy import reachable
from bot.app import App
from bot.beside import taking_commands
from bot.cli import carried_out
from bot.frontends import connected
from bot.replies import is_local
from bot.settings import Settings
from bot.watchdog import watched
from bot.web.chat import web_app
from bot.web.server import running, stop_signal
from bot.wiring import opened
from core.errors import UserError

ONLY_HERE = "Links to previews open on this machine only: set THREADWRIGHT_PREVIEW_URL for the people in your chats."


async def serve(settings: Settings) -> None:
    """
    Open everything, serve, and close in order on SIGINT or SIGTERM.

    Raises:
        UserError: the port is taken.
    """
    listener = _listening(settings)
    async with opened(settings) as app:
        config = uvicorn.Config(
            web_app(app), fd=listener.fileno(), log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        # What is there now stays: looking through all of it for garbage would hold up every event for 0.3 s.
        gc.collect()
        gc.freeze()
        folder, stopped = settings.data_dir.resolve(), stop_signal()
        with watched(folder):
            # Commands first, because the page answering is how others know that it has started.
            async with taking_commands(folder, partial(carried_out, app)), connected(app), running(config):
                await _until(stopped, app)


async def _until(stopped: asyncio.Event, app: App) -> None:
    """Say that it is ready, and wait for the signal to stop."""
    settings = app.settings
    warming = asyncio.create_task(app.checks.warm())
    print(f"\n  Threadwright is ready: http://{reachable(settings.host)}:{settings.port}\n", flush=True)
    if isinstance(app.model, BuiltinModel):
        for one in await local_models():
            print(f"  {one.offer[0].upper()}{one.offer[1:]}.\n", flush=True)
    if app.caught_up and is_local(settings.preview_link("name")):
        print(f"  {ONLY_HERE}\n", flush=True)
    await stopped.wait()
    warming.cancel()
    print("  Stopping; turns that are running go on at the next start.", flush=True)


def _listening(settings: Settings) -> socket.socket:
    """Take the port before anything else is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"Port {settings.port} is taken by another program; end that, or set THREADWRIGHT_PORT to another."
        elif error.errno == errno.EACCES:
            text = f"Port {settings.port} may not be used by this user; set THREADWRIGHT_PORT to one above 1023."
        else:
            text = f"This machine has no address {settings.host}; set THREADWRIGHT_HOST to one that it has."
        raise UserError(text) from error
