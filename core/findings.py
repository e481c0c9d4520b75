"""What inspects a tree, what it says, and which of it is new."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.files import FileTree

Level = Literal["error", "warning", "note"]
CheckStatus = Literal["passed", "failed", "not_run"]
MARKS: Mapping[CheckStatus, str] = {"passed": "✓", "failed": "✗", "not_run": "–"}


@dataclass(frozen=True)
class Finding:
    """One thing a check says about one place. `line` counts from 1, 0 means the whole file."""

    rule: str
    level: Level
    path: str
    line: int
    message: str
    tool: str
    fingerprint: str = ""
    new: bool = True
    waived: str = ""
    """Who said that it is fine."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps a change from being committed: a new error that nobody said is fine."""
        return self.new and self.level == "error" and not self.waived


@dataclass(frozen=True)
class CheckResult:
    """
    One check's run over one tree.

    `not_run` is never a pass: `note` then says why. A failed check has at least one finding at level error. `passed` names
    the tests that passed, `proofs` those of them that failed before the change.
    """

    name: str
    status: CheckStatus
    seconds: float
    findings: tuple[Finding, ...] = ()
    note: str = ""
    passed: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()


def fingerprinted(findings: Iterable[Finding], tree: FileTree) -> tuple[Finding, ...]:
    """
    Give each finding an identity that survives moved lines.

    The identity is the rule, the path, the text of the line and the message without its numbers; equal ones are
    counted from the top of the file.
    """
    counts: Counter[str] = Counter()
    named = []
    path, lines = "", list[str]()
    for finding in sorted(findings, key=lambda one: (one.path, one.line, one.rule, one.message)):
        if finding.path != path:
            path, lines = finding.path, (tree.text(finding.path) or "").splitlines()
        source = lines[finding.line - 1].strip() if 0 < finding.line <= len(lines) else ""
        message = re.sub(r"\d+", "#", finding.message)
        digest = hashlib.sha256("\0".join((finding.rule, finding.path, source, message)).encode()).hexdigest()[:16]
        counts[digest] += 1
        named.append(replace(finding, fingerprint=f"{digest}-{counts[digest]}"))
    return tuple(named)


def marked(results: Sequence[CheckResult], old: Collection[str], waived: Mapping[str, str]) -> tuple[CheckResult, ...]:
    """Mark findings that the parent has too, by their fingerprints, as not new, and those that somebody waived."""
    return tuple(
        replace(
            result,
            findings=tuple(
                replace(one, new=one.fingerprint not in old, waived=waived.get(one.fingerprint, ""))
                for one in result.findings
            ),
        )
        for result in results
    )


def blocking(results: Iterable[CheckResult]) -> tuple[Finding, ...]:
    """Return the findings that block a commit."""
    return tuple(one for result in results for one in result.findings if one.blocks)
