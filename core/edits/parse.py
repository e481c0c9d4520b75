"""
Read a model's answer into edits.

Three formats, each under a line `FILE: path`: a fenced block is the whole file, SEARCH/REPLACE blocks are changes, a
fenced block of kind `diff` is a unified diff whose line numbers need not be right. `DELETE: path` removes a file. Other
tools have taught models other forms: patches with lines such as `*** Update File: path`, JSON, paths that stand alone
above their block; they are understood as well. A block that is in another language than its file, such as commands to run
afterwards, is no edit.
"""

import re
from collections.abc import Sequence
from itertools import repeat

from core.edits.diffs import breaks_off, diff_edits, is_diff, is_patch, patch_edits, patch_ends
from core.edits.json_answers import json_edits, json_in_prose
from core.edits.languages import KIN, ending
from core.edits.model import Delete, Edit, Refusal, Rename, Replace, WholeFile
from core.edits.sections import DIVIDER, Block, Pair, Section, sections, tidy
from core.llm.reasoning import without_reasoning

_NEVER = {"output", "log", "diff", "patch", "sh", "bash", "zsh", "shell", "console", "terminal", "powershell", "json"}
"""What is no file of its own unless the file is of this kind."""


MOST_DIVIDERS = 20
_MARGIN = re.compile(r"^[+-]?[ \t]*\xa0[ \t\xa0]*", re.M)


def parse_answer(answer: str, default_path: str) -> tuple[Edit, ...] | Refusal:
    """
    Return the edits that `answer` contains, in its order; `default_path` is meant where it names no file.

    A refusal when the answer is empty, holds no edit, or ends in the middle of one: half an edit is no edit.
    """
    # Some models indent with blanks that do not break.
    answer = _MARGIN.sub(lambda match: match[0].replace("\xa0", " "), without_reasoning(answer).replace("\r\n", "\n"))
    if not answer.strip():
        return Refusal("empty", default_path, "The answer was empty.")
    if (found := json_edits(answer, default_path)) is not None and _meant(found, default_path):
        return found
    lines = answer.split("\n")
    if is_patch(lines):
        return patch_of(lines, default_path)
    parts = sections(lines, default_path)
    named = any(part.named and not part.deleted for part in parts)
    last = parts[-1]
    if _breaks_off(lines, last):
        return Refusal("truncated", last.path, f"The answer ends where {last.path} should follow; it was cut off.")
    edits: list[Edit] = [
        Rename(tidy(renamed["old"]), tidy(renamed["new"]))
        for part in parts
        for line in part.prose
        if (renamed := _RENAMED.match(line))
    ]
    others = {part.path for part in parts if part.named}
    below = (last.named and _is_empty(last)) or _CAPTION.fullmatch(next(filter(str.strip, reversed(lines))))
    if (first := parts[0]).blocks and not first.named and named and below:
        # The names stand below their blocks, and each would be taken for the next one's.
        return _unnamed(last.path)
    for part in parts:
        if named and part.path not in others and any(map(_may_be, part.blocks, repeat(part.path))):
            return _unnamed(part.path)
        # Blocks above the first header show what is meant; they are no files where others are named.
        done = _edits(part, shows_only=named and not part.named)
        if isinstance(done, Refusal):
            return done
        edits += done
    if not edits:
        return Refusal("no_edit", default_path, "The answer had no FILE section with a fenced block or an edit in it.")
    return tuple(dict.fromkeys(edits))


_RENAMED = re.compile(
    r"^\s*(?:[*-] )?(?:\*\*)?(?:RENAME|MOVE):(?:\*\*)?\s+`?(?P<old>[^`\s]{1,200})`?\s+(?:->|→|to)\s+`?(?P<new>[^`\s]{1,200})`?\s*$"
)


def _breaks_off(lines: Sequence[str], last: Section) -> bool:
    """Say whether an answer ends with the name of a file of which nothing follows, or in the middle of a marker."""
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    empty = last.named and _is_empty(last) and not any(map(str.strip, last.prose))
    return (empty and said.startswith("FILE:")) or (5 <= len(said) < 14 and "<<<<<<< SEARCH".startswith(said))


_CAPTION = re.compile(r"[*_`(]{0,3}(?:File: )?[\w./-]{1,200}\.\w{1,8}[*_`):]{0,3}\s*", re.I)


def _is_empty(part: Section) -> bool:
    return not (part.deleted or part.blocks or part.pairs)


def _unnamed(path: str) -> Refusal:
    return Refusal(
        "no_edit", path,
        f"A block stands above the first file that the answer names, and nothing tells whether it is {path}; write a line "
        "FILE: with the path above each block.",
    )  # fmt: skip


def _may_be(block: Block, path: str) -> bool:
    return _of_file(block.language, path) and len(block.lines) >= FEWEST_OF_FILE


FEWEST_OF_FILE = 10
"""Shorter blocks above the first header show what is meant; of a longer one nothing tells."""


def patch_of(lines: Sequence[str], default_path: str) -> tuple[Edit, ...] | Refusal:
    """Return the edits of patches, and of what else the answer has; one that was begun and not ended is cut off."""
    if not patch_ends(lines):
        return Refusal("truncated", default_path, "The patch has no *** End Patch; it was cut off.")
    edits, rest = patch_edits(lines)
    for part in sections(rest, default_path):
        if part.cut_off and not part.named:
            continue  # the end of a fence around the patch
        done = _edits(part, shows_only=not part.named)
        if isinstance(done, Refusal):
            return done
        edits += done
    return tuple(dict.fromkeys(edits))


def _edits(part: Section, shows_only: bool) -> list[Edit] | Refusal:
    if part.deleted:
        return [Delete(part.path)]
    if part.cut_off:
        return Refusal("truncated", part.path, f"The block for {part.path} has no end; it was cut off.")
    edits: list[Edit] = []
    for pair in part.pairs:
        read = _replace(part.path, pair)
        if isinstance(read, Refusal):
            return read
        edits.append(read)
    whole = list[Block]()
    for block in part.blocks:
        text = "\n".join(block.lines)
        if (calls := json_edits(text, part.path)) is not None and _meant(calls, part.path, part.named):
            edits += calls
        elif ending(part.path) not in ("diff", "patch") and (
            block.language in ("diff", "patch") or is_diff(block.lines)
        ):
            edits += diff_edits(block.lines, part.path, part.named)
        elif not shows_only:
            whole.append(block)
    if edits and any(block.language and _of_file(block.language, part.path) for block in whole):
        return Refusal(
            "no_edit", part.path, f"The answer has edits and a whole block for {part.path}; answer with one of them."
        )
    if edits and part.pairs:
        edits += json_in_prose(part.prose, part.path) or ()
    if edits or shows_only:
        return edits
    if whole:
        return _whole(part, whole)
    if is_diff(part.prose):
        if breaks_off(part.prose):
            return Refusal("truncated", part.path, f"The diff for {part.path} ends in the middle; it was cut off.")
        return diff_edits(part.prose, part.path, part.named)
    return list(json_in_prose(part.prose, part.path) or ())


def _whole(part: Section, blocks: Sequence[Block]) -> list[Edit] | Refusal:
    """Return the file that the last block in its language is; the blocks above that may be what it read before."""
    path = part.path
    fitting = [block for block in blocks if _fits(block.language, path)]
    if not fitting:
        return Refusal(
            "no_edit", path, f"The block for {path} is {blocks[0].language}; answer with the file itself or with edits."
        )
    if told := [block for block in fitting if block.language and _of_file(block.language, path)]:
        # What says that it is in the file's language is the file; what says nothing beside it is something to run.
        fitting = told
    if len(fitting) > 1:
        # A block that shows how the file is used, and is shorter, is no file.
        shown = [
            block
            for block in fitting[1:]
            if _SHOWS.match(block.lead) and (len(block.lines) < len(fitting[0].lines) or "usage" in block.lead.lower())
        ]
        fitting = [block for block in fitting if block not in shown]
    if not part.named and _NO_EDIT.search(fitting[0].lead):
        return Refusal(
            "no_edit", path,
            f"Above the block for {path} stands {fitting[0].lead.strip()!r}, so it is no edit; answer with one, or ask.",
        )  # fmt: skip
    if len(fitting) > 1 and _ADDS.match(fitting[-1].lead):
        return Refusal(
            "no_edit", path,
            f"The answer shows lines of {path} and others to be added beside them; answer with SEARCH/REPLACE, or with the file.",
        )  # fmt: skip
    if len(fitting) == 2 and _WAS.match(fitting[1].lead) and not _WAS.match(fitting[0].lead):
        fitting.reverse()
    *others, last = ["\n".join(block.lines) + "\n" if block.lines else "" for block in fitting]
    return [WholeFile(path, last, others=tuple(other for other in others if other != last), named=part.named)]


_NO_EDIT = re.compile(
    r"\bno changes? (?:(?:is|are|was|were) )?(?:needed|required|necessary)|\bnothing (?:has|needs) to (?:be )?chang|"
    r"\b(?:do not|don't|never) write (?:it|this) (?:like|so|this way)|\bbefore I change|\b(?:should|shall) I [^.?]{0,80}\?|\bdo you want [^.?]{0,80}\?|"
    r"\bI (?:would|could) write\b|\bwould (?:be|look like)\W*$|\bcould (?:also )?(?:write|be)\W*$",
    re.I,
)
"""What stands above a block that shows something without changing it."""
_ADDS = re.compile(
    r"\W{0,6}(?:and |then |now |next )?(?:[^:]{0,40}\b)?(?:add|insert|append|paste)(?: (?:this|it|the following|below|after|under|above|before|there|here|right|directly)){0,4}[^\w]*$",
    re.I,
)
_WAS = re.compile(r"\W{0,6}(?:previous|before|was\b|old\b|original|it (?:was|used to)|what (?:it|there) was)", re.I)
_SHOWS = re.compile(
    r"[^\w]{0,6}(?:usage|examples?|for example|how to (?:use|call|run|test)|you (?:can|could|may) (?:now |then )?(?:use|call|try|run|test)|"
    r"(?:now |then )?(?:use|call|try|test) (?:it|this|the)\b(?! instead)|output|sample|(?:here is |here's |this is )?how (?:it|this|that) works|"
    r"(?:the )?key changes?|what (?:has )?changed|alternatively|or(?: you could)?\b|with (?:the|this) [^\n]{0,80}(?:gives|returns|prints)|the relevant (?:part|lines?|change))",
    re.I,
)


def _meant(calls: Sequence[Edit], path: str, named: bool = False) -> bool:
    """Say whether JSON is edits: a JSON file, or one that is `named` above it, may hold what looks like edits of others."""
    return (ending(path) != "json" and not named) or all(call.path == path for call in calls)


def _fits(language: str, path: str) -> bool:
    """Say whether a block in a language can be a file; unknown languages and unknown files can."""
    kind = ending(path)
    if not language or not kind or language == kind:
        return True
    if "." not in path.rpartition("/")[2] and not any(kind in group for group in KIN):
        return language not in ("diff", "patch", "output", "log")  # a script without an ending
    kin = next((group for group in KIN if kind in group), None)
    if kin is None:
        return language not in _NEVER
    return language in kin or not (language in _NEVER or any(language in group for group in KIN))


def _of_file(language: str, path: str) -> bool:
    """Say whether a language is the one of a file, or its kin."""
    kind = ending(path)
    return language == kind or any(kind in group and language in group for group in KIN)


def _replace(path: str, pair: Pair) -> Replace | Refusal:
    """Return a block's edit; where several of its lines look like the divider, all ways to read it, the longest search first."""
    dividers = [at for at, line in enumerate(pair.lines) if DIVIDER.match(line)]
    if not dividers:
        return Refusal("truncated", path, f"A SEARCH/REPLACE block for {path} has no ======= between its halves.")
    if len(dividers) > MOST_DIVIDERS:
        return Refusal(
            "ambiguous",
            path,
            f"A SEARCH/REPLACE block for {path} has {len(dividers)} lines of =======; answer with the whole file.",
        )
    readings = [("\n".join(pair.lines[:at]), "\n".join(pair.lines[at + 1 :])) for at in reversed(dividers)]
    (search, replace), *otherwise = readings
    return Replace(path, search, replace, lines=(pair.at,) if pair.at else (), otherwise=tuple(otherwise))
