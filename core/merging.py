"""
Three-way merge of an app's manifest by its fields: its text has each list and each description on few lines, so that by lines
any two turns would clash. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.manifests import read_manifest

PROSE = ("analysis", "description", "purpose")
"""What models write of the app for each other: where both sides changed it, that of the present app stays."""
IN_ORDER = ("start", "test")
"""Lists of which no part makes sense without the others."""


class _Gone:
    """A field or an entry that a side does not have."""


class _Clash(Exception):
    """Both sides changed the same thing to something else."""


GONE: Final = _Gone()


def merged_manifest(base: bytes, ours: bytes, theirs: bytes, *, prevails: bool = False) -> bytes | None:
    """
    Return the manifest with the changes of both sides; None where they clash, or where one is no manifest.

    `ours` is the present app. If `theirs` prevails its value is taken where both changed the same one.
    """
    try:
        sides = [json.loads(side) if side else {} for side in (base, ours, theirs)]
        if not all(isinstance(side, dict) for side in sides):
            return None
        found = read_manifest(json.dumps(_merged("", *sides, prevails=prevails)).encode())
    except (ValueError, RecursionError, _Clash):
        return None
    return found.to_bytes() if found is not None else None


def _merged(name: str, base: Any, ours: Any, theirs: Any, *, prevails: bool) -> Any:
    if _same(ours, theirs) or _same(base, theirs):
        return ours
    if _same(base, ours):
        return theirs
    sides = (base, ours, theirs)
    if (
        all(isinstance(side, Mapping | _Gone) for side in sides)
        and isinstance(ours, Mapping)
        and isinstance(theirs, Mapping)
    ):
        return _by_key({} if base is GONE else base, ours, theirs, prevails=prevails)
    if name not in IN_ORDER and isinstance(ours, list) and isinstance(theirs, list):
        return _list(base if isinstance(base, list) else [], ours, theirs, prevails=prevails)
    if prevails:
        return theirs
    if name in PROSE and ours is not GONE:
        return ours
    raise _Clash(name)


def _by_key(
    base: Mapping[Any, Any], ours: Mapping[Any, Any], theirs: Mapping[Any, Any], *, prevails: bool
) -> dict[Any, Any]:
    found = {
        key: _merged(str(key), *(side.get(key, GONE) for side in (base, ours, theirs)), prevails=prevails)
        for key in dict.fromkeys([*ours, *theirs])
    }
    return {key: value for key, value in found.items() if value is not GONE}


def _list(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], *, prevails: bool) -> list[Any]:
    """Merge lists whose entries have a name, or are one: the order is that of the present app, what is new comes last."""
    keyed = [{_key(entry): entry for entry in side} for side in (base, ours, theirs)]
    if any(len(side) != len(entries) for side, entries in zip(keyed, (base, ours, theirs), strict=True)):
        raise _Clash
    return list(_by_key(*keyed, prevails=prevails).values())


def _key(entry: Any) -> str:
    """Return what tells an entry of a list from the others."""
    if not isinstance(entry, Mapping):
        return json.dumps(entry)
    return json.dumps([entry.get("method"), entry.get("path", entry.get("name"))])


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other) and one is not GONE)
