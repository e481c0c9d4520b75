"""The nouns of the edit engine."""

from dataclasses import dataclass
from typing import Literal

RefusalKind = Literal[
    "empty", "truncated", "no_edit", "wrong_path", "not_found", "ambiguous", "elision", "missing_file", "encoding",
    "worse_syntax", "not_allowed", "conflict",
]  # fmt: skip


@dataclass(frozen=True)
class Replace:
    """Replace the one place that reads `search` by `replace`; both are whole lines joined by newlines."""

    path: str
    search: str
    replace: str


@dataclass(frozen=True)
class WholeFile:
    """
    The file shall read `content`, whether it exists or not.

    `base` is the file as the model saw it; None for the file as it stands. Only what differs between the two is changed.
    """

    path: str
    content: str
    base: str | None = None


@dataclass(frozen=True)
class Delete:
    """The file shall go."""

    path: str


Action = Literal["replace", "add", "remove"]
Thing = Literal["function", "class", "method", "import", "decorator", "field", "rule", "element", "key"]


@dataclass(frozen=True)
class Operation:
    """
    Do something to a named thing of a file.

    `target` is its name, with what holds it in front (`Booking.total`, `scripts.dev`, `nav`, `.card`); for something new
    it is the name it will have, of an element the one it is put into. `content` is its whole new text.
    """

    path: str
    action: Action
    thing: Thing
    target: str
    content: str = ""


@dataclass(frozen=True)
class Rename:
    """The file shall be called `to`; what is in it stays."""

    path: str
    to: str


Edit = Replace | WholeFile | Delete | Operation | Rename


@dataclass(frozen=True)
class Refusal:
    """Why an answer or an edit was not applied. `message` is for models and people; it shows the real lines."""

    kind: RefusalKind
    path: str
    message: str
