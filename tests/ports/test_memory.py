"""What every MemoryStore must do, on both databases."""

import pytest

from adapters.memory.text import TextMemory, terms
from adapters.store.database import Database
from core.memory import Memory

GREEN = Memory("preference", "Our colour is green.", "t1")
ORDERS = Memory("request", "Add a due date to orders", "t2", ("backend/orders.py", "static/models.js"))


@pytest.fixture
async def memory(database: Database) -> TextMemory:
    store = TextMemory(database)
    async with database.write() as tx:
        await store.remember(
            tx, "s", [GREEN, ORDERS, Memory("request", "Make customers searchable", "t3", ("backend/customers.py",))]
        )
        await store.remember(tx, "other", [Memory("request", "Add a due date to invoices", "t9")])
        await store.remember(tx, "s", [])
    return store


async def test_decisions_and_preferences_stand_until_retracted(memory: TextMemory, database: Database) -> None:
    assert await memory.standing("s") == [GREEN]
    async with database.write() as tx:
        await memory.retract(tx, "s", "t1", True)
    assert await memory.standing("s") == []
    async with database.write() as tx:
        await memory.retract(tx, "s", "t1", False)
    assert await memory.standing("s") == [GREEN]


async def test_past_requests_are_recalled_by_their_words(memory: TextMemory) -> None:
    found = await memory.recall("s", "sort the orders by their due dates")
    assert [(one.turn_id, one.files) for one in found][:1] == [("t2", ORDERS.files)]
    assert all(one.turn_id != "t9" for one in found)


async def test_what_was_retracted_is_not_recalled(memory: TextMemory, database: Database) -> None:
    async with database.write() as tx:
        await memory.retract(tx, "s", "t2", True)
    assert "t2" not in [one.turn_id for one in await memory.recall("s", "due date of orders")]


@pytest.mark.parametrize(
    "text", ["", "!!! ...", "zebra", "'; DROP TABLE memory; --", '"unbalanced AND (NOT', "NEAR(a b)", "a:* | !b <-> c"]
)
async def test_no_text_breaks_the_search(memory: TextMemory, text: str) -> None:
    assert isinstance(await memory.recall("s", text), list)


def test_names_of_code_are_split_and_kept_whole() -> None:
    assert terms("dueDate of HTTPServer order_items 42") == [
        "duedate", "due", "date", "of", "httpserver", "http", "server", "orderitems", "order", "items", "42",
    ]  # fmt: skip
