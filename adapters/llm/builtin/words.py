"""English words the built-in builder knows: plurals, names, the types that field names suggest."""

import re

from core.manifests import DataField, DataModel, FieldType

_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "series": "series",
}
_SAME = ("news", "staff", "equipment", "inventory", "feedback", "status", "address", "business")

_TYPES: tuple[tuple[FieldType, str], ...] = (
    ("email", r"e-?mail"),
    ("phone", r"phone|mobile|telephone|fax|cell"),
    ("url", r"url|website|link|homepage|photo|image|picture"),
    ("boolean", r"done|completed?|finished|active|paid|published|confirmed|available|archived|urgent|is .*|has .*|in stock"),
    ("money", r"price|cost|amount|total|fee|salary|budget|revenue|balance|deposit|rent|value|spent"),
    ("datetime", r".*\b(?:time|timestamp)|starts?(?: at)?|ends?(?: at)?|check[- ]?(?:in|out)"),
    ("date", r"date|.*\bdate|due|deadline|birthday|born|.*\bday|since|until|expiry|expires|when|joined|hired"),
    ("integer",
     r"quantity|count|number of .*|stock|.*\bstock(?: level)?|age|seats|guests|people|persons|year|rating|score|stars|points|"
     r"pages|units|minutes|hours|duration|servings|capacity|order number|party size|reorder level|position"),
    ("decimal", r"weight|height|width|length|size in .*|distance|temperature|percent(?:age)?|rate|area|volume"),
    ("long_text", r"notes?|description|comments?|body|content|text|message|details|bio|summary|address|instructions|"
                  r"ingredients|feedback|reason|answer|steps"),
)  # fmt: skip
_SAID: dict[str, FieldType] = {
    "number": "decimal", "integer": "integer", "whole number": "integer", "decimal": "decimal", "money": "money",
    "date": "date", "datetime": "datetime", "time": "datetime", "text": "text", "long text": "long_text",
    "yes/no": "boolean", "yes no": "boolean", "boolean": "boolean", "checkbox": "boolean", "email": "email",
    "phone": "phone", "url": "url", "link": "url", "currency": "money",
}  # fmt: skip
DEFAULT_CHOICES = {
    "status": ["new", "in progress", "done"],
    "state": ["new", "in progress", "done"],
    "priority": ["low", "normal", "high"],
    "stage": ["lead", "qualified", "won", "lost"],
}


def singular(noun: str) -> str:
    """Return the singular of a noun phrase."""
    head, _, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last in _SAME or last.endswith(("ss", "us", "is")):
        pass
    elif last.endswith("ies") and len(last) > 4:
        last = last[:-3] + "y"
    elif last.endswith(("sses", "xes", "ches", "shes", "zes")) or last in ("buses", "bonuses", "statuses", "campuses"):
        last = last[:-2]
    elif last.endswith("s"):
        last = last[:-1]
    return f"{head} {last}".strip()


def plural(noun: str) -> str:
    """Return the plural of a singular noun phrase."""
    head, _, last = noun.rpartition(" ")
    reverse = {one: many for many, one in _IRREGULAR.items()}
    if last in reverse:
        last = reverse[last]
    elif last in _SAME and last != "address" and last != "business":
        pass
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "ch", "sh", "z")):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}".strip()


def identifier(words: str) -> str:
    """Return words as a name: lower case, underscores, begins with a letter; empty when nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "_", words.casefold()).strip("_")
    return re.sub(r"^[^a-z]+", "", name)[:40].strip("_")


def label(words: str) -> str:
    """Return words as a heading."""
    text = " ".join(words.replace("_", " ").split())[:80]
    return text[:1].upper() + text[1:]


def field(phrase: str, entities: dict[str, str]) -> DataField | None:
    """
    Return the field that a phrase like 'status (new, done)' or 'due date' describes.

    `entities` maps words for a model (singular and plural) to its name: a field called like one is a relation.
    """
    phrase = phrase.strip(" .,:;")
    choices: list[str] = []
    said: FieldType | None = None
    if match := re.match(r"(?P<name>[^(]+?)\s*[(\[](?P<inside>[^)\]]*)[)\]]?$", phrase):
        phrase, inside = match["name"], match["inside"].strip().casefold()
        said = _SAID.get(inside)
        if said is None:
            choices = [one.strip(" .'\"") for one in re.split(r",|/|\||\bor\b|;", match["inside"])]
            choices = [one for one in dict.fromkeys(choices) if one][:30]
    words = re.sub(
        r"^(?:(?:an?|the|their|its|his|her|optional|required|also|each|one|some|unique)\s+)+",
        "",
        phrase.strip(),
        flags=re.I,
    )
    words = re.sub(r"\s+(?:field|column|property|attribute)s?$", "", words, flags=re.I).strip(" '\"")
    name = identifier(words)
    if not name or name in ("id", "with", "field") or len(words.split()) > 5:
        return None
    if len(choices) > 1:
        return DataField(name=name, label=label(words), type="choice", choices=[one[:80] for one in choices])
    if said is None and (target := entities.get(words.casefold())):
        return DataField(name=name, label=label(words), type="relation", target=target)
    kind = said or _suggested(words.casefold())
    if kind == "choice":
        return DataField(name=name, label=label(words), type="choice", choices=DEFAULT_CHOICES[words.casefold()])
    return DataField(name=name, label=label(words), type=kind)


def _suggested(words: str) -> FieldType:
    if words in DEFAULT_CHOICES:
        return "choice"
    for kind, pattern in _TYPES:
        if re.fullmatch(pattern, words) or (kind in ("email", "phone") and re.search(rf"\b(?:{pattern})\b", words)):
            return kind
    last = words.rpartition(" ")[2]
    for kind, pattern in _TYPES:
        if kind in ("money", "date", "long_text", "integer", "url") and re.fullmatch(pattern, last):
            return kind
    return "text"


def split_list(text: str) -> list[str]:
    """Split 'a, b (x, y) and c' into its items; commas inside brackets do not count."""
    items, depth, item = list[str](), 0, ""
    for token in re.split(r"([()\[\]]|,|;|\band\b|\bplus\b|&)", text):
        depth += token in ("(", "[")
        depth -= token in (")", "]")
        if depth <= 0 and token in (",", ";", "and", "plus", "&"):
            items.append(item)
            item = ""
        else:
            item += token
    return [one.strip() for one in [*items, item] if one.strip()]


def known_words(models: list[DataModel]) -> dict[str, str]:
    """Return every word for a model (name, label, plural; singular and plural) -> its name."""
    found: dict[str, str] = {}
    for model in models:
        for word in (model.name.replace("_", " "), model.label.casefold(), model.plural.casefold()):
            for form in (word, singular(word), plural(singular(word))):
                found.setdefault(form, model.name)
    return found


def model_of(noun: str, phrases: list[str], entities: dict[str, str]) -> DataModel | None:
    """Return the model that a noun and its fields' phrases describe; the first text field is required."""
    one = singular(" ".join(noun.casefold().split()))
    fields: dict[str, DataField] = {}
    for phrase in phrases:
        found = field(phrase, entities)
        if found is not None and found.name not in fields:
            fields[found.name] = found
    name = identifier(one)
    if not name or not fields:
        return None
    order: tuple[FieldType, ...] = ("text", "email", "long_text", "date", "money", "integer")
    for kind in order:
        if first := next((key for key, value in fields.items() if value.type == kind), None):
            fields[first] = fields[first].model_copy(update={"required": True})
            break
    return DataModel(name=name, label=label(one), plural=label(plural(one)), fields=list(fields.values()))
