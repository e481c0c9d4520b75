"""How things are said in a line."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def quoted(names: Sequence[str]) -> list[str]:
    """Return names in quotation marks."""
    return [f"“{one}”" for one in names]
