"""Read a request for a new app: what it is called, what it keeps, which of the well-known apps it is."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from adapters.llm.builtin.coverage import FILLER, left_out, stems, uncovered
from adapters.llm.builtin.stacks import without_stack
from adapters.llm.builtin.words import (
    REQUIRED_FIRST,
    TYPE_NAMES,
    identifier,
    is_doing,
    known_field,
    known_words,
    label,
    model_of,
    plural,
    singular,
    spelled,
    split_list,
    words_of,
)
from adapters.llm.builtin.words import field as read_field
from core.manifests import DataField, DataModel

_VERBS = r"(?:please\s+)?(?:can you\s+|could you\s+)?(?:build|create|make|write|set up|i need|we need|i want|we want|give|start|generate|develop)"
_OPENING = re.compile(
    rf"^\W*(?:hi|hello|hey)?\W*{_VERBS}?\s*(?:(?:me|us)\b)?\s*(?:(?:an?|the|some)\b)?\s*(?:(?:new|simple|small|little|nice|basic)\b)?\s*",
    re.I,
)
_STOP = r"(?:;|\.(?:\s|$)|\n|$)"
_ENTITY = re.compile(
    rf"(?P<noun>[A-Za-z][A-Za-z-]*(?: [A-Za-z-]+)?)\s*(?:\(\s*with\s+|(?:each\s+)?(?:with|have|has|having|containing|including|consist(?:s|ing) of)\s+|:\s+)"
    rf"(?![A-Za-z-]+(?: [A-Za-z-]+)?\s+(?:with|have|has|having)\b)(?P<fields>.+?)(?={_STOP}|(?:,\s*(?:and\s+)?|\s+and\s+)(?:also\s+)?[A-Za-z-]+(?: [A-Za-z-]+)?\s+(?:with|have|has|having)\s)",
    re.I | re.S,
)
_NOT_NOUNS = {
    "app", "application", "page", "website", "site", "tool", "system", "crm", "tracker", "manager", "list", "for", "it",
    "which", "that", "each", "every", "also", "and", "dashboard", "database", "blog", "todo", "board", "kanban",
}  # fmt: skip
_NO_PART_OF_NOUNS = {
    "and", "also", "the", "all", "our", "my", "track", "keep", "manage", "of", "store", "stores", "list", "add", "with",
    "about", "like", "as", "need", "needs", "want", "wants", "next", "in", "by", "that", "log", "logs", "logging", "tracking", "for", "a", "an", "where", "save", "record", "records",
    "handle", "some", "to", "i", "fields", "columns", "following", "every", "each", "per", "any", "new", "many", "several", "multiple",
    "english",
}  # fmt: skip
_NUMBERS = words_of("""
    one two three four five six seven eight nine ten eleven twelve dozen hundred
""")
ACCENTS = {
    "blue": "#1d5fd1", "green": "#2f7d4f", "red": "#c2362b", "orange": "#c45a11", "purple": "#6d3fc4", "pink": "#c02f76",
    "teal": "#0f766e", "brown": "#7a4a1f", "black": "#1f2933", "grey": "#4b5563", "gray": "#4b5563", "gold": "#946200",
    "yellow": "#8a6a00", "navy": "#1e3a6e", "indigo": "#4338ca", "turquoise": "#0e7490", "violet": "#7c3aed",
}  # fmt: skip

_OF_THE_WHOLE = re.compile(
    rf"#[0-9a-f]{{6}}\b|\b(?:{'|'.join(ACCENTS)})\b(?=\s*(?:[,.;:!?)]|$)|\s+(?:and|or|with|but|please|for|as|that|which|to|theme|"
    r"colou?rs?|accent|mode|looks?|design|style|ui|app|page|site|website|brand|dark|light|landing|crm|to-?do|blog|booking|inventory|"
    r"survey|kanban|list|tracker|dashboard|board|background)\b)", re.I
)  # fmt: skip
"""A colour that is said of the app; that of “green buttons” is not."""
_WISHES = words_of("""
    import print share compare export send assign archive sync scan upload download log sign see count calculate email mail
    text call remind notify translate
""")
"""What people want to do with what is kept."""
_KEEPING = words_of("keeps lists manages tracks saves holds shows contains organizes handles")
"""What an app does with what it keeps; alone they are things, as “tracks with title and length” are."""
_NOT_BY_TITLE = {
    *ACCENTS, "white", *_WISHES,
    *words_of("""
        dark light but or not only just header footer background button buttons many people post private secure offline shared
        public encrypted german french spanish english italian dutch polish portuguese turkish arabic chinese japanese two
        three four five several
    """),
}  # fmt: skip
_IN_LOOKS = re.compile(
    rf"\s+in\s+(?:an?\s+)?(?:{'|'.join(ACCENTS)}|dark|light)(?:\s+(?:mode|theme|colou?rs?))?$", re.I
)  # fmt: skip

# Well-known apps: the words that call for them, the view, and what they keep.
PRESETS: tuple[tuple[str, str, str, str], ...] = (
    (r"kanban|task board|trello", "Kanban board", "board",
     "cards with title, description, assignee, status (to do, doing, done) and due date"),
    (r"to-?do|task list|tasks", "To-do list", "table", "tasks with title, done, due date and notes"),
    (r"blog|journal|diary", "Blog", "cards", "posts with title, author, body and published date"),
    (r"booking|appointment|reservation", "Bookings", "table",
     "bookings with name, email, phone, start time, guests, status (requested, confirmed, cancelled) and notes"),
    (r"inventory|stock|warehouse", "Inventory", "table",
     "items with name, sku, category, quantity, reorder level, price and supplier"),
    (r"survey|questionnaire|feedback form|poll", "Survey", "table",
     "responses with name, email, rating, would recommend (yes, maybe, no) and comments"),
    (r"crm|customer relation", "CRM", "table",
     "companies with name, website and phone; contacts with name, company, email, phone and stage (lead, qualified, won, lost)"),
    (r"expenses?|spending|budget", "Expenses", "table",
     "expenses with description, amount, category (food, travel, office, other), date and paid"),
    (r"recipes?|cook ?book", "Recipes", "cards", "recipes with title, servings, minutes, ingredients and instructions"),
    (r"contacts?|address ?book|phone ?book", "Contacts", "table", "contacts with name, email, phone, company and notes"),
    (r"events?|rsvp|guest list", "Events", "table",
     "events with title, date, start time, location, capacity and description; guests with name, event, email and attending (yes, no, maybe)"),
    (r"bug|issue tracker|ticket|help ?desk", "Tickets", "board",
     "tickets with title, description, reporter, priority and status (open, in progress, closed)"),
    (r"library|books", "Library", "table", "books with title, author, year, pages, read (boolean) and notes"),
)  # fmt: skip
_LANDING = re.compile(
    r"\b(landing ?page|home ?page|web ?site|one-?pager|portfolio|coming soon|(?:marketing|public|club|info|information|event) ?page)\b",
    re.I,
)
_FOR = re.compile(
    r"\b(?:for\s+(?:an?|my|our|the)?|called|named)\s*(?:(?!\b(?:with|that|where|which|including)\b)[^,.:;\n]){1,60}",
    re.I,
)
MAX_SENTENCE_CHARS, FEWEST_FIELDS = 300, 3
# Not what records are of: these are things that an app does or shows.
_PURPOSE = re.compile(r"^to\s+(?:keep track of|keep|track|manage|organi[sz]e|store|record|handle)\s+", re.I)
_NO_TITLE = words_of("register we i my need want bulid biuld")
_ORDERS = words_of(
    "show calculate compute display sort filter search remind notify warn send email print import sum count"
)
_IN_SENTENCES = words_of("we i they got keep keeps forgetting is are who which so nobody")
_NO_RECORDS = words_of("""
    chart charts graph graphs report reports calendar map maps button buttons login logins notification
    notifications email emails reminder reminders import imports export exports filter filters pdf csv timer
    timers countdown game games roster rosters plan plans rule rules result results statistic statistics
""")


@dataclass(frozen=True)
class Understood:
    """What a request for a new app asks for; neither models nor `landing` when nothing was understood."""

    title: str
    models: list[DataModel] = field(default_factory=list)
    view: str = "table"
    landing: bool = False
    accent: str = ""
    mode: Literal["auto", "dark", "light"] = "auto"
    preset: str = ""
    sections: list[str] = field(default_factory=list)
    """What a page was asked to have."""
    left_out: list[str] = field(default_factory=list)
    """What of the request would not be built, in the person's words."""

    @property
    def clear(self) -> bool:
        """Whether enough was understood to ask about the rest."""
        return bool(self.models or self.landing)


def understand(request: str, *, react: bool = False) -> Understood:
    """Read a request for a new app, and hold what was understood against every word of it; `react` where that can be built."""
    request, elsewhere = without_stack(request, react=react)
    request = re.sub(r"\bw/ ?", "with ", request)
    request = re.sub(r"\bfirst(?: name)? and last name\b", "first name, last name", request, flags=re.I)
    found = _understood(request)
    # What stands in brackets behind a field is its type, or the list that it is one of.
    lists = "|".join(re.escape(form) for model in found.models for form in (model.plural, model.label))
    said = re.sub(rf"\((?:one of (?:the |our |my )?(?:{lists or '(?!)'})|{_TYPE_SAID})\)", "", request, flags=re.I)
    missing = [
        *elsewhere,
        *_PART_OF_A_FORM.findall(request),
        *left_out(said, _covered(request, found)),
        *_skipped(request, found.models),
        *(" ".join(one[0].split()) for one in _BUT.finditer(said)),
    ]
    return replace(found, left_out=list(dict.fromkeys(missing)))


_BUT = re.compile(
    r"\b(?:without|w/o|except|instead of|rather than|but not|no need for|excluding|either|each with|in (?:german|french|spanish|italian|dutch|polish|portuguese|turkish|arabic|chinese|japanese|russian)|per (?:customer|person|user|member|project|client)|(?:has|have) (?:many|several|multiple)|belongs? to|one of the|from the \w+ list|light or dark|dark or light)\b[^,.;:\n]{0,80}",
    re.I,
)
"""What restricts a wish: the words that follow are in it, and not asked for."""
_PART_OF_A_FORM = re.compile(r"(?:,|\band|\bwith)\s+(column|table|list|field)(?=\s*(?:,|and\b|$|[.;]))", re.I)
"""A field that is called as the parts of forms are: it would be taken for one."""
_TYPE_SAID = "|".join(map(re.escape, TYPE_NAMES))
_NAMED_SO = re.compile(r"\b(?:called|named|titled|(?:call|name) (?:it|this))\b", re.I)
_NO_FIELD_NAME = re.compile(r"[=*/\d]")


def _covered(request: str, found: Understood) -> set[str]:
    # A title takes in whatever stands before the lists; numbers, colours and the like in it are wishes, unless it is a given name.
    named = _NAMED_SO.search(request)
    title = [word for word in found.title.split() if not (word[0].isdigit() or word.casefold() in _NOT_BY_TITLE)]
    texts = [found.title if named else " ".join(title)]
    for model in found.models:
        labels = [one.label for one in model.fields if not _NO_FIELD_NAME.search(one.label)]
        texts += [model.label, model.plural, *labels]
        texts += [choice for one in model.fields for choice in one.choices]
    text = request.split("```")[0]
    for pattern, name, _, _ in PRESETS:
        if found.preset == name:
            texts += [match[0] for match in re.finditer(rf"\b(?:{pattern})\b", text, re.I)]
    if found.landing:
        texts += [match[0] for match in _LANDING.finditer(text)]
        texts += [match[0] for match in _FOR.finditer(text)]
        texts += [match[0] for pattern in SECTIONS.values() for match in re.finditer(rf"\b(?:{pattern})\b", text, re.I)]
    if found.view == "board":
        texts.append("kanban board")
    if found.accent:
        texts += [name for name, value in ACCENTS.items() if value == found.accent] + ["colour color accent"]
        texts += re.findall(r"#[0-9a-fA-F]{6}\b", text)
    if found.mode != "auto":
        texts.append(f"{found.mode} mode theme")
    if "anonymous" in text.lower() and not {"name", "email"} & {
        one.name for model in found.models for one in model.fields
    }:
        texts.append("anonymous anonymously")
    if _said_of_fields(text, found):
        texts.append("optional required mandatory")
    return set().union(*map(stems, texts))


_OBLIGED = r"(?:optional|required|mandatory)"


def _said_of_fields(text: str, found: Understood) -> bool:
    """Say whether each “optional” and “required” of a text stands beside a field that is there."""
    labels = [re.escape(one.label) for model in found.models for one in model.fields]
    some = "|".join(sorted(labels, key=len, reverse=True)) or "(?!)"
    beside = re.findall(rf"\b{_OBLIGED} (?:{some})\b|\b(?:{some}) ?\({_OBLIGED}\)", text, re.I)
    return len(beside) == len(re.findall(rf"\b{_OBLIGED}\b", text, re.I))


def sentence(found: Understood) -> str:
    """Return what would be built as a request that says just that; '' where no sentence is read the same."""
    if not found.models:
        return ""
    lists = "; ".join(
        f"{model.plural.lower()} with {', '.join(_field_words(one, model) for one in model.fields)}"
        for model in found.models
    )
    title = found.title[:1].lower() + found.title[1:] if found.title[1:2].islower() else found.title
    looks = looks_of(found)
    tail = f". Make it {' and '.join(looks)}" if looks else ""
    for text in (
        f"Build an app called {found.title}: {lists}{tail}",
        f"Build a {title}: {lists}{tail}",
        f"Build {found.title}: {lists}{tail}",
    ):
        again = understand(text)
        # The rest is only how it was said.
        same = replace(found, left_out=[], preset=again.preset, view=again.view) == again
        if same and len(text) <= MAX_SENTENCE_CHARS:
            return text
    return ""


def looks_of(found: Understood) -> list[str]:
    """Return the colour and the theme that were asked for, in words."""
    colour = next((name for name, value in ACCENTS.items() if value == found.accent), found.accent)
    return [one for one in (colour, found.mode if found.mode != "auto" else "") if one]


def _field_words(field: DataField, model: DataModel) -> str:
    name = field.label.lower()
    first = next((one.name for kind in REQUIRED_FIRST for one in model.fields if one.type == kind), "")
    needed = [one.name for one in model.fields if one.required]
    if needed != [first] and (field.required or (not needed and field.name == first)):
        name = f"{'required' if field.required else 'optional'} {name}"
    if field.type == "choice":
        return f"{name} ({', '.join(field.choices)})"
    said = {"boolean": "yes/no", "integer": "whole number", "decimal": "number", "long_text": "long text"}
    plain = read_field(field.label.lower(), {})
    return (
        name
        if field.type == "relation" or (plain and plain.type == field.type)
        else f"{name} ({said.get(field.type, field.type)})"
    )


def _understood(request: str) -> Understood:
    # "like in Slack" compares; it names nothing that is kept.
    text = re.sub(r"\blike (?:in|on|at|with)? ?[A-Z]\w+", "", request.split("```")[0].replace("\u2019", "'"))
    text = _unlisted(text)
    preset = next((one for one in PRESETS if re.search(rf"\b(?:{one[0]})\b", text, re.I)), None)
    if preset:
        text = _of_a_place(text, preset)
    models = entities(text)
    begins = _LANDING.search(text[:40])
    landing = bool(begins) or (bool(_LANDING.search(text)) and not any(_is_told(model) for model in models))
    models = [] if landing else models
    if not models and preset and not landing:
        models = entities(preset[3])
    view = "board" if re.search(r"\b(kanban|board)\b", text, re.I) and _board_ready(models) else "table"
    if preset and view == "table" and len(models) == 1:
        view = preset[2]
    if view == "board" and not _board_ready(models):
        view = "table"
    own = bool(entities(text))
    title = _title(text, preset[1] if preset and not own else "", models, landing) or "App"
    if re.search(r"\banonym", text, re.I):
        models = [_anonymous(model) for model in models]
    name = preset[1] if preset and (models or landing) and not own else ""
    # A colour that is kept is no wish for the looks.
    fields = [one for model in models for one in model.fields]
    kept = {word.casefold() for one in fields for word in (one.name, *one.choices)} & ACCENTS.keys()
    accent = accent_in(text) if _OF_THE_WHOLE.search(text) and not kept else ""
    return Understood(title, models, view, landing, accent, _mode(text), name, _sections_in(text) if landing else [])


SECTIONS = {
    "About": r"about(?: us| me)?", "Features": r"features?", "Pricing": r"pricing|prices|price list", "FAQ": r"faqs?",
    "Testimonials": r"testimonials?", "Team": r"(?:our |the )?team", "Gallery": r"gallery", "Opening hours": r"opening (?:hours|times)",
    "Contact": r"contacts?(?: us| details| section)?",
}  # fmt: skip
"""The sections that a page can have, and how people call them."""


def _sections_in(text: str) -> list[str]:
    """Return the sections that a list of them names: “with opening hours, pricing and contact”."""
    listed = re.search(r"\b(?:with|has|have|sections?:?)\s+(?P<list>[^.;\n]+)", text, re.I)
    parts = (
        [
            re.sub(r"^(?:an?|the|our|some)\s+|\s+(?:section|page|part)s?$", "", one, flags=re.I)
            for one in split_list(listed["list"])
        ]
        if listed
        else []
    )
    return [name for name, pattern in SECTIONS.items() if any(re.fullmatch(pattern, part, re.I) for part in parts)]


def _of_a_place(text: str, preset: tuple[str, str, str, str]) -> str:
    """Name what “an inventory of the kitchen with amount” keeps: items of it, and no kitchens."""
    place = re.compile(
        rf"\b(?:{preset[0]})\b[\w ]{{0,20}}? (?:of|for) (?:the|our|my|an?) (?P<place>[a-z-]+(?: [a-z-]+)?)(?=:| with\b)",
        re.I,
    )
    match = place.search(text)
    if match is None or singular(match["place"].casefold()) != match["place"].casefold():
        return text
    kept = preset[3].partition(" with ")[0]
    return f"{text[: match.end()]}, {kept} with {re.sub(r'^(?::| with) *', '', text[match.end() :])}"


def _mode(text: str) -> Literal["auto", "dark", "light"]:
    """Return the theme that a text asks for; “dark blue” is a colour, and “lights” are things."""
    if re.search(rf"\bdark\b(?! (?:{'|'.join(ACCENTS)})\b)", text, re.I):
        return "dark"
    colours = "|".join(ACCENTS)
    asked = (
        rf"\blight (?:mode|theme|design|look)\b|\b(?:{colours}),? (?:and )?light\b"
        rf"|\b(?:make it|keep it|be) (?:\w+,? (?:and )?){{0,2}}light\b(?! (?:{colours})\b)"
    )
    return "light" if re.search(asked, text, re.I) else "auto"


def _anonymous(model: DataModel) -> DataModel:
    """Return a model without who it was."""
    kept = [one for one in model.fields if one.name not in ("name", "email", "phone")]
    return model.model_copy(update={"fields": kept}) if kept else model


def _is_told(model: DataModel) -> bool:
    """Say whether what stands behind “with” are fields: one that often is one, or several; “a shop with a checkout” keeps nothing."""
    known = any(one.type in ("relation", "choice") or known_field(one.label) for one in model.fields)
    return known or len(model.fields) >= FEWEST_FIELDS


_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


def _unlisted(text: str) -> str:
    """Write lists of people ('- Orders: item, price' or 'orders (item, price)') as sentences with 'with'."""
    lines = []
    for line in text.split("\n"):
        bare = _BULLET.sub("", line).strip()
        if (
            match := re.match(r"(?P<noun>[A-Za-z][A-Za-z -]{1,40}?)\s*(?::|-|–)\s+(?P<fields>[^:]+,[^:]+)$", bare)
        ) and _BULLET.match(line):
            bare = f"{match['noun']} with {match['fields']}"
        lines.append(bare)
    text = "\n".join(lines)
    bracketed = r"\b(?P<noun>[a-z][a-z-]+(?: [a-z]+)?)\s+\((?P<fields>[^()]+,[^()]+)\)"
    if re.search(r"\b(?:with|have|has|having)\b", text, re.I):
        return text

    def listed(match: re.Match[str]) -> str:
        # Inside a list a bracket holds choices; elsewhere it holds fields, if it names some that are often fields.
        before = re.split(r"[.;:\n]", text[: match.start()])[-1]
        fields = [one.strip() for one in re.split(r",|\band\b", match["fields"])]
        in_list = "," in before or ":" in before
        return f"{match['noun']} with {match['fields']};" if not in_list and any(map(known_field, fields)) else match[0]

    return re.sub(bracketed, listed, text, flags=re.I)


def _board_ready(models: list[DataModel]) -> bool:
    return any(one.type == "choice" for model in models for one in model.fields)


def entities(text: str) -> list[DataModel]:
    """Return the models that clauses like 'orders with item and price' describe, relations resolved."""
    found = _said_lists(text)
    words = _words_for(found)
    models: dict[str, DataModel] = {}
    for noun, phrases in found:
        model = model_of(noun, phrases, words)
        if model is not None and model.name not in models and _is_told(model):
            models[model.name] = model
    known = set(models)
    return [
        model.model_copy(update={"fields": [one for one in model.fields if one.target is None or one.target in known]})
        for model in models.values()
    ]


_AND_SO_ON = words_of("etc more others other so on all that such stuff things something everything it them and like")


def _skipped(text: str, models: list[DataModel]) -> list[str]:
    """Return what stands in the lists that became no field of theirs, and has no word that would show it elsewhere."""
    found, kept = _said_lists(_unlisted(text)), {model.name for model in models}
    words = _words_for(found)
    return [
        phrase
        for noun, phrases in found
        if identifier(singular(noun)) in kept
        for phrase in phrases
        if read_field(phrase, words) is None
        and not uncovered(phrase, ())
        and not _AND_SO_ON.issuperset(phrase.casefold().split())
    ]


def _said_lists(text: str) -> list[tuple[str, list[str]]]:
    """Return each noun that has a list of fields, and their phrases."""
    found: list[tuple[str, list[str]]] = []
    # "Build a CRM for a bakery: customers with ..." - what stands before the colon names the app.
    head, colon, rest = text.partition(":")
    if colon and re.search(r"\b(with|have|has)\b", rest) and not re.search(r"\bwith\b", head):
        text = rest
    for match in _ENTITY.finditer(text):
        noun = _noun(match["noun"])
        if noun:
            found.append((noun, _without_looks(split_list(match["fields"].rstrip(") ")))))
    return found


def _words_for(found: list[tuple[str, list[str]]]) -> dict[str, str]:
    """Return the words for the models that lists describe, by which a field is one of another list."""
    stubs = [
        DataModel.model_validate(
            {"name": identifier(singular(noun)), "label": label(singular(noun)), "plural": label(plural(singular(noun))),
             "fields": [{"name": "name", "label": "Name"}]}
        )
        for noun, _ in found
        if identifier(singular(noun))
    ]  # fmt: skip
    return known_words(stubs)


def _without_looks(phrases: list[str]) -> list[str]:
    """Return the fields of a list without a colour and a theme that were said in one breath; two colours are fields."""
    said = [
        re.sub(rf"^(?:dark|light) (?=(?:{'|'.join(ACCENTS)})$)", "", phrase.casefold().strip()) for phrase in phrases
    ]
    colours = sum(phrase in ACCENTS for phrase in said)
    looks = {"dark", *([*ACCENTS, "light"] if colours == 1 else ())}
    rest = [phrase for phrase, words in zip(phrases, said, strict=True) if words not in looks]
    return rest or phrases


def _noun(phrase: str) -> str:
    """Return the noun of a phrase like 'track orders', or '' when it is no name of records."""
    words = [spelled(word) for word in phrase.casefold().split() if word not in _NO_PART_OF_NOUNS]
    # "import contacts": what is done with them is no part of their name.
    while len(words) > 1 and words[0] in _WISHES | _KEEPING:
        words = words[1:]
    if (
        not words
        or words[-1] in _NOT_NOUNS
        or words[-1] in ("should", "must", "can", "will")
        or words[-1] in _NO_RECORDS
    ):
        return ""
    if is_doing(words[-1]) or any(word[0].isdigit() or word in _NUMBERS for word in words):
        return ""
    return " ".join(word for word in words if word not in _NOT_NOUNS)


def accent_in(text: str) -> str:
    """Return the accent colour that the text names, as hex; '' for none. Light colours are darkened to stay readable."""
    if match := re.search(r"#([0-9a-f]{6})\b", text, re.I):
        return f"#{match[1].lower()}"
    match = re.search(rf"\b({'|'.join(ACCENTS)})\b", text, re.I)
    return ACCENTS[match[1].casefold()] if match else ""


def _is_title(words: str) -> bool:
    """Say whether words can name an app: a few, that say something, and no sentence."""
    said = words.casefold().split()
    own = [word for word in said if word not in FILLER]
    return len(said) <= 8 and bool(own) and said[0] not in _NO_TITLE | _ORDERS and _IN_SENTENCES.isdisjoint(said)


def _title(text: str, preset: str, models: list[DataModel], landing: bool) -> str:
    if match := re.search(
        r"\b(?:called|named|titled|(?:[Cc]all|[Nn]ame) (?:it|this))\s+[\"'“]?([A-Z0-9][\w&' -]{1,40}?)[\"'”]?(?=[,.:;]|\s+(?:with|for|that|where)\b|$)",
        text,
    ):
        return label(_IN_LOOKS.sub("", match[1]))
    sentence = re.split(
        r"[:;.,\n(]|\bwith\b|\bwhere\b|\bthat\b|\bto\s+(?:keep|track|manage|store)\b",
        _PURPOSE.sub("", _OPENING.sub("", text, count=1)),
        maxsplit=1,
    )[0]
    sentence = _IN_LOOKS.sub("", sentence.rstrip())
    if landing:
        match = re.search(r"\bfor\s+(?:(?:an?|my|our|the)\s+)?(.+)", sentence, re.I)
        return label(match[1].strip(" ,")) if match else "Welcome"
    words = re.sub(r"\b(?:app|application|web ?app|tool|system|web ?page|page|website)\b", "", sentence, flags=re.I)
    words = re.sub(
        r"^(?:to\s+)?(?:keep track of|track|manage|organi[sz]e|store|record|handle)\s+",
        "",
        " ".join(words.split()),
        flags=re.I,
    )
    words = re.sub(r"^(?:my|our)\s+", "", words.strip(" ,-"), flags=re.I)
    if re.match(r"for\b", words, re.I):
        words = (preset + " " + words).strip()
    words = words if preset else re.sub(r"^for\s+(?:(?:an?|my|our|the)\s+)?", "", words, flags=re.I)
    if words and len(words) <= 60 and _is_title(words):
        return label(words)
    return preset or label(" and ".join(model.plural.casefold() for model in models[:2]) or "app")
