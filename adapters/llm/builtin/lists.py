"""Lists of fields as people write them, “orders with item and price”, as models."""

import re
from dataclasses import dataclass

from adapters.llm.builtin.coverage import FILLER
from adapters.llm.builtin.doubts import split_run
from adapters.llm.builtin.looks import ACCENTS
from adapters.llm.builtin.shapes import BULLET, is_row
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


@dataclass(frozen=True)
class Said:
    """A noun with the phrases of its fields; `sure` unless the noun may only be where or for whom something is kept."""

    noun: str
    phrases: list[str]
    sure: bool


_STOP = r"(?:;|\.(?:\s|$)|\n|$)"
_NO_NOUN = r"(?!(?:who|which|that|it|they|we|i)\b)"
_ENTITY = re.compile(
    rf"(?P<noun>(?:[A-Za-z]&)?[A-Za-z][A-Za-z-]*(?: [A-Za-z-]+)?)\s*(?:\(\s*with\s+|(?:each\s+)?(?:with|ha(?:ve|s)(?!\s+to\b)|having|containing|including|consist(?:s|ing) of)\s+|:\s+)"
    rf"(?!{_NO_NOUN}[A-Za-z-]+(?: [A-Za-z-]+)?\s+(?:with|have|has|having)\b)(?P<fields>.+?)(?={_STOP}|(?:,\s*(?:and\s+)?|\s+and\s+)(?:also\s+)?{_NO_NOUN}[A-Za-z-]+(?: [A-Za-z-]+)?\s+(?:with|have|has|having)\s)",
    re.I | re.S,
)
_NOT_NOUNS = {
    "app", "application", "page", "website", "site", "tool", "system", "crm", "tracker", "manager", "list", "for", "it",
    "which", "that", "each", "every", "also", "and", "dashboard", "database", "blog", "todo", "board", "kanban", "glossary", "dictionary",
    "logbook", "so", "um", "anonymous", "roster", "rota", "schedule", "timetable", "checklist", "sheet", "something", "anything",
}  # fmt: skip
_NO_PART_OF_NOUNS = {
    "and", "also", "the", "all", "our", "my", "track", "keep", "manage", "of", "store", "stores", "list", "add", "with",
    "about", "like", "as", "need", "needs", "want", "wants", "next", "in", "by", "that", "log", "logs", "logging", "tracking", "for", "a", "an", "where", "save", "record", "records",
    "handle", "some", "simple", "basic", "quick", "to", "i", "have", "has", "got", "fields", "columns", "following", "every", "each", "per", "any", "new", "many", "several", "multiple",
    "called", "named", "titled", "build", "make", "create", "generate", "develop", "write", "set", "up", "me", "us", "design", "give", "kindly", "online", "english", "their", "its", "his", "her", "your", "these", "those",
}  # fmt: skip
_PRONOUNS = words_of("we i you they us own who")
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
    timers countdown game roster plan rule result statistic statistics
""")


_CONTAINERS = (
    r"list|checklist|log|tracker|register|collection|directory|database|inventory|overview|book(?!s)|box(?!es)|sheet|app|planner|catalog(?:ue)?"
    r"|chart|rota|roster|timetable|form(?!s)"
)
_PLACES = words_of("""
    wardrobe closet den pantry fridge freezer cellar garage kitchen storeroom storage warehouse cupboard shed attic basement office lab
    laboratory workshop toolbox greenhouse allotment garden shelf cabinet locker room truck van studio house home flat apartment hut
""")
"""What is kept in them are things: “wardrobe inventory”."""
_LISTS_BY_WHAT_IS_DONE = {
    "shopping": "items",
    "packing": "items",
    "waiting": "entries",
    "mailing": "contacts",
    "guest": "guests",
    "wish": "wishes",
}
_OF_WHAT = re.compile(
    rf"\b(?P<kept>[a-z][a-z-]*(?: [a-z][a-z-]*)?) (?:{_CONTAINERS})s?(?P<place> (?:for|at|in) (?:the |our |my |an? )?[a-z'-]+(?: [a-z'-]+){{0,2}})?"
    r"(?=:| with\b)(?!: *\n? *[a-z][a-z ]* (?:with|have)\b)", re.I
)  # fmt: skip
_AT_A_PLACE = re.compile(
    r"\b(?P<kept>(?:(?!(?:and|or|of|the|our|my|all|with|for|some)\b)[a-z]+ )?[a-z][a-z-]*s) (?P<place>(?:for|at|in) (?:the |our |my |her |his |their |an? )[a-z'-]+(?: [a-z'-]+){0,2})(?=:| with\b)",
    re.I,
)


_KINDS_OF_APPS = words_of("inventory stock warehouse library crm blog survey kanban todo to-do booking")


def lists_of(text: str, preset: str = "(?!)", kept: str = "") -> str:
    """
    Name what is kept where a place or a container stands before the fields.

    “An inventory of the kitchen with amount” keeps items and no kitchens, “a shopping list with item” items too, “bookings for
    the court with player” bookings, “a todo list with task” tasks. `preset` is the pattern of a well-known app, of `kept`.
    """
    known = re.compile(
        rf"\b(?P<word>{preset})s?(?: (?:list|app|tracker|page|board|system|log|desk))?(?P<place> (?:(?:of|for|after|during) (?:the |our |my |an? )|(?<=survey )(?:on|about) )[a-z'-]+(?: [a-z'-]+){{0,2}}(?: of (?-i:[A-Z])[\w. ]{{1,30}}?)?)?"
        r"(?=:| with\b)(?!: *\n? *[a-z][a-z ]* (?:with|have)\b)", re.I
    )  # fmt: skip
    for pattern in (_OF_WHAT, known, _AT_A_PLACE):
        match = pattern.search(text)
        if (
            match is None
            or text[: match.start()].rstrip().endswith("&")
            or _AND_MORE.search(text[: match.start()][-60:])
            or _IN_A_LIST.search(text[: match.start()])
        ):
            continue
        fields = re.sub(r"^(?::| with)\s*", "", text[match.end() :])
        row = split_list(re.split(_STOP, fields)[0])
        asked = kept == "responses" and any("(" in one or one.endswith("?") or _QUESTION.match(one) for one in row)
        if not asked and not any(map(known_field, row)):
            continue
        if (
            pattern is _OF_WHAT
            and " form" not in match[0].casefold()
            and match["kept"].split()[-1].casefold()
            in ((_KINDS_OF_APPS | FILLER | ACCENTS.keys()) - _LISTS_BY_WHAT_IS_DONE.keys())
        ):
            continue
        place = match["place"] or ""
        if (
            re.search(r"\b(?:the|our|my|an?) ", place) is None
            and place
            and singular(place.split()[-1]) != place.split()[-1]
        ):
            continue  # “a list for customers with name” is of customers
        if pattern is known:
            said = _noun(match["word"])
            what = "guests" if said == "rsvp" else said if said and singular(said) != said else kept
        elif pattern is _OF_WHAT:
            what = _kept_in(match, split_list(re.split(_STOP, fields)[0]), kept)
        else:
            what = _noun(match["kept"])
        if what:
            return f"{text[: match.end()]}, {plural(singular(what))} with {fields}"
    return text


_QUESTION = re.compile(r"(?:how|what|would|which|when|where|who|why|did|do|are|were|will|can|have)\b", re.I)
_IN_A_LIST = re.compile(r"(?:\bwith\b|\bhave\b|\bhas\b|:)[^.;\n]*(?:,| and) $", re.I)
"""Behind the fields of one list another one begins: “patients with name and appointments with date”."""


def _kept_in(container: re.Match[str], fields: list[str], kept: str) -> str:
    """Return what a list, a log or a place keeps, by its fields; `kept` is what a well-known app keeps, '' for none."""
    said, of_what = container[0].casefold(), container["kept"].split()[-1].casefold()
    field = read_field(fields[0], {})
    if (
        of_what in _GROUPS
        and re.search(r"\broster\b", said)
        and any(phrase.casefold().endswith("name") for phrase in fields)
    ):
        return "members"
    if said.split()[-1] == "form" or " form " in said:
        return (
            _KEPT_BY_FORMS.get(of_what, "")
            or (
                f"{_noun(container['kept'].rpartition(' ')[0])} applications".strip()
                if of_what == "application"
                else ""
            )
            or _noun(container["kept"])
        )
    if "checklist" in said:
        return "steps"
    dated = any((one := read_field(phrase, {})) is not None and one.type in ("date", "datetime") for phrase in fields)
    named = field is not None and field.name in ("name", "title", "item", "what")
    if re.search(r"\b(?:log|diary)\b", said) and dated and not named:
        return "entries"  # “baby log: time, what” has no babies
    if of_what in _PLACES:
        return kept or "items"
    return _noun(container["kept"]) or (_LISTS_BY_WHAT_IS_DONE.get(of_what, "") if " list" in said else "")


_KEPT_BY_FORMS = {
    "up": "sign-ups",
    "signup": "sign-ups",
    "sign-up": "sign-ups",
    "contact": "messages",
    "feedback": "responses",
}
_GROUPS = words_of("choir orchestra band team crew class club squad troupe ensemble troop cast committee company unit")
"""Whose roster is of their members."""


def is_told(model: DataModel) -> bool:
    """Say whether what stands behind “with” are fields: one that often is one, or several; “a shop with a checkout” keeps nothing."""
    known = any(
        one.type in ("relation", "choice") or known_field(one.label) or one.name == model.name for one in model.fields
    )
    return known or len(model.fields) >= FEWEST_FIELDS


_ANOTHER = re.compile(
    r"(?:,\s*(?:and\s+)?|\s+and\s+)(?:also\s+)?(?:an?|another|one)\s+(?:list|table|log|register)\s+(?:of|for)\s+"
    r"(?=(?:our |my |the )?[a-z-]+(?: [a-z-]+)?(?:\s+(?:with|have)\b|:))", re.I
)  # fmt: skip
_SHARED = re.compile(
    r"\b(?P<one>start|begin|end|arrival|departure|min|max|minimum|maximum|first|last|buying|selling|net|gross|old|new|birth|billing|"
    r"shipping|delivery|opening|closing|home|away|entry|exit|check-in|pick-?up|return) (?:and|&|/|or) (?P<two>[a-z-]+) "
    r"(?P<head>dates?|times?|prices?|names?|addresses|address|teams?|temperatures?|weights?|numbers?|years?|fees?|scores?)\b", re.I
)  # fmt: skip
"""Two fields that share their last word: “start and end date”."""
_GROUP = re.compile(r"\b(?:and |with )?(?P<noun>[a-z][a-z-]+(?: [a-z]+)?) \((?P<fields>[^()]+)\)", re.I)


def _several(text: str) -> str:
    """Write several lists with their fields in brackets, “owners (name, phone) and pets (name, owner)”, as such with “with”."""
    found = list(_GROUP.finditer(text))
    if (
        len(found) < 2
        or not any("," in one["fields"] for one in found)
        or not all(_is_list(one["noun"].casefold(), one["fields"]) for one in found)
    ):
        return text
    told = "; ".join(f"{one['noun']} with {one['fields']}" for one in found)
    head, rest = text[: found[0].start()].rstrip(" ,:\n"), text[found[-1].end() :]
    return f"{head}: {told}{rest}" if head else f"{told}{rest}"


def _is_list(noun: str, fields: str) -> bool:
    """Say whether several of something have fields in brackets; one of it has words to choose from there."""
    return singular(noun) != noun and bool(_noun(noun)) and any(known_field(one.strip()) for one in fields.split(","))


def unlisted(text: str) -> str:
    """Write lists of people ('- Orders: item, price' or 'orders (item, price)') as sentences with 'with'."""
    lines = []
    for line in text.split("\n"):
        bare = BULLET.sub("", line).strip()
        if (
            match := re.match(r"(?P<noun>[A-Za-z][A-Za-z -]{1,40}?)\s*(?::|-|–)\s+(?P<fields>[^:]+,[^:]+)$", bare)
        ) and BULLET.match(line):
            bare = f"{match['noun']} with {match['fields']}"
        lines.append(bare)
    text = "\n".join(lines)
    text = _ANOTHER.sub("; ", text)
    text = _SHARED.sub(r"\g<one> \g<head>, \g<two> \g<head>", _several(text))
    bracketed = r"\b(?P<noun>[a-z][a-z-]+(?: [a-z]+)?)\s+\((?P<fields>[^()]+,[^()]+)\)"
    if re.search(r"\b(?:with|have|has|having)\b", text, re.I):
        return text

    def listed(match: re.Match[str]) -> str:
        # Inside a list a bracket holds choices; elsewhere it holds fields, if it names some that are often fields.
        before = re.sub(r"\([^()]*\)", "", re.split(r"[.;:\n]", text[: match.start()])[-1])
        fields = [one.strip() for one in re.split(r",|\band\b", match["fields"])]
        in_list = "," in before or ":" in before
        return f"{match['noun']} with {match['fields']};" if not in_list and any(map(known_field, fields)) else match[0]

    return re.sub(bracketed, listed, text, flags=re.I)


def entities(text: str) -> list[DataModel]:
    """Return the models that clauses like 'orders with item and price' describe, relations resolved."""
    return _models(_said_lists(text))


_ROW = re.compile(rf"(?P<mark>: | with |: ?\n)(?P<fields>.+?)(?={_STOP})", re.I | re.S)


def row_alone(text: str) -> tuple[list[DataModel], str] | None:
    """
    Return what a row of fields describes that belongs to no noun, and the text with a noun for it: “a list with lens, borrower, …”.

    It is called by its first field, which mostly says what it is about, or are entries.
    """
    for match in _ROW.finditer(text):
        phrases = split_list(match["fields"])
        first = phrases[0].casefold() if phrases else ""
        if not is_row(match["fields"]):
            continue
        own = (
            not _OF_EVENTS.search(text[: match.start()])
            and re.fullmatch(r"[a-z]+(?: [a-z]+)?", first)
            and not known_field(first)
            and _noun(first)
        )
        noun = plural(singular(own)) if own else "entries"
        if models := _models([Said(noun, phrases, sure=False)]):
            return models, f"{text[: match.start()]}, {noun} with {text[match.start('fields') :]}"
    return None


_OF_EVENTS = re.compile(
    r"\b(?:rota|roster|schedule|timetable|log|diary|tracking|tracker|attendance|hours)\b|\b(?:for|at|in) \d", re.I
)
"""What has an entry for each time that something is done."""


def unsure_of(text: str) -> bool:
    """Say whether what is kept was called by a word that may only be where or for whom it is."""
    return not all(one.sure for one in _said_lists(text))


def _models(found: list[Said]) -> list[DataModel]:
    words = _words_for(found)
    models: dict[str, DataModel] = {}
    for one in found:
        model = model_of(one.noun, one.phrases, words)
        if model is not None and model.name not in models and is_told(model):
            models[model.name] = model
    known = set(models)
    return [
        model.model_copy(update={"fields": [one for one in model.fields if one.target is None or one.target in known]})
        for model in models.values()
    ]


_AND_SO_ON = words_of("etc more others other so on all that such stuff things something everything it them and like")


def skipped(text: str, models: list[DataModel]) -> list[str]:
    """Return what stands in the lists of a text, as `lists_of` or `row_alone` wrote it, and became no field of theirs."""
    found, kept = _said_lists(text), {model.name for model in models}
    words = _words_for(found)
    return [
        phrase
        for one in found
        if identifier(singular(one.noun)) in kept
        for phrase in one.phrases
        if read_field(phrase, words) is None and not _AND_SO_ON.issuperset(phrase.casefold().split())
    ]


def _said_lists(text: str) -> list[Said]:
    """Return each noun that has a list of fields, and their phrases."""
    found: list[Said] = []
    # "Build a CRM for a bakery: customers with ..." - what stands before the colon names the app.
    head, colon, rest = text.partition(":")
    if colon and re.match(r"(?:[^,;]*,)?[^,;]*\b(?:with|have|has)\b", rest) and not re.search(r"\bwith\b", head):
        text = rest
    for match in _ENTITY.finditer(text):
        if _IN_CHOICES.search(text[: match.start("noun")]) or text[: match.start("noun")][-1:].isdigit():
            continue
        noun = _noun(_longer(match["noun"], text[: match.start()]))
        # “lost & found list” is no list of founds, “fuel for the van: …” none of vans.
        before = text[: match.end("noun") - len(noun)] if noun else ""
        last = text[: match.end("noun") - len(match["noun"].split()[-1])]
        beside = text[: match.start()].rstrip().endswith("&") or (not _TOLD.search(before) and _AND_MORE.search(before))
        if " " in noun and re.search(r"\bto $", before) and match["noun"].casefold().startswith(noun):
            noun = noun.partition(" ")[2]  # “to register campers”
        if noun and (several := _BY_WHOM.search(before)) and not (_is_one(noun) and " of " not in several[0]):
            noun = several["kept"].casefold()  # “complaints by guests with …” are complaints
            beside = beside or _AND_MORE.search(before[: several.start()]) is not None
        if noun and not beside and not (_is_one(noun) and (_FOR.search(before[-40:]) or _FOR.search(last[-40:]))):
            if _MANY_FOR.search(before[-40:]) or _FOR_ONE.search(before[-40:]) or _FOR_ONE.search(last[-40:]):
                continue
            has = re.match(r"\s+(?:has|have)\b", text[match.end("noun") :]) is not None
            if noun in _PLACES and _is_one(noun) and not has and not _OF_EACH.search(before):
                continue  # “our greenhouse: plant, sown on” keeps no greenhouses
            guessed = (_is_one(noun) and not has and not _is_named(before, match["noun"])) or _is_clause(noun)
            phrases = [part for one in split_list(_closed(match["fields"])) for part in split_run(one)]
            found.append(Said(noun, _without_looks(phrases), sure=not guessed))
    return found


_IN_CHOICES = re.compile(r"\([^();]*,[^();]*$")
"""Among words to choose from: “(passed, passed with defects)”."""
_OF_EACH = re.compile(r"\b(?:each|every|per) $", re.I)
_TOLD = re.compile(r":|\(|\b(?:with|have|has)\b", re.I)
_AND_MORE = re.compile(r"\b[a-z]{2,}s (?:and|or|&) (?:the |our |my )?$", re.I)
"""“saws and drills with …” are neither."""
_BY_WHOM = re.compile(
    r"\b(?P<kept>(?!(?:lists|logs|tables|apps|records|lots|types|kinds|pieces|groups|sets|us|is|this|news|sales)\b)[a-z]{3,}s) (?:by|from|for|of(?= (?:the|our|my|all) )|(?<=loans )of|(?<=sightings )of|(?<=sales )of|(?<=repairs )of|(?<=inspections )of|(?<=deliveries )of|(?<=measurements )of) (?:the |our |my |all )?$",
    re.I,
)


def _closed(fields: str) -> str:
    """Return a row of fields without a bracket that was opened before it."""
    return fields.rstrip().removesuffix(")") if fields.count(")") > fields.count("(") else fields


_FOR = re.compile(r"\b(?:for|at|in|on|after|before|during) (?:(?:the|my|our|his|her|their|an?) (?:[\w'-]+ )?)?$", re.I)
_FOR_ONE = re.compile(r"\b(?:for|at|in|on|after|before|during) an? $|\b(?:log|logbook|diary|journal) for $", re.I)
_MANY_FOR = re.compile(
    r"\b(?:for|at|in) \d+ $|(?<!list )(?<!log )(?<!table )(?<!tracker )(?<!register )(?<!database )(?<!something )(?<!thing )\b(?:for|at|in|on|after|during) (?:the |my |our |his |her |their )$",
    re.I,
)


def _is_clause(noun: str) -> bool:
    """Say whether a noun has several of something in its middle, as “tenants report defects” has, and “kids chores” has not."""
    words = noun.split()
    return not (len(words) == 2 and words[0] in _WHOSE_THEY_ARE) and any(
        singular(word) != word and word not in _PLURAL_FIRST and not word.endswith("ss") for word in words[:-1]
    )


_WHOSE_THEY_ARE = words_of(
    "kids children ladies womens mens girls boys members guests parents students teachers seniors juniors"
)
_PLURAL_FIRST = words_of(
    "sales sports news goods savings customs arms sms gas bus tennis christmas business series lens"
)


def _is_one(noun: str) -> bool:
    return singular(noun) == noun and plural(noun) != noun


def _is_named(before: str, noun: str) -> bool:
    """Say whether one of something has fields: “every plant has”, “keep track of paint with”; what is only headed may be a title."""
    said = f"{before[-30:]}{noun}"
    return _NAMED_AS_KEPT.search(said) is not None


_NAMED_AS_KEPT = re.compile(
    r"\b(?:each|every|per|track(?:ing)?|track of|(?:list|log|record|inventory|collection|catalogue?) of) (?:(?:our|my|the|all) )?[\w-]+(?: [\w-]+)?$",
    re.I,
)


def _longer(noun: str, before: str) -> str:
    """Return a noun of two words with the one before it, where that belongs to it: “real estate leads”."""
    if before.endswith("'") and noun.startswith("s "):
        return noun[2:]
    first = re.search(r"(?:^|\s)([A-Za-z-]+) $", before[-40:])
    word = first[1].casefold() if first else ""
    alone = not word or word in FILLER or word in _NO_PART_OF_NOUNS or word in _NOT_NOUNS or word in WISHES | _KEEPING
    return noun if alone or len(noun.split()) != 2 or _noun(noun).count(" ") != 1 else f"{word} {noun}"


def _words_for(found: list[Said]) -> dict[str, str]:
    """Return the words for the models that lists describe, by which a field is one of another list."""
    stubs = [
        DataModel.model_validate(
            {"name": identifier(singular(one.noun)), "label": label(singular(one.noun)), "plural": label(plural(singular(one.noun))),
             "fields": [{"name": "name", "label": "Name"}]}
        )
        for one in found
        if identifier(singular(one.noun))
    ]  # fmt: skip
    return known_words(stubs)


def _without_looks(phrases: list[str]) -> list[str]:
    """Return the fields of a list without a colour and a theme that were said in one breath; two colours are fields."""
    said = [
        re.sub(rf"^(?:in )?(?:(?:dark|light) )?(?=(?:{'|'.join(ACCENTS)})$)", "", phrase.casefold().strip())
        for phrase in phrases
    ]
    colours = sum(phrase in ACCENTS for phrase in said)
    looks = {"dark", *([*ACCENTS, "light"] if colours == 1 else ())}
    # Only at the end: “white, black, date” are fields.
    last = len(said)
    while last and said[last - 1] in looks:
        last -= 1
    return phrases[:last] or phrases


_TOLD_BY_PEOPLE = words_of("report submit request suggest nominate raise lodge enter")
_OF_PAPER = words_of("cards forms templates types slips numbers")


def _noun(phrase: str) -> str:
    """Return the noun of a phrase like 'track orders', or '' when it is no name of records."""
    said = phrase.casefold().split()
    if said in (["records"], ["entries"]):
        return said[0]
    if len(said) > 1 and said[0] in ("i", "we", "you", "they"):
        return ""  # “how many birds I see”
    words = [spelled(word) for word in said if word not in _NO_PART_OF_NOUNS]
    # "import contacts": what is done with them is no part of their name.
    while len(words) > 1 and words[0] in WISHES | _KEEPING:
        words = words[1:]
    while len(words) > 1 and words[0] in ("note", "down", "jot"):
        words = words[1:]
    if (
        len(words) > 1
        and words[0] in _TOLD_BY_PEOPLE
        and singular(words[-1]) != words[-1]
        and words[-1] not in _OF_PAPER
    ):
        words = words[1:]  # “teachers report broken projectors”
    if words[:1] and words[0] in ("dr", "mr", "mrs", "ms", "prof"):
        return ""
    if len(words) > 1 and words[-1] == "reports":
        return " ".join(words)  # “boat damage reports”
    if (
        not words
        or len(words[-1]) < 2
        or words[-1] in _NOT_NOUNS
        or words[-1] in ("should", "must", "can", "will", "is", "are", "was", "were")
        or words[-1] in _NO_RECORDS
    ):
        return ""
    if _PRONOUNS.intersection(words):
        return ""
    if is_doing(words[-1]) or any(word[0].isdigit() or word in _NUMBERS for word in words):
        return ""
    if len(words) == 2 and words[0] == "board":
        return " ".join(words)  # of board games and board members
    return " ".join(word for word in words if word not in _NOT_NOUNS)
