"""Read a request for a change, clause by clause, and apply it to the manifest."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.llm.builtin.plans import CSV, FILTER, PAGES, SEARCH, SECTIONS, completed, table_name
from adapters.llm.builtin.understand import accent_in, entities
from adapters.llm.builtin.words import field as read_field
from adapters.llm.builtin.words import identifier, known_words, label, model_of, plural, singular, split_list
from core.manifests import AppManifest, DataField, DataModel, Page

_NEXT = (
    r"add|rename|remove|delete|drop|sort|order|make|change|show|use|filter|put|allow|let|call|export|give|paginate|track|"
    r"switch|turn|set|include|also|support|enable|display|list|create|search"
)
_CLAUSES = re.compile(rf"[.;\n]+\s*|,?\s+(?:and|then|plus)\s+(?:then\s+)?(?=(?:{_NEXT})\b)|,\s*(?=(?:{_NEXT})\b)", re.I)
_POLITE = re.compile(
    r"^\W*(?:please|can you|could you|now|then|also|next|i want to|i'd like to|we need to|let's)\s+", re.I
)
_FEATURES = (
    (CSV, r"\bcsv\b|\bexport\b|\bspreadsheet\b", "lists can be downloaded as CSV"),
    (PAGES, r"\bpaginat\w*|\bpaging\b|\bpages of\b|\bper page\b", "long lists are shown in pages"),
    (SEARCH, r"\bsearch\w*", "lists can be searched"),
    (FILTER, r"\bfilter\w*", "lists can be filtered by their choices"),
)  # fmt: skip


@dataclass
class Changed:
    """The manifest after the clauses that were understood; `missed` are the others, in the person's words."""

    manifest: AppManifest
    done: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    last_model: str = ""


def change(manifest: AppManifest, request: str) -> Changed:
    """Apply every clause of `request` that can be understood."""
    state = Changed(manifest)
    for clause in _clauses(request.replace("\u2019", "'")):
        for rule in _RULES:
            said = rule(state, clause)
            if said:
                state.done.append(said)
                break
        else:
            state.missed.append(clause)
    state.manifest = completed(state.manifest)
    return state


def _clauses(request: str) -> list[str]:
    clauses = []
    for raw in _CLAUSES.split(request):
        clause = raw or ""
        while _POLITE.match(clause):
            clause = _POLITE.sub("", clause, count=1)
        if re.search(r"\w", clause):
            clauses.append(" ".join(clause.split()).strip(" ,"))
    return clauses


def _model(state: Changed, words: str) -> DataModel | None:
    """Return the model that `words` mean."""
    words = re.sub(
        r"^(?:the|all|each|every|our|an?)\s+|\s+(?:list|table|page|view|form|records?)$",
        "",
        words.strip(" '\"").casefold(),
    )
    name = known_words(state.manifest.models).get(words)
    return next((one for one in state.manifest.models if one.name == name), None)


def _field(model: DataModel, words: str) -> DataField | None:
    name = identifier(re.sub(r"^(?:the|an?|their)\s+|\s+(?:field|column)$", "", words.strip(" '\"").casefold()))
    return next(
        (one for one in model.fields if one.name in (name, name.removesuffix("s")) or identifier(one.label) == name),
        None,
    )


def _with_field(state: Changed, words: str) -> DataModel | None:
    """Return the model that has the field: the one spoken of last, else the only one, else the first."""
    having = [one for one in state.manifest.models if _field(one, words)]
    return next((one for one in having if one.name == state.last_model), having[0] if having else None)


def _put(state: Changed, model: DataModel, old_name: str = "") -> None:
    """Replace or add a model."""
    state.last_model = model.name
    models = [model if one.name == (old_name or model.name) else one for one in state.manifest.models]
    if all(one.name != model.name for one in models):
        models.append(model)
    state.manifest = state.manifest.model_copy(update={"models": models})


def _feature(state: Changed, name: str) -> None:
    if name not in state.manifest.features:
        state.manifest = state.manifest.model_copy(update={"features": [*state.manifest.features, name]})


def _theme(state: Changed, **update: str) -> None:
    theme = state.manifest.theme.model_copy(update=update)
    state.manifest = state.manifest.model_copy(update={"theme": theme})


def _title(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?:(?:change|set|rename|make)\s+(?:the\s+)?(?:app'?s?\s+|page'?s?\s+|site'?s?\s+)?(?:title|name|heading|headline|app|application|site|page)\s+(?:to|into|as)|"
        r"call\s+(?:it|this|the app|the site|the page)|rename\s+(?:it|this|the app)\s+(?:to|into)|title\s+it)\s+[\"'“]?(?P<title>.+?)[\"'”]?$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    title = label(match["title"])
    pages = [page.model_copy(update={"title": title}) if page.path == "/" else page for page in state.manifest.pages]
    state.manifest = state.manifest.model_copy(update={"title": title, "pages": pages})
    return f"the title is now “{title}”"


def _look(state: Changed, clause: str) -> str:
    if re.search(r"\bdark(?: mode| theme)?\b", clause, re.I) and not re.search(
        r"\b(field|column|page)\b", clause, re.I
    ):
        off = re.search(r"\b(remove|no|without|turn off|disable)\b", clause, re.I)
        _theme(state, mode="light" if off else "dark")
        return "the dark theme is off" if off else "the app has a dark theme"
    if re.search(r"\blight (?:mode|theme)\b", clause, re.I):
        _theme(state, mode="light")
        return "the app has a light theme"
    accent = accent_in(clause)
    if accent and re.search(r"\b(colou?rs?|accent|theme|make|use|brand|buttons?|style|it)\b", clause, re.I):
        if re.search(r"\b(field|column)\b", clause, re.I):
            return ""
        _theme(state, accent=accent)
        return f"the accent colour is {accent}"
    return ""


def _sort(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?:sort|order|list|show)\s+(?:(?P<model>.+?)\s+)?(?:sorted\s+|ordered\s+)?by\s+(?P<field>.+?)"
        r"(?P<down>\s*,?\s*\(?(?:desc(?:ending)?|newest first|latest first|highest first|most recent first|in reverse|reversed|largest first)\)?)?"
        r"(?:\s*,?\s*\(?(?:asc(?:ending)?|oldest first|lowest first|earliest first|soonest first)\)?)?$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    model = _model(state, match["model"] or "") or _with_field(state, match["field"])
    found = _field(model, match["field"]) if model else None
    if model is None or found is None:
        return ""
    down = "-" if match["down"] else ""
    _put(state, model.model_copy(update={"order_by": f"{down}{found.name}"}))
    return f"{model.plural.lower()} are sorted by {found.label.lower()}{', highest first' if down else ''}"


def _features(state: Changed, clause: str) -> str:
    if not state.manifest.models or re.search(r"\b(field|column|page)\b", clause, re.I):
        return ""
    removing = re.match(r"(?:remove|delete|drop|disable|turn off)\b", clause, re.I)
    choices = any(one.type in ("choice", "boolean") for model in state.manifest.models for one in model.fields)
    said = []
    for name, pattern, result in _FEATURES:
        if not re.search(pattern, clause, re.I) or (name == FILTER and not choices):
            continue
        if removing:
            kept = [one for one in state.manifest.features if one != name]
            state.manifest = state.manifest.model_copy(update={"features": kept})
            said.append(f"{name} is gone")
        else:
            _feature(state, name)
            said.append(result)
    return ", ".join(said)


def _view(state: Changed, clause: str) -> str:
    match = re.search(
        r"\b(?P<model>[a-z][a-z -]*?)\s+(?:as|in|into|on)\s+(?:an?\s+)?(?:kanban\s+)?(?P<view>board|cards?|table|list)\b",
        clause,
        re.I,
    )
    if not match:
        return ""
    model = _model(state, re.sub(r"^(?:show|display|make|turn|list|put)\s+", "", match["model"], flags=re.I))
    view = {"board": "board", "card": "cards", "cards": "cards"}.get(match["view"].casefold(), "table")
    if model is None or (view == "board" and not any(one.type == "choice" for one in model.fields)):
        return ""
    pages = [
        page.model_copy(update={"view": view}) if page.model == model.name else page for page in state.manifest.pages
    ]
    state.manifest = state.manifest.model_copy(update={"pages": pages})
    return f"{model.plural.lower()} are shown as {'a ' if view != 'cards' else ''}{view}"


def _rename(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?:rename|change)\s+(?:the\s+)?(?P<old>.+?)\s+(?:to|into|as)\s+(?P<new>.+?)(?:\s+(?:in|of|for|on)\s+(?P<model>.+))?$",
        clause,
        re.I,
    )
    if not match:
        return ""
    old, new = match["old"], match["new"].strip(" '\"")
    model = _model(state, old)
    if model is not None and not match["model"]:
        return _rename_model(state, model, new)
    if inside := re.match(r"(?P<field>.+?)\s+(?:of|in|on)\s+(?P<model>.+)$", old, re.I):
        old, model = inside["field"], _model(state, inside["model"])
    elif (
        (possessive := re.match(r"(?P<model>\w+)(?:'s|s')?\s+(?P<field>.+)$", old, re.I))
        and (owner := _model(state, possessive["model"]))
        and _field(owner, possessive["field"])
    ):
        old, model = possessive["field"], owner
    model = (_model(state, match["model"]) if match["model"] else model) or _with_field(state, old)
    found = _field(model, old) if model else None
    name = identifier(re.sub(r"\s+(?:field|column)$", "", new))
    if model is None or found is None or not name or any(one.name == name for one in model.fields):
        return ""
    renamed = found.model_copy(
        update={"name": name, "label": label(new), "renamed_from": found.renamed_from or found.name}
    )
    order = model.order_by
    if order and order.lstrip("-") == found.name:
        order = order.replace(found.name, name)
    fields = [renamed if one.name == found.name else one for one in model.fields]
    _put(state, model.model_copy(update={"fields": fields, "order_by": order}))
    return f"{found.label} of {model.plural.lower()} is now called {renamed.label}"


def _rename_model(state: Changed, model: DataModel, new: str) -> str:
    one = singular(new.casefold())
    name = identifier(one)
    if not name or any(other.name == name for other in state.manifest.models):
        return ""
    renamed = model.model_copy(
        update={
            "name": name,
            "label": label(one),
            "plural": label(plural(one)),
            "renamed_from": model.renamed_from or table_name(model),
        }
    )
    _put(state, renamed, model.name)
    models = [
        other.model_copy(
            update={
                "fields": [f.model_copy(update={"target": name}) if f.target == model.name else f for f in other.fields]
            }
        )
        for other in state.manifest.models
    ]
    pages = [
        page.model_copy(update={"model": name, "title": renamed.plural, "path": f"/{table_name(renamed)}"})
        if page.model == model.name else page
        for page in state.manifest.pages
    ]  # fmt: skip
    state.manifest = state.manifest.model_copy(update={"models": models, "pages": pages})
    return f"{model.plural} are now called {renamed.plural}"


def _remove(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?:remove|delete|drop|get rid of|take out)\s+(?:the\s+)?(?P<what>.+?)(?:\s+(?:from|of|in)\s+(?P<model>.+))?$",
        clause,
        re.I,
    )
    if not match:
        return ""
    what = match["what"]
    if page := re.match(r"(?P<title>.+?)\s+(?:page|section)$", what, re.I):
        return _remove_page(state, page["title"])
    model = _model(state, what)
    if model is not None and not match["model"]:
        return _remove_model(state, model)
    gone = []
    for phrase in split_list(what):
        owner = (_model(state, match["model"]) if match["model"] else None) or _with_field(state, phrase)
        found = _field(owner, phrase) if owner else None
        if owner is None or found is None or len(owner.fields) == 1:
            return ""
        order = None if (owner.order_by or "").lstrip("-") == found.name else owner.order_by
        fields = [one for one in owner.fields if one.name != found.name]
        _put(state, owner.model_copy(update={"fields": fields, "order_by": order}))
        gone.append(f"{found.label.lower()} is gone from {owner.plural.lower()}")
    return ", ".join(gone)


def _remove_model(state: Changed, model: DataModel) -> str:
    others = [
        one.model_copy(update={"fields": [f for f in one.fields if f.target != model.name]})
        for one in state.manifest.models
        if one.name != model.name
    ]
    if not others or any(not one.fields for one in others):
        return ""
    pages = [page for page in state.manifest.pages if page.model != model.name]
    state.manifest = state.manifest.model_copy(update={"models": others, "pages": pages})
    return f"{model.plural} are gone"


def _remove_page(state: Changed, title: str) -> str:
    wanted = title.casefold()
    pages = [page for page in state.manifest.pages if page.model or page.path == "/" or page.title.casefold() != wanted]
    features = [one for one in state.manifest.features if one.casefold() != wanted]
    if len(pages) == len(state.manifest.pages) and len(features) == len(state.manifest.features):
        return ""
    state.manifest = state.manifest.model_copy(update={"pages": pages, "features": features})
    return f"{label(title)} is gone"


def _add_page(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?:add|create|include|make)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?P<title>[\w' &-]+?)\s+(?:page|section)"
        r"(?:\s+(?:that says|saying|with(?: the text)?|which says|:)\s*[\"'“]?(?P<text>.+?)[\"'”]?)?$",
        clause, re.I,
    )  # fmt: skip
    if not match or _model(state, match["title"]):
        return ""
    title, text = label(match["title"]), (match["text"] or "").strip()
    if state.manifest.kind == "static" and re.search(r"\bsection\b", clause, re.I):
        _feature(state, next((one for one in SECTIONS if one.casefold() == title.casefold()), title))
        return f"the page has a section {title}"
    path = f"/{identifier(title).replace('_', '-')}"
    if any(page.path == path for page in state.manifest.pages):
        return ""
    page = Page(path=path, title=title, view="content", text=text or f"Write something about {title.lower()} here.")
    state.manifest = state.manifest.model_copy(update={"pages": [*state.manifest.pages, page]})
    return f"there is a page {title}"


def _add_model(state: Changed, clause: str) -> str:
    opening = re.match(
        r"(?:add|create|include|track|keep track of|keep|list|we (?:also )?have)\s+(?:an?\s+)?(?:new\s+)?", clause, re.I
    )
    if not opening:
        return ""
    text = clause[opening.end() :]
    stubs = known_words(state.manifest.models)
    for found in entities(text):
        if found.name in stubs.values() or _model(state, found.plural):
            continue
        phrases = re.split(r"\b(?:with|have|has|having)\b|:", text, maxsplit=1)
        own = {**stubs, **known_words([found])}
        model = model_of(found.plural, split_list(phrases[1]), own) if len(phrases) == 2 else found
        if model is not None:
            _put(state, model)
            return f"the app keeps {model.plural.lower()}"
    return ""


def _add_fields(state: Changed, clause: str) -> str:
    patterns = (
        r"(?:add|include|put)\s+(?P<fields>.+)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?:add|include|put)\s+(?P<fields>.+?)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?P<model>[\w -]+?)\s+(?:should|must|need to|shall)\s+(?:also\s+)?(?:have|include|get)\s+(?P<fields>.+)$",
        r"(?:give|let)\s+(?:each\s+|every\s+|all\s+)?(?P<model>[\w-]+)\s+(?:have\s+)?(?P<fields>.+)$",
        r"(?:track|store|record|show)\s+(?P<fields>.+?)\s+(?:of|for|on)\s+(?:each\s+|every\s+|the\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?P<model>[\w -]+?)\s+(?:also\s+)?(?:have|has|need|needs)\s+(?P<fields>.+)$",
        r"(?:add|include)\s+(?P<fields>.+?\s+(?:fields?|columns?)(?:\s*\([^)]*\))?)(?P<model>)$",
    )
    for pattern in patterns:
        match = re.match(pattern, clause, re.I)
        if not match:
            continue
        model = _model(state, match["model"]) if match["model"] else _default_model(state)
        if model is None:
            continue
        said = _put_fields(state, model, match["fields"])
        if said:
            return said
    return ""


def _default_model(state: Changed) -> DataModel | None:
    models = state.manifest.models
    if state.last_model:
        return next(one for one in models if one.name == state.last_model)
    return models[0] if len(models) == 1 else None


def _put_fields(state: Changed, model: DataModel, phrases: str) -> str:
    words = known_words(state.manifest.models)
    added: list[DataField] = []
    text = re.sub(r"^(?:a\s+)?(?:new\s+)?(?:fields?|columns?)\s*:?\s+(?:for\s+)?", "", phrases.strip(), flags=re.I)
    text = re.sub(r"\s+(?:fields?|columns?)(?=\s*(?:\(|$))", "", text, flags=re.I)
    for phrase in split_list(text):
        found = read_field(phrase, words)
        if found is not None and all(one.name != found.name for one in [*model.fields, *added]):
            added.append(found)
    if not added:
        return ""
    _put(state, model.model_copy(update={"fields": [*model.fields, *added]}))
    names = " and ".join(one.label.lower() for one in added)
    return f"{model.plural.lower()} have {names}"


_RULES: tuple[Callable[[Changed, str], str], ...] = (
    _title, _sort, _view, _rename, _remove, _add_page, _look, _features, _add_model, _add_fields,
)  # fmt: skip
