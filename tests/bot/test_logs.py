"""What is logged, and what is not."""

import asyncio
import logging

import pytest

from bot.logs import is_news


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("sqlalchemy.pool.impl.AsyncAdaptedQueuePool", asyncio.CancelledError(), False),
        ("sqlalchemy.pool.impl.AsyncAdaptedQueuePool", OSError("the disk is full"), True),
        ("bot.turns", asyncio.CancelledError(), True),
        ("bot.turns", None, True),
    ],
)
def test_what_an_end_in_the_middle_leaves_behind_is_no_error(
    name: str, error: BaseException | None, told: bool
) -> None:
    raised = (type(error), error, None) if error else None
    record = logging.LogRecord(name, logging.ERROR, "pool.py", 1, "Exception during reset", (), raised)
    assert is_news(record) is told
