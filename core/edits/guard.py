"""The guard against answers that leave code out without saying so, in whatever words or none."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from core.edits.merge import opcodes
from core.edits.remarks import is_remark, says_it_stays

FEWEST_LOST, SHARE = 12, 3
"""So many lines in a row may not go for a third as many."""
FEWEST_LOST_TO_REMARKS = 6
"""And so many not for remarks alone: a remark in the place of code stands for it."""
FEWEST_LOST_TO_WORDS = 2
"""And so many not for a remark that says that they stay."""
FEWEST_FORGOTTEN = 3
"""And so many not for nothing; of what opens a definition, or brings in what is still used, not one."""
LONG = 100
"""So many characters count as a line."""
FEW_WORDS = 10
"""A remark that stands for what stays is short."""
MOST_SHOWN = 30
ALIKE, ALIKE_CHARS = 0.6, 200
"""How much of a line's beginning two versions of it share."""


_ORDERS = re.compile(
    r"(?:remove|delete|drop|strip|simplify|shorten|rewrite|clean|reduce|extract|split|redesign|replace|refactor|condense|trim|cut|"
    r"merge|inline|(?:move|migrate)(?! to\b)|get rid|take out|throw out|tear out|rip out|start over|redo)\b|"
    r"entfern|l\u00f6sch|vereinfach|k\u00fcrz|streich|ersetz|supprim|enl[e\u00e8]v|retir|simplifi|elimin|quita|borr|rimuov|usu\u0144"
)
"""An order to make less of something, at the beginning of a clause."""
_SHORTER = re.compile(
    r"\b(?:rid of|no longer needed|(?:should|must|needs to|has to) (?:go|be (?:removed|deleted|dropped))|(?:simpler|shorter|leaner))\b"
)
_FOREIGN = re.compile(r"\b(?:entfern|l\u00f6sch|vereinfach|k\u00fcrz|streich)\w*(?![\w-])")
_MAY = re.compile(r"\b(?:zum|beim|einen?|k[\u00f6o]nn?\w*|kann|darf|d\u00fcrfen|sollen)\b")
_ASKING = re.compile(
    r"(?:(?:please|pls|plz|now|then|also|just|so|ok|okay|hi|hey|bitte|jetzt|dann|auch|por favor|and|but|can you|could you|would you|"
    r"will you|can we|could we|let's|lets|let us|you can|you should|we can|we should|we need to|we want to|i want to|i want you to|"
    r"i need you to|i'd like to|i'd like you to|i would like to|i would like you to|it is time to|try to|go ahead and|feel free to)\s+)"
)
_THINGS = frozenset((
    "button", "link", "icon", "key", "endpoint", "route", "action", "option", "dialog", "confirmation", "request", "function",
    "method", "handler", "down", "menu", "view", "page", "command", "feature", "and", "is", "does", "returns", "fails", "on",
))  # fmt: skip
"""What a word behind an order makes a thing or a remark of it: the delete button, “delete fails”."""
MAX_REQUEST_CHARS = 20_000


def asks_for_removal(request: str) -> bool:
    """
    Say whether a request orders something to go, so that a file may get much shorter.

    A delete button, a drop-down and “without changing anything else” order no such thing. A request that is read wrong
    costs one more answer: what goes by an edit of its own is never held back.
    """
    for clause in re.split(r"[.!?;:,\n]|\band\b|\bthen\b|\bund\b|\bbut\b", request[:MAX_REQUEST_CHARS].lower()):
        said = clause.strip(" -*\t")
        while found := _ASKING.match(said):
            said = said[found.end() :].lstrip()
        _, *following = re.findall(r"[^\W_]+", said)[:2] or [""]
        if (_ORDERS.match(said) and "-" not in said.split()[0] and _THINGS.isdisjoint(following)) or _SHORTER.search(
            said
        ):
            return True
        if _FOREIGN.search(said) and not _MAY.search(said):
            return True
    return False


_LETS_GO = re.compile(
    r"\b(?:instead of|rather than|any ?more|no longer|convert|switch|pointless|unused|deprecated|obsolete|redundant|unnecessary|"
    r"not needed|annoying|is enough|(?:no|without)(?! (?:\w+ )?(?:chang|touch|break|los|other|else)))\b"
)
"""Words with which something small may go, although nothing orders it."""
_NO_NAMES = frozenset((
    "the", "and", "for", "use", "not", "with", "this", "from", "return", "class", "def", "function", "any", "more", "are", "one", "can",
))  # fmt: skip


def exchanges(request: str) -> bool:
    """Say whether a request orders only to put something in another's place: much may go for it, and nothing beside it."""
    return asks_for_removal(request) and not asks_for_removal(_EXCHANGE.sub("put", request))


_EXCHANGE = re.compile(r"\b(?:replace|extract)\b", re.I)


def lets_go(request: str, old: str, new: str) -> bool:
    """
    Say whether something small may go from a file: the request says so, or names what the file had and has no more.

    A request to fix the spinner that ends without any spinner was about it; one to change a width does not lose its words.
    """
    said = request[:MAX_REQUEST_CHARS]
    if _LETS_GO.search(said.lower()):
        return True
    about = {word.rstrip("s") for word in re.findall(r"[a-z]{3,60}", said.lower()) if word not in _NO_NAMES}
    before, after = old.lower(), new.lower()
    return any(len(word) > 2 and word in before and word not in after for word in about)


def shrinks(old: Sequence[str], new: Sequence[str], *, comments_only: bool = False, forgets: bool = False) -> str:
    """
    Return the lines that would go, '' when an answer keeps or replaces what it must.

    What only moves to another place does not go. `comments_only` asks for the second rule alone: a SEARCH that quotes
    what is to go is a request to remove it. `forgets` asks also for what is short and for which nothing came: who writes a file
    from its beginning to its end forgets a method as easily as an import.
    """
    found = opcodes([line.strip() for line in old], [line.strip() for line in new])
    arrived = {line.strip() for kind, _, _, b1, b2 in found if kind != "equal" for line in new[b1:b2]}
    gone, come = list[str](), 0
    for kind, a1, a2, b1, b2 in found:
        if kind == "equal":
            continue
        lost = [line for line in old[a1:a2] if line.strip() and line.strip() not in arrived]
        gained = [line for line in new[b1:b2] if line.strip()]
        much = _size(lost) >= FEWEST_LOST and _size(gained) * SHARE <= _size(lost) and not comments_only
        alone = (
            not comments_only
            and gained
            and all(map(is_remark, gained))
            and not all(map(is_remark, lost))
            and _holds_only(new, b1, b2)
        )
        forgotten = forgets and _is_forgotten(*_unlike(lost, gained), new)
        if much or (lost and alone) or forgotten or _stood_for(lost, gained):
            return _shown(lost)
        gone, come = gone + lost, come + len(gained)
    there = set(old)
    told = any(
        line.strip().startswith(_BRACKETS) and _is_short(line) and says_it_stays(line)
        for line in new
        if line not in there
    )
    if told and len(gone) >= FEWEST_LOST_TO_WORDS:
        return _shown(gone)
    scattered = len(gone) >= 2 * FEWEST_LOST and come * SHARE <= len(gone) and not comments_only
    return _shown(gone) if scattered else ""


_OPENS = re.compile(
    r"^\s*(?:(?:export|default|public|private|protected|static|abstract|async|pub|override|final)\s+){0,4}"
    r"(?:(?:class|def|function|func|fn|interface|struct|enum|trait|impl)\s+\w|@[\w.]{2,80}|FROM\s|import\s+['\"])"
    # At the margin: a key with a block of YAML, a variable of an .env file.
    r"|^[A-Za-z_][\w-]{0,60}:\s*$|^[A-Z][A-Z0-9_]{2,60}="
)
_IMPORTS = re.compile(r"^\s*(?:from\s+\S{1,200}\s+)?(?:import|use)\s")
_BRINGS = re.compile(r"^\s*(?:(?:export\s+)?(?:const|let|var)\s+)?[A-Za-z_]\w{0,60}(?:\s*:[^=\n]{1,60})?\s*=(?!=)")


def _is_forgotten(lost: Sequence[str], gained: Sequence[str], new: Sequence[str]) -> bool:
    """Say whether lines that nothing came for are several, open a definition, or bring in a name that is still used."""
    code = [line for line in lost if not is_remark(line)]
    if gained or not code:
        return False
    if len(code) >= FEWEST_FORGOTTEN or any(map(_OPENS.match, code)):
        return True
    names = set[str]().union(*map(brought, code))
    there = [line for line in new if not is_import(line)] if names else []
    # What is brought in by another line now, as a parameter or a loop may, is not missing.
    brings = set[str]().union(*map(brought, new), *(re.findall(r"\w{2,}", line) for line in new if _OPENS.match(line)))
    used = set(re.findall(r"(?<![.\w])\w{2,}", "\n".join(there)))
    return bool((names - brings) & used)


def is_import(line: str) -> bool:
    """Say whether a line brings in names from elsewhere."""
    return _IMPORTS.match(line) is not None


def brought(line: str) -> set[str]:
    """Return the names that an import or an assignment brings in."""
    if is_import(line):
        return set(re.findall(r"\w{2,}", line.rpartition("import ")[2])) - _KEYWORDS
    return (
        set(re.findall(r"\w{2,}", line.partition("=")[0].partition(":")[0])) - _KEYWORDS
        if _BRINGS.match(line)
        else set()
    )


_KEYWORDS = frozenset(("const", "let", "var", "export", "as", "type", "default"))


def _holds_only(new: Sequence[str], start: int, end: int) -> bool:
    """Say whether lines are all that stands between a line that opens something and the one that closes it."""
    before = next((line.strip() for line in reversed(new[:start]) if line.strip()), "")
    after = next((line.strip() for line in new[end:] if line.strip()), "")
    return before.endswith(("{", "(", "[", " do", " then", ")>", "=>", "->")) and after.startswith(
        ("}", ")", "]", "end", "</", "fi", "done")
    )


def _size(lines: list[str]) -> int:
    """Count lines, those of a minified file by their length."""
    return sum(max(1, len(line) // LONG) for line in lines)


def _shown(lost: list[str]) -> str:
    return "\n".join(lost[:MOST_SHOWN]) + ("\n…" if len(lost) > MOST_SHOWN else "")


def _stood_for(lost: list[str], gained: list[str]) -> bool:
    """Say whether remarks came in the place of code; lines next to them that were only changed are not counted."""
    lost, gained = _unlike(lost, gained)
    if not gained or all(map(is_remark, lost)):
        return False
    if not all(is_remark(line) or says_it_stays(line) for line in gained):
        code = sum(not is_remark(line) for line in lost)
        return any(
            says_it_stays(line) and _is_short(line) and is_remark(line) and code >= FEWEST_LOST_TO_WORDS for line in gained
        )  # fmt: skip
    told = any(map(says_it_stays, gained)) or all(line.strip().startswith("{/*") for line in gained)
    fewest = FEWEST_LOST_TO_WORDS if told else FEWEST_LOST_TO_REMARKS
    return len(lost) >= fewest and (len(gained) * SHARE <= len(lost) or fewest == FEWEST_LOST_TO_WORDS)


def _unlike(lost: Sequence[str], gained: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what went and what came without the lines at both ends that were only changed."""
    lost, gained = list(lost), list(gained)
    for end in (0, -1):
        while gained and lost and not is_remark(gained[end]) and alike(lost[end], gained[end]):
            lost.pop(end)
            gained.pop(end)
    return lost, gained


def _is_short(line: str) -> bool:
    return len(re.findall(r"\w+", line)) <= FEW_WORDS


_BRACKETS = ("[", "*(", "(", "_(", "<!--", "*[")


def alike(old: str, new: str) -> bool:
    """Say whether two lines may be versions of one."""
    return SequenceMatcher(None, old.strip()[:ALIKE_CHARS], new.strip()[:ALIKE_CHARS]).ratio() >= ALIKE
