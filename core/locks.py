"""
Lock files of front ends: the exact versions of all packages, with their hashes.

Models and people do not write them; a tool does. Where an app asks for just what a known lock was made for, that lock goes with it, so
that whoever clones the app installs what it was built with.
"""

import json
from collections.abc import Sequence
from typing import Any

from core.files import FileTree

ASKED = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
PACKAGES, LOCK = "package.json", "package-lock.json"


def locks_of(tree: FileTree, known: Sequence[str]) -> dict[str, bytes | None]:
    """
    Return what to change about the lock files of a tree: those that are missing, and None for ours that fit no more.

    `known` are the texts of lock files of npm; one that somebody else wrote is left alone.
    """
    locks = [json.loads(text) for text in known]
    changes: dict[str, bytes | None] = {}
    for path in tree:
        folder, slash, name = path.rpartition("/")
        if name != PACKAGES or not isinstance(wanted := _read(tree[path]), dict):
            continue
        beside = f"{folder}{slash}{LOCK}"
        there = _read(tree[beside]) if beside in tree else None
        ours = isinstance(there, dict) and any(_of_all(there) == _of_all(lock) for lock in locks)
        fitting = next((lock for lock in locks if _asked(lock["packages"][""]) == _asked(wanted)), None)
        if fitting is not None and (beside not in tree or ours):
            content = _named(fitting, wanted.get("name"))
            if tree.get(beside) != content:
                changes[beside] = content
        elif ours:
            changes[beside] = None
    return changes


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _asked(packages: dict[str, Any]) -> dict[str, Any]:
    return {kind: packages[kind] for kind in ASKED if packages.get(kind)}


def _of_all(lock: dict[str, Any]) -> Any:
    """Return all that a lock says but for whom it is."""
    packages = lock.get("packages")
    return {path: one for path, one in packages.items() if path} if isinstance(packages, dict) else None


def _named(lock: dict[str, Any], name: Any) -> bytes:
    """Return a lock as the text that npm writes for an app of that name."""
    named = {"name": name} if isinstance(name, str) and name else {}
    root = {key: value for key, value in lock["packages"][""].items() if key != "name"}
    rest = {key: value for key, value in lock.items() if key not in ("name", "packages")}
    packages = {path: one for path, one in lock["packages"].items() if path}
    text = json.dumps({**named, **rest, "packages": {"": {**named, **root}, **packages}}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()
