"""Answers in JSON: `str_replace` calls, whole files and operations on named things, in the spellings that models use."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from core.edits.model import Action, Delete, Edit, Operation, Rename, Replace, Thing, WholeFile
from core.edits.sections import tidy

_PATHS = ("path", "file", "file_path", "filePath", "filename")
_OLD = ("old_str", "old_string", "oldString", "old_text", "search")
_NEW = ("new_str", "new_string", "newString", "new_text", "replace")
_CONTENT = ("new_content", "content", "code", "file_text")
_LISTS = ("edits", "patches", "operations", "changes", "files")
_WHOLE_FILE = {*_PATHS, *_CONTENT, "language", "description", "command", "encoding", "name"}
"""What is said of a whole file; a line or a position besides would mean a part of one."""
_CALLS = ("arguments", "input", "parameters", "args")
MOST_STARTS = 20
"""How many places of an answer are tried."""
_EVERYWHERE = ("replace_all", "replaceAll", "allow_multiple")
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
    """Return the edits of a text that is JSON of one of the known shapes, in a fence or not; None for any other text."""
    lines = answer.strip().split("\n")
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1].rstrip() == "```":
        lines = lines[1:-1]
    if not lines[0].lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    return _edits(found, default_path)


def json_in_prose(lines: Sequence[str], default_path: str) -> tuple[Edit, ...] | None:
    """Return the edits of every JSON of a known shape that begins a line."""
    starts = [at for at, line in enumerate(lines) if line.startswith(("{", "["))]
    edits, behind = list[Edit](), 0
    for at in starts[:MOST_STARTS]:
        if at < behind:
            continue
        text = "\n".join(lines[at:])
        try:
            found, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if (some := _edits(found, default_path)) is not None:
            edits += some
            behind = at + text.count("\n", 0, end) + 1
    return tuple(edits) or None


def _mended(value: Any) -> Any:
    """Return JSON without halves of characters: it can say them, no file can hold them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    return {key: _mended(one) for key, one in value.items()} if isinstance(value, dict) else value


def _edits(found: Any, path: str) -> tuple[Edit, ...] | None:
    found = _mended(found)
    if isinstance(found, dict):
        inner = [found[name] for name in _LISTS if isinstance(found.get(name), list)]
        path = tidy(_first(found, _PATHS) or path)
        found = inner[0] if len(inner) == 1 else [found]
    if not isinstance(found, list) or not found:
        return None
    edits = [_edit(one, path) if isinstance(one, dict) else None for one in found]
    return None if None in edits else tuple(cast("list[Edit]", edits))


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((item[name] for name in names if isinstance(item.get(name), str)), None)


def _edit(item: Mapping[str, Any], default_path: str) -> Edit | None:
    if called := next((item[name] for name in _CALLS if isinstance(item.get(name), dict)), None):
        item = called
    given = _first(item, _PATHS)
    path = tidy(given) if given else default_path
    old, new = _first(item, _OLD), _first(item, _NEW)
    if old is not None and new is not None:
        everywhere = any(item.get(name) is True for name in _EVERYWHERE)
        return Replace(path, old.removesuffix("\n"), new.removesuffix("\n"), everywhere=everywhere)
    action, thing = str(item.get("action", "")).lower(), str(item.get("type", "")).lower()
    content = _first(item, _CONTENT) or ""
    if thing == "file":
        to = _first(item, ("to", "new_path", "target"))
        if action in ("rename", "move") and to:
            return Rename(path, to)
        if _ACTIONS.get(action) == "remove":
            return Delete(path)
        return WholeFile(path, content) if action in _ACTIONS and content else None
    target = item.get("target", "" if thing == "import" else None)
    if action not in _ACTIONS or thing not in _THINGS or not isinstance(target, str):
        whole = given and content and not action and not thing and item.keys() <= _WHOLE_FILE
        return WholeFile(path, content) if whole else None
    if not isinstance(item.get("new_content", ""), str):
        content = json.dumps(item["new_content"], ensure_ascii=False)
    return Operation(path, _ACTIONS[action], _THINGS[thing], target, content)
