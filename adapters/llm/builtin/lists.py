"""Lists of fields as people write them, “orders with item and price”, as models."""

import re

from adapters.llm.builtin.coverage import uncovered
from adapters.llm.builtin.looks import ACCENTS
from adapters.llm.builtin.words import field as read_field
from adapters.llm.builtin.words import (
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
from core.manifests import DataModel

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
WISHES = words_of("""
    import print share compare export send assign archive sync scan upload download log sign see count calculate email mail
    text call remind notify translate
""")
"""What people want to do with what is kept."""
_KEEPING = words_of("keeps lists manages tracks saves holds shows contains organizes handles")
"""What an app does with what it keeps; alone they are things, as “tracks with title and length” are."""
FEWEST_FIELDS = 3
_NO_RECORDS = words_of("""
    chart charts graph graphs report reports calendar map maps button buttons login logins notification
    notifications email emails reminder reminders import imports export exports filter filters pdf csv timer
    timers countdown game games roster rosters plan plans rule rules result results statistic statistics
""")


def is_told(model: DataModel) -> bool:
    """Say whether what stands behind “with” are fields: one that often is one, or several; “a shop with a checkout” keeps nothing."""
    known = any(one.type in ("relation", "choice") or known_field(one.label) for one in model.fields)
    return known or len(model.fields) >= FEWEST_FIELDS


_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


def unlisted(text: str) -> str:
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


def entities(text: str) -> list[DataModel]:
    """Return the models that clauses like 'orders with item and price' describe, relations resolved."""
    found = _said_lists(text)
    words = _words_for(found)
    models: dict[str, DataModel] = {}
    for noun, phrases in found:
        model = model_of(noun, phrases, words)
        if model is not None and model.name not in models and is_told(model):
            models[model.name] = model
    known = set(models)
    return [
        model.model_copy(update={"fields": [one for one in model.fields if one.target is None or one.target in known]})
        for model in models.values()
    ]


_AND_SO_ON = words_of("etc more others other so on all that such stuff things something everything it them and like")


def skipped(text: str, models: list[DataModel]) -> list[str]:
    """Return what stands in the lists that became no field of theirs, and has no word that would show it elsewhere."""
    found, kept = _said_lists(unlisted(text)), {model.name for model in models}
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
    while len(words) > 1 and words[0] in WISHES | _KEEPING:
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
