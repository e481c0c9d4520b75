"""The one table of commands: what the front ends and answers offer stands in it, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import bot
from core.thread.commands import BUTTONS, COMMANDS

ROOT = Path(bot.__file__).parent.parent
FRONT_ENDS = (ROOT / "bot", ROOT / "adapters" / "chat")


def trees(*folders: Path) -> Iterator[tuple[Path, ast.AST]]:
    for folder in folders:
        for path in folder.rglob("*.py"):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_every_button_that_is_offered_is_in_the_table() -> None:
    offered = {
        (path.name, node.args[0].value)
        for path, tree in trees(*FRONT_ENDS, ROOT / "core")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Action" and node.args
        and isinstance(node.args[0], ast.Constant)
    }  # fmt: skip
    assert len(offered) > 8
    assert {verb for _, verb in offered} <= set(BUTTONS)


def test_no_front_end_has_a_table_of_commands_of_its_own() -> None:
    tables = [
        (path.name, node.lineno)
        for path, tree in trees(*FRONT_ENDS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        and sum(isinstance(key, ast.Constant) and key.value in COMMANDS for key in node.keys) >= 3
    ]
    assert tables == []
