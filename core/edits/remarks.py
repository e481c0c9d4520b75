"""Comments: which lines are one, and which stand for code that the model did not write out."""

import re
from collections.abc import Sequence

_REMARK = re.compile(
    r"^(?:#|//|/\*|\* |<!--|-- |;|\{/\*|\"\"\"|'''|% |\{\{--|<%#|<%--|\{-|--\[\[|<#|\.\. (?![\w-]+::)|@\*)"
)
# A comment that stands for code the model did not write out. Applied as text it would delete that code.
_OPENS = ("{/*", "{{--", "<!--", "<%--", "<%#", "/**", "/*", "//", "--[[", "--", "{-", "<#", "@*", "#", ";", "%", ".. ")
_CLOSES = ("*/}", "--}}", "-->", "--%>", "%>", "*/", "]]", "-}", "#>", "*@")
_WHAT = {
    "code", "file", "function", "functions", "method", "methods", "class", "classes", "implementation", "unchanged", "same",
    "before", "here", "above", "content", "import", "imports", "logic", "styles", "markup", "below",
}  # fmt: skip
_STAYS = ("rest of", "remaining", "existing", "previous", "other", "same", "unchanged")
# A body, or what a tag holds, of three dots or of a remark alone: `{ ... }`, `<footer>…</footer>`.
_STUB = re.compile(
    r"[{\[]\s*(?:\.\.\.|…|/\*[^*]{0,80}(?:\.\.\.|…|unchanged|same|existing|before)[^*]{0,20}\*/)\s*[}\]][;,]?$|>\s*(?:\.\.\.|…)\s*</[\w-]+>$"
)
MAX_CHARS, MOST_WORDS = 160, 6
"""Longer ones say something."""


def is_remark(line: str) -> bool:
    """Say whether a line is a comment; a CSS selector such as `#menu {` is none."""
    text = line.strip()
    return bool(_REMARK.match(text)) and not text.endswith(("{", ","))


def stands_for_code(line: str) -> bool:
    """Say whether a line is a comment in the place of code that was left out."""
    text = line.strip()
    if len(text) > MAX_CHARS:
        return False
    if text in ("...", "…", "- ...", "- …") or _STUB.search(text):
        return True
    opened = next((one for one in _OPENS if text.startswith(one)), "")
    if not opened:
        return False
    text = text.removeprefix(opened)
    closed = next((one for one in _CLOSES if text.endswith(one)), "")
    text = text.removesuffix(closed).strip().lower()
    bare = text.strip("() ")
    if bare.startswith(("...", "…")) or bare.endswith(("...", "…")):
        return True
    words = re.findall(r"[a-z]+", bare)
    return bare.removeprefix("the ").startswith(_STAYS) and len(words) <= MOST_WORDS and not _WHAT.isdisjoint(words)


def elisions(lines: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the lines of an answer that stand for code; one that the file itself has, or that is a body of Python, is none."""
    standing = [at for at, line in enumerate(lines) if stands_for_code(line)]
    if not standing:
        return []  # mostly so, and the file may be long
    there = {line.strip() for line in known}
    if there and there <= {line.strip() for line in lines}:
        # All of the file is there: nothing is left out.
        return []
    found = [lines[at].strip() for at in standing if not (lines[at].strip() == "..." and _opens_body(lines, at, there))]
    return [line for line in found if line not in there and (there or not leads_on(line))]


def leads_on(line: str) -> bool:
    """Say whether a comment only says what the next line does: “Installing packages...”."""
    words = re.findall(r"[a-z]+", line.lower())
    dots = re.match(r"\W*(?:\.\.\.|…)", line)
    return bool(words) and not dots and _WHAT.isdisjoint(words) and not _KEEPS.search(line.lower())


def _opens_body(lines: Sequence[str], at: int, known: set[str]) -> bool:
    """Say whether what stands before three dots opens a body that is nothing else, and that the file does not have already."""
    before = next((line.rstrip() for line in reversed(lines[max(0, at - 20) : at]) if line.strip()), "")
    return before.endswith((":", '"""', "'''")) and before.strip() not in known


def says_it_stays(line: str) -> bool:
    """Say whether a line tells, in one of some languages, that something stays: a remark, or a stub with one behind it."""
    text = line.strip()[:MAX_CHARS]
    if text.startswith('"...'):
        return True
    said = text if is_remark(text) or text.startswith(("[", "*(", "(", "_(", "*[")) else _BEHIND.sub("", text, count=1)
    return said != text and not is_remark(text) and bool(_KEEPS.search(said.lower())) or (
        said == text and not _CODE.search(text) and bool(_KEEPS.search(text.lower()))
    )  # fmt: skip


_BEHIND = re.compile(r"^[^#/]*(?=#|//)")
_CODE = re.compile(r"[=;]|\w\(")
_KEEPS = re.compile(
    r"unchanged|as is\b|as before|as above|\bstays?\b|\bas (?:they|it) (?:is|are|was|were)\b|\bthe way (?:it|they) |existing|remain|previous|same as|you already have|omitted|snip\b|keep |rest of|"
    r"unver\u00e4ndert|gehabt|bleib|bisherig|restlich|inchang|identique|le reste|existant|sin cambios|existente|el resto|igual|"
    r"see above|nothing changes|no changes?\b|not changed|your version|\betc\b|and so on|all the others?\b|"
    r"wie oben|wie bisher|wie vorher|wie gehabt|der rest|usw\b|como antes|sem altera|inalterad|restante|"
    r"invariat|come prima|il resto|ongewijzigd|de rest|bez zmian|reszta|pozosta|of\u00f6r\u00e4ndra|resten|"
    r"de\u011fi\u015fme|ayn\u0131|\u0431\u0435\u0437 \u0438\u0437\u043c|\u043e\u0441\u0442\u0430\u043b\u044c\u043d|\u0431\u0435\u0437 \u0437\u043c\u0456\u043d|"
    r"\u4e0d\u53d8|\u539f\u6709|\u7701\u7565|\u4fdd\u6301|\u5909\u66f4\u306a\u3057|\u305d\u306e\u307e\u307e|\u65e2\u5b58|\uae30\uc874|\uc0dd\ub7b5|\ub3d9\uc77c"
)
