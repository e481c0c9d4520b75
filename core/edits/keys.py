"""One key of a JSON, TOML or YAML file: comments, order and layout stay."""

import io
import json
import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from core.edits.languages import root
from core.edits.model import Operation

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NESTING, MAX_ALIASES = 100, 50


def with_key(edit: Operation, kind: str, text: str) -> str:
    """
    Return the file with one key set or removed; `target` is its path with dots, `content` its value as JSON.

    Raises:
        LookupError: the key is not there, or there twice.
        ValueError: the file or the value does not parse.
    """
    path = edit.target.split(".")
    aliases = len(re.findall(r"[\s\[{,:-]\*[\w-]", text)) if kind in ("yaml", "yml") else 0
    if max(_depth(text), _depth(edit.content)) > MAX_NESTING or aliases > MAX_ALIASES:
        raise ValueError("it is nested too deeply, or refers to itself too often")
    value = _value(edit.content) if edit.action != "remove" else None
    if kind == "json":
        return _in_json(edit, text, path)
    return _in_toml(edit, text, path, value) if kind == "toml" else _in_yaml(edit, text, path, value)


def _depth(text: str) -> int:
    """Return how many brackets are open at once, at most; those in texts are counted too."""
    deepest = depth = 0
    for char in text:
        depth += (char in "[{") - (char in "]}")
        deepest = max(deepest, depth)
    return deepest


def _value(content: str) -> Any:
    """Return a value; what is no JSON is a text, unless it is keys of YAML, which only a mapping can mean."""
    try:
        return json.loads(content)
    except ValueError:
        if _has_keys(content):
            raise ValueError("the content is YAML; write the value as JSON, or edit the file's text") from None
        return content.strip()


def _has_keys(content: str) -> bool:
    """Say whether a text is YAML: a key first, and alone or with more lines of its kind behind it."""
    first, *rest = [line for line in content.split("\n") if line.strip()] or [""]
    behind = all(line.startswith((" ", "-")) or _KEY.match(line) for line in rest)
    return _KEY.match(first.strip().removeprefix("- ")) is not None and behind


_KEY = re.compile(r"[a-z\"'][\w.\"'-]{0,60}:(?: |$)")


def _as_json(content: str) -> str:
    """Return a value as JSON, laid out as it came."""
    return content.strip() if not isinstance(_value(content), str) else json.dumps(_value(content), ensure_ascii=False)


def _keys(holder: Any, name: str) -> Any:
    if not isinstance(holder, MutableMapping):
        raise LookupError(f"What should hold {name} has no keys.")
    return holder


def _set(holder: Any, edit: Operation, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        if name not in _keys(holder, name) and edit.action == "add":
            holder[name] = {}
        if name not in holder:
            raise LookupError(f"{name} of {edit.target} is not there.")
        holder = holder[name]
    _keys(holder, path[-1])
    if (path[-1] in holder) == (edit.action == "add"):
        raise LookupError(f"{edit.target} is {'there already; replace it' if edit.action == 'add' else 'not there'}.")
    if edit.action == "remove":
        del holder[path[-1]]
    else:
        holder[path[-1]] = value


def _in_toml(edit: Operation, text: str, path: list[str], value: Any) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        _set(document, edit, path, value)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise ValueError(str(error)) from error


def _in_yaml(edit: Operation, text: str, path: list[str], value: Any) -> str:
    """Splice the lines of one key; where the result would not read as it should, lay out the whole file anew."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.explicit_start = text.lstrip().startswith("---") or None
    nested = re.search(r"^( *)[\w\"'-]+:[ ]*\n(?:[ ]*#.*\n|\n)*( *)-( +)\S", text, re.MULTILINE)
    if nested:
        offset = len(nested[2]) - len(nested[1])
        yaml.indent(sequence=offset + 1 + len(nested[3]), offset=offset)
    try:
        document = yaml.load(text) or {}
        _set(document, edit, path, value)
        spliced = _yaml_spliced(edit, text, path, value, yaml)
        # What refers to itself is compared as often as it is written out.
        if spliced is not None and ("*" not in spliced or spliced.count("&") < 2) and yaml.load(spliced) == document:
            return spliced
        out = io.StringIO()
        yaml.dump(document, out)
    except YAMLError as error:
        raise ValueError(str(error)) from error
    return out.getvalue()


def _yaml_spliced(edit: Operation, text: str, path: list[str], value: Any, yaml: Any) -> str | None:
    """Return the text with the bytes of one key changed; None where that takes more than a splice."""
    holder, pair = yaml.compose(text), None
    for depth, name in enumerate(path):
        pairs = getattr(holder, "value", ())
        pair = next((one for one in pairs if isinstance(one, tuple) and one[0].value == name), None)
        if pair is None and (depth < len(path) - 1 or edit.action != "add" or not pairs):
            return None
        holder = pair[1] if pair and depth < len(path) - 1 else holder
    if holder.flow_style or (edit.action != "remove" and not _is_scalar(value)):
        return None
    said = _yaml_scalar(value, yaml)
    if pair is None:
        key, last = holder.value[-1]
        margin = text[text.rfind("\n", 0, key.start_mark.index) + 1 : key.start_mark.index]
        at = _line_end(text, _last_index(last))
        return text[:at] + f"{'' if text[:at].endswith(chr(10)) else chr(10)}{margin}{path[-1]}: {said}\n" + text[at:]
    key, old = pair
    if edit.action == "remove":
        start = text.rfind("\n", 0, key.start_mark.index) + 1
        return text[:start] + text[_line_end(text, _last_index(old)) :]
    if not isinstance(old.value, str) or "\n" in text[old.start_mark.index : old.end_mark.index].strip():
        return None
    return text[: old.start_mark.index] + said + text[old.end_mark.index :]


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _yaml_scalar(value: Any, yaml: Any) -> str:
    """Return a value as YAML writes it on one line."""
    out = io.StringIO()
    yaml.dump({"v": value}, out)
    return out.getvalue().removeprefix("---").strip().removeprefix("v:").strip() or "null"


def _last_index(node: Any) -> int:
    """Return where the last scalar of a node ends."""
    while not isinstance(node.value, str) and node.value and not node.flow_style:
        node = node.value[-1][1] if isinstance(node.value[-1], tuple) else node.value[-1]
    return max(int(node.start_mark.index), int(node.end_mark.index) - 1)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _in_json(edit: Operation, text: str, path: list[str]) -> str:
    """Splice the bytes of one pair."""
    top = root(edit.path, text)
    holder = next((one for one in top.named_children if one.type == "object"), None) if top is not None else None
    for depth, name in enumerate(path[:-1]):
        inner = _pair(holder, path, depth)
        if inner is None:
            raise LookupError(f"{name} of {edit.target} is not there.")
        holder = inner.named_children[-1]
    pair = _pair(holder, path, len(path) - 1)
    assert holder is not None, "an object was found, or `_pair` has raised"
    if pair is None and edit.action != "add":
        raise LookupError(f"{edit.target} is not there.")
    if edit.action == "add" and pair is not None:
        raise LookupError(f"{edit.target} is there already; replace it.")
    source = text.encode()
    value = _as_json(edit.content) if edit.action != "remove" else ""
    if pair is None:
        return _json_added(source, holder, path[-1], value)
    if edit.action == "replace":
        old = pair.named_children[-1]
        shifted = value.replace("\n", "\n" + _margin(source, pair.start_byte))
        return (source[: old.start_byte] + shifted.encode() + source[old.end_byte :]).decode()
    others = [one for one in holder.named_children if one.type == "pair"]
    at = [one.start_byte for one in others].index(pair.start_byte)
    start = others[at - 1].end_byte if at else pair.start_byte
    end = pair.end_byte if at or len(others) == 1 else others[1].start_byte
    return (source[:start] + source[end:]).decode()


def _pair(holder: "Node | None", path: list[str], depth: int) -> "Node | None":
    """Return the pair of an object that the path names at a depth."""
    if holder is None or holder.type != "object":
        raise LookupError(f"{'.'.join(path[:depth]) or 'the file'} is no object.")
    found = [one for one in holder.named_children if one.type == "pair" and _name(one) == path[depth]]
    if len(found) > 1:
        raise LookupError(f"{'.'.join(path[: depth + 1])} is there {len(found)} times.")
    return found[0] if found else None


def _json_added(source: bytes, holder: "Node", name: str, value: str) -> str:
    pairs = [one for one in holder.named_children if one.type == "pair"]
    if pairs:
        last = pairs[-1]
        margin = _margin(source, last.start_byte)
        lines = b"\n" in source[holder.start_byte : last.start_byte]
        gap = f",\n{margin}" if lines else ", "
        new = f"{gap}{json.dumps(name)}: " + value.replace("\n", "\n" + margin)
        return (source[: last.end_byte] + new.encode() + source[last.end_byte :]).decode()
    margin = _margin(source, holder.start_byte)
    new = f"{{\n{margin}  {json.dumps(name)}: " + value.replace("\n", f"\n{margin}  ") + f"\n{margin}}}"
    return (source[: holder.start_byte] + new.encode() + source[holder.end_byte :]).decode()


def _margin(source: bytes, at: int) -> str:
    line = source[source.rfind(b"\n", 0, at) + 1 : at].decode()
    return line[: len(line) - len(line.lstrip())]


def _name(pair: "Node") -> str:
    text = pair.named_children[0].text
    return str(json.loads(text)) if text else ""
