"""Run the bot with its web pages until it is told to stop."""

import asyncio

import uvicorn

from bot.settings import Settings
from bot.web.chat import web_app
from bot.wiring import opened


async def serve(settings: Settings) -> None:
    """Open everything, serve, and close in order on SIGINT or SIGTERM."""
    async with opened(settings) as app:
        config = uvicorn.Config(
            web_app(app), host=settings.host, port=settings.port, log_config=None, access_log=False,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        print(f"\n  Threadwright is ready: http://{settings.host}:{settings.port}\n", flush=True)
        await server.serve()
        await asyncio.sleep(0)
