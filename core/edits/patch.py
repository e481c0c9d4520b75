"""Apply all edits of one attempt, or none."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.edits.blocks import replaced
from core.edits.languages import ending, python_error, worse
from core.edits.model import Delete, Edit, Operation, Refusal, Rename, Replace, WholeFile
from core.edits.operations import operated
from core.edits.snippets import elisions
from core.edits.whole import rewritten
from core.errors import UserError
from core.files import FileTree

CERTAIN = ("exact", "whole file", "delete", "rename")
"""The tiers in which nothing is guessed."""
_BOM = "\ufeff"
LOCKS = {
    "package-lock.json": "package.json", "npm-shrinkwrap.json": "package.json", "yarn.lock": "package.json",
    "pnpm-lock.yaml": "package.json", "bun.lock": "package.json", "uv.lock": "pyproject.toml", "poetry.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml", "Pipfile.lock": "Pipfile", "Cargo.lock": "Cargo.toml", "composer.lock": "composer.json",
    "Gemfile.lock": "Gemfile", "go.sum": "go.mod",
}  # fmt: skip
GENERATED_BYTES = 600
# As Go, protobuf and GitHub's linguist mark them: https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
_GENERATED = re.compile(
    rb"(?m)^\W{0,6}(?:Code generated .{0,200}DO NOT EDIT|@generated\b|Generated .{0,200}DO NOT EDIT)"
)


@dataclass(frozen=True)
class Applied:
    """One edit that was applied, and by which tier its place was found."""

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
        if not isinstance(edit, Delete) and (made := made_by_a_tool(edit.path, before)):
            refused.append(Refusal("not_allowed", edit.path, made))
            continue
        if isinstance(edit, Rename):
            outcome = _renamed(edit, before, changes.get(edit.to, tree.get(edit.to)))
        else:
            outcome = _apply(edit, before)
        if isinstance(outcome, Refusal):
            refused.append(outcome)
            continue
        body, tier = outcome
        if isinstance(edit, Rename):
            changes[edit.path], changes[edit.to] = None, body
        else:
            changes[edit.path] = body
        applied.append(Applied(edit.path, tier))
    guessed = {one.path for one in applied if one.tier not in CERTAIN}
    for path, body in changes.items():
        if broken := _syntax_guard(path, tree.get(path), body, path in guessed):
            refused.append(broken)
    if refused:
        return Patched(tree, refused=tuple(refused))
    try:
        return Patched(tree.changed(changes), tuple(applied))
    except UserError as error:
        return Patched(tree, refused=(Refusal("not_allowed", "", str(error)),))


def made_by_a_tool(path: str, content: bytes | None) -> str:
    """Return why a file is not for people or models to write, '' for one that is: the next run of its tool would undo it."""
    source = LOCKS.get(path.rpartition("/")[2])
    if source:
        return f"{path} is written by a tool from {source}; change {source} instead."
    if content is not None and _GENERATED.search(content[:GENERATED_BYTES]):
        return f"{path} says at its top that it is generated and not to be edited; change what it is generated from."
    return ""


def _apply(edit: Replace | WholeFile | Delete | Operation, before: bytes | None) -> tuple[bytes | None, str] | Refusal:
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
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    outcome = replaced(edit, text) if isinstance(edit, Replace) else _operated(edit, text)
    return outcome if isinstance(outcome, Refusal) else ((bom + outcome[0]).encode(), outcome[1])


def _operated(edit: Operation, text: str) -> tuple[str, str] | Refusal:
    """Do an operation on a file's lines with plain ends, and give them back those that most of them had."""
    windows = text.count("\r\n") * 2 > text.count("\n")
    done = operated(edit, text.replace("\r\n", "\n") if windows else text)
    if isinstance(done, Refusal):
        return done
    return done.replace("\n", "\r\n") if windows else done, "operation"


def _renamed(edit: Rename, before: bytes | None, there: bytes | None) -> tuple[bytes | None, str] | Refusal:
    if before is None:
        return _missing(edit.path)
    if there is not None:
        return Refusal("not_allowed", edit.to, f"{edit.to} is there already, so {edit.path} cannot take its name.")
    return before, "rename"


def _missing(path: str) -> Refusal:
    return Refusal("missing_file", path, f"{path} does not exist; to create it, answer with the whole file.")


def _whole(edit: WholeFile, before: bytes | None) -> tuple[bytes, str] | Refusal:
    if not edit.content.strip():
        return Refusal("empty", edit.path, f"The block for {edit.path} was empty.")
    try:
        text = before.decode("utf-8") if before is not None else ""
    except UnicodeDecodeError:
        text = ""
    if text.strip():
        bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        outcome = rewritten(edit, text)
        return outcome if isinstance(outcome, Refusal) else ((bom + outcome[0]).encode(), outcome[1])
    if gaps := elisions(edit.content.splitlines(), ""):
        return Refusal(
            "elision", edit.path, f"The answer for {edit.path} leaves out code ({gaps[0]!r}); write the file in full."
        )
    return edit.content.encode(), "whole file"


def _syntax_guard(path: str, before: bytes | None, after: bytes | None, guessed: bool) -> Refusal | None:
    """
    Refuse a patch because of which more of a file fails to parse than before.

    Python is judged always. Other grammars lag behind their languages, so they judge only places that were `guessed`.
    """
    if before is None or after is None or not (guessed or ending(path) == "py"):
        return None
    old, new = (content.decode("utf-8", "replace").removeprefix(_BOM) for content in (before, after))
    if not worse(path, old, new):
        return None
    why = f": {python_error(new)}" if ending(path) == "py" else ""
    return Refusal("worse_syntax", path, f"After the edit {path} no longer parses{why}.")
