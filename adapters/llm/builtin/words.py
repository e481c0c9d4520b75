"""English words the built-in builder knows: plurals, names, the types that field names suggest."""

import difflib
import functools
import hashlib
import keyword
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

from core.manifests import DataField, DataModel, FieldType


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "series": "series",
    "shelves": "shelf", "wolves": "wolf", "leaves": "leaf", "knives": "knife", "lives": "life", "halves": "half", "loaves": "loaf",
    "calves": "calf", "thieves": "thief", "scarves": "scarf", "wives": "wife", "geese": "goose", "feet": "foot", "teeth": "tooth",
}  # fmt: skip
_SAME = (
    "news", "staff", "equipment", "inventory", "feedback", "status", "address", "business", "gear", "furniture", "luggage",
    "stuff", "crew", "food", "homework", "christmas", "cash", "money", "mail", "data", "information", "software", "hardware", "laundry", "weather",
    "sheep", "deer", "aircraft", "livestock", "cattle", "poultry", "species", "music", "research", "waste", "rubbish", "traffic", "advice", "jewellery", "jewelry", "clothing", "merchandise", "merch", "knowledge",
)  # fmt: skip

_TYPES: tuple[tuple[FieldType, str], ...] = (
    ("email", r"(?:.* )?e-?mail(?: address)?"),
    ("phone", r"(?:.* )?(?:phone|mobile|telephone|fax|cell)(?: (?:number|nr|no))?"),
    ("url", r"url|(?:.* )?(?:website|homepage)|(?:.* )?link|linkedin|photo|image|picture|web address|web page"),
    ("boolean",
     r"done|completed?|finished|active|published|confirmed|available|archived|urgent|is .*|has .*|in stock|"
     r"(?:(?!amount|balance|total|price|fee|sum)\w+ )?paid|returned|approved|bought|resolved|solved|sold|shipped|delivered|"
     r"cancelled|checked|verified|signed|invited|attended|answered|packed|reserved|closed|tested|cleaned|fixed|watched|"
     r"(?:pets|smoking|children|kids|dogs|parking|breakfast|meals?|drinks?|bedding) (?:allowed|included|permitted)|eligible|\w+ (?:seen|issued|included|allowed|attached)|alive|(?!(?:last|date|time|amount|who|what|when|where|work|works|repairs|jobs|things|tasks) )\w+ (?:signed|sent|booked|received|submitted|renewed|confirmed|done)|auto[- ]renew\w*|rolled back|handed in|"
     r"rented(?: out)?|lent(?: out)?|given back|printed|enabled|disabled|settled|arrived|empty|fragile|broken|damaged|overdue|\w+ returned|\w+ (?:\w+ )?needed|needs .*|learned|learnt|vaccinated|billable|refundable|organic|vegan|vegetarian|ordered|received|collected|accepted|booked|read|taken|plus[- ]one|pass/fail"),
    # Of dates and amounts: “due” and “paid” alone are other things.
    ("money", r"(?:planned|actual|estimated|expected|invoiced?|pledged|outstanding|loan|net|gross) amount|amount \w+ed|salary (?!range)\w+|(?:amount|balance|total|sum|fee|payment|price) (?:due|paid|owed|open)|(?:price|cost|rate|fee) per \w+|money spent|amount spent|(?:current|market|book|purchase|resale|stock) value"),
    ("money", r"price|cost|amount|total|fee|salary|(?:hourly|daily|day|weekly|monthly|nightly|room) rate|budget|revenue|balance|deposit|rent(?: per \w+)?|value|spent|raised|donated|budgeted|earned"),
    # How long something takes; people write “20 min”.
    ("text", r"(?:prep|preparation|cook|cooking|baking|travel|wait|waiting|lead|play|playing|running|total|response|lap|screen|"
             r"driv(?:e|ing)|rest|resting|brewing|training|work|working|reading|reaction|finish(?:ing)?|race|marathon|record|split|average|fastest|slowest|(?:personal )?best(?: \w+)?) time|(?:price|salary|age|size|date|time) range|(?:opening|office|business|visiting) hours"),
    ("datetime", r"date/time|time (?:in|out|of (?:arrival|departure|day|call|visit|birth|death|delivery|collection))|(?!(?:park|locat|stor|stay|plac|station|work|stud|seat|rent|bas)ed)\w+ed at|"
                 r"(?:done|sent|arrived|left|made) at|.*\b(?:time|timestamp)|starts?(?: at)?|ends?(?: at)?|check[- ]?(?:in|out)"),
    ("date", r"date|.*\bdate|date \w+|date of \w+|due(?: back| on| by)?|(?!amount|balance|payment|total|fee|sum)\w+ due|birthdate|best before|(?!.*\b(?:shelf|rack|floor|wall|hook|board|page|they're|it's|is|are) on$).+ on|"
     r"arrival|departure|(?:apply|submit|reply|return|pay|back|finish|respond|complete|use|drink|sell|ship|deliver) by|(?:hire|rent|week|month|season|school|term|year|period) ?(?:starting|ending|beginning|commencing)|week commencing|(?:loan|lease|rental|hire|contract|season|project|trip|course|event|stay|visit|shift) (?:start|end)|(?:term|contract|lease|licen[cs]e|warranty|subscription|permit|insurance|mot|tenancy|membership|trial|policy) (?:ends?|starts?|begins?|expires|runs out|valid until)|dob|d\.o\.b|till|\w+ till|last (?:donation|vaccination|treatment|watering|feeding)|next \w+|next \w+ due|(?:first|last|next) (?:session|lesson|meeting|training|inspection|appointment|visit|service|check|review|contact|call)|last (?:visit|contact|seen|check|update|service|maintenance|inspection|login|order|payment|appointment|review|call|fed|met|change|refill|"
     r"worn|given|taken|sent|bought|sold|done|\w+ed)|last (?:sweep|swept|cleaned|emptied|calibration|test)|pads? expires?|(?:\w+ )?expires?|valid (?:from|to|until|till)|from|to|(?:from|until|since) when|found when|deadline|birthday|born|(?!.*\bper day).*\bday|since|until|expiry|expires|when|joined|hired|"
     r"(?:expires|ends|starts) on"),
    ("integer",
     r"mileage|sets|reps|(?:home|away|own) goals|(?!goods)[a-z]{3,}s (?:sold|scored|caught|planted)|quantity|qty|calories|kcal|wins|losses|copies|portions|pieces|count|number of .*|years of .*|reorder at|stock|.*\bstock(?: level)?|age|seats|guests|people|persons|year|rating|score|stars|points|"
     r"pages(?: \w+)?|units|sleeps|discovered in|built in|brood frames|minutes|servings|capacity|order number|party size|reorder level|(?:star )?rating|(?:rating|score|points|marks) out of .*"),
    ("decimal", r"(?:\w+ )?hours(?: \w+)?|overtime|.+ per (?:day|week|month|hour|minute|year)|(?:km|miles|kilometres|hours) \w+|duration|lit(?:er|re)s|(?:\w+ )?weight|height|width|length|size in .*|distance|temperature|percent(?:age)?|rate|mass|radius|diameter|altitude|elevation|area|volume"),
    ("long_text", r"notes?|description|comments?|body|content|text|message|details|bio|summary|address|instructions|"
                  r"lyrics|ingredients|feedback|reason|answer|steps|steps to \w+|anything else|(?:any )?(?:other )?remarks"),
)  # fmt: skip
_SAID: dict[str, FieldType] = {
    "number": "decimal", "integer": "integer", "whole number": "integer", "decimal": "decimal", "money": "money",
    "date": "date", "datetime": "datetime", "time": "datetime", "text": "text", "long text": "long_text",
    "yes/no": "boolean", "yes no": "boolean", "boolean": "boolean", "checkbox": "boolean", "email": "email",
    "phone": "phone", "url": "url", "link": "url", "currency": "money", "y/n": "boolean", "yes or no": "boolean",
}  # fmt: skip
TYPE_NAMES = tuple(_SAID)
"""What a type is called in brackets behind a field."""
MAX_FIELDS = 40
# Names that Python, SQL or the generated code itself needs; a column or table of that name gets a trailing underscore.
RESERVED = {
    *keyword.kwlist, "all", "check", "commit", "constraint", "copy", "default", "dict", "distinct", "end", "except",
    "exists", "group", "having", "index", "insert", "intersect", "into", "join", "json", "limit", "null", "offset", "on",
    "order", "page", "per_page", "primary", "references", "schema", "search", "select", "set", "table", "then", "to",
    "add", "alter", "autoincrement", "between", "bool", "case", "client", "collate", "connect", "connection", "create",
    "deferrable", "delete", "drop", "dt", "escape", "float", "foreign", "int", "isnull", "model_config", "nothing",
    "notnull", "returning", "str", "using", "transaction", "union", "unique", "update", "validate", "values", "when", "where", "database", "construct",
}  # fmt: skip
_NO_FIELDS = ("id", "with", "field", "fields", "a", "something", "it", "them", "following", "column")
DEFAULT_CHOICES = {
    "status": ["new", "in progress", "done"],
    "state": ["new", "in progress", "done"],
    "priority": ["low", "normal", "high"],
    "stage": ["lead", "qualified", "won", "lost"],
}


MOST_LETTERS = 200


def tidied(text: str) -> str:
    """
    Return a message as it is read: no blank lines, no spaces in a row, and no word longer than any name or address.

    The rules are patterns whose time grows faster than a run of spaces or of letters does; here such runs end.
    """
    lines = (" ".join(word[:MOST_LETTERS] for word in line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


FIRST_NAMES = words_of("""
    anna anne ann ben tom tim max paul peter mary maria john james michael david lisa laura julia emma lena mia leo
    noah lucas lukas felix jonas alex sam kim eva eve bob alice carl karl frank hans sophie sofia sarah sara nina jack
    harry george oliver olivia chloe lucy grace ella amelia ava liam ethan daniel thomas robert william mark steve
    susan linda karen nancy ali omar ahmed fatima mohamed ivan olga anton marco luca giulia pedro juan carlos ana
    pierre marie claire luc nora cem cleo
""")
"""Names of people, in lower case; those that fields are called by too are left out."""
COMMON_WORDS = (
    "name", "email", "phone", "date", "price", "title", "notes", "status", "address", "description", "amount", "quantity",
    "build", "create", "customer", "customers", "order", "orders", "list", "please", "description", "inventory", "tracker",
    "looking", "track", "birthday", "category", "location", "supplier", "deadline", "priority", "company", "number", "colour",
)  # fmt: skip


NEAR, NEAR_LETTERS = 0.9, 6
_NO_SLIPS = words_of("statues crate prince stats tracer")
"""Words near a common one that are meant."""


@functools.lru_cache(10_000)
def spelled(word: str) -> str:
    """Return a word with one slip put right where that makes a common one: two neighbours swapped, a vowel lost, or a letter of a long word."""
    if "-" in word or word in COMMON_WORDS or word in COMMON_FIELDS:
        return word
    for at in range(len(word) - 1):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if swapped != word and swapped in COMMON_WORDS:
            return swapped
    alike = [one for one in COMMON_WORDS if one[0] == word[0] and abs(len(one) - len(word)) < 2]
    near = difflib.get_close_matches(word, alike, 1, NEAR) if len(word) >= NEAR_LETTERS else []
    near = near or [
        one for one in alike if any(word == one[:at] + one[at + 1 :] for at, char in enumerate(one) if char in "aeiou")
    ]
    # “created” and “numbers” are words of their own.
    same = near and (word.startswith(near[0]) or near[0].startswith(word))
    return near[0] if near and not same and word not in _NO_SLIPS else word


def singular(noun: str) -> str:
    """Return the singular of a noun phrase."""
    head, _, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last in _SAME or last.endswith(("ss", "us", "is")):
        pass
    elif last.endswith("ies") and len(last) > 4:
        last = last[:-3] + "y"
    elif last.endswith(("sses", "xes", "ches", "shes", "zzes")) or last in ("buses", "bonuses", "statuses", "campuses"):
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
    plain = unicodedata.normalize("NFKD", words.casefold().replace("ß", "ss"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    name = re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9]+", "_", plain).strip("_"))[:40].strip("_")
    if name or not any(char.isalpha() for char in words):
        return name
    # Letters of another script: a name that is always the same for the same words.
    return f"x{hashlib.sha256(words.casefold().encode()).hexdigest()[:8]}"


def label(words: str) -> str:
    """Return words as a heading; quotes and backslashes go, they would end a string in code."""
    text = " ".join(re.sub(r"[\"\\\x00-\x1f{}“”]", "", words.replace("_", " ")).split())[:80].strip()
    return text[:1].upper() + text[1:]


def field(phrase: str, entities: dict[str, str]) -> DataField | None:
    """
    Return the field that a phrase like 'status (new, done)' or 'due date' describes.

    `entities` maps words for a model (singular and plural) to its name: a field called like one is a relation.
    """
    starred = phrase.rstrip(" .").endswith("*")
    phrase, said = _asked(phrase)
    phrase = _TAIL.sub("", _EDGES.sub("", phrase))
    required = starred or bool(_REQUIRED.search(phrase))
    phrase = _REQUIRED.sub("", _OPTIONAL.sub("", phrase)).strip()
    if (span := _SPAN.fullmatch(phrase)) and int(span["low"]) < int(span["high"]) <= MOST_IN_A_SPAN:
        phrase = f"{span['name']} ({', '.join(map(str, range(int(span['low']), int(span['high']) + 1)))})"
    if phrase.casefold() in _EITHER or _STROKES.fullmatch(phrase):
        made = {"name": identifier(phrase), "label": label(phrase), "required": required}
        return DataField(**made, type="choice", choices=phrase.casefold().split("/"))
    if asked := _SURVEYED.fullmatch(phrase.rstrip("?. ")):
        kind = "boolean" if asked["yes"] else "long_text"
        made = {"name": identifier(asked[0]), "label": f"{label(asked[0])}?", "required": required}
        return DataField.model_validate({**made, "type": kind})
    if measured := _MEASURED.fullmatch(phrase) or _SIZED.fullmatch(phrase):
        money = measured["unit"].casefold() in _CURRENCIES or measured["unit"] in "€$£"
        kind, words = "money" if money else "decimal", _bare(measured["name"])[0]
        name, text = identifier(words), f"{label(words)} ({measured['unit']})"
        usable = name and name not in _NO_FIELDS and names_something(words, told=True)
        return (
            DataField.model_validate({"name": name, "label": text, "type": kind, "required": required})
            if usable
            else None
        )
    phrase, inside = _inside(phrase, entities)
    words, said_by_word = _bare(phrase)
    said = inside.type or said or said_by_word
    name = identifier(words)
    told = bool(inside.choices or said or inside.target)
    part = not inside.choices and (_IS_A_PART.search(words) or _IS_A_PART.search(phrase.strip()))
    if not name or name in _NO_FIELDS or not names_something(words, told=told) or part:
        return None
    made = {"name": name, "label": label(words), "required": required or inside.required}
    if inside.choices[:1] and inside.choices[0].startswith("one of "):
        return None  # of something that is not kept
    if len(inside.choices) > 1:
        return _choice(made, words, inside.choices)
    if said is None and (target := inside.target or entities.get(words.casefold(), "")):
        return DataField(**made, type="relation", target=target)
    kind = said or ("integer" if words.casefold().split()[:2] == ["how", "many"] else _suggested(words.casefold()))
    return DataField(**made, type=kind, choices=DEFAULT_CHOICES[words.casefold()] if kind == "choice" else [])


class _Inside(NamedTuple):
    """What stands in brackets behind a field: its type, the words to choose from, the list that it is one of."""

    type: FieldType | None = None
    choices: tuple[str, ...] = ()
    target: str = ""
    required: bool = False


def _inside(phrase: str, entities: dict[str, str]) -> tuple[str, _Inside]:
    """Return a phrase without its brackets, and what they say."""
    match = re.match(r"(?P<name>[^(]+?)\s*[(\[](?P<inside>[^)\]]*)[)\]]?$", phrase)
    if match is None:
        return phrase, _Inside()
    inside = match["inside"].strip().casefold()
    parts, needed = [part.strip() for part in inside.split(",")], False
    if (
        len(parts) > 1
        and sum(part in _SAID for part in parts) < 2
        and all(part in _SAID or part in ("optional", "required", "mandatory") for part in parts)
    ):
        needed = not {"required", "mandatory"}.isdisjoint(parts)
        inside = next((part for part in parts if part in _SAID), "")
    if one := re.fullmatch(r"one of (?:the |our |my )?(.+)", inside):
        target = entities.get(one[1], "")
        return match["name"], _Inside(None, () if target else (inside,), target, needed)
    if inside in _SAID:
        return match["name"], _Inside(_SAID[inside], required=needed)
    choices = [one.strip(" .'\"") for one in re.split(r",|/|\||\bor\b|;", match["inside"])]
    choices = [one for one in dict.fromkeys(choices) if one and one.casefold() not in ("etc", "…", "and so on")]
    return match["name"], _Inside(None, tuple(choices[:30]), "", needed)


def _bare(phrase: str) -> tuple[str, FieldType | None]:
    """Return the words of a field's name, and the type that was said with them."""
    words = re.sub(
        r"^(?:(?:an?|the|their|its|his|her|your|also|each|one|some|unique|new|another|called(?! (?:at|on|by)\b)|named|following|more|field|fields)\s+)+",
        "",
        phrase.strip(),
        flags=re.I,
    )
    words = re.sub(r"(?<=[a-z]) (?:it's|it is|it was|they are) [a-z]+ (?:in|on|at|by|for|from)$", "", words, flags=re.I)
    words = re.sub(r"\s+(?:field|column|property|attribute)s?$", "", words, flags=re.I).strip(" '\"")
    words, said = _type_word(words)
    return " ".join(spelled(word) for word in words.split()) if words.islower() else words, said


def _choice(made: dict[str, Any], words: str, choices: tuple[str, ...]) -> DataField | None:
    """Return a field with words to choose from, None where they are no such words."""
    several = singular(words.casefold()) != words.casefold() and any(_is_amount(one) for one in choices)
    if several or (words.casefold() in _MADE_OF and any(map(known_field, choices))):
        return None  # “lines (item, quantity, price)” are records inside a record, “address (street, city)” is several fields
    return DataField(**made, type="choice", choices=[one[:80] for one in choices])


_IS_A_PART = re.compile(
    r"\b(?:button|chat|log ?in|reminders?|page|section|charts?|graphs?|calendar(?: view)?|map view|dashboard|(?:push )?notifications?|"
    r"(?:admin|control) panel|(?:user|admin) accounts?|admin roles?|(?:online |card )?payments? (?:via|with|by|through) \w+|dark mode(?: \w+)?|"
    r"statistics|api|captcha|two[- ]factor(?: \w+)?|2fa|offline mode|multi[- ]?languages?(?: support)?|language switch\w*|"
    r"(?:barcode|qr(?:[- ]?code)?|bar code|code) scanner|qr[- ]?codes?|leaderboard|undo|autocomplete|integration|gantt(?: \w+)?|heat ?map|"
    r"print ?out|pdf(?: export)?|csv(?: export)?|excel(?: export)?|backups?|widget|pop-?ups?)$|^(?:an? |the )(?:[a-z]+ )?(?:report|map|timeline|ranking|countdown|timer|feed)$",
    re.I,
)
"""What an app has, and no record."""
_MADE_OF = words_of("name address contact person location dimensions period")
_PARTS = re.compile(r"\b(?P<whole>name|address|contact|person|dimensions) ?\((?P<parts>[^()]{3,120})\)", re.I)


def spread(text: str) -> str:
    """Return a text with “contact (phone, email)” as the fields that it means; words to choose from stay as they are."""
    return _PARTS.sub(_spread, text)


def _spread(match: re.Match[str]) -> str:
    parts = [one.strip() for one in re.split(r",|/|\band\b|&|\+", match["parts"])]
    if len(parts) < 2 or not all(parts):
        return match[0]
    if match["whole"].casefold() == "name":
        return ", ".join(f"{one} name" for one in parts) if {*map(str.casefold, parts)} <= _OF_A_NAME else match[0]
    return ", ".join(parts) if all(map(known_field, parts)) else match[0]


_OF_A_NAME = words_of("first last middle given family full")
_SPAN = re.compile(r"(?P<name>[^\d(]+?)\s*\(?(?:from )?(?P<low>\d)\s*(?:-|–|to)\s*(?P<high>\d{1,2})\)?", re.I)
MOST_IN_A_SPAN = 10
"""“rating 1-5” is one of five."""
_BEFORE_A_QUESTION = words_of("since until from by for to with")
_AFTER_A_DEED = words_of("on at by in from to until since")
"""“ordered on”, “stored in”: the word before is what was done, and no order to do it."""
_MEASURED = re.compile(
    r"(?P<name>[^()]+?)\s*\((?:in )?(?P<unit>€|\$|£|%|°[cf]|m²|m³|h|hrs?|min|mins|sec|s|ms|months?|weeks?|years?|yrs?|hz|khz|mhz|ghz|kb|mb|gb|tb|w|kw|v|ml|cl|l|mg|g|kg|t|mm|cm|m|km|"
    r"ft|yd|st|oz|lbs?|gal|ha|acres?|sq ?m|sqm|sq ?ft|ppm|bar|psi|nm|rpm|°|hp|kn|knots|kph|km/h|mph|bpm|eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|yen|metres?|meters?|kilometres?|miles?|feet|inches|hours?|minutes?|seconds?|days?|weeks?|"
    r"grams?|litres?|liters?|percent|pieces|points)\)?", re.I
)  # fmt: skip
"""What is measured, with its unit in brackets: “depth (m)”."""
_SIZED = re.compile(
    r"(?P<name>(?:.* )?(?:size|height|width|length|weight|depth|area|distance|volume|speed|power|duration)) (?P<unit>mm|cm|m|km|m²|m³|kg|g|lbs?|l|ml|w|kw|h|min|mph)",
    re.I,
)
_YES_OR_NO = re.compile(r"\s+\(?(?:yes ?/ ?no|y/n|yes or no|or not)\)?$", re.I)
_OPEN = re.compile(r"(?:who|what|when|where|which|why|how|any\w*|other)\b", re.I)


def _asked(phrase: str) -> tuple[str, FieldType | None]:
    """Take the question out of a field that is yes or no: “vaccinated?”, “retired yes or no”."""
    bare = phrase.strip(" .,")
    if match := _YES_OR_NO.search(bare):
        return bare[: match.start()], "boolean"
    if bare.endswith("?") and "(" not in bare and len(bare.split()) <= 3 and not _OPEN.match(bare):
        name = bare.rstrip("? ")
        return name, "boolean" if _suggested(name.casefold()) in ("text", "boolean") else None
    return phrase, None


_SURVEYED = re.compile(
    r"(?:(?P<yes>(?:would|did|do|are|were|will|can|have) you)|(?:what|how|why) (?:could|can|would|did|do|does|should) (?:we|you|i)|what (?:was|is|were|went) (?=good|bad|missing|best|worst|well|wrong))\b[^,?()]{0,60}",
    re.I,
)
"""A question of a survey: its answer is yes or no, or a few sentences."""
_STROKES = re.compile(r"[a-z]{2,20}(?:/[a-z]{2,20}){2,6}", re.I)
_EITHER = words_of(
    "pass/fail win/loss in/out on/off male/female m/f indoor/outdoor buy/sell credit/debit income/expense new/used paid/unpaid"
)
"""Two words with a stroke that are all there is to choose from."""
_EDGES = re.compile(r"^[^\w(\"'“]+|[^\w)\]\"'”%]+$")
_TAIL = re.compile(r"[\s,]+(?:please|pls|plz|thanks|thank you|thx|cheers|asap)$", re.I)
_REQUIRED = re.compile(
    r"^(?:an? |the )?(?:required|mandatory) |\s*\((?:required|mandatory)\)?$|(?<=name|mail|hone|date) (?:required|mandatory)$",
    re.I,
)
_OPTIONAL = re.compile(r"^(?:an? |the )?optional |\s*\(optional\)?$|(?<=name|mail|hone|date) optional$", re.I)


def _is_amount(words: str) -> bool:
    return _suggested(words.casefold().strip()) in ("money", "integer", "decimal")


_SENTENCE_WORDS = words_of("""
    it them they that this these those which who whom whose where when while because must should can cannot may
    might will shall would never always only once everybody everyone everything anybody nobody each every live
    like as if than too very show shows showing see sees let lets by into be been being am do does did also not no
    me us you your our my we i
""")
_DOING = words_of("""
    search sort filter add edit delete remove show see view upload import export download print send get warn
    remind notify track calculate compute draw make mark assign share vote votes grouped ordered sorted linked
    shown based stored import use click drag scan choose select pick enter log register sign invite approve reject
    automatically everybody to many multiple several at be with without per via using
""")
_MONTHS = words_of("""
    january february march april june july august september october november december
""")


_PERSONS = words_of("they you we i he she it")


def names_something(words: str, *, told: bool = False) -> bool:
    """
    Say whether a phrase can be the name of what a record has: short, and no sentence, no order, no quantity and no date.

    Where it is `told` what is kept under it, as “(yes, no)” tells, that may read like a sentence: “which one”, “attending”.
    """
    said = words.casefold().split()
    if len(said) > 3 and said[-2] in ("square", "cubic"):
        said = [*said[:-2], said[-1]]
    if len(said) > 2 and said[-2] == "in" and said[-1] in _UNITS:
        said = said[:-2]
    if not said:
        return False
    if said in (["time", "in"], ["time", "out"], ["pick", "up", "on"], ["drop", "off", "on"]):
        return True
    if (
        len(said) == 2
        and said[1] in ("no", "nr", "number", "title", "name", "code", "id")
        and said[0].isalpha()
        and said[0] not in ("with", "and", "no", "the")
    ):
        return True  # “firing no.”, “show title”
    if len(said) == 2 and said[0].endswith("ed") and said[1] in _AFTER_A_DEED:
        return True
    if said[:2] == ["who", "is"] and len(said) == 3:
        return True  # “who is responsible”
    if said[:2] == ["how", "long"] and len(said) <= 6:
        return True
    if said[0] == "who" and (len(said) == 2 or (len(said) == 3 and said[2] in ("it", "this", "them"))):
        return said[1] not in ("is", "are", "can", "may", "should", "must", "will")  # “who has it” is a person
    if len(said) > 1 and said[-1] in ("no", "nr"):
        said = said[:-1]  # “badge no.”
    if len(said) > 5 or (said[0] in _DOING and said not in (["make"], ["to"], ["votes"])) or said[0][0].isdigit():
        return False
    if ":" in words or (said[0] in _OFTEN_CHOICES and len(said) == 2 and said[1] not in _BESIDE_CHOICES):
        return False  # “priority high”, in a list with medium and low
    if told or said in (["who"], ["when"], ["where"], ["why"], ["how"], ["from"], ["to"], ["make"]):
        return True
    if len(said) == 2 and (
        said[0] in _BEFORE_A_QUESTION and said[1] in ("when", "whom") or said[1] in ("when", "where")
    ):
        return said[1] in ("when", "where", "whom") and not is_doing(said[0])
    if said[0] in ("is", "has", "needs"):
        return len(said) <= 3
    if said[:2] == ["how", "many"]:
        return True
    if (
        said[0] in ("where", "when", "who", "how")
        and said[1:2] in (["it"], ["they"])
        and said[2:3] in (["was"], ["were"])
    ):
        return len(said) <= 4  # “where it was found”
    if said[0] == "what" and len(said) == 3 and said[1] in _PERSONS:
        return True  # “what they want”
    if (len(said) > 3 and "of" not in said) or is_doing(said[-1]) or said[-1] in _WORKS:
        return False
    if "or" in said or ("in" in said[1:] and said[-1] != "stock"):
        return False  # “grades in math, english and art” are several
    # “borrowed by” is who did it.
    said = said[:-1] if said[-1] == "by" and len(said) > 1 else said
    return not any(word in _SENTENCE_WORDS or word in _MONTHS or word in ("is", "are", "has", "have") for word in said)


_CURRENCIES = words_of(
    "€ £ $ eur euro euros usd dollar dollars gbp pound pounds chf franc francs yen jpy cents inr rupees sek nok dkk pln cad aud"
)
_UNITS = _CURRENCIES | words_of("""
    cm mm m km metres meters kilometres kilometers miles inches feet kg g grams gram lbs ml l litres liters hours minutes seconds days
    m2 m3 sqft weeks months years percent words pieces points celsius fahrenheit kwh watts sqm stock gb mb tb mg ml h min ms hz m² m³
""")
_OFTEN_CHOICES = words_of("priority status state stage size level")
_BESIDE_CHOICES = words_of("level code date id name note notes number change changed comment order group class chart")
_THINGS_IN_ING = words_of("""
    rating building meeting training booking heading ranking opening parking painting listing hearing reading
    spelling thing string ring king wedding ending beginning shipping savings meaning mooring rigging bearing wiring berthing drawing evening
    morning lighting heating flooring roofing clothing bedding plumbing seating catering filling fitting coating finishing icing topping
    dressing stuffing setting crossing landing housing lining piping tubing framing funding earning holding offering serving spring sibling
    outing posting briefing tasting casting fencing wing timing pricing costing staffing grading marking screening sighting viewing siding
    railing frosting seasoning upbringing gathering recording bowling swimming dwelling earring
""")


_WORKS = words_of("upload uploads import export search filter scan sync download checkout cart login")


def is_doing(word: str) -> bool:
    """Say whether a word is what somebody does, and no thing: `scanning`, but not `meeting`."""
    return word.endswith("ing") and len(word) > 4 and word not in _THINGS_IN_ING


def known_field(words: str) -> bool:
    """Say whether a phrase is what fields are often called."""
    plain = words.casefold().partition("(")[0].strip(" ?.")
    return (
        plain in COMMON_FIELDS
        or plain.rpartition(" ")[2] in ("name", "number", "code", "type", "title", "no")
        or _suggested(plain) != "text"
    )


COMMON_FIELDS = words_of("""
    name title customer client item category author company location place owner model type kind brand supplier
    color colour size serial vendor manufacturer breed species genre reference sku barcode number code room department teacher student member guest user city country street zip
    language topic subject
""")
_TYPE_WORDS: dict[str, FieldType] = {
    "checkbox": "boolean", "check box": "boolean", "tick box": "boolean", "tickbox": "boolean", "toggle": "boolean", "flag": "boolean",
    "yes/no": "boolean", "boolean": "boolean", "number": "decimal", "integer": "integer", "text": "text", "decimal": "decimal", "dropdown": "text",
}  # fmt: skip


def _type_word(words: str) -> tuple[str, FieldType | None]:
    """Take a type out of phrases like 'gift wrap checkbox', 'amount as integer' or 'boolean paid'."""
    known = "|".join(_TYPE_WORDS)
    for pattern in (rf"^(?P<name>.+?)\s+(?:as\s+(?:an?\s+)?)(?P<type>{known})$", r"^(?P<name>.+?)\s+(?P<type>checkbox|check box|tick ?box|toggle|flag|dropdown)$",
                    r"^(?P<type>checkbox|yes/no|boolean|integer|decimal|dropdown)\s+(?:field\s+)?(?P<name>.+)$"):  # fmt: skip
        if match := re.match(pattern, words, re.I):
            return match["name"].strip(" '\""), _TYPE_WORDS[match["type"].casefold()]
    return words, None


# What a longer name ends in, where that says its type: a “unit price” is money, a “heart rate” is none.
_HEADS: dict[FieldType, tuple[str, ...]] = {
    "money": ("price", "cost", "costs", "fee", "salary", "revenue", "rent", "budget", "deposit"),
    "integer": ("beds", "cups", "bottles", "boxes", "bags", "laps", "assists", "eggs", "plates", "likes", "views", "downloads", "quantity", "qty", "count", "age", "seats", "guests", "servings", "units", "minutes", "stock", "mileage", "capacity", "year"),
    "decimal": ("amount", "weight", "height", "width", "length", "distance", "temperature", "hours", "km", "kg", "litres", "liters"),
    "long_text": ("address",),
}  # fmt: skip
_DONE = re.compile(r"[a-z]{2,}[^e\W]ed")
_NOT_DONE = words_of(
    "seed feed speed breed need deed weed bed red shed sled embed exceed proceed biped hundred sacred kindred hatred expected planned estimated"
)
_WHEN_DONE = words_of(
    "started ended created updated opened started joined hired founded planted borrowed purchased acquired moved issued released dated modified added"
)
_TECHNICAL = words_of("ip mac wallet dns host")
_SO_FAR = re.compile(r" (?:left|so far|remaining|approx|approximately|estimated)$")


def _suggested(words: str) -> FieldType:
    if words in DEFAULT_CHOICES:
        return "choice"
    if _SO_FAR.search(words) and _DONE.fullmatch(
        _SO_FAR.sub("", words).replace("paid", "payed").replace("spent", "spented")
    ):
        return "money"  # “saved so far” is how much
    words = _SO_FAR.sub("", words)
    if words.partition(" ")[0] in _TECHNICAL and words.endswith(" address"):
        return "text"
    head, said_in, unit = words.rpartition(" in ")
    unit = re.sub(r"^(?:square|cubic) ", "", unit)
    if said_in and unit in _UNITS and head.partition(" ")[0] not in ("size", "in"):
        kind = _suggested(head)
        return "money" if unit in _CURRENCIES else "decimal" if kind in ("money", "text") else kind
    for kind, pattern in _TYPES:
        if re.fullmatch(pattern, words):
            return kind
    last = words.rpartition(" ")[2]
    for kind, pattern in _TYPES:
        if last in _HEADS.get(kind, ()):
            return kind
        if (
            kind in ("date", "long_text", "url")
            and re.fullmatch(pattern, last)
            and last not in ("due", "on", "address", "to")
        ):
            return kind
    if _DONE.fullmatch(words) and words not in _NOT_DONE:
        return "date" if words in _WHEN_DONE else "boolean"
    if re.match(r"(?:min|max|minimum|maximum) ", words):
        return "integer"
    return "decimal" if words in _UNITS - {"m", "words", "pieces", "points", "stock"} else "text"


def fits(field: DataField, others: list[DataField]) -> bool:
    """Say whether a field can stand beside others: there is room, and its column is its own."""
    columns = {one.name for one in others} | {f"{one.name}_id" for one in others if one.type == "relation"}
    own = f"{field.name}_id" if field.type == "relation" else field.name
    return len(others) < MAX_FIELDS and field.name not in columns and own not in columns


def split_list(text: str) -> list[str]:
    """Split 'a, b (x, y) and c' into its items; commas inside brackets do not count."""
    items, depth, item = list[str](), 0, ""
    for token in re.split(r"([()\[\]]|,|;|\band\b|\bplus\b(?! ones?\b)|&)", text):
        depth += token in ("(", "[")
        depth -= token in (")", "]")
        if depth <= 0 and token in (",", ";", "and", "plus", "&"):
            items.append(item)
            item = ""
        else:
            item += token
    return [one.strip() for one in [*items, item] if one.strip()]


def known_words(models: list[DataModel]) -> dict[str, str]:
    """Return every word for a model (name, label, plural, and the last word of these where it means one) -> its name."""
    found: dict[str, str] = {}
    for model in models:
        for word in (model.name.replace("_", " "), model.label.casefold(), model.plural.casefold()):
            for form in (word, singular(word), plural(singular(word))):
                found.setdefault(form, model.name)
    heads = [(model.plural.casefold().rpartition(" ")[2], model.name) for model in models]
    for head, name in heads:
        if sum(head == other for other, _ in heads) == 1:
            for form in (head, singular(head)):
                found.setdefault(form, name)
    return found


REQUIRED_FIRST: tuple[FieldType, ...] = ("text", "email", "long_text", "date", "money", "integer")
"""The first field of the first of these types is required where nothing else is said."""


_MAY_BE_EMPTY = re.compile(r"(?:.*_)?(?:notes?|comments?|remarks?)|anything_else|photo|picture|image|website|link")


def first_needed(fields: Iterable[DataField]) -> str:
    """Return the name of the field that has to be filled in where nothing else is said, '' for none; notes may always be empty."""
    some = [one for one in fields if not _MAY_BE_EMPTY.fullmatch(one.name)]
    return next((one.name for kind in REQUIRED_FIRST for one in some if one.type == kind), "")


def model_of(noun: str, phrases: list[str], entities: dict[str, str]) -> DataModel | None:
    """Return the model that a noun and its fields' phrases describe; the first text field is required where nothing else is said."""
    one = singular(" ".join(noun.casefold().split()))
    fields: dict[str, DataField] = {}
    free = set[str]()
    for phrase in phrases:
        found = field(phrase, {word: target for word, target in entities.items() if target != identifier(one)})
        if found is not None and fits(found, list(fields.values())):
            fields[found.name] = _in_its_model(found, phrase, one, phrases)
            if _OPTIONAL.search(phrase.strip(" .,:;")):
                free.add(found.name)
    name = identifier(one)
    if not name or not fields:
        return None
    first = first_needed(fields.values())
    if first and first not in free and not any(one.required for one in fields.values()):
        fields[first] = fields[first].model_copy(update={"required": True})
    return DataModel(name=name, label=label(one), plural=label(plural(one)), fields=list(fields.values()))


_PAID = words_of("""
    expense payment invoice fee donation sale bill loan debt refund budget income transaction order receipt salary contribution pledge
    subscription fine deposit cost cash expenditure spending quote offer claim transfer booking contract grant purchase
""")


_OF_SPORT = words_of("calories distance weight sleep km kcal pulse workout exercise")


_LASTS = words_of("""
    booking reservation rental rent hire stay holiday leave absence vacation loan lease membership contract subscription closure event course job
    position role tenancy permit licence license insurance offer exhibition project season placement internship visit pass campaign entry trip
""")
"""What is from one day to another."""


def _in_its_model(found: DataField, phrase: str, noun: str, phrases: list[str]) -> DataField:
    """Return a field as it is meant beside the others: an amount of what is no payment is a number, a time beside a date is how long."""
    said = phrase.casefold().strip(" .,:;")
    if said == "address" and phrases[0] is phrase:
        return found.model_copy(update={"type": "text"})  # by which it is known
    if (
        said in ("amount", "value", "total")
        and found.type == "money"
        and not any(word in _PAID for word in noun.split())
    ):
        return found.model_copy(update={"type": "decimal"})
    if said == "steps" and any(one.casefold().strip() in _OF_SPORT for one in phrases):
        return found.model_copy(update={"type": "integer"})
    if said in ("from", "to", "until") and found.type == "date":
        others = {other.casefold().strip(" .") for other in phrases}
        # Places of a trip, people of a letter, or hours of a day; days where something lasts.
        hours = others & {"km", "miles", "distance", "mileage", "date", "day"} or any(
            other.startswith(("km", "distance")) for other in others
        )
        if hours or not (_LASTS & set(noun.split()) or others & {"until", "till", "days", "nights"}):
            return found.model_copy(update={"type": "text"})
    if said == "in stock" and any(
        "stock" in other.casefold() or "reorder" in other.casefold()
        for other in phrases
        if other.casefold().strip() != said
    ):
        return found.model_copy(update={"type": "integer"})
    if said in ("time", "start", "end") and any(other.casefold().strip() in ("date", "day") for other in phrases):
        return found.model_copy(update={"type": "text"})
    return found
