"""Operations on named things: found by a real parser, changed where they stand, everything else keeps its bytes."""

from core.edits.keys import with_key
from core.edits.languages import SCRIPTS, ending, worse
from core.edits.model import Operation, Refusal
from core.edits.python import with_python
from core.edits.remarks import elisions
from core.edits.web import with_element, with_rule, with_script


def operated(edit: Operation, text: str) -> str | Refusal:
    """Return the new text of a file. A thing that is not there, or there more than once, is a refusal."""
    kind = ending(edit.path)
    if edit.action != "remove" and not edit.content.strip():
        return Refusal("empty", edit.path, f"The operation on {edit.target!r} in {edit.path} has no content.")
    if gaps := elisions(edit.content.split("\n"), text.split("\n")):
        return Refusal(
            "elision", edit.path,
            f"The operation on {edit.target!r} in {edit.path} leaves out code ({gaps[0]!r}); write it in full.",
        )  # fmt: skip
    try:
        result = _result(edit, kind, text)
    except LookupError as error:
        return Refusal("not_found", edit.path, f"In {edit.path}: {error.args[0]}")
    except ValueError as error:
        return Refusal("worse_syntax", edit.path, f"In {edit.path}: {error}")
    if result is None:
        return Refusal("not_allowed", edit.path, f"No operation on a {edit.thing} is known for {edit.path}.")
    if worse(edit.path, text, result):
        return Refusal("worse_syntax", edit.path, f"After the operation {edit.path} no longer parses.")
    return result


def _result(edit: Operation, kind: str, text: str) -> str | None:
    if edit.thing == "key" and kind in ("json", "toml", "yaml", "yml"):
        return with_key(edit, kind, text)
    if edit.thing == "rule" and kind == "css":
        return with_rule(edit, text)
    if edit.thing == "element" and kind in ("html", "htm"):
        return with_element(edit, text)
    if edit.thing in ("function", "class", "method", "import") and kind in SCRIPTS:
        return with_script(edit, text)
    if kind == "py" and edit.thing in ("function", "class", "method", "import", "decorator", "field"):
        return with_python(edit, text)
    return None
