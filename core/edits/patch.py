"""Apply all edits of one attempt, or none."""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.edits.locate import Place, closest, locate
from core.edits.merge import join_lines, merged, split_lines
from core.edits.model import Delete, Edit, Refusal, Replace, WholeFile
from core.edits.near import near
from core.edits.variants import variants
from core.errors import UserError
from core.files import FileTree

PART_CHARS = 4
"""How long a part of a line must be to be looked for."""
_BOM = "\ufeff"
# A comment that stands for code the model did not write out. Applied as text it would delete that code.
_ELISION = re.compile(
    r"^\s*(?:#|//|/\*+|<!--|--|\{/\*)\s*(?:\.{3}|…)?\s*"
    r"(?:\(?(?:the )?(?:rest of|remaining|existing|previous|other|same|unchanged)\b.*"
    r"\b(?:code|file|function|method|class|implementation|unchanged|same|as before|here|above)\b.*|\.{3}|…)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Applied:
    """One edit that was applied, and by which tier it was found."""

    path: str
    tier: str


@dataclass(frozen=True)
class Patched:
    """The tree after a patch; `refused` is non-empty exactly when `tree` is the tree before."""

    tree: FileTree
    applied: tuple[Applied, ...] = ()
    refused: tuple[Refusal, ...] = ()


def apply_patch(tree: FileTree, edits: Iterable[Edit]) -> Patched:
    """
    Apply `edits` in order; later ones see what earlier ones did.

    All or nothing: with one refusal the tree stays as it was, and every refusal is returned.
    """
    changes: dict[str, bytes | None] = {}
    applied, refused = list[Applied](), list[Refusal]()
    for edit in edits:
        before = changes[edit.path] if edit.path in changes else tree.get(edit.path)
        outcome = _apply(edit, before)
        if isinstance(outcome, Refusal):
            refused.append(outcome)
        else:
            changes[edit.path], tier = outcome
            applied.append(Applied(edit.path, tier))
    refused += [found for path, body in changes.items() if (found := _syntax_guard(path, tree.get(path), body))]
    if refused:
        return Patched(tree, refused=tuple(refused))
    try:
        return Patched(tree.changed(changes), tuple(applied))
    except UserError as error:
        return Patched(tree, refused=(Refusal("not_allowed", "", str(error)),))


def _apply(edit: Edit, before: bytes | None) -> tuple[bytes | None, str] | Refusal:
    """Return the file's new content and the tier used."""
    if isinstance(edit, Delete):
        return (None, "delete") if before is not None else _missing(edit.path)
    if isinstance(edit, WholeFile):
        return _whole(edit, before)
    if before is None:
        return _missing(edit.path)
    try:
        text = before.decode("utf-8")
    except UnicodeDecodeError:
        return Refusal("encoding", edit.path, f"{edit.path} is not UTF-8 text, so it is not edited.")
    return _replaced(edit, text)


def _missing(path: str) -> Refusal:
    return Refusal("missing_file", path, f"{path} does not exist; to create it, answer with the whole file.")


def _whole(edit: WholeFile, before: bytes | None) -> tuple[bytes, str] | Refusal:
    if not edit.content.strip():
        return Refusal("empty", edit.path, f"The block for {edit.path} was empty.")
    if elided := _elision(edit.content.splitlines(), before):
        return Refusal(
            "elision", edit.path, f"The answer for {edit.path} leaves out code ({elided!r}); write the file in full."
        )
    content = edit.content
    if before is not None:
        text = before.decode("utf-8", "replace")
        if "\r\n" in text and text.count("\r\n") * 2 > text.count("\n"):
            content = content.replace("\n", "\r\n")
        if text.startswith(_BOM):
            content = _BOM + content
    return content.encode(), "whole file"


def _elision(lines: Sequence[str], before: bytes | None) -> str | None:
    """Return the line that stands for left-out code; one that the file itself has is no elision."""
    known = (before or b"").decode("utf-8", "replace")
    return next((line.strip() for line in lines if _ELISION.match(line) and line.strip() not in known), None)


def _replaced(edit: Replace, text: str) -> tuple[bytes, str] | Refusal:
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    search = edit.search.replace("\r\n", "\n").split("\n")
    replace = edit.replace.replace("\r\n", "\n").split("\n") if edit.replace else []
    if not edit.search.strip():
        return Refusal("not_found", edit.path, f"A SEARCH for {edit.path} was empty; quote the lines to change.")
    if elided := _elision(replace, text.encode()):
        return Refusal("elision", edit.path, f"A REPLACE for {edit.path} leaves out code ({elided!r}).")
    lines = split_lines(text)
    texts = [line.text for line in lines]
    place = locate(texts, search)
    tier = place.tier if isinstance(place, Place) else ""
    if place == []:
        if len(search) == len(replace) == 1 and len(search[0].strip()) >= PART_CHARS and text.count(search[0]) == 1:
            return (bom + text.replace(search[0], replace[0])).encode(), "part of a line"
        for slip, without, instead in variants(search, replace):
            place = locate(texts, without)
            if isinstance(place, Place):
                search, replace, tier = list(without), list(instead), slip
                break
    if place == [] and isinstance(place := near(texts, search, replace), Place):
        tier = place.tier
    if not isinstance(place, Place):
        return _not_located(edit.path, texts, search, place)
    result = bom + join_lines(merged(lines, place, search, replace))
    return result.encode(), tier


def _not_located(path: str, lines: Sequence[str], search: Sequence[str], hits: list[int]) -> Refusal:
    if hits:
        places = ", ".join(map(str, hits[:10]))
        return Refusal(
            "ambiguous", path,
            f"The SEARCH for {path} stands at {len(hits)} places (lines {places}); quote more lines around the one meant.",
        )  # fmt: skip
    return Refusal(
        "not_found", path,
        f"The SEARCH for {path} stands nowhere in it:\n" + "\n".join(search[:12]) + "\nThe closest real lines:\n"
        + closest(lines, search),
    )  # fmt: skip


def _syntax_guard(path: str, before: bytes | None, after: bytes | None) -> Refusal | None:
    """Refuse an edit that breaks a Python file which parsed before; other languages are judged by the checks."""
    if not path.endswith(".py") or before is None or after is None or _syntax_error(before):
        return None
    if error := _syntax_error(after):
        return Refusal("worse_syntax", path, f"After the edit {path} no longer parses: {error}.")
    return None


def _syntax_error(content: bytes) -> str | None:
    try:
        ast.parse(content)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return None
