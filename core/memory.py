"""Durable facts of a session, each with the turn it came from."""

from dataclasses import dataclass
from typing import Literal

MemoryKind = Literal["decision", "preference", "request"]


@dataclass(frozen=True)
class Memory:
    """One fact: `decision` and `preference` always go into the prompt; a `request` is recalled with its files."""

    kind: MemoryKind
    text: str
    turn_id: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recollection:
    """A past request that is like this one, and the files it touched. Scores compare within one recall only."""

    text: str
    turn_id: str
    files: tuple[str, ...]
    score: float


_PREFERENCE = ("colour", "color", "font", "style", "tone", "brand", "logo", "dark", "light", "language", "prefer")


def kind_of(sentence: str) -> MemoryKind:
    """Sort a remembered sentence: looks and taste are preferences, the rest are decisions."""
    lowered = sentence.casefold()
    return "preference" if any(word in lowered for word in _PREFERENCE) else "decision"
