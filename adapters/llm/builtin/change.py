"""Read a request for a change, clause by clause, and apply it to the manifest."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from adapters.llm.builtin.plans import CSV, FILTER, PAGES, SEARCH, SECTIONS, completed, table_name
from adapters.llm.builtin.understand import accent_in, entities
from adapters.llm.builtin.words import field as read_field
from adapters.llm.builtin.words import fits, identifier, known_words, label, model_of, plural, singular, split_list
from core.manifests import AppManifest, DataField, DataModel, Page

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
_FEATURE_NAME = re.compile(
    r"(?:full[- ]?text )?(?:search|filter(?:ing|s)?|csv(?: export| download)?|export|pagination|paging)(?: (?:box|field|bar|function|button))?",
    re.I,
)
_FEATURES = (
    (CSV, r"\bcsv\b|\bexport\b|\bspreadsheet\b", "lists can be downloaded as CSV"),
    (PAGES, r"\bpaginat\w*|\bpaging\b|\bpages of\b|\bper page\b|\b\d+ at a time\b", "long lists are shown in pages"),
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
    if re.search(r"\b(?:don't|do not|not|too|less|late|shipped|when)\b", clause, re.I) or re.match(
        r"(?:add|include)\b.*(?:\(|\bto\b)", clause, re.I
    ):
        return ""
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
    if not state.manifest.models or re.search(r"\b(field|column|page)\b", re.sub(r"per page", "", clause), re.I):
        return ""
    added = re.match(r"(?:add|include)\s+(?:an?\s+)?(?P<what>.+?)\s+to\s+", clause, re.I)
    if added and not _FEATURE_NAME.fullmatch(added["what"]):
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


_NO_NAME = re.compile(
    r"^(?:an?|the|be|show|required|optional|mandatory|integer|decimal|text|number|date|boolean|board|cards?|table|list)\b|[\d@]|\bto\b",
    re.I,
)


def _rename(state: Changed, clause: str) -> str:
    match = re.match(
        r"(?P<verb>rename|change)\s+(?:the\s+)?(?:(?:field|column|list)\s+)?(?P<old>.+?)\s+(?:to|into|as|->|→)\s+(?P<new>.+?)$",
        clause,
        re.I,
    )
    if not match:
        return ""
    old, new, owner = match["old"], match["new"].strip(" '\""), None
    if inside := re.match(r"(?P<name>.+?)\s+(?:in|of|for|on)\s+(?P<model>.+)$", new, re.I):
        owner = _model(state, inside["model"])
        new = inside["name"] if owner else new
    # "change the price to 5" is a wish about data, "rename a to b and c to d" two wishes: neither is a new name.
    if (
        len(new.split()) > 4
        or re.search(r"\bto\b", new)
        or (match["verb"].casefold() == "change" and _NO_NAME.search(new))
    ):
        return ""
    model = _model(state, old)
    if model is not None and owner is None:
        return _rename_model(state, model, new)
    if inside := re.match(r"(?P<field>.+?)\s+(?:of|in|on)\s+(?P<model>.+)$", old, re.I):
        old, owner = inside["field"], _model(state, inside["model"])
    elif (
        (possessive := re.match(r"(?P<model>\w+)(?:'s|s')?\s+(?P<field>.+)$", old, re.I))
        and (found_owner := _model(state, possessive["model"]))
        and _field(found_owner, possessive["field"])
    ):
        old, owner = possessive["field"], found_owner
    model = owner or _with_field(state, old)
    found = _field(model, old) if model else None
    if model is None or found is None:
        return ""
    return _rename_field(state, model, found, new, match["verb"])


def _rename_field(state: Changed, model: DataModel, found: DataField, new: str, verb: str) -> str:
    name = identifier(re.sub(r"\s+(?:field|column)$", "", new))
    others = [one for one in model.fields if one.name != found.name]
    taken = {one.name for one in others} | {old for one in others for old in one.renamed_from}
    if (
        not name
        or name in taken
        or (verb.casefold() == "change" and new.casefold() in [one.casefold() for one in found.choices])
    ):
        return ""
    history = [found.name, *found.renamed_from]
    renamed = found.model_copy(
        update={"name": name, "label": label(new), "renamed_from": [old for old in history if old != name][:20]}
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
            "renamed_from": [],
        }
    )
    history = [table_name(model), *model.renamed_from]
    kept = [old for old in history if old != table_name(renamed)][:20]
    _put(state, renamed.model_copy(update={"renamed_from": kept}), model.name)
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
    if re.match(r"all\b", what, re.I):
        return ""
    place = re.fullmatch(r"(?:the\s+)?(?:list|table|form|app)", match["model"] or "list", re.I)
    if match["model"] and _model(state, match["model"]) is None and not (place and len(state.manifest.models) == 1):
        return ""
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
    if called := re.match(
        r"(?:add|create)\s+(?:an?\s+)?(?:new\s+)?page\s+(?:called|named|about)?\s*[\"'“]?(?P<title>[\w' &-]+?)[\"'”]?(?:\s+(?:saying|with the text)\s+(?P<text>.+))?$",
        clause,
        re.I,
    ):
        match = called
    if not match or _model(state, match["title"]) or re.search(r"\b(?:page|section|link|with)\b", match["title"], re.I):
        return ""
    title, text = label(match["title"]), (match["text"] or "").strip(" '\"“”")
    if not title or identifier(title) == "index":
        return ""
    if state.manifest.kind == "static" and re.search(r"\bsection\b", clause, re.I):
        _feature(state, next((one for one in SECTIONS if one.casefold() == title.casefold()), title))
        return f"the page has a section {title}"
    path = f"/{identifier(title).replace('_', '-')}"
    if any(page.path == path for page in state.manifest.pages):
        return ""
    page = Page(path=path, title=title, view="content", text=text or f"Write something about {title.lower()} here.")
    state.manifest = state.manifest.model_copy(update={"pages": [*state.manifest.pages, page]})
    return f"there is a page {title}"


_NO_LIST = re.compile(
    r"\b(?:pages?|section|fields?|columns?|dropdown|options?|problem|banner|footer|header|report|title|button|link|message)\b",
    re.I,
)
_CHOICE_NAMES = (
    "status",
    "state",
    "priority",
    "size",
    "category",
    "type",
    "stage",
    "genre",
    "level",
    "kind",
    "colour",
    "color",
)


def _add_choice(state: Changed, clause: str) -> str:
    """'Add a size dropdown to items with small, medium and large'."""
    match = re.match(
        r"(?:add|create|include)\s+(?:an?\s+)?(?P<name>[\w ]+?)(?P<kind>\s+(?:field|dropdown|select))?(?:\s+to\s+(?P<model>[\w ]+?))?"
        r"\s*(?::|\s+with(?P<said>\s+(?:the\s+)?(?:options|choices|values))?)\s+(?P<list>[^:()]+)$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    model = _model(state, match["model"]) if match["model"] else _default_model(state)
    choices = split_list(re.sub(r"\bor\b", ",", match["list"]))
    if (
        model is None
        or len(choices) < 2
        or not (match["kind"] or match["said"] or identifier(match["name"]) in _CHOICE_NAMES)
    ):
        return ""
    return _put_fields(state, model, f"{match['name']} ({', '.join(choices)})")


def _add_model(state: Changed, clause: str) -> str:
    opening = re.match(
        r"(?:add|create|include|track|keep track of|keep|list|we (?:also )?have)\s+(?:an?\s+)?(?:new\s+)?", clause, re.I
    )
    if not opening:
        return ""
    text = re.sub(
        r"^(?:list|table|entity|section)\s+(?:of|for|called|named)?\s*", "", clause[opening.end() :], flags=re.I
    )
    head = re.split(r"\bwith\b|:", text, maxsplit=1)[0]
    known = "|".join(re.escape(word) for word in known_words(state.manifest.models))
    if (
        state.manifest.kind == "static"
        or re.search(rf"\b(?:to|for)\s+(?:the\s+)?(?:{known})\b", head, re.I)
        or _NO_LIST.search(head)
    ):
        return ""
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
        r"(?:add|include|put)\s+(?P<fields>(?:(?!\s(?:to|for|into)\s(?:the\s)?\w+\s*,?\s+and\s).)+)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?:add|include|put)\s+(?P<fields>.+?)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?P<model>[\w -]+?)\s+(?:should|must|need to|shall)\s+(?:also\s+)?(?:have|include|get)\s+(?P<fields>.+)$",
        r"(?:give|let)\s+(?:each\s+|every\s+|all\s+)?(?P<model>[\w-]+)\s+(?:have\s+)?(?P<fields>.+)$",
        r"(?:track|store|record|show)\s+(?P<fields>.+?)\s+(?:of|for|on)\s+(?:each\s+|every\s+|the\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?P<model>[\w -]+?)\s+(?:also\s+)?(?:have|has|need|needs)\s+(?P<fields>.+)$",
        r"(?:add|include)\s+(?P<fields>.+?\s+(?:fields?|columns?)(?:\s*\([^)]*\))?)(?P<model>)$",
        r"(?:add|include)\s+(?P<fields>(?:an?\s+)?[\w]+(?:\s+[\w]+)?(?:\s*\([^)]*\))?)(?P<model>)$",
    )
    for pattern in patterns:
        match = re.match(pattern, clause, re.I)
        if not match:
            continue
        model = _model(state, match["model"]) if match["model"] else _default_model(state)
        if model is None:
            continue
        if pattern == patterns[-1]:
            # Without a word that it is a field, only what can hardly be anything else: "add a due date".
            guess = read_field(match["fields"], {})
            if guess is None or guess.type == "text":
                continue
        if said := _put_fields(state, model, match["fields"]):
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
    if listed := re.match(r"(?P<name>[\w ]+?):\s+(?P<list>[^:()]+,[^:()]+)$", text):
        text = f"{listed['name']} ({listed['list']})"
    for phrase in split_list(text):
        found = read_field(phrase, {word: target for word, target in words.items() if target != model.name})
        if found is None:
            return ""
        if fits(found, [*model.fields, *added]):
            added.append(found)
    if not added:
        return ""
    _put(state, model.model_copy(update={"fields": [*model.fields, *added]}))
    names = " and ".join(one.label.lower() for one in added)
    return f"{model.plural.lower()} have {names}"


_RULES: tuple[Callable[[Changed, str], str], ...] = (
    _title, _sort, _view, _rename, _remove, _add_page, _look, _features, _add_choice, _add_model, _add_fields,
)  # fmt: skip
