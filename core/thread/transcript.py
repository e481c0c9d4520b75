"""The transcript of a thread: what people and the bot wrote, each message under a key of its own."""

from dataclasses import dataclass
from typing import Literal

from core.messages import Doc, Footer, Para

Kind = Literal["person", "progress", "reply", "notice"]
DELETED = Footer("deleted by its author")
"""What a person's message ends with after they deleted it."""
PERSON, PROGRESS, REPLY, NOTICE = ":person", ":progress", ":reply", ":notice"
QUEUED, APPROVAL, TROUBLE = ":queued", ":approval", ":trouble:"
"""How the keys of messages end: of what a person wrote for a turn, its card, its reply, a line beside it, its card in the queue, the card
of an approval; and what the key of an error of the running app has in it."""


@dataclass(frozen=True)
class Message:
    """One message of a thread."""

    id: int
    session_id: str
    key: str
    turn_id: str
    kind: Kind
    author: str
    doc: Doc
    created: float
    changed: int
    mark: str = ""
    remote_id: str = ""
    attempts: int = 0
    reactions: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return the text of a person's message, without the names of its files."""
        return "".join(block.text for block in self.doc.blocks if isinstance(block, Para)).split("\n📎 ")[0]

    def offers(self, *verbs: str) -> bool:
        """Say whether one of these commands has a button on the message."""
        return any(action.verb in verbs for action in self.doc.actions)


def plain(text: str, mark: str = "") -> Doc:
    """Return a message of one paragraph."""
    return Doc((Para(text),), mark)
