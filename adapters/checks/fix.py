"""Linters mend what they can mend themselves: in the files and for the rules that they are told, nowhere else."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.checks.lint import SCRIPTS
from adapters.checks.tools import output_of, program

SECONDS = 20
_RULE = re.compile(r"[A-Z]+\d+|[\w@/-]+\([\w/-]+\)")


async def mend(folder: Path, rules: Mapping[str, Sequence[str]]) -> None:
    """
    Let ruff and oxlint mend the files in `folder` in place; `rules` has the rules for each path.

    Raises:
        OutsideError: a linter does not work.
    """
    for path, found in rules.items():
        # What has another form is no rule but the parser's word, which cannot be asked for.
        named = [rule for rule in found if _RULE.fullmatch(rule)]
        if not named:
            continue
        if path.endswith(".py"):
            select = f"--select={','.join(sorted(set(named)))}"
            argv = [
                program("ruff"),
                "check",
                "--isolated",
                "--no-cache",
                "--fix",
                "--quiet",
                "--target-version=py311",
                select,
            ]
            await output_of([*argv, f"./{path}"], folder, SECONDS)
        elif path.endswith(SCRIPTS):
            ours = folder.parent / "oxlint.json"
            ours.write_text("{}", encoding="ascii")
            # A finding names its rule as `plugin(rule)`.
            wanted = [part for name in sorted(set(named)) for part in ("-D", name.rpartition("(")[2].removesuffix(")"))]
            argv = [
                program("oxlint"),
                "--fix",
                "--config",
                str(ours),
                "--disable-nested-config",
                "--no-ignore",
                "-A",
                "all",
            ]
            await output_of([*argv, *wanted, f"./{path}"], folder, SECONDS)
