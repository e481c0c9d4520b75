"""What an app is called, from the words before its lists."""

import re

from adapters.llm.builtin.coverage import FILLER
from adapters.llm.builtin.looks import IN_LOOKS
from adapters.llm.builtin.words import label, words_of
from core.manifests import DataModel

_VERBS = r"(?:please\s+)?(?:can you\s+|could you\s+)?(?:build|create|make|write|set up|i need|we need|i want|we want|give|start|generate|develop)"
_OPENING = re.compile(
    rf"^\W*(?:(?:hi|hiya|hello|hey)\b)?\W*(?:{_VERBS}\b)?\s*(?:(?:me|us)\b)?\s*(?:(?:an?|the|some)\b)?\s*(?:(?:new|simple|small|little|nice|basic)\b)?\s*",
    re.I,
)
MOST_WORDS_BEFORE = 5
"""How many words a sentence may have to be a title, where the lists come in another one."""
# Not what records are of: these are things that an app does or shows.
_PURPOSE = re.compile(r"^to\s+(?:keep track of|keep|track|manage|organi[sz]e|store|record|handle)\s+", re.I)
_NO_TITLE = words_of("register we i my need want bulid biuld to")
_ORDERS = words_of(
    "show calculate compute display sort filter search remind notify warn send email print import sum count"
)
_IN_SENTENCES = words_of(
    "we're i'm us something anything own needs wants we i they got keep keeps forgetting is are has have who which so nobody could would should someone somebody looking"
)


def _is_title(words: str) -> bool:
    """Say whether words can name an app: a few, that say something, and no sentence."""
    said = words.casefold().split()
    own = [word for word in said if word not in FILLER]
    return len(said) <= 8 and bool(own) and said[0] not in _NO_TITLE | _ORDERS and _IN_SENTENCES.isdisjoint(said)


def title_of(text: str, preset: str, models: list[DataModel], *, landing: bool) -> str:
    """Return the title of an app: a name that was given, else what was asked for, else what it keeps; `preset` is that of a well-known one."""
    if match := re.search(
        r"\b(?:called|named|titled|(?:[Cc]all|[Nn]ame) (?:it|this))\s+[\"'“]?([A-Z0-9][\w&' -]{1,40}?)[\"'”]?(?=[,.:;]|\s+(?:with|for|that|where)\b|$)",
        text,
    ):
        return label(IN_LOOKS.sub("", match[1]))
    sentence = re.split(
        r"[:;.,?!\n(]|\bwith\b|\bwhere\b|\bfeaturing\b|\bincluding\b|\bthat\b|\bto\s+(?:keep|track|manage|store)\b",
        _PURPOSE.sub("", _OPENING.sub("", text, count=1)),
        maxsplit=1,
    )[0]
    rest = text[text.find(sentence) + len(sentence) :]
    sentence = IN_LOOKS.sub("", sentence.rstrip())
    if landing:
        match = re.search(r"\bfor\s+(?:(?:an?|my|our|the)\s+)?(.+)", sentence, re.I)
        if named := re.match(r"\(([A-Z][\w'&]*(?: [A-Z][\w'&]*){0,4})\)", rest):
            return label(named[1])  # “for my band (Velvet Moles)”
        return label(match[1].strip(" ,")) if match else "Welcome"
    if rest[:1] in (".", "!", "?", "\n") and len(sentence.split()) > MOST_WORDS_BEFORE:
        sentence = ""
    words = re.sub(
        r"\b(?:app|application(?! forms?\b)|web ?app|tool|system|web ?page|page|website)\b", "", sentence, flags=re.I
    )
    words = re.sub(r"^to\s+(?!do\b)\w+\s+(?:(?:my|our|the|all)\s+)?(?=\w+s\b)", "", " ".join(words.split()), flags=re.I)
    words = re.sub(
        r"^(?:to\s+)?(?:keep track of|track|manage|organi[sz]e|store|record|handle|log(?= (?:my|our|all)\b))\s+",
        "",
        " ".join(words.split()),
        flags=re.I,
    )
    words = re.sub(
        r"^(?:(?:something|anything|smth|sth|an? (?:way|place|thing)) (?:for|to) )?(?:(?:my|our|the) )?",
        "",
        words.strip(" ,-?"),
        flags=re.I,
    )
    if re.fullmatch(r"(?:two|three|four|five|\d+|some|several) (?:lists|tables|things)", words, re.I):
        words = ""
    words = re.sub(r" (?:for|of|in|at)(?: (?:my|our|the|an?))?$| but$", "", words, flags=re.I)
    if re.match(r"for\b", words, re.I):
        words = (preset + " " + words).strip()
    words = words if preset else re.sub(r"^for\s+(?:(?:an?|my|our|the)\s+)?", "", words, flags=re.I)
    if words and len(words) <= 60 and _is_title(words):
        return label(words)
    if [one.name for one in models] == ["entry"] and (
        about := re.search(r"\bfor (?:the|our|my) ([\w' -]{3,40}?)(?=\s*(?:[:.,(]|$))", text, re.I)
    ):
        return preset or label(about[1])
    return preset or label(" and ".join(model.plural.casefold() for model in models[:2]) or "app")
