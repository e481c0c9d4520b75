"""
How others apply the same answers, for the runner of answers: the rules of editors and agents that are common today.

Aider takes part where its wheel is unpacked: `AIDER=folder`, with `diff-match-patch` and `tqdm` installed.
"""

import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Refused(Exception):
    """The peer refuses."""


@dataclass
class Peer:
    """One way of applying, in the runner's shape."""

    NAME: str
    FORMATS: set[str]
    apply: Callable[[str, dict[str, Any], str], str]


def exact_and_unique(old: str, edit: dict[str, Any], path: str) -> str:
    """The rule of tool calls such as `str_replace`: the text stands there once, or the call fails."""
    del path
    for block in edit["blocks"]:
        if old.count(block["search"]) != 1 or not block["search"]:
            raise Refused
        old = old.replace(block["search"], block["replace"])
    return old


def overwrite(old: str, edit: dict[str, Any], path: str) -> str:
    """Builders that answer with whole files write them as they come."""
    del old, path
    text: str = edit["text"]
    lines = text.split("\n")
    fences = [at for at, line in enumerate(lines) if line.startswith("```")]
    return "\n".join(lines[fences[0] + 1 : fences[-1]]) + "\n" if len(fences) > 1 else text


def patched_by(*command: str) -> Callable[[str, dict[str, Any], str], str]:
    """Return a program that applies unified diffs."""

    def apply(old: str, edit: dict[str, Any], path: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(old.encode())
            body = [line for line in edit["text"].split("\n") if not line.startswith("```")]
            header = [] if any(line.startswith("--- ") for line in body) else [f"--- a/{path}", f"+++ b/{path}"]
            ran = subprocess.run(
                command, cwd=folder, input="\n".join([*header, *body]).encode(), capture_output=True, check=False
            )
            if ran.returncode:
                raise Refused
            return file.read_bytes().decode()

    return apply


SYSTEMS = [
    Peer("exact and unique", {"search_replace"}, exact_and_unique),
    Peer("overwrite", {"whole"}, overwrite),
    Peer("git apply --recount", {"udiff"}, patched_by("git", "apply", "--recount", "-")),
    Peer("GNU patch", {"udiff"}, patched_by("patch", "-p1", "--no-backup-if-mismatch", "--force")),
]


def _aider(folder: str) -> list[Peer]:
    """Load two of aider's modules without the rest of it, which needs a model."""
    quiet: Any = types.SimpleNamespace(dump=lambda *_: None, GitTemporaryDirectory=None, Coder=object)
    for name in ("aider", "aider.coders", "aider.utils", "aider.dump", "aider.coders.base_coder",
                 "aider.coders.editblock_prompts", "aider.coders.udiff_prompts"):  # fmt: skip
        module = types.ModuleType(name)
        module.__dict__.update(vars(quiet), EditBlockPrompts=object, UnifiedDiffPrompts=object)
        module.__path__ = [str(Path(folder, *name.split(".")))]
        sys.modules[name] = module
    sys.modules["aider"].utils = sys.modules["aider.utils"]  # type: ignore[attr-defined]
    import importlib

    block, diff = (importlib.import_module(f"aider.coders.{name}_coder") for name in ("editblock", "udiff"))

    def blocks(old: str, edit: dict[str, Any], path: str) -> str:
        for one in edit["blocks"]:
            found = block.do_replace(path, old, one["search"], one["replace"], ("```", "```"))
            if found is None:
                raise Refused
            old = found
        return old

    def hunks(old: str, edit: dict[str, Any], path: str) -> str:
        text = edit["text"] if "```" in edit["text"] else f"```diff\n{edit['text']}\n```"
        found = list(diff.find_diffs(text))
        for _, hunk in found:
            done = diff.do_replace(Path(path), old, hunk)
            if done is None:
                raise Refused
            old = done
        if not found:
            raise Refused
        return old

    return [Peer("aider diff", {"search_replace"}, blocks), Peer("aider udiff", {"udiff"}, hunks)]


if os.environ.get("AIDER"):
    SYSTEMS += _aider(os.environ["AIDER"])
