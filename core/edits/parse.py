"""
Read a model's answer into edits.

Three formats, each under a line `FILE: path`: a fenced block is the whole file, SEARCH/REPLACE blocks are changes, a
fenced block of kind `diff` is a unified diff whose line numbers do not matter. `DELETE: path` removes a file. Some models
have learned another one, with lines such as `*** Update File: path`; it is understood as well, and so is JSON.
"""

import re
from collections.abc import Iterator, Sequence

from core.edits.json_answers import json_edits
from core.edits.model import Delete, Edit, Refusal, Rename, Replace, WholeFile

_HEADER = re.compile(r"^\s*(?:[#>*\-]+\s*)?(?:\*\*)?FILE:\s*`?(?P<path>[^`*]+?)`?(?:\*\*)?\s*$")
_DELETE = re.compile(r"^\s*DELETE:\s*`?(?P<path>[^`]+?)`?\s*$")
_FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
_SEARCH = re.compile(r"^<{5,9}\s*SEARCH\b.*$")
_DIVIDER = re.compile(r"^={5,9}\s*$")
_REPLACE = re.compile(r"^>{5,9}\s*REPLACE\b.*$")
_MOVED = re.compile(r"^\*\*\* Move to:\s*(?P<path>.+?)\s*$")
_PATCHED = re.compile(r"^\*\*\* (?P<verb>Update|Add|Delete) File:\s*(?P<path>.+?)\s*$")
_PATCH_LINE = re.compile(r"^\*\*\* (?:Begin Patch|End Patch|End of File)\s*$")
_HUNK = re.compile(r"^@@.*$")


def parse_answer(answer: str, default_path: str) -> tuple[Edit, ...] | Refusal:
    """
    Return the edits that `answer` contains, in its order; `default_path` is meant where it names no file.

    A refusal when the answer is empty, holds no edit, or ends in the middle of one: half an edit is no edit.
    """
    if not answer.strip():
        return Refusal("empty", default_path, "The answer was empty.")
    if (found := json_edits(answer, default_path)) is not None:
        return found
    edits: list[Edit] = []
    if any(_PATCHED.match(line) for line in answer.split("\n")):
        return tuple(_patched(answer.replace("\r\n", "\n").split("\n")))
    for path, lines in _sections(answer.replace("\r\n", "\n").split("\n"), default_path):
        section = _section_edits(path, lines)
        if isinstance(section, Refusal):
            return section
        edits += section
    if not edits:
        return Refusal("no_edit", default_path, "The answer had no FILE section with a fenced block or an edit in it.")
    return tuple(edits)


def _sections(lines: Sequence[str], default_path: str) -> Iterator[tuple[str, list[str]]]:
    """Cut the answer at its FILE and DELETE lines; a header inside a file's own fence ends that file's section too."""
    path, section = default_path, list[str]()
    for line in lines:
        if match := _HEADER.match(line):
            yield path, section
            path, section = match["path"].strip(), []
        elif match := _DELETE.match(line):
            yield path, section
            yield match["path"].strip(), [line]
            path, section = default_path, []
        else:
            section.append(line)
    yield path, section


def _section_edits(path: str, lines: list[str]) -> list[Edit] | Refusal:
    if lines and _DELETE.match(lines[0]):
        return [Delete(path)]
    if any(_SEARCH.match(line) for line in lines):
        return _search_replace(path, lines)
    opening = next((at for at, line in enumerate(lines) if _FENCE.match(line)), None)
    if opening is None:
        return []
    fence = _FENCE.match(lines[opening])
    assert fence is not None
    body = _fenced_body(lines, opening, fence["ticks"])
    if body is None:
        return Refusal("truncated", path, f"The block for {path} has no end; it was cut off.")
    if fence["info"].strip().startswith(("diff", "patch")):
        return _unified(path, body)
    return [WholeFile(path, "\n".join(body) + "\n" if body else "")]


def _fenced_body(lines: list[str], opening: int, ticks: str) -> list[str] | None:
    """Return the lines up to the section's last fence that can close this one: files of prose have fences inside."""
    closing = re.compile(rf"^{re.escape(ticks[0])}{{{len(ticks)},}}\s*$")
    ends = [at for at in range(opening + 1, len(lines)) if closing.match(lines[at])]
    return lines[opening + 1 : ends[-1]] if ends else None


def _search_replace(path: str, lines: list[str]) -> list[Edit] | Refusal:
    edits: list[Edit] = []
    search, replace = list[str](), list[str]()
    state = "outside"
    for line in lines:
        if state == "outside" and _SEARCH.match(line):
            state, search, replace = "search", [], []
        elif state == "search" and _DIVIDER.match(line):
            state = "replace"
        elif state == "replace" and _REPLACE.match(line):
            edits.append(Replace(path, "\n".join(search), "\n".join(replace)))
            state = "outside"
        elif state == "search":
            search.append(line)
        elif state == "replace":
            replace.append(line)
    if state != "outside":
        return Refusal("truncated", path, f"The last SEARCH/REPLACE block for {path} has no end; it was cut off.")
    return edits


def _patched(lines: Sequence[str]) -> Iterator[Edit]:
    """Read the files of a patch; what is in a hunk is as in a unified diff."""
    starts = [at for at, line in enumerate(lines) if _PATCHED.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        header = _PATCHED.match(lines[start])
        assert header is not None
        body = [line for line in lines[start + 1 : end] if not _PATCH_LINE.match(line)]
        while body and (not body[-1].strip() or _FENCE.match(body[-1])):
            body.pop()
        if header["verb"] == "Delete":
            yield Delete(header["path"])
        elif header["verb"] == "Add":
            yield WholeFile(header["path"], "".join(f"{line.removeprefix('+')}\n" for line in body))
        else:
            moved = next((match["path"] for line in body if (match := _MOVED.match(line))), "")
            yield from _unified(header["path"], [line for line in body if not _MOVED.match(line)])
            if moved:
                yield Rename(header["path"], moved)


def _unified(path: str, body: list[str]) -> list[Edit]:
    """Each hunk is a search (context and '-') and a replacement (context and '+'); headers and numbers are ignored."""
    edits: list[Edit] = []
    search, replace = list[str](), list[str]()

    def close() -> None:
        if search != replace:
            edits.append(Replace(path, "\n".join(search), "\n".join(replace)))
        search.clear()
        replace.clear()

    for line in body:
        if line.startswith(("--- ", "+++ ", "diff --git ", "index ")):
            continue
        if _HUNK.match(line):
            close()
        elif line.startswith("-"):
            search.append(line[1:])
        elif line.startswith("+"):
            replace.append(line[1:])
        elif not line.startswith("\\"):
            context = line.removeprefix(" ")
            search.append(context)
            replace.append(context)
    close()
    return edits
