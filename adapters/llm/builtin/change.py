"""Read a request for a change, clause by clause, and apply it to the manifest."""

import re
from collections.abc import Callable

from pydantic import ValidationError

from adapters.llm.builtin.plans import completed
from adapters.llm.builtin.rules_data import add_choice, add_fields, add_model, remove, rename
from adapters.llm.builtin.rules_looks import add_page, features, look, sort, title, view
from adapters.llm.builtin.state import Changed
from core.manifests import AppManifest

_NEXT = (
    r"add|rename|remove|delete|drop|sort|order|make|change|show|use|filter|put|allow|let|call|export|give|paginate|track|"
    r"switch|turn|set|include|also|support|enable|display|list|create|search"
)
_CLAUSES = re.compile(
    rf"[;\n]+\s*|[.?!]+(?:\s+|$)|,?\s+(?:and|then|plus)\s+(?:then\s+)?(?=(?:{_NEXT})\b)|,\s*(?=(?:{_NEXT})\b)", re.I
)
_TAIL = re.compile(r"[\s,]*(?:[?!.]|\b(?:please|thanks|thank you|too|as well|instead|everywhere|for me)\b)\s*$", re.I)
MAX_CLAUSE_CHARS = 500
_POLITE = re.compile(
    r"^\W*(?:please|can you|could you|now|then|also|next|i want to|i'd like to|we need to|let's)\s+", re.I
)

# The first rule that understands a clause has it.
_RULES: tuple[Callable[[Changed, str], str], ...] = (
    title, sort, view, rename, remove, add_page, look, features, add_choice, add_model, add_fields,
)  # fmt: skip


def change(manifest: AppManifest, request: str) -> Changed:
    """Apply every clause of `request` that can be understood."""
    state = Changed(manifest)
    todo = _clauses(request.replace("\u2019", "'"))
    while todo:
        clause = todo.pop(0)
        if _apply(state, clause):
            continue
        # "add a pricing section and a team page": one verb for two wishes.
        left, _, right = clause.partition(" and ")
        if right and _apply(state, left):
            verb = left.split(" ", 1)[0]
            if not _apply(state, right) and not _apply(state, f"{verb} {right}"):
                state.missed.append(right)
        else:
            state.missed.append(clause)
    return state


def _apply(state: Changed, clause: str) -> bool:
    """Apply one clause by the first rule that understands it."""
    before = (state.manifest, state.last_model)
    for rule in _RULES:
        said = rule(state, clause)
        if said and (fitting := _fitting(state.manifest)):
            state.manifest = fitting
            state.done.append(said)
            return True
        # A rule that gives up must leave nothing behind, or people would get what they were told they do not.
        state.manifest, state.last_model = before
    return False


def _fitting(manifest: AppManifest) -> AppManifest | None:
    """Return the manifest with what follows from it, None when it would break a limit."""
    try:
        return completed(manifest)
    except ValidationError:
        return None


def _clauses(request: str) -> list[str]:
    clauses = []
    for raw in _CLAUSES.split(request):
        clause = raw or ""
        while _POLITE.match(clause):
            clause = _POLITE.sub("", clause, count=1)
        if re.search(r"\w", clause):
            clause = re.sub(r"^[-*•\s]+", "", " ".join(clause.split())[:MAX_CLAUSE_CHARS])
            while (shorter := _TAIL.sub("", clause)) != clause:
                clause = shorter
            clauses.append(clause.strip(" ,"))
    return clauses
