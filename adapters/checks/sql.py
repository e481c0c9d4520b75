"""Row level security in SQL that a browser reaches: a table without it is open to everyone."""

import re
from collections.abc import Iterator

from adapters.checks.material import Check, Material, Report
from core.findings import Finding, Level

_NAME = r"(?:if\s+not\s+exists\s+)?(?:only\s+)?(?:\"?public\"?\.)?\"?(?P<name>\w+)\"?(?!\w*\.)"
_TABLE = re.compile(rf"\bcreate\s+table\s+{_NAME}", re.IGNORECASE)
_ENABLED = re.compile(rf"\balter\s+table\s+{_NAME}\s+enable\s+row\s+level\s+security", re.IGNORECASE)
_OPEN = re.compile(r"\bcreate\s+policy\b[^;]*?\b(?:using|with\s+check)\s*\(\s*true\s*\)", re.IGNORECASE)
_READS = re.compile(r"\bfor\s+select\b", re.IGNORECASE)
_DEFINER = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?function\b(?:(?!\bcreate\b).)*?\bsecurity\s+definer\b", re.I | re.S
)
_HIDDEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.S)
MAX_CHARS = 500_000


def sql_check() -> Check:
    """Return the check; it is for apps whose browser talks to the database itself."""

    async def run(material: Material) -> Report:
        return Report(tuple(_findings(material)))

    def applies(material: Material) -> bool:
        supabase = material.manifest is not None and material.manifest.stack.storage == "supabase"
        return bool(material.paths(".sql")) and (
            supabase or any(path.startswith("supabase/") for path in material.tree)
        )

    return Check("sql", 0, applies, run)


def _findings(material: Material) -> Iterator[Finding]:
    # Comments and texts become blanks of the same length, so that places stay.
    texts = {
        path: _HIDDEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), material.tree.text(path) or "")
        for path in material.paths(".sql")
        if len(material.tree[path]) <= MAX_CHARS
    }
    enabled = {match["name"].lower() for text in texts.values() for match in _ENABLED.finditer(text)}
    for path, text in texts.items():
        for match in _TABLE.finditer(text):
            if match["name"].lower() not in enabled:
                said = f"Table {match['name']} has no row level security, so everyone can read and change it."
                yield _finding("rls", "error", path, text, match, f"{said} Enable it and write policies.")
        for match in _OPEN.finditer(text):
            if not _READS.search(match[0]):
                yield _finding("rls-open", "error", path, text, match, "This policy lets everyone change every row.")
        for match in _DEFINER.finditer(text):
            if "search_path" not in text[match.start() : text.find(";", match.end()) + 1]:
                said = "A security definer function needs a fixed search_path, else callers choose what its names mean."
                yield _finding("search-path", "warning", path, text, match, said)


def _finding(rule: str, level: Level, path: str, text: str, match: re.Match[str], said: str) -> Finding:
    return Finding(rule, level, path, text.count("\n", 0, match.start()) + 1, said, "sql")
