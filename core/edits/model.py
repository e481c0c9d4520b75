"""The nouns of the edit engine."""

from dataclasses import dataclass, field
from typing import Literal

RefusalKind = Literal[
    "empty", "truncated", "no_edit", "wrong_path", "not_found", "ambiguous", "elision", "missing_file", "encoding",
    "worse_syntax", "not_allowed", "conflict", "shrinks",
]  # fmt: skip


@dataclass(frozen=True)
class Replace:
    """
    Replace the one place that reads `search` by `replace`; both are whole lines joined by newlines.

    `within` and `lines` decide between places that read alike: a line that stands above the place that is meant, or several,
    outer before inner, joined by newlines, and the line numbers (from 1) that the answer gives. `everywhere` means all places. `otherwise` are other ways to read the
    same block, where a line of the text looks like the block's divider.
    """

    path: str
    search: str
    replace: str
    within: str = ""
    lines: tuple[int, ...] = ()
    everywhere: bool = False
    otherwise: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class WholeFile:
    """
    The file shall read `content`, whether it exists or not.

    `base` is the file as the model saw it; None for the file as it stands. Only what differs between the two is changed.
    `others` are the blocks that stood above it for the same file: what it read before, or parts of it. `named` says that the
    answer named the file; else it is the one that was asked for.
    """

    path: str
    content: str
    base: str | None = None
    others: tuple[str, ...] = ()
    named: bool = field(default=True, compare=False)


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
