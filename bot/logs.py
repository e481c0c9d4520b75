"""Structured logs: one JSON object a line, the turn's id on each; never prompts, keys or file contents."""

import asyncio
import logging
import sys
from typing import Any

import structlog


def configure_logs(level: str) -> None:
    """Send everything through structlog to stderr, readable on a terminal, JSON elsewhere."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Libraries that log through structlog itself would print on stdout, which belongs to what commands answer.
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *(one for one in shared if not isinstance(one, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )  # fmt: skip
    last = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    tail: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        last,
    ]
    if sys.stderr.isatty():
        tail.pop(1)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tail))
    handler.addFilter(is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "httpx",
        "httpcore",
        "alembic",
        "aiosqlite",
        "asyncio",
        "uvicorn.access",
        "dbos",
        "slack_bolt",
        "slack_sdk",
        "discord",
    ):
        # Below a warning some of them log what people write.
        logging.getLogger(noisy).setLevel("WARNING")
    # It warns at every start that there is no voice.
    logging.getLogger("discord.client").setLevel("ERROR")


def is_news(record: logging.LogRecord) -> bool:
    """Say whether a record tells of something: a connection whose task was cancelled is only thrown away by its pool."""
    error = record.exc_info[1] if record.exc_info else None
    return not (record.name.startswith("sqlalchemy.pool") and isinstance(error, asyncio.CancelledError))
