"""bandit for risky Python, and secrets that must not be committed."""

import asyncio
import re
import sys
import threading
from collections.abc import Iterator

from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from adapters.checks.material import Check, Material, Report
from adapters.checks.tools import as_json, output_of, relative
from core.files import FileTree
from core.findings import Finding

SECONDS = 30
MAX_LINE_CHARS = 2_000
_SECRETS = re.compile(
    r"\b(?:sk-(?:or-v1-|ant-|proj-)?[A-Za-z0-9_-]{20,}|gsk_[A-Za-z0-9]{20,}|csk-[A-Za-z0-9]{20,}|AIza[A-Za-z0-9_-]{30,}|"
    r"xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|"
    r"AKIA[A-Z0-9]{16}|hf_[A-Za-z0-9]{30,}|[MN][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,})"
)
_PLUGINS = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "JwtTokenDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "SendGridDetector", "SlackDetector",
    "StripeDetector", "TwilioKeyDetector", "BasicAuthDetector",
)  # fmt: skip


def bandit_check() -> Check:
    """Return the check for risky Python; tests are left out, they assert."""
    return Check("bandit", 2, lambda material: bool(material.paths(".py")), _bandit)


def secrets_check() -> Check:
    """Return the check for keys and tokens in any text file."""

    async def run(material: Material) -> Report:
        return Report(await leaks(material.tree))

    return Check("secrets", 1, lambda _: True, run)


async def leaks(tree: FileTree) -> tuple[Finding, ...]:
    """Return what looks like a secret in a tree."""
    return await asyncio.to_thread(lambda: tuple(_leaks(tree)))


async def _bandit(material: Material) -> Report:
    empty = material.folder.parent / "bandit.ini"
    empty.write_text("[bandit]\n", encoding="ascii")
    argv = [
        sys.executable, "-P", "-m", "bandit", "-r", ".", "-f", "json", "-q", "--ignore-nosec", "--ini", str(empty),
        "-x", "./tests,./test,./node_modules,./.venv",
    ]  # fmt: skip
    found = as_json(await output_of(argv, material.folder, SECONDS), "bandit") or {}
    return Report(
        tuple(
            Finding(
                str(one["test_id"]),
                "error"
                if one["issue_severity"] in ("HIGH", "MEDIUM") and one["issue_confidence"] != "LOW"
                else "warning",
                relative(one["filename"], material.folder),
                int(one["line_number"]),
                str(one["issue_text"]),
                "bandit",
            )  # fmt: skip
            for one in found.get("results", [])
        )
    )


_ONE_AT_A_TIME = threading.Lock()
"""detect-secrets keeps its settings in one place for the whole process."""


def _leaks(tree: FileTree) -> Iterator[Finding]:
    with _ONE_AT_A_TIME, transient_settings({"plugins_used": [{"name": name} for name in _PLUGINS]}):
        for path in tree:
            text = tree.text(path)
            for number, line in enumerate((text or "").splitlines(), start=1):
                if len(line) > MAX_LINE_CHARS or not line.strip():
                    continue
                kind = "key or token" if _SECRETS.search(line) else next((found.type for found in scan_line(line)), "")
                if kind:
                    yield Finding(
                        "secret",
                        "error",
                        path,
                        number,
                        f"This looks like a secret ({kind}); read it from the environment.",
                        "secrets",
                    )
