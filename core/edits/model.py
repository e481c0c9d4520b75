"""The nouns of the edit engine."""

from dataclasses import dataclass
from typing import Literal

RefusalKind = Literal[
    "empty", "truncated", "no_edit", "wrong_path", "not_found", "ambiguous", "elision", "missing_file", "encoding",
    "worse_syntax", "not_allowed",
]  # fmt: skip


@dataclass(frozen=True)
class Replace:
    """Replace the one place that reads `search` by `replace`; both are whole lines joined by newlines."""

    path: str
    search: str
    replace: str


@dataclass(frozen=True)
class WholeFile:
    """The file shall read `content`, whether it exists or not."""

    path: str
    content: str


@dataclass(frozen=True)
class Delete:
    """The file shall go."""

    path: str


Edit = Replace | WholeFile | Delete


@dataclass(frozen=True)
class Refusal:
    """Why an answer or an edit was not applied. `message` is for models and people; it shows the real lines."""

    kind: RefusalKind
    path: str
    message: str
