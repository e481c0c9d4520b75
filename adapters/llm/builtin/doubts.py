"""
What makes a reading doubtful: signs that something in a request was meant that what would be built does not have.

A rule that reads more would always miss some way of saying it. Here it is enough to see that a field is called “room a name”, that
a list is only in the title, or that a row of choices ends in what fields are called: then it is named, and asked about.
"""

import re
import unicodedata
from collections.abc import Iterator

from adapters.llm.builtin.words import COMMON_FIELDS, known_field, plural, singular, words_of
from core.manifests import DataField, DataModel

_NO_LABEL = re.compile(r"\b(?:each|every)\b|[a-z] an? [a-z]|->|→|=>|[=+]|^\(?\w\)|\bw (?=[a-z])", re.I)
"""What no field is called."""
_EACH_HAS = re.compile(r"\b(?:each|every [a-z]+|they|it) (?:also )?(?:has|have|needs?)\b[^.;\n]{1,80}", re.I)
_FORMULA = re.compile(
    r"(?P<label>\b[A-Za-z][\w ]{0,40}?)\s*\(?=\s*(?P<said>[^,;\n()]*?(?:\bx\b|[×*+%²³]|\s-\s|\d\s*/|/\s*\w*[²³])[^,;\n()]*|\d+(?:\.\d+)?)\)?(?=\s*(?:[,;.\n]|and\b|$))",
    re.I,
)
_DEFAULT = re.compile(
    r"(?P<label>\b[A-Za-z][\w ]{0,40}?)\s*=\s*(?P<said>[a-z]+)(?=,\s*(?P<next>[a-z ]{2,30})(?:[,;.\n(]|$))", re.I
)
_ROW = re.compile(r"\b[a-z]{3,}s(?:, [a-z]{3,}s)*(?:,? and|,) [a-z]{3,}s\b", re.I)
_RATHER_WORDS = words_of("name number code type title no id address date time tag and or of")
_ATTRIBUTES = words_of("""
    name title email mail phone qty quantity price cost amount date year status notes note description colour color size location rating
    birthday age weight height topic subject address
""")
"""What is said of something; a second such word behind it is another field: “name phone”, but “customer email” is one."""
_PARTS_OF_NAMES = words_of("""
    in per of on at by for to from with out square cubic metres meters cm mm km kg g ml l m2 ft inches lbs litres liters euros usd eur pounds
    before after so far left right
""")
"""Units, and what joins words to one name: “price per kg”."""
_GROUPS = words_of("""
    team teams students kids children clients customers developers volunteers members employees staff users people friends guests
    parents teachers
""")


def doubts(raw: str, request: str, models: list[DataModel], title: str, preset: str) -> list[str]:
    """Return what would be lost, in the person's words as far as they are known; `raw` still has its pictures."""
    fields = [one for model in models for one in model.fields]
    return [
        *(one.label.lower() for one in fields if _NO_LABEL.search(one.label) or _is_run(one.label)),
        *(
            f"more than one of the {one.label.lower()}"
            for one in fields
            if one.target and singular(one.label) != one.label
        ),
        *_lists_in_title(title, models),
        *_lists_in_a_row(request, models),
        *(word for one in fields for word in _fields_among(one, raw)),
        *_marks(raw, fields),
        *([match[0].strip() for match in _EACH_HAS.finditer(request)] if preset else []),
        *_of_another_kind(title, preset),
    ]


def without_formulas(request: str) -> tuple[str, list[str]]:
    """Return a request without what a field is worked out by, or begins as, and that: “total = qty x price”, “priority = normal, due date”."""
    said: list[str] = []

    def named(match: re.Match[str]) -> str:
        said.append(f"{match['label'].strip()} = {match['said'].strip()}")
        return match["label"]

    def default(match: re.Match[str]) -> str:
        following = match["next"].strip()
        return named(match) if known_field(following) and not following.endswith("ed") else match[0]

    return _DEFAULT.sub(default, _FORMULA.sub(named, request)), said


def split_run(phrase: str) -> list[str]:
    """Split words that are a field each, “name phone email”, where nothing else can be meant; else return the phrase alone."""
    words = phrase.split()
    if (
        not 2 <= len(words) <= 6
        or not re.fullmatch(r"[A-Za-z ]+", phrase)
        or _PARTS_OF_NAMES & set(phrase.casefold().split())
    ):
        return [phrase]
    parts: list[str] = []
    while words:
        two = " ".join(words[:2]).casefold()
        length = 2 if len(words) > 1 and (words[1].casefold() in _RATHER_WORDS or two in COMMON_FIELDS) else 1
        part = " ".join(words[:length])
        if not known_field(part) or (length == 1 and words[0].casefold() in _RATHER_WORDS - _ATTRIBUTES):
            return [phrase]
        parts.append(part)
        words = words[length:]
    # Behind what something is, comes what is said of it: “customer email” is one field.
    fine = len(parts) > 1 and all(part.casefold() in _ATTRIBUTES or " " in part for part in parts)
    return parts if fine else [phrase]


def _is_run(label: str) -> bool:
    """Say whether a label looks like several fields that nothing parts: “name qty shop”."""
    words = re.sub(r"\(.*", "", label).casefold().split()
    attributes = sum(word in _ATTRIBUTES and word not in _RATHER_WORDS | {"address"} for word in words)
    return words[0] in _ATTRIBUTES - {"mail", "note", "date", "year", "age"} and not _PARTS_OF_NAMES & set(words) and (
        attributes > 1 or (len(words) > 2 and not _RATHER_WORDS & set(words[1:]))
    )  # fmt: skip


def _lists_in_title(title: str, models: list[DataModel]) -> Iterator[str]:
    """Return lists that only the title has: several, or one of which another list has a field."""
    kept = {word.casefold() for model in models for word in (model.label, model.plural, model.plural.split()[-1])}
    words = [word.casefold() for word in re.split(r"\s*(?:,|&|\band\b)\s*", title) if word]
    bare = [word for word in words if " " not in word and singular(word) != word and word not in kept]
    fields = {plural(one.label.casefold()) for model in models for one in model.fields if one.type == "text"}
    for word in bare:
        if models and (word in fields or (len(bare) > 1 and len(bare) == len(words))):
            yield word


def _lists_in_a_row(request: str, models: list[DataModel]) -> Iterator[str]:
    """Return lists that are named in one breath with some that would be built: “companies, contacts and deals”."""
    kept = {word.casefold() for model in models for word in (model.plural, model.plural.split()[-1])}
    for row in _ROW.finditer(re.split(r"[.;:\n]|\b(?:with|have|has)\b", request, maxsplit=1)[0]):
        words = re.findall(r"[a-z]+", row[0].casefold().replace(" and ", " "))
        if kept & set(words):
            yield from (word for word in words if word not in kept)


def _fields_among(one: DataField, request: str) -> Iterator[str]:
    """Return choices that are what fields are called, where no bracket holds the choices: “status: open, closed, owner”."""
    for choice in one.choices:
        inside = rf"\([^()]*\b{re.escape(choice)}\b[^()]*\)"
        if choice.casefold() in COMMON_FIELDS | _ATTRIBUTES | {"total"} and not re.search(inside, request, re.I):
            yield choice


def _marks(raw: str, fields: list[DataField]) -> Iterator[str]:
    """Return rows of pictures, which stand for choices or a rating."""
    known = "".join(choice for one in fields for choice in one.choices)
    row = ""
    for char in f"{raw}\n":
        if unicodedata.category(char) == "So" and char not in known:
            row += char
        elif char not in " /,|-\ufe0f\u200d":
            if len(row) > 1:
                yield row
            row = ""


def _of_another_kind(title: str, preset: str) -> Iterator[str]:
    """Return what a board is to be of, where that is neither tasks nor who works on them: “trello but for recipes”."""
    match = re.search(r"\bfor (?:my |our |the )?(?P<what>[a-z]+)$", title, re.I)
    if preset and match and singular(match["what"]) != match["what"] and match["what"].casefold() not in _GROUPS:
        yield match["what"]
