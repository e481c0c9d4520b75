"""Operations on Python files, by libcst: comments and layout stay as they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.edits.languages import python_error
from core.edits.model import Operation

if TYPE_CHECKING:
    import libcst as cst


def with_python(edit: Operation, text: str) -> str:
    """
    Return the file with the operation done.

    Raises:
        LookupError: the thing is not there, or there more than once.
        ValueError: the file or the content does not parse, or the content is not what it should be.
    """
    # Loaded when first needed: it is large, and most turns need none of it.
    import libcst as cst

    for code in (text, edit.content if edit.thing != "decorator" else f"({edit.content.strip().removeprefix('@')})"):
        # It ends the whole process on code that is nested deeper than Python itself allows.
        if "nested" in (problem := python_error(code) or ""):
            raise ValueError(f"Python does not parse: {problem}")
    try:
        module = cst.parse_module(text) if text else cst.Module(())
        source = edit.content.strip("\n") + "\n" if edit.thing != "decorator" else ""
        parsed = cst.parse_module(source)
    except cst.ParserSyntaxError as error:
        raise ValueError(f"Python does not parse: {error.message}") from error
    new: list[cst.BaseStatement] = list(parsed.body)
    if new and parsed.header:
        # Remarks above the first statement belong to it.
        new[0] = new[0].with_changes(leading_lines=parsed.header)
    if edit.action != "remove" and edit.thing != "decorator" and not new:
        raise ValueError("the content is no code")
    if edit.thing == "import":
        return _with_import(module, edit, new)
    if edit.thing == "decorator":
        return _with_decorator(module, edit)
    *holders, name = edit.target.split(".")
    if edit.thing == "method" and edit.action == "add" and not holders:
        holders, name = [name], ""

    def change(body: "Sequence[cst.BaseStatement]") -> "list[cst.BaseStatement]":
        if edit.action == "add":
            return _added(body, new, at_end=not holders)
        at = _only(body, name)
        if edit.action == "remove":
            return [*body[:at], *body[at + 1 :]]
        return [*body[:at], *_like(body[at], new), *body[at + 1 :]]

    return str(_inside(module, holders, change).code)


def _inside(node: "cst.Module | cst.ClassDef", holders: list[str], change: Any) -> Any:
    """Change the body of the class that `holders` lead to, or the module's own."""
    import libcst as cst

    body: Any = node.body if isinstance(node, cst.Module) else node.body.body
    if holders:
        at = _only(body, holders[0])
        if not isinstance(body[at], cst.ClassDef):
            raise LookupError(f"{holders[0]} is no class.")
        changed = [*body[:at], _inside(body[at], holders[1:], change), *body[at + 1 :]]
    else:
        changed = change(body)
    if isinstance(node, cst.Module):
        return node.with_changes(body=changed)
    if not isinstance(node.body, cst.IndentedBlock):
        raise ValueError(f"{node.name.value} has its body on one line.")
    kept = changed or [cst.parse_statement("pass\n")]
    return node.with_changes(body=node.body.with_changes(body=kept))


def _names(statement: "cst.BaseStatement") -> list[str]:
    """Return the names that a statement defines."""
    import libcst as cst

    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return [statement.name.value]
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    targets: list[Any] = []
    for small in statement.body:
        if isinstance(small, cst.AnnAssign):
            targets.append(small.target)
        elif isinstance(small, cst.Assign):
            targets += [one.target for one in small.targets]
    return [one.value for one in targets if isinstance(one, cst.Name)]


def _only(body: "Sequence[cst.BaseStatement]", name: str) -> int:
    found = [at for at, statement in enumerate(body) if name in _names(statement)]
    if len(found) != 1:
        known = ", ".join(one for statement in body for one in _names(statement))[:300] or "nothing"
        raise LookupError(f"{name} is there {len(found)} times; it has {known}.")
    return found[0]


def _like(old: "cst.BaseStatement", new: "list[cst.BaseStatement]") -> "list[cst.BaseStatement]":
    """The first new statement keeps the blank lines and remarks above the old one; its own remarks come instead of those."""
    first = new[0]
    above = list(getattr(old, "leading_lines", ()))
    if any(line.comment for line in getattr(first, "leading_lines", ())):
        above = [*(line for line in above if not line.comment), *first.leading_lines]  # type: ignore[attr-defined]
    return [first.with_changes(leading_lines=above), *new[1:]]


def _added(
    body: "Sequence[cst.BaseStatement]", new: "list[cst.BaseStatement]", *, at_end: bool
) -> "list[cst.BaseStatement]":
    """Definitions go to the end; a field goes behind the last field, before the methods."""
    import libcst as cst

    taken = {name for statement in body for name in _names(statement)}
    if again := [name for statement in new for name in _names(statement) if name in taken]:
        raise LookupError(f"{again[0]} is there already; replace it.")
    if isinstance(new[0], cst.SimpleStatementLine) and not at_end:
        at = next((at for at, one in enumerate(body) if isinstance(one, cst.FunctionDef | cst.ClassDef)), len(body))
        kept = [one for one in body if not _is_pass(one)]
        at -= len(body) - len(kept)
        return [*kept[: max(0, at)], *new, *kept[max(0, at) :]]
    empty = [cst.EmptyLine(indent=False)] * (2 if at_end else 1)
    first = new[0].with_changes(leading_lines=[*(empty if body else []), *getattr(new[0], "leading_lines", ())])
    return [*(one for one in body if not _is_pass(one)), first, *new[1:]]


def _is_pass(statement: "cst.BaseStatement") -> bool:
    import libcst as cst

    return isinstance(statement, cst.SimpleStatementLine) and all(isinstance(one, cst.Pass) for one in statement.body)


def _with_import(module: "cst.Module", edit: Operation, new: "list[cst.BaseStatement]") -> str:
    """Add imports, joined with those that are there, or take a name (`json`, `pathlib.Path`) out again."""
    import libcst as cst
    from libcst.codemod import CodemodContext
    from libcst.codemod.visitors import AddImportsVisitor
    from libcst.helpers import get_full_name_for_node

    if edit.action == "remove":
        changed = module.visit(_Without(edit.target))
        if changed.deep_equals(module):
            raise LookupError(f"{edit.target} is not imported.")
        return changed.code
    context = CodemodContext()
    for statement in new:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
                source = "." * len(small.relative) + (
                    get_full_name_for_node(small.module) or "" if small.module else ""
                )
                for alias in small.names:
                    AddImportsVisitor.add_needed_import(
                        context, source, alias.evaluated_name, alias.evaluated_alias
                    )  # fmt: skip
            elif isinstance(small, cst.Import):
                for alias in small.names:
                    AddImportsVisitor.add_needed_import(context, alias.evaluated_name, None, alias.evaluated_alias)
            else:
                raise ValueError("the content is no import of names")
    return AddImportsVisitor(context).transform_module(module).code


def _Without(target: str) -> Any:  # noqa: N802 - a class that is made when libcst is loaded
    """Return a transformer that takes one imported name out."""
    import libcst as cst
    from libcst.helpers import get_full_name_for_node

    class Without(cst.CSTTransformer):
        def _left(self, prefix: str, node: Any) -> Any:
            kept = [one for one in node.names if prefix + one.evaluated_name != target]
            if len(kept) == len(node.names):
                return node
            if not kept:
                return cst.RemoveFromParent()
            return node.with_changes(names=[*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])

        def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> Any:  # noqa: N802
            return self._left("", updated_node)

        def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> Any:  # noqa: N802
            if isinstance(updated_node.names, cst.ImportStar):
                return updated_node
            source = get_full_name_for_node(updated_node.module) if updated_node.module else ""
            return self._left("." * len(updated_node.relative) + f"{source}.", updated_node)

    return Without()


def _with_decorator(module: "cst.Module", edit: Operation) -> str:
    """Add, replace or remove a decorator of `target`; one is told by the name it calls."""
    import libcst as cst
    from libcst.helpers import get_full_name_for_node

    *holders, name = edit.target.split(".")
    source = edit.content.strip().removeprefix("@")
    try:
        wanted = cst.parse_expression(source)
    except cst.ParserSyntaxError as error:
        raise ValueError(f"the decorator does not parse: {error.message}") from error

    def called(node: "cst.CSTNode") -> str:
        return get_full_name_for_node(node.func if isinstance(node, cst.Call) else node) or ""

    def change(body: "Sequence[cst.BaseStatement]") -> "list[cst.BaseStatement]":
        at = _only(body, name)
        old = body[at]
        if not isinstance(old, cst.FunctionDef | cst.ClassDef):
            raise LookupError(f"{name} is no function or class.")
        others = [one for one in old.decorators if called(one.decorator) != called(wanted)]
        if edit.action == "remove" and len(others) == len(old.decorators):
            raise LookupError(f"{name} has no decorator {called(wanted)}.")
        fresh = [] if edit.action == "remove" else [cst.Decorator(wanted)]
        return [*body[:at], old.with_changes(decorators=[*fresh, *others]), *body[at + 1 :]]

    return str(_inside(module, holders, change).code)
