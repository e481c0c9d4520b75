"""Rules about what an app keeps: lists and their fields, added, renamed and removed."""

import re

from adapters.llm.builtin.lists import entities
from adapters.llm.builtin.looks import ACCENTS
from adapters.llm.builtin.plans import table_name
from adapters.llm.builtin.rules_looks import remove_page
from adapters.llm.builtin.state import Changed, field_in, model_in, model_with_field, put_model
from adapters.llm.builtin.words import (
    FIRST_NAMES,
    fits,
    identifier,
    known_field,
    known_words,
    label,
    model_of,
    plural,
    singular,
    split_list,
    words_of,
)
from adapters.llm.builtin.words import field as read_field
from core.manifests import DataField, DataModel

_NO_NAME = re.compile(
    r"^(?:an?|the|be|show|required|optional|mandatory|integer|decimal|text|number|date|boolean|board|cards?|table|list)\b|[\d@]|\bto\b",
    re.I,
)


def rename(state: Changed, clause: str) -> str:
    """Rename a list or a field: 'rename phone to mobile'."""
    match = re.match(
        r"(?P<verb>rename|change)\s+(?:the\s+)?(?:(?:field|column|list)\s+)?(?P<old>.+?)\s+(?:to|into|as|->|→)\s+(?P<new>.+?)$",
        clause,
        re.I,
    )
    known = "|".join(re.escape(word) for word in known_words(state.manifest.models))
    match = match or re.match(
        rf"(?P<verb>call)\s+(?:the\s+|our\s+)?(?P<old>{known})\s+[\"“']?(?P<new>[\w -]{{2,40}}?)[\"”']?(?:\s+(?:from now on|instead))?$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    old, new, owner = match["old"], match["new"].strip(" '\""), None
    if inside := re.match(r"(?P<name>.+?)\s+(?:in|of|for|on)\s+(?P<model>.+)$", new, re.I):
        owner = model_in(state, inside["model"])
        new = inside["name"] if owner else new
    # "change the price to 5" is a wish about data, "rename a to b and c to d" two wishes: neither is a new name.
    if (
        len(new.split()) > 4
        or re.search(r"\bto\b|[,/()]|\bor\b| and ", new)
        or new.casefold() in _NOT_CALLED
        or (match["verb"].casefold() == "change" and _NO_NAME.search(new))
    ):
        return ""
    model = model_in(state, old)
    if model is None and old.casefold() in ("list", "table") and len(state.manifest.models) == 1:
        model = state.manifest.models[0]
    if model is not None and owner is None:
        return _rename_model(state, model, new)
    inside = re.match(r"(?P<field>.+?)\s+(?:of|in|on)\s+(?P<model>.+)$", old, re.I)
    if owner is None and inside and model_with_field(state, old) is None:
        old, owner = inside["field"], model_in(state, inside["model"])
        if owner is None:
            return ""
    elif (
        (possessive := re.match(r"(?P<model>\w+)(?:'s|s')?\s+(?P<field>.+)$", old, re.I))
        and (found_owner := model_in(state, possessive["model"]))
        and field_in(found_owner, possessive["field"])
    ):
        old, owner = possessive["field"], found_owner
    model = owner or model_with_field(state, old)
    found = field_in(model, old) if model else None
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
    put_model(state, model.model_copy(update={"fields": fields, "order_by": order}))
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
    put_model(state, renamed.model_copy(update={"renamed_from": kept}), model.name)
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


def exchange(state: Changed, clause: str) -> str:
    """Put one field in the place of another: 'replace age with date of birth'. Only one of the same type keeps what is stored."""
    match = re.match(
        r"(?:replace|swap|exchange)\s+(?:the\s+)?(?P<old>.+?)\s+(?:with|by|for)\s+(?:an?\s+|the\s+)?(?P<new>.+?)$",
        clause,
        re.I,
    )
    model = model_with_field(state, match["old"]) if match else None
    found = field_in(model, match["old"]) if match and model else None
    new = read_field(match["new"], {}) if match and found else None
    if match is None or model is None or found is None or new is None or _is_no_field(match["new"], set()):
        return ""
    if new.type == found.type and new.type != "choice":
        return _rename_field(state, model, found, match["new"], "rename")
    others = [one for one in model.fields if one.name != found.name]
    if not fits(new, others):
        return ""
    at = model.fields.index(found)
    order = None if (model.order_by or "").lstrip("-") == found.name else model.order_by
    fields = [*others[:at], new, *others[at:]]
    put_model(state, model.model_copy(update={"fields": fields, "order_by": order}))
    return f"{found.label.lower()} is gone from {model.plural.lower()}, which have {new.label.lower()} instead"


_WIDER = {"integer": ("decimal",), "text": ("long_text",), "decimal": ("money",)}
"""Types that what is stored can be read as: no other change of a type leaves everything that people typed in readable."""
_TYPE_SAID = {
    "long text": "long_text", "a long text": "long_text", "multi-line": "long_text", "multiline": "long_text", "a text area": "long_text",
    "decimal": "decimal", "a decimal": "decimal", "decimals": "decimal", "a decimal number": "decimal", "money": "money", "an amount": "money",
}  # fmt: skip


def widen(state: Changed, clause: str) -> str:
    """Let a field hold more: 'make notes a long text', 'allow decimals for length'."""
    kinds = "|".join(map(re.escape, sorted(_TYPE_SAID, key=len, reverse=True)))
    match = re.match(
        rf"(?:make|turn|change|set)\s+(?:the\s+)?(?P<field>.+?)\s+(?:to\s+|into\s+|as\s+)?(?P<kind>{kinds})(?:\s+field)?$",
        clause,
        re.I,
    ) or re.match(rf"(?:allow|use)\s+(?P<kind>{kinds})\s+(?:for|in)\s+(?:the\s+)?(?P<field>.+?)$", clause, re.I)
    model = model_with_field(state, match["field"]) if match else None
    found = field_in(model, match["field"]) if match and model else None
    if match is None or model is None or found is None:
        return ""
    kind = _TYPE_SAID[match["kind"].casefold()]
    if kind not in _WIDER.get(found.type, ()):
        return ""
    fields = [one.model_copy(update={"type": kind}) if one.name == found.name else one for one in model.fields]
    put_model(state, model.model_copy(update={"fields": fields}))
    return f"{found.label.lower()} of {model.plural.lower()} is now {match['kind'].lower().removeprefix('a ')}"


def more_choices(state: Changed, clause: str) -> str:
    """Add words to choose from to a field that has some: 'add returned to the status', 'add a critical priority'."""
    clause = _unquoted(clause).replace("'", "")
    match = re.match(
        r"(?:add|include)\s+(?:an?\s+|another\s+|the\s+)?(?:(?:option|choice|value|status|state)s?\s+)?(?P<new>[\w ,-]+?)"
        r"\s+(?:as\s+(?:an?\s+)?(?:option|choice|status)\s+)?(?:to|for|as|in)\s+(?:the\s+|an?\s+)?(?P<field>[\w ]+?)(?:\s+(?:options?|choices|list|dropdown|field|values))?(?:\s+of\s+(?:the\s+)?(?P<model>[\w ]+))?$",
        clause, re.I,
    ) or re.match(r"(?:add|include)\s+(?:an?\s+|another\s+)(?P<new>[\w-]+)\s+(?P<field>\w+)(?:\s+option|\s+choice)?(?P<model>)$", clause, re.I)  # fmt: skip
    model = (
        (model_in(state, match["model"]) if match["model"] else model_with_field(state, match["field"]))
        if match
        else None
    )
    found = field_in(model, match["field"]) if match and model else None
    if match is None or model is None or found is None or found.type != "choice":
        return ""
    there = {one.casefold() for one in found.choices}
    lower = all(one == one.lower() for one in found.choices)
    said = [one.lower() if lower else one for one in split_list(match["new"])]
    new = [
        one for one in dict.fromkeys(said) if one.casefold() not in there and len(one.split()) <= MOST_WORDS_OF_A_CHOICE
    ]
    if not new or len(new) < len(said):
        return ""
    fields = [
        one.model_copy(update={"choices": [*found.choices, *new]}) if one.name == found.name else one
        for one in model.fields
    ]
    put_model(state, model.model_copy(update={"fields": fields}))
    return f"{found.label.lower()} of {model.plural.lower()} can be {' and '.join(new)}"


MOST_WORDS_OF_A_CHOICE = 3


def remove(state: Changed, clause: str) -> str:
    """Remove fields, a list or a page: 'remove the phone from customers'."""
    match = re.match(
        r"(?:remove|delete|drop|get rid of|take out)\s+(?:the\s+)?(?P<what>.+?)(?:\s+(?:from|of|in)\s+(?P<model>.+))?$",
        clause,
        re.I,
    )
    if not match:
        return ""
    what, whose = match["what"], match["model"]
    last = re.match(
        r"(?:remove|delete|drop|get rid of|take out)\s+(?:the\s+)?(?P<what>.+)\s+from\s+(?P<model>.+?)$", clause, re.I
    )
    if last and model_in(state, last["model"]) is not None:
        # “Number of seats and date from cars”: what stands before “of” is a name.
        what, whose = last["what"], last["model"]
    if re.match(r"all\b", what, re.I):
        return ""
    if whose and model_with_field(state, f"{what} of {whose}") is not None and re.search(r"\sof\s", clause):
        what, whose = f"{what} of {whose}", None
    place = re.fullmatch(r"(?:the\s+)?(?:list|table|form|app)", whose or "list", re.I)
    if whose and model_in(state, whose) is None and not (place and len(state.manifest.models) == 1):
        return ""
    if page := re.match(r"(?P<title>.+?)\s+(?:page|section)$", what, re.I):
        return remove_page(state, page["title"])
    if state.manifest.kind == "static":
        return remove_page(state, what)
    model = model_in(state, what)
    if model is not None and not whose:
        return _remove_model(state, model)
    gone = []
    for phrase in split_list(what):
        owner = (model_in(state, whose) if whose else None) or model_with_field(state, phrase)
        found = field_in(owner, phrase) if owner else None
        if owner is None or found is None or len(owner.fields) == 1:
            return ""
        order = None if (owner.order_by or "").lstrip("-") == found.name else owner.order_by
        fields = [one for one in owner.fields if one.name != found.name]
        put_model(state, owner.model_copy(update={"fields": fields, "order_by": order}))
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
    lost = [
        f"{f.label.lower()} of {one.plural.lower()}"
        for one in state.manifest.models for f in one.fields if f.target == model.name and one.name != model.name
    ]  # fmt: skip
    pages = [page for page in state.manifest.pages if page.model != model.name]
    state.manifest = state.manifest.model_copy(update={"models": others, "pages": pages})
    return f"{model.plural} are gone{', and with them the ' if lost else ''}{' and the '.join(lost)}"


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


def _unquoted(clause: str) -> str:
    return re.sub(r"[\"“”]", "", clause)


def oblige(state: Changed, clause: str) -> str:
    """Say what has to be filled in: 'the email is required', 'make phone and city optional'."""
    match = re.match(
        r"(?:make|set|mark)?\s*(?:the\s+)?(?P<fields>.+?)(?:\s+fields?)?(?:\s+(?:of|in|for)\s+(?:the\s+)?(?P<model>[\w ]+?))?\s+"
        r"(?:(?:should|must|has to|have to|needs to|is|are|as)\s+)?(?:be\s+)?(?P<how>filled in|filled out|required|mandatory|obligatory|optional|can be (?:left )?empty|may be (?:left )?empty)$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    needed = match["how"].casefold() in ("required", "mandatory", "obligatory", "filled in", "filled out")
    said = []
    fields, owner = match["fields"], model_in(state, match["model"]) if match["model"] else None
    if match["model"] and owner is None:
        # “Date of birth” is one name, and no date of a list of births.
        fields = clause[match.start("fields") : match.end("model")]
    for phrase in split_list(fields):
        model = owner or model_with_field(state, phrase)
        found = field_in(model, phrase) if model else None
        if model is None or found is None:
            return ""
        fields = [
            one.model_copy(update={"required": needed}) if one.name == found.name else one for one in model.fields
        ]
        put_model(state, model.model_copy(update={"fields": fields}))
        said.append(found.label.lower())
    return f"{' and '.join(said)} {'is' if len(said) == 1 else 'are'} {'required' if needed else 'optional'}"


def add_lane(state: Changed, clause: str) -> str:
    """Add a lane to a board: 'add a column On hold'."""
    match = re.match(
        r"(?:add|create)\s+(?:an?\s+|another\s+|the\s+)?(?:new\s+)?(?:columns?|lanes?|stages?)\s+(?:called\s+|named\s+|for\s+|:\s*)?(?P<name>[\w ,-]{2,80}?)"
        r"(?:\s+(?P<where>between\s+(?P<other_one>[\w -]{2,40}?)\s+and\s+[\w -]{2,40}|at the (?:end|start|beginning|front)|as the (?:first|last)(?: one)?|(?:before|after|behind|right before|right after)\s+(?P<other>[\w -]{2,40})))?$",
        _unquoted(clause), re.I,
    )  # fmt: skip
    boards = [page.model for page in state.manifest.pages if page.view == "board"]
    model = next((one for one in state.manifest.models if one.name in boards), None)
    lanes = (
        next((one for one in model.fields if one.name == "status" and one.type == "choice"), None) if model else None
    )
    if not match or model is None or lanes is None:
        return ""
    new, where = [one.casefold() for one in split_list(match["name"])], (match["where"] or "").casefold()
    other = (match["other"] or match["other_one"] or "").casefold().removeprefix("the ")
    if any(re.match(r"(?:the|who|what|where|how|our|my|after|before)\b", one) for one in new):
        return ""
    if not new or set(new) & set(lanes.choices) or (other and other not in lanes.choices):
        return ""
    at = len(lanes.choices)
    if other:
        at = lanes.choices.index(other) + ("before" not in where)
    elif re.search(r"start|beginning|front|first", where):
        at = 0
    added = lanes.model_copy(update={"choices": [*lanes.choices[:at], *new, *lanes.choices[at:]]})
    put_model(
        state, model.model_copy(update={"fields": [added if one.name == "status" else one for one in model.fields]})
    )
    return f"the board has {'a column' if len(new) == 1 else 'the columns'} {' and '.join(new)}{f' {where}' if where else ''}"


def add_choice(state: Changed, clause: str) -> str:
    """'Add a size dropdown to items with small, medium and large'."""
    match = re.match(
        r"(?:add|create|include)\s+(?:an?\s+)?(?:new\s+)?(?P<asked>field\s+|dropdown\s+)?(?P<name>[\w ]+?)(?P<kind>\s+(?:field|dropdown|select))?(?:\s+to\s+(?P<model>[\w ]+?))?"
        r"\s*(?::|\s+with(?P<said>\s+(?:the\s+)?(?:options|choices|values))?)\s+(?P<list>[^:()]+)$",
        _unquoted(clause), re.I,
    )  # fmt: skip
    if not match:
        return ""
    model = model_in(state, match["model"]) if match["model"] else _default_model(state)
    choices = split_list(re.sub(r"\bor\b|/", ",", match["list"]))
    if (
        model is None
        or len(choices) < 2
        or not (
            match["asked"]
            or "/" in match["list"]
            or match["kind"]
            or match["said"]
            or identifier(match["name"]).rpartition("_")[2] in _CHOICE_NAMES
        )
    ):
        return ""
    return _put_fields(state, model, f"{match['name']} ({', '.join(choices)})")


def add_model(state: Changed, clause: str) -> str:
    """Add a list: 'add suppliers with name and phone'."""
    opening = re.match(
        r"(?:add|create|include|track|keep track of|keep|list|we (?:also )?have)\s+(?:an?\s+)?(?:(?:new|second|third|another|further)\s+)?",
        clause,
        re.I,
    )
    if not opening:
        return ""
    text = re.sub(
        r"^(?:the\s+)?(?:list|table|entity|section)(?::|\s+(?:of|for|called|named))?\s*",
        "",
        _unquoted(clause[opening.end() :]),
        flags=re.I,
    )
    head = re.split(r"\bwith\b|:", text, maxsplit=1)[0]
    known = "|".join(re.escape(word) for word in known_words(state.manifest.models))
    # "add customer Anna with email a@b.de" is a record, and no list.
    if re.search(r"\S@\S", text) or re.match(rf"(?i:{known})\s+[A-Z]", text):
        return ""
    if (
        state.manifest.kind == "static"
        or re.search(rf"\b(?:to|for)\s+(?:the\s+)?(?:{known})\b", head, re.I)
        or _NO_LIST.search(head)
    ):
        return ""
    stubs = known_words(state.manifest.models)
    for found in entities(text):
        if found.name in stubs.values() or model_in(state, found.plural):
            continue
        phrases = re.split(r"\b(?:with|have|has|having)\b|:", text, maxsplit=1)
        own = {**stubs, **known_words([found])}
        model = model_of(found.plural, split_list(phrases[1]), own) if len(phrases) == 2 else found
        if model is not None:
            put_model(state, model)
            return f"the app keeps {model.plural.lower()}"
    return ""


_SEVERAL = r"(?:add|include)\s+(?P<fields>[^:]+?)(?P<model>)$"


def add_fields(state: Changed, clause: str) -> str:
    """Add fields to a list: 'add a notes field to orders', 'customers should have a birthday'."""
    patterns = (
        r"(?:add|include|put)\s+(?P<fields>(?:(?!\s(?:to|for|into)\s(?:the\s)?\w+\s*,?\s+and\s).)+)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?:add|include|put)\s+(?P<fields>.+?)\s+(?:to|for|on|in|into)\s+(?:the\s+|each\s+|every\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?:every\s+|each\s+|all\s+)?(?P<model>[\w -]+?)\s+(?:should|must|need to|shall)\s+(?:also\s+)?(?:have|include|get)\s+(?P<fields>.+)$",
        r"(?:give|let)\s+(?:each\s+|every\s+|all\s+)?(?P<model>[\w-]+)\s+(?:have\s+)?(?P<fields>.+)$",
        r"(?:track|store|record|show)\s+(?P<fields>.+?)\s+(?:of|for|on)\s+(?:each\s+|every\s+|the\s+|all\s+)?(?P<model>[\w -]+?)$",
        r"(?P<model>[\w -]+?)\s+(?:also\s+)?(?:have|has|need|needs)\s+(?P<fields>.+)$",
        r"(?:add|include)\s+(?P<fields>.+?\s+(?:fields?|columns?)(?:\s*\([^)]*\))?)(?P<model>)$",
        r"(?:add|include)\s+(?:an?\s+)?(?:new\s+)?(?:fields?|columns?)\s*(?:called\s+|named\s+|for\s+(?:the\s+)?|:\s*)?(?P<fields>.+)(?P<model>)$",
        _SEVERAL,
        r"(?:add|include)\s+(?P<fields>(?:an?\s+)?[\w]+(?:\s+[\w]+){0,3}(?:\s*\([^)]*\))?)(?P<model>)$",
    )
    clause = _unquoted(clause)
    for pattern in patterns:
        match = re.match(pattern, clause, re.I)
        if not match:
            continue
        general = match["model"].casefold() in _ANY_RECORD
        model = (model_in(state, match["model"]) if match["model"] else None) or (
            _default_model(state) if general else None
        )
        if model is None:
            continue
        # Without a word that it is a field, only what can hardly be anything else: "add a due date".
        if pattern == patterns[-1] and not _surely_field(match["fields"]):
            continue
        if pattern == _SEVERAL:
            # Of several one has to be.
            phrases = split_list(match["fields"])
            if (
                len(phrases) < 2
                or not all(read_field(one, {}) for one in phrases)
                or not any(map(_surely_field, phrases))
            ):
                continue
        if said := _put_fields(state, model, match["fields"]):
            return said
    return ""


def _surely_field(phrase: str) -> bool:
    """Say whether a phrase is what fields are called, although nothing says that it is one: “a due date”, “colour”."""
    guess = read_field(phrase, {})
    # Those two the app itself has.
    if guess is None or phrase.strip().casefold() in ("colour", "color", "title", "a title", "the title"):
        return False
    return guess.type != "text" or known_field(re.sub(r"^(?:an?|new) ", "", phrase.strip(), flags=re.I))


_ANY_RECORD = ("", "item", "items", "entry", "entries", "record", "records", "one", "of them")
"""What people call one of what an app with one list keeps."""


def _default_model(state: Changed) -> DataModel | None:
    models = state.manifest.models
    if state.last_model:
        return next(one for one in models if one.name == state.last_model)
    return models[0] if len(models) == 1 else None


_NO_FIELDS = words_of("""
    before after twice bold italic above below under again better bigger smaller old chart charts map maps graph graphs diagram
    account accounts login logins account password search filter export import colour color colours colors background
""")
"""What places, styles or does something, and what an app has or shows: none of it is kept with a record."""


_NOT_CALLED = {
    *ACCENTS, *words_of("bold italic uppercase lowercase capitals hidden visible multi-line multiline wide bigger smaller read-only readonly something"),
    "long text", "read only", "something else",
}  # fmt: skip
"""What things are changed to that is no name."""
_TYPES_ALONE = words_of("long text multiline multi-line integer decimal checkbox money")


def is_type_of(phrase: str, before: str) -> bool:
    """Say whether a phrase may be the type of the field before it rather than another field: “age, number”, “notes, long”."""
    said, field = (
        re.sub(r"^an? ", "", phrase.casefold().strip()),
        read_field(re.sub(r"^add ", "", before, flags=re.I), {}),
    )
    kinds = {"date": ("date", "datetime"), "time": ("datetime",), "number": ("integer", "decimal", "money")}
    return said in _TYPES_ALONE or (field is not None and field.type in kinds.get(said, ()))


def _is_mixed(found: DataField) -> bool:
    """Say whether what would be choices are fields, all or the last: “clients (name, email)”, “size s, m, l and frame number”."""
    known = [known_field(one) for one in found.choices]
    last = known[-1:] == [True] and " " in found.choices[-1] and not any(" " in one for one in found.choices[:-1])
    return bool(known) and (all(known) or last)


_REMARKS = words_of("both all nothing that's thats which each none everything only")
"""With what a remark about the fields before it begins: “colour and weight, both required”."""


def _is_no_field(phrase: str, lists: set[str]) -> bool:
    """Say whether a phrase is no name of a field: “price before item”, “a chart”, “old customers”, “Peter”."""
    words = re.sub(r"\(.*", "", phrase).split()
    said = [word.casefold().strip("'\"“”.,") for word in words]
    own = [word for word in said if word not in ("a", "an", "the", "new")]
    if len(own) == 1 and own[0] in ("colour", "color", "password", "account"):
        return False
    if own[:1] and (own[0] in _REMARKS or own[-1] in ("required", "optional", "mandatory")) and "(" not in phrase:
        return True
    person = len(own) == 1 and words[-1][:1].isupper() and own[0] in FIRST_NAMES
    if len(own) > 1 and own[-1] in ("first", "last"):
        return True
    return person or bool(_NO_FIELDS & set(own)) or (len(own) > 1 and bool(lists & set(own)))


def _put_fields(state: Changed, model: DataModel, phrases: str) -> str:
    words = known_words(state.manifest.models)
    added: list[DataField] = []
    lists = {model.plural.casefold() for model in state.manifest.models}
    if re.search(
        rf"\b(?:list|table) of\b| to (?:the |each |all )?(?:{'|'.join(map(re.escape, sorted(lists)))})\b", phrases, re.I
    ):
        return ""  # another list, or fields of another
    text = re.sub(r"^(?:a\s+)?(?:new\s+)?(?:fields?|columns?)\s*:?\s+(?:for\s+)?", "", phrases.strip(), flags=re.I)
    text = re.sub(r"\s+(?:fields?|columns?)(?=\s*(?:\(|$))", "", text, flags=re.I)
    if listed := re.match(r"(?P<name>[\w ]+?):\s+(?P<list>[^:()]+,[^:()]+)$", text):
        text = f"{listed['name']} ({listed['list']})"
    fields = split_list(text)
    for at, phrase in enumerate(fields):
        if at and is_type_of(phrase, fields[at - 1]):
            return ""
        if _is_no_field(phrase, {model.plural.casefold(), model.label.casefold()}):
            return ""
        found = read_field(phrase, {word: target for word, target in words.items() if target != model.name})
        if found is None or _is_mixed(found):
            return ""
        if fits(found, [*model.fields, *added]):
            added.append(found)
    if not added:
        return ""
    put_model(state, model.model_copy(update={"fields": [*model.fields, *added]}))
    names = " and ".join(one.label.lower() for one in added)
    return f"{model.plural.lower()} have {names}"
