"""The commands of a thread: words, buttons and reactions mean the same, one function each."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

from adapters.store.messages import plain
from core.messages import Signal, TurnRequest
from core.sessions import Author, Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.inbox import Inbox

Command = Callable[["Inbox", "AsyncConnection", Session, Author, str, str], Awaitable[str]]

HELP = """Say what you want, in your own words. While I work, another message is taken into account; one that ends in “. queue” waits.
undo, or ↩️ on a reply: take a turn back. redo, or ↪️: bring it back.
stop, or ❌: stop what is running. status: what is running.
👍 and 👎 on a reply are stored."""


async def undo(
    inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author, turn_id: str, target: str
) -> str:
    """Stop what runs, then take back `target`, or the latest turn."""
    return await _reverse("undo", inbox, tx, session, author, turn_id, target)


async def redo(
    inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author, turn_id: str, target: str
) -> str:
    """Bring back `target`, or the turn undone last."""
    return await _reverse("redo", inbox, tx, session, author, turn_id, target)


async def _reverse(
    kind: Literal["undo", "redo"],
    inbox: "Inbox",
    tx: "AsyncConnection",
    session: Session,
    author: Author,
    turn_id: str,
    target: str,
) -> str:
    await _stop_all(inbox, tx, session, author)
    await inbox.start(tx, TurnRequest(turn_id, session.id, kind, kind, author, target=target))
    return turn_id


async def stop(
    inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author, turn_id: str, target: str
) -> str:
    """Stop everything in the thread; each stopped turn says so itself."""
    if not await _stop_all(inbox, tx, session, author):
        await inbox.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain("Nothing is running.", "✅"))
    return ""


async def _stop_all(inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author) -> int:
    running = await inbox.turns.unfinished(tx, session.id)
    for one in running:
        await inbox.engine.tell(tx, one, Signal("stop", author))
    return len(running)


async def status(
    inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author, turn_id: str, target: str
) -> str:
    """Say what is running and waiting."""
    running = await inbox.turns.unfinished(tx, session.id)
    text = "Nothing is running." if not running else f"One turn is running, {len(running) - 1} waiting."
    await inbox.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(text, "✅"))
    return ""


async def show_help(
    inbox: "Inbox", tx: "AsyncConnection", session: Session, author: Author, turn_id: str, target: str
) -> str:
    """Say what can be said."""
    await inbox.messages.post(tx, session.id, f"{turn_id}:notice", "notice", plain(HELP, "✅"))
    return ""


WORDS: dict[str, Command] = {
    "undo": undo, "redo": redo, "stop": stop, "cancel": stop, "abort": stop, "status": status, "help": show_help,
}  # fmt: skip
ADDED: dict[str, Command] = {"↩": undo, "↪": redo, "❌": stop}
REMOVED: dict[str, Command] = {"↩": redo}


def plain_emoji(emoji: str) -> str:
    """Return an emoji by its meaning: without variation selectors and skin tones."""
    return "".join(char for char in emoji if char != "\ufe0f" and not "\U0001f3fb" <= char <= "\U0001f3ff")


def command_in(text: str) -> Command | None:
    """Return the command that a message is, if it is nothing but its word."""
    return WORDS.get(text.strip().strip("/!.").casefold())
