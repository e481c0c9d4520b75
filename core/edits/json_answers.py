"""Answers in JSON: `str_replace` calls and operations on named things, in the spellings that models use."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from core.edits.model import Action, Delete, Edit, Operation, Rename, Replace, Thing, WholeFile

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(?P<body>.*)\n```\s*\Z", re.DOTALL)
_PATHS = ("path", "file", "file_path", "filename")
_OLD = ("old_str", "old_string", "old_text", "search")
_NEW = ("new_str", "new_string", "new_text", "replace")
_LISTS = ("edits", "patches", "operations", "changes")
_ACTIONS: Mapping[str, Action] = {
    "replace": "replace", "modify": "replace", "update": "replace", "set": "replace", "change": "replace",
    "add": "add", "insert": "add", "append": "add", "create": "add",
    "remove": "remove", "delete": "remove",
}  # fmt: skip
_THINGS: Mapping[str, Thing] = {
    "function": "function", "class": "class", "method": "method", "import": "import", "decorator": "decorator",
    "field": "field", "property": "field", "attribute": "field", "model_field": "field", "variable": "function",
    "component": "function", "rule": "rule", "css_rule": "rule", "style": "rule", "selector": "rule",
    "element": "element", "html_element": "element", "tag": "element", "key": "key", "json_key": "key", "value": "key",
}  # fmt: skip


def json_edits(answer: str, default_path: str) -> tuple[Edit, ...] | None:
    """Return the edits of an answer that is JSON of one of the known shapes, None for any other answer."""
    match = _FENCED.match(answer)
    try:
        found = json.loads(match["body"] if match else answer)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        inner = [found[name] for name in _LISTS if isinstance(found.get(name), list)]
        path = _first(found, _PATHS) or default_path
        found = inner[0] if len(inner) == 1 else [found]
    else:
        path = default_path
    if not isinstance(found, list) or not found:
        return None
    edits = [_edit(one, path) if isinstance(one, dict) else None for one in found]
    return None if None in edits else tuple(cast("list[Edit]", edits))


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((item[name] for name in names if isinstance(item.get(name), str)), None)


def _edit(item: Mapping[str, Any], default_path: str) -> Edit | None:
    path = _first(item, _PATHS) or default_path
    old, new = _first(item, _OLD), _first(item, _NEW)
    if old is not None and new is not None:
        return Replace(path, old.removesuffix("\n"), new.removesuffix("\n"))
    action, thing = str(item.get("action", "")).lower(), str(item.get("type", "")).lower()
    content = _first(item, ("new_content", "content", "code")) or ""
    if thing == "file":
        to = _first(item, ("to", "new_path", "target"))
        if action in ("rename", "move") and to:
            return Rename(path, to)
        if _ACTIONS.get(action) == "remove":
            return Delete(path)
        return WholeFile(path, content) if action in _ACTIONS and content else None
    target = item.get("target", "" if thing == "import" else None)
    if action not in _ACTIONS or thing not in _THINGS or not isinstance(target, str):
        return None
    if not isinstance(item.get("new_content", ""), str):
        content = json.dumps(item["new_content"], ensure_ascii=False)
    return Operation(path, _ACTIONS[action], _THINGS[thing], target, content)
