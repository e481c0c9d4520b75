"""Read a request for a new app: what it is called, what it keeps, which of the well-known apps it is."""

import re
from dataclasses import dataclass, field

from adapters.llm.builtin.words import identifier, known_words, label, model_of, plural, singular, split_list
from core.manifests import DataModel

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
    "in", "by", "that", "log", "logs", "logging", "tracking", "for", "a", "an", "where", "save", "record", "records",
    "handle", "some", "like", "to", "i", "fields", "columns", "following",
}  # fmt: skip
_ACCENTS = {
    "blue": "#1d5fd1", "green": "#2f7d4f", "red": "#c2362b", "orange": "#c45a11", "purple": "#6d3fc4", "pink": "#c02f76",
    "teal": "#0f766e", "brown": "#7a4a1f", "black": "#1f2933", "grey": "#4b5563", "gray": "#4b5563", "gold": "#946200",
    "yellow": "#8a6a00", "navy": "#1e3a6e", "indigo": "#4338ca", "turquoise": "#0e7490", "violet": "#7c3aed",
}  # fmt: skip

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
_LANDING = re.compile(r"\b(landing ?page|home ?page|web ?site|one-?pager|portfolio|coming soon|marketing page)\b", re.I)


@dataclass(frozen=True)
class Understood:
    """What a request for a new app asks for; neither models nor `landing` when nothing was understood."""

    title: str
    models: list[DataModel] = field(default_factory=list)
    view: str = "table"
    landing: bool = False
    accent: str = ""
    dark: bool = False


def understand(request: str) -> Understood:
    """Read a request for a new app."""
    text = _unlisted(request.split("```")[0].replace("\u2019", "'"))
    models = entities(text)
    preset = next((one for one in PRESETS if re.search(rf"\b(?:{one[0]})\b", text, re.I)), None)
    landing = bool(_LANDING.search(text)) and not models
    if not models and preset and not landing:
        models = entities(preset[3])
    view = "board" if re.search(r"\b(kanban|board)\b", text, re.I) and _board_ready(models) else "table"
    if preset and view == "table" and len(models) == 1:
        view = preset[2]
    if view == "board" and not _board_ready(models):
        view = "table"
    own = bool(entities(text))
    title = _title(text, preset[1] if preset and not own else "", models, landing) or "App"
    return Understood(title, models, view, landing, accent_in(text), bool(re.search(r"\bdark\b", text, re.I)))


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
    if not re.search(r"\b(?:with|have|has|having)\b", text, re.I):
        text = re.sub(bracketed, r"\g<noun> with \g<fields>;", text, flags=re.I)
    return text


def _board_ready(models: list[DataModel]) -> bool:
    return any(one.type == "choice" for model in models for one in model.fields)


def entities(text: str) -> list[DataModel]:
    """Return the models that clauses like 'orders with item and price' describe, relations resolved."""
    found: list[tuple[str, list[str]]] = []
    # "Build a CRM for a bakery: customers with ..." - what stands before the colon names the app.
    head, colon, rest = text.partition(":")
    if colon and re.search(r"\b(with|have|has)\b", rest) and not re.search(r"\bwith\b", head):
        text = rest
    for match in _ENTITY.finditer(text):
        noun = _noun(match["noun"])
        if noun:
            found.append((noun, split_list(match["fields"].rstrip(") "))))
    stubs = [
        DataModel.model_validate(
            {"name": identifier(singular(noun)), "label": label(singular(noun)), "plural": label(plural(singular(noun))),
             "fields": [{"name": "name", "label": "Name"}]}
        )
        for noun, _ in found
        if identifier(singular(noun))
    ]  # fmt: skip
    words = known_words(stubs)
    models: dict[str, DataModel] = {}
    for noun, phrases in found:
        model = model_of(noun, phrases, words)
        if model is not None and model.name not in models:
            models[model.name] = model
    known = set(models)
    return [
        model.model_copy(update={"fields": [one for one in model.fields if one.target is None or one.target in known]})
        for model in models.values()
    ]


def _noun(phrase: str) -> str:
    """Return the noun of a phrase like 'track orders', or '' when it is no name of records."""
    words = [word for word in phrase.casefold().split() if word not in _NO_PART_OF_NOUNS]
    if not words or words[-1] in _NOT_NOUNS or words[-1] in ("should", "must", "can", "will"):
        return ""
    return " ".join(word for word in words if word not in _NOT_NOUNS)


def accent_in(text: str) -> str:
    """Return the accent colour that the text names, as hex; '' for none. Light colours are darkened to stay readable."""
    if match := re.search(r"#([0-9a-f]{6})\b", text, re.I):
        return f"#{match[1].lower()}"
    match = re.search(rf"\b({'|'.join(_ACCENTS)})\b", text, re.I)
    return _ACCENTS[match[1].casefold()] if match else ""


def _title(text: str, preset: str, models: list[DataModel], landing: bool) -> str:
    if match := re.search(
        r"\b(?:called|named|titled)\s+[\"'“]?([A-Z0-9][\w&' -]{1,40}?)[\"'”]?(?=[,.:;]|\s+(?:with|for|that|where)\b|$)",
        text,
    ):
        return label(match[1])
    sentence = re.split(
        r"[:;.\n]|\bwith\b|\bwhere\b|\bthat\b|\bto\s+(?:keep|track|manage|store)\b",
        _OPENING.sub("", text, count=1),
        maxsplit=1,
    )[0]
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
    words = words.strip(" ,-")
    if re.match(r"for\b", words, re.I):
        words = (preset + " " + words).strip()
    if words and len(words) <= 60 and len(words.split()) <= 8:
        return label(words)
    return preset or label(" and ".join(model.plural.casefold() for model in models[:2]) or "app")
