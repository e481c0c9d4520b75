"""Row level security in SQL that a browser reaches: a table without it is open to everyone."""

import asyncio
import re
from collections.abc import Iterator

from adapters.checks.material import Check, Material, Report
from core.findings import Finding, Level

_NAME = r"(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?(?:(?P<schema>\"[^\"]+\"|\w+)\s*\.\s*)?(?P<name>\"[^\"]+\"|\w+)"
_TABLE = re.compile(rf"\s*create\s+(?:unlogged\s+)?table\s+{_NAME}", re.IGNORECASE)
_ALTERED = re.compile(rf"\s*alter\s+table\s+{_NAME}(?P<rest>.*)", re.IGNORECASE | re.S)
_DROPPED = re.compile(rf"\s*drop\s+table\s+{_NAME}", re.IGNORECASE)
_ENABLES = re.compile(r"\benable\s+row\s+level\s+security", re.IGNORECASE)
_POLICY = re.compile(r"\s*create\s+policy\s+(?:\"[^\"]*\"|\w+)(?P<rest>.*)", re.IGNORECASE | re.S)
_TRUE = re.compile(r"\b(?:using|with check) ?\( ?\(? ?true ?\)", re.IGNORECASE)
"""For words with single blanks between them."""
_FOR = re.compile(r"\bfor\s+(select|insert|update|delete|all)\b", re.IGNORECASE)
_SERVICE = re.compile(r"\bto\s+service_role\b", re.IGNORECASE)
_FUNCTION = re.compile(r"\s*create\s+(?:or\s+replace\s+)?function\b", re.IGNORECASE)
_DEFINER = re.compile(r"\bsecurity\s+definer\b", re.IGNORECASE)
# Comments, texts, and the bodies of functions between dollars. What has no end goes on to the end of the file: looking
# for an end again from every beginning would take for ever.
_HIDDEN = re.compile(
    r"--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|'(?:[^']|'')*'|\$(|body|function|func|fn)\$.*?(?:\$\1\$|\Z)", re.S
)
_PUBLIC = ("", "public")
MAX_CHARS = 500_000


def sql_check() -> Check:
    """Return the check; it is for apps whose browser talks to the database itself."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    def applies(material: Material) -> bool:
        supabase = material.manifest is not None and material.manifest.stack.storage == "supabase"
        return bool(material.paths(".sql")) and (
            supabase or any(path.startswith("supabase/") for path in material.tree)
        )

    return Check("sql", 0, applies, run)


def _findings(material: Material) -> Iterator[Finding]:
    statements = [one for path in material.paths(".sql") for one in _statements(path, material)]
    enabled, dropped = set[str](), set[str]()
    for _, _, words in statements:
        if (altered := _ALTERED.match(words)) and _ENABLES.search(altered["rest"]):
            enabled.add(_plain(altered["name"]))
        if gone := _DROPPED.match(words):
            dropped.add(_plain(gone["name"]))
    for path, line, words in statements:
        if found := _judged(words, enabled | dropped):
            rule, level, said = found
            yield Finding(rule, level, path, line, said, "sql")


def _statements(path: str, material: Material) -> Iterator[tuple[str, int, str]]:
    """Yield the statements of a file, with the line each begins in."""
    if len(material.tree[path]) > MAX_CHARS:
        return
    # What is hidden becomes blanks of the same length, so that places stay.
    text = _HIDDEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), material.tree.text(path) or "")
    line = 1
    for words in text.split(";"):
        yield path, line + words[: len(words) - len(words.lstrip())].count("\n"), words
        line += words.count("\n")


def _judged(words: str, settled: set[str]) -> tuple[str, Level, str] | None:
    table = _TABLE.match(words)
    if table and _plain(table["schema"] or "") in _PUBLIC and _plain(table["name"]) not in settled:
        name = _plain(table["name"])
        said = (
            f"Table {name} has no row level security, so everyone can read and change it. Enable it and write policies."
        )
        return "rls", "error", said
    policy = _POLICY.match(words)
    if policy and _TRUE.search(" ".join(policy["rest"].split())) and not _SERVICE.search(policy["rest"]):
        what = (found[1] if (found := _FOR.search(policy["rest"])) else "all").lower()
        if what == "insert":
            return "rls-insert", "warning", "This policy lets everyone add rows; fine for a form, if that is meant."
        if what != "select":
            return "rls-open", "error", "This policy lets everyone change every row."
    if _FUNCTION.match(words) and _DEFINER.search(words) and "search_path" not in words.lower():
        said = "A security definer function needs a fixed search_path, else callers choose what its names mean."
        return "search-path", "warning", said
    return None


def _plain(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()
