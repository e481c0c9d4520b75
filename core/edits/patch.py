"""Apply all edits of one attempt, or none."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.edits.blocks import replaced
from core.edits.document import BOM, Document
from core.edits.guard import MOST_SHOWN
from core.edits.languages import doubled_key, ending, json_error, python_error, worse
from core.edits.meant import Lines, mixed_up
from core.edits.model import Delete, Edit, Operation, Refusal, Rename, Replace, WholeFile
from core.edits.operations import operated
from core.edits.remarks import elisions
from core.edits.sections import REPLACE, SEARCH
from core.edits.unasked import unasked
from core.edits.variants import unescaped, unnumbered_file
from core.edits.whole import rewritten
from core.errors import UserError
from core.files import LOCKS, FileTree

CERTAIN = ("exact", "whole file", "delete", "rename")
"""The tiers in which nothing is guessed."""
GENERATED_BYTES = 600
MOST_REFUSALS = 10
"""A patch that does not fit is looked at no further: telling why takes longer than applying."""
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


def apply_patch(
    tree: FileTree, edits: Iterable[Edit], *, may_remove: bool = False, may_drop: bool = False, request: str = ""
) -> Patched:
    """
    Apply `edits` in order; later ones see what earlier ones did.

    All or nothing: with one refusal the tree stays as it was; the first refusals are returned. `may_remove` says that the
    request asked for something to go, so a whole file may be much shorter than before; `may_drop` that something small may go,
    as it does where what does not work is mended, and so may what `request` names and the new file has no more.
    """
    edits = list(edits)
    arriving = {
        edit.path: {line.strip() for line in edit.content.split("\n")}
        for edit in edits if isinstance(edit, WholeFile) and tree.get(edit.path) is None
    }  # fmt: skip
    lines_of = Lines(tree)
    changes: dict[str, Document | bytes | None] = {}
    applied, refused = list[Applied](), list[Refusal]()
    for edit in edits:
        if len(refused) == MOST_REFUSALS:
            break
        if not _is_text(edit):
            refused.append(Refusal("encoding", edit.path, f"The answer for {edit.path} has half of a character in it."))
            continue
        if isinstance(edit, WholeFile) and edit.path not in changes and (meant := mixed_up(edit, lines_of, request)):
            refused.append(meant)
            continue
        before = changes[edit.path] if edit.path in changes else tree.get(edit.path)
        if not isinstance(edit, Delete) and (made := made_by_a_tool(edit.path, before)):
            refused.append(Refusal("not_allowed", edit.path, made))
            continue
        if isinstance(edit, Rename):
            outcome = _renamed(edit, before, changes.get(edit.to, tree.get(edit.to)))
        else:
            elsewhere = set[str]().union(*(lines for path, lines in arriving.items() if path != edit.path))
            outcome = _apply(edit, before, may_remove, may_drop, elsewhere, request)
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
    done = {path: body.encoded() if isinstance(body, Document) else body for path, body in changes.items()}
    for path, content in done.items():
        if broken := _syntax_guard(path, tree.get(path), content, path in guessed):
            refused.append(broken)
    if refused:
        return Patched(tree, refused=tuple(refused))
    try:
        return Patched(tree.changed(done), tuple(applied))
    except UserError as error:
        return Patched(tree, refused=(Refusal("not_allowed", "", str(error)),))


def _is_text(edit: Edit) -> bool:
    """Say whether an edit can be written: a lone surrogate, half of a character that an escape cut in two, cannot."""
    try:
        "".join(value for value in vars(edit).values() if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        return False
    return True


_EMPTY = ("__init__.py", "py.typed", ".gitkeep", ".keep", ".nojekyll")
"""Files that are mostly empty."""


def made_by_a_tool(path: str, content: Document | bytes | None) -> str:
    """Return why a file is not for people or models to write, '' for one that is: the next run of its tool would undo it."""
    source = LOCKS.get(path.rpartition("/")[2])
    if source:
        return f"{path} is written by a tool from {source}; change {source} instead."
    if isinstance(content, bytes) and _GENERATED.search(content[:GENERATED_BYTES]):
        return f"{path} says at its top that it is generated and not to be edited; change what it is generated from."
    return ""


def _apply(
    edit: Replace | WholeFile | Delete | Operation,
    before: Document | bytes | None,
    may_remove: bool,
    may_drop: bool,
    arriving: set[str],
    request: str,
) -> tuple[Document | bytes | None, str] | Refusal:
    """Return the file's new content and the tier used."""
    if isinstance(edit, Delete):
        return (None, "delete") if before is not None else _missing(edit.path)
    document = before if isinstance(before, Document) else _opened(edit.path, before)
    if isinstance(edit, Replace) and not edit.search.strip() and edit.replace.strip() and before is None:
        # As aider has taught models to make a file.
        edit = WholeFile(edit.path, f"{edit.replace}\n")
    if isinstance(edit, WholeFile):
        if not edit.content.strip() and before is None and edit.path.rpartition("/")[2] in _EMPTY:
            return b"", "whole file"
        if not edit.content.strip():
            return Refusal("empty", edit.path, f"The block for {edit.path} was empty.")
        old = "" if before is None else _text_of(before)
        edit = replace(edit, content=unescaped(edit.path, unnumbered_file(edit.path, edit.content, old), old))
        if _has_markers(edit.content) and not _has_markers(old):
            return Refusal(
                "no_edit",
                edit.path,
                f"The block for {edit.path} has SEARCH/REPLACE markers inside; write them outside.",
            )
    if isinstance(edit, WholeFile) and (isinstance(document, Refusal) or not any(map(str.strip, document.seen))):
        return _new(edit)
    if isinstance(document, Refusal):
        return document
    if isinstance(edit, Replace):
        tier = replaced(edit, document)
        return tier if isinstance(tier, Refusal) else (document, tier)
    before_it = document.text
    if isinstance(edit, WholeFile):
        tier = rewritten(edit, document, may_remove, arriving, may_drop=may_drop, request=request)
    else:
        tier = _operated(edit, document)
    if isinstance(tier, Refusal):
        return tier
    # What is mended may go; what an operation removes was named by it.
    meant = may_drop or (edit.action == "remove" if isinstance(edit, Operation) else bool(edit.others))
    if not meant and (
        lost := unasked(_lines(before_it), _lines(document.text), request, ordered=may_remove, arriving=arriving)
    ):
        shown = "\n".join(lost[:MOST_SHOWN])
        return Refusal(
            "shrinks", edit.path,
            f"The answer for {edit.path} also loses this, which nobody asked for; keep it, or take it out with a SEARCH/REPLACE of its "
            f"own:\n{shown}",
        )  # fmt: skip
    return document, tier


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _has_markers(text: str) -> bool:
    lines = text.split("\n")
    pair = any(SEARCH.match(line) for line in lines) and any(REPLACE.match(line) for line in lines)
    return (
        pair or any(line.startswith("<<<<<<< ") for line in lines) or any(line.startswith(">>>>>>> ") for line in lines)
    )


def _text_of(content: Document | bytes) -> str:
    return content.text if isinstance(content, Document) else content.decode("utf-8", "replace")


def _opened(path: str, before: bytes | None) -> Document | Refusal:
    if before is None:
        return _missing(path)
    try:
        return Document(before.decode("utf-8"))
    except UnicodeDecodeError:
        return Refusal("encoding", path, f"{path} is not UTF-8 text, so it is not edited.")


def _operated(edit: Operation, document: Document) -> str | Refusal:
    """Do an operation on a file's lines with plain ends, and give them back those that most of them had."""
    text = document.text
    windows = text.count("\r\n") * 2 > text.count("\n")
    done = operated(edit, text.replace("\r\n", "\n") if windows else text)
    if isinstance(done, Refusal):
        return done
    document.become(done.replace("\n", "\r\n") if windows else done)
    return "operation"


def _renamed(
    edit: Rename, before: Document | bytes | None, there: Document | bytes | None
) -> tuple[Document | bytes | None, str] | Refusal:
    if before is None:
        return _missing(edit.path)
    if there is not None:
        return Refusal("not_allowed", edit.to, f"{edit.to} is there already, so {edit.path} cannot take its name.")
    return before, "rename"


def _missing(path: str) -> Refusal:
    return Refusal("missing_file", path, f"{path} does not exist; to create it, answer with the whole file.")


def _new(edit: WholeFile) -> tuple[bytes, str] | Refusal:
    """Write a file that was not there, or was empty."""
    if edit.others:
        return Refusal(
            "no_edit",
            edit.path,
            f"The answer has {len(edit.others) + 1} blocks for {edit.path}; answer with one, the file.",
        )
    if gaps := elisions(edit.content.splitlines(), ()):
        return Refusal(
            "elision", edit.path, f"The answer for {edit.path} leaves out code ({gaps[0]!r}); write the file in full."
        )
    return edit.content.encode(), "whole file"


def _syntax_guard(path: str, before: bytes | None, after: bytes | None, guessed: bool) -> Refusal | None:
    """
    Refuse a patch because of which more of a file fails to parse than before.

    Python is judged always. Other grammars lag behind their languages, so they judge only places that were `guessed`.
    """
    if before is not None and after is not None and ending(path) == "json":
        key = doubled_key(after.decode("utf-8", "replace"))
        if key and not doubled_key(before.decode("utf-8", "replace")):
            return Refusal(
                "worse_syntax", path, f"After the edit {path} has {key!r} twice; change the one that is there."
            )
    if before is not None and after is not None and ending(path) in ("json", "ipynb", "webmanifest", "geojson"):
        why = "" if json_error(path, before) else json_error(path, after)
        if why:
            return Refusal("worse_syntax", path, f"After the edit {path} is no JSON any more: {why}.")
    if before is None or after is None or not (guessed or ending(path) == "py"):
        return None
    old, new = (content.decode("utf-8", "replace").removeprefix(BOM) for content in (before, after))
    if not worse(path, old, new):
        return None
    why = f": {python_error(new)}" if ending(path) == "py" else ""
    return Refusal("worse_syntax", path, f"After the edit {path} no longer parses{why}.")
