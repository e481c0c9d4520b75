"""Read a request for a new app: what it is called, what it keeps, which of the well-known apps it is."""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Literal

from adapters.llm.builtin.coverage import FILLER, left_out, stems
from adapters.llm.builtin.known import (
    BOARD,
    LANES,
    PRESETS,
    SECTIONS,
    lanes_in,
    poll_in,
    preset_in,
    sections_in,
    with_lanes,
)
from adapters.llm.builtin.lists import WISHES, entities, is_told, lists_of, row_alone, skipped, unlisted, unsure_of
from adapters.llm.builtin.looks import ACCENTS, IN_LOOKS, OF_THE_WHOLE, accent_in, mode_in, without_dislikes
from adapters.llm.builtin.shapes import in_shape
from adapters.llm.builtin.stacks import without_stack
from adapters.llm.builtin.words import (
    REQUIRED_FIRST,
    TYPE_NAMES,
    known_field,
    label,
    spelled,
    words_of,
)
from adapters.llm.builtin.words import field as read_field
from core.manifests import DataField, DataModel

_VERBS = r"(?:please\s+)?(?:can you\s+|could you\s+)?(?:build|create|make|write|set up|i need|we need|i want|we want|give|start|generate|develop)"
_OPENING = re.compile(
    rf"^\W*(?:hi|hello|hey)?\W*{_VERBS}?\s*(?:(?:me|us)\b)?\s*(?:(?:an?|the|some)\b)?\s*(?:(?:new|simple|small|little|nice|basic)\b)?\s*",
    re.I,
)
_NOT_BY_TITLE = {
    *ACCENTS, "white", *WISHES,
    *words_of("""
        dark light but or not only just header footer background button buttons many people post private secure offline shared
        public encrypted german french spanish english italian dutch polish portuguese turkish arabic chinese japanese two
        three four five several
    """),
}  # fmt: skip
_LANDING = re.compile(
    r"\b(landing ?page|home ?page|web ?site|one-?pager|portfolio|coming soon|(?:marketing|public|club|info|information|event) ?page)\b",
    re.I,
)
_A_PAGE = re.compile(r"\b(?:web ?)?(?:page|site) for\b", re.I)
"""What is mostly one page to look at; with fields that are often fields it keeps something."""
_FOR = re.compile(
    r"\b(?:for\s+(?:an?|my|our|the)?|called|named)\s*(?:(?!\b(?:with|that|where|which|including|featuring)\b)[^,.:;\n]){1,60}",
    re.I,
)
MAX_SENTENCE_CHARS = 300
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
    unsure: bool = False
    """Whether what is kept was guessed, and is better shown before it is built."""

    @property
    def clear(self) -> bool:
        """Whether enough was understood to ask about the rest."""
        return bool(self.models or self.landing)


def understand(request: str, *, react: bool = False) -> Understood:
    """Read a request for a new app, and hold what was understood against every word of it; `react` where that can be built."""
    request, elsewhere = without_stack(_to_the_point(request), react=react)
    request = in_shape(re.sub(r"\bw/ ?", "with ", request))
    request, order = _without_order(request)
    found, read = _understood(request)
    if order and (ordered := _ordered(found.models, order)):
        found = replace(found, models=ordered)
    elif order:
        elsewhere = [*elsewhere, order[0].strip(" ,.")]
    # What stands in brackets behind a field is its type, or the list that it is one of.
    lists = "|".join(re.escape(form) for model in found.models for form in (model.plural, model.label))
    types = rf"(?:{_TYPE_SAID}|{_OBLIGED})"
    said = re.sub(
        rf"\((?:one of (?:the |our |my )?(?:{lists or '(?!)'})|{types}(?:, ?{types})?)\)|\b(?:y/n|yes/no|yes or no)\b",
        "",
        request,
        flags=re.I,
    )
    missing = [
        *elsewhere,
        *_PART_OF_A_FORM.findall(request),
        *(left := left_out(said, _covered(request, found))),
        *(one for one in skipped(read, found.models) if not any(one in other for other in left)),
        *(" ".join(one[0].split()) for one in _BUT.finditer(said)),
    ]
    return replace(found, left_out=list(dict.fromkeys(missing)))


_GREETING = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|good (?:morning|evening|afternoon))\b(?: (?:folks|all|team|everyone|everybody|there|guys|bot|you))?(?: ?@\w+)?"
    r"(?:(?: \w+){0,2}[,.!:\n]\s*|\s+(?=(?:can|could|please|build|make|create|we|i|would)\b)|$)|@\w+[,:]?\s+)", re.I
)  # fmt: skip
_PREFACE = re.compile(
    r"^\W*(?:(?:(?:a )?(?:quick|small|short) (?:request|question|one|wish)|urgent|important|as (?:discussed|agreed|promised|said)\b[^,.:\n]{0,40}|new idea|idea|request|task)"
    r"[:,.]\s+|(?:so|ok|okay|well|now|also|and),?\s+)", re.I
)  # fmt: skip
_ASKING = re.compile(
    r"^\W*(?:(?:i|we)(?:'d| would)(?: really)? (?:like|love|want|need)(?: to have)?|(?:i|we)(?:'re| are|'m| am) looking for|looking for|help (?:us|me)(?: to)?|"
    r"need (?=an?\b|some\b|the\b)|(?:can|could|would|will) (?:someone|somebody|anyone|anybody|you|u)(?: please)?|(?:can|could|may) (?:i|we) (?:get|have)|"
    r"is it possible to|would it be possible to|how about|what about|(?:it would be|would be) (?:nice|great|cool) to have)\s+", re.I
)  # fmt: skip
_THANKS = re.compile(
    r"[\s,.!-]*\b(?:please|pls|plz|(?:many )?thanks(?: a lot| so much| in advance| a bunch)?|thank you(?: so much| very much)?|thx|ty|cheers|asap|"
    r"(?:best|kind) regards)\b(?:[,!.]?\s+(?-i:[A-Z])[a-z]+(?: from [\w ]{1,30})?)?[\s.!?]*(?=$|\n)", re.I
)  # fmt: skip
_CONTEXT = re.compile(
    r"^(?:(?:we|i)(?:'re|'m| are| am| run| have| own| coach| teach| keep| always| often| lose| lost| forget| work)|our|my|at (?:our|my|the)|nobody|everyone|"
    r"right now|currently|today|so far|every \w+)\b(?P<said>[^.!?:;\n]{3,160})(?:[.!?]\s+|\n)(?=\S)", re.I
)  # fmt: skip
"""A sentence before the wish that tells why: how things are, and nothing that is asked for."""
_LEST = re.compile(
    r",? so (?:that )?(?:we|i|nobody|no one) (?:don't|do not|doesn't|never|no longer|stop|stops) (?:forget|forgetting|lose|losing|miss|missing)s?\b[^.\n]{0,40}(?=\.?\s*$)",
    re.I,
)
_ASKED = re.compile(
    r"\b(?:need|needs|want|wants|like|please|can you|could|should|must|only|never|without|not|no|build|make|create|(?<!losing )(?<!lose )(?<!lost )track|except|but)\b",
    re.I,
)
_WHOSE_WISH = re.compile(
    r"^(?:as an? [\w' -]{2,40}?,? (?=(?:i|we)\b)|for (?:our|my|the|a) (?:[\w'-]+ ){1,4}?,?\s*(?=(?:i|we) (?:need|want|would|'d)|please|can |could )"
    r"|(?:we(?:'re| are| run| have| own)|i(?:'m| am| run| coach| teach| own| have))\b[^,.:;\n]{1,60}?(?:,? (?:and|so)(?: we| i)?|,) (?=(?:please|can|could|need|want|build|make|create)\b)"
    r"|(?:my|our|the) [\w'-]+(?: [\w'-]+)? (?:wants?|needs?|would like|is looking for|asked for) (?=an?\b|some\b))", re.I
)  # fmt: skip
"""Who wishes it, in one breath with the wish."""


_SLIPS = re.compile(r"(?<![\w@#/.'-])[a-z]{3,14}(?![\w@/'-])(?!\.\w)")
"""Words that may have a slip; names, addresses and what has a capital may not."""
_IS_QUESTION = re.compile(r"\b(?:can|could|would|will|may|is it possible|how about|what about)\b[^?]*\?\s*$", re.I)
"""A message that ends as a question: its mark belongs to no field."""
_LISTS = re.compile(r":|\bwith\b|\bhave\b|\bhas\b|\n\s*[-*•]")


def _to_the_point(text: str) -> str:
    """Return a message without its greeting, its thanks and its pictures: none of them names anything."""
    text = "".join(
        char for char in text if unicodedata.category(char) not in ("So", "Sk", "Cs") and char not in "\u200d\ufe0f"
    )
    text = re.sub(r"\b(Dr|Mr|Mrs|Ms|Prof|St)\. (?=[A-Z])", r"\1 ", text.replace("\u2019", "'"))
    if text.count("?") == 1 and _IS_QUESTION.search(text):
        text = text.rstrip().removesuffix("?")
    text = _SLIPS.sub(lambda match: spelled(match[0]), text)
    for pattern in (_GREETING, _PREFACE):
        text = pattern.sub("", text, count=1)
    while (match := _CONTEXT.match(text)) and not _ASKED.search(match["said"]) and _LISTS.search(text[match.end() :]):
        text = text[match.end() :]
    for pattern in (_GREETING, _PREFACE, _WHOSE_WISH, _ASKING, _PREFACE):
        text = pattern.sub("", text, count=1)
    text = _LEST.sub("", text)
    while (shorter := _THANKS.sub("", text)) != text:
        text = shorter
    return re.sub(r"\b(?:please|pls|plz)\b ?", "", text, flags=re.I).replace(" :", ":").strip()


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
    if found.preset and not named:
        title = _known_in_title(title, found.preset, request)
    texts = [found.title if named else " ".join(title)]
    for model in found.models:
        labels = [one.label for one in model.fields if not _NO_FIELD_NAME.search(one.label)]
        texts += [model.label, model.plural, *labels]
        texts += [choice for one in model.fields for choice in one.choices]
    text = request.split("```")[0]
    for pattern, name, _, _ in PRESETS:
        if found.preset == name:
            texts += [match[0] for match in re.finditer(rf"\b(?:{pattern})\b", text, re.I)]
    if found.sections:
        texts.append("section sections")
    if found.landing:
        texts += [match[0] for match in (_LANDING.search(text), _A_PAGE.search(text)) if match]
        texts += [match[0] for match in _FOR.finditer(text)]
        texts += found.sections
        there = [SECTIONS[name] for name in found.sections if name in SECTIONS]
        texts += [match[0] for pattern in there for match in re.finditer(rf"\b(?:{pattern})\b", text, re.I)]
    if found.view == "board":
        texts.append("kanban board")
    if [one.name for one in found.models] == ["vote"]:
        texts.append(f"poll vote quick {found.title}")
    if found.accent:
        texts += [name for name, value in ACCENTS.items() if value == found.accent] + [
            "colour color accent theme colours colors"
        ]
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


_WHOSE = words_of("""
    team family office company personal home household school club work business studio shop community department startup agency
    hotel restaurant café cafe bar salon church choir class bakery farm clinic practice band charity neighbourhood neighborhood
    it's hr sales marketing private
""")
"""For whom a well-known app is; what else stands before it asks for another one: “recurring”, “multi-user”, “music”."""


def _known_in_title(title: list[str], preset: str, request: str) -> list[str]:
    """Return the words of a well-known app's title that say for whom or what it is, and none that make it another app."""
    tail = {
        word.casefold()
        for match in re.finditer(r"\b(?:for|about|of|at|in) [^,.:;\n]+", request, re.I)
        for word in match[0].split()
    }
    others = "|".join(pattern for pattern, name, _, _ in PRESETS if name != preset)
    second = {
        word for match in re.finditer(rf"\b(?:{others})\b", request, re.I) for word in match[0].casefold().split()
    }
    names = {word.casefold() for word in request.split()[1:] if word[0].isupper()}
    kept = tail | ((names | _WHOSE) - second)
    return [word for word in title if word.casefold() in kept or "'" in word]


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
        same = replace(found, left_out=[], unsure=False, preset=again.preset, view=again.view) == again
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


_ORDER = re.compile(
    r",?\s*\b(?:(?:sorted|ordered) by (?P<field>[a-z]+(?: [a-z]+)?)(?P<down>,? (?:descending|desc|newest first|latest first|highest first))?"
    r"|(?P<newest>(?:newest|latest|most recent) first))(?=\s*(?:[,.:;\n]|$)|\s+(?:with|where|and|that)\b)", re.I
)  # fmt: skip


def _without_order(text: str) -> tuple[str, re.Match[str] | None]:
    """Return a text without the order in which it wants things shown, and that."""
    match = _ORDER.search(text)
    return (f"{text[: match.start()]}{text[match.end() :]}", match) if match else (text, None)


def _ordered(models: list[DataModel], order: re.Match[str]) -> list[DataModel]:
    """Return the models, the one that has the field in that order; none where no model has it."""
    for at, model in enumerate(models):
        wanted = (order["field"] or "").casefold()
        by = next(
            (
                one.name
                for one in model.fields
                if one.label.casefold() == wanted or (not wanted and one.type in ("date", "datetime"))
            ),
            "",
        )
        if by:
            down = "-" if order["down"] or order["newest"] else ""
            return [*models[:at], model.model_copy(update={"order_by": f"{down}{by}"}), *models[at + 1 :]]
    return []


def _understood(request: str) -> tuple[Understood, str]:
    """Return what was understood but for what is left out, and the text with its lists as they were read."""
    # "like in Slack" compares; it names nothing that is kept.
    text = re.sub(r"\blike (?:in|on|at|with)? ?[A-Z]\w+", "", request.split("```")[0].replace("\u2019", "'"))
    if poll := poll_in(text):
        return Understood(poll[0], [poll[1]], unsure=True), text
    lanes, text = lanes_in(text)
    whole, text = text, unlisted(_IN_A_MODE.sub("", text))
    preset = preset_in(text) or (preset_in("kanban") if lanes else None)
    text = lists_of(text, preset.pattern, preset.kept) if preset else lists_of(text)
    models = entities(text)
    guessed = len(models) == 1 and unsure_of(text)
    if guessed and (better := row_alone(text)) and better[0][0].name != "entry":
        # “Wine cellar: wine, vintage”: its first field says better what is kept than a heading does.
        models, text = better
    begins = _LANDING.search(text[:40])
    looked_at = _LANDING.search(text) or (_A_PAGE.search(text[:60]) and _known_fields(models) < FEWEST_OF_A_LIST)
    landing = bool(begins) or (
        bool(looked_at) and not any(is_told(model) for model in models if not _A_PAGE.search(text[:60]))
    )
    unsure = bool(models) and not landing and (guessed or unsure_of(text))
    if not models and not landing and (found := row_alone(text)):
        models, text, unsure = found[0], found[1], True
    models = [] if landing else models
    own = bool(models)
    if not models and preset and not landing:
        models = entities(preset.keeps)
    if models and (lanes or (BOARD.search(text) and not _board_ready(models))):
        models = with_lanes(models, lanes or LANES)
    view = "board" if BOARD.search(text) and _board_ready(models) else "table"
    if preset and view == "table" and len(models) == 1:
        view = preset.view
    if view == "board" and not _board_ready(models):
        view = "table"
    title = _title(text, preset.title if preset and not own else "", models, landing) or "App"
    if re.search(r"\banonym", text, re.I):
        models = [_anonymous(model) for model in models]
    name = preset.title if preset and (models or landing) and not own else ""
    # A colour that is kept is no wish for the looks.
    fields = [one for model in models for one in model.fields]
    kept = {word.casefold() for one in fields for word in (one.name, *one.choices)} & ACCENTS.keys()
    liked = without_dislikes(whole)
    accent = accent_in(liked) if OF_THE_WHOLE.search(liked) and not kept else ""
    sections = sections_in(text, _FOR) if landing else []
    return Understood(title, models, view, landing, accent, mode_in(liked), name, sections, unsure=unsure), text


FEWEST_OF_A_LIST = 2
_IN_A_MODE = re.compile(
    r",?\s*\b(?:but |and |preferably )?in (?:dark|light)(?: mode| theme)?(?=\s*[:,.;\n]|\s*$|\s+with\b)", re.I
)


def _known_fields(models: list[DataModel]) -> int:
    return sum(known_field(one.label) for model in models for one in model.fields)


def _anonymous(model: DataModel) -> DataModel:
    """Return a model without who it was."""
    kept = [one for one in model.fields if one.name not in ("name", "email", "phone")]
    return model.model_copy(update={"fields": kept}) if kept else model


def _board_ready(models: list[DataModel]) -> bool:
    return any(one.type == "choice" for model in models for one in model.fields)


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
        return label(IN_LOOKS.sub("", match[1]))
    sentence = re.split(
        r"[:;.,\n(]|\bwith\b|\bwhere\b|\bfeaturing\b|\bincluding\b|\bthat\b|\bto\s+(?:keep|track|manage|store)\b",
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
    words = re.sub(r"\b(?:app|application|web ?app|tool|system|web ?page|page|website)\b", "", sentence, flags=re.I)
    words = re.sub(r"^to\s+(?!do\b)\w+\s+(?:(?:my|our|the|all)\s+)?(?=\w+s\b)", "", " ".join(words.split()), flags=re.I)
    words = re.sub(
        r"^(?:to\s+)?(?:keep track of|track|manage|organi[sz]e|store|record|handle|log(?= (?:my|our|all)\b))\s+",
        "",
        " ".join(words.split()),
        flags=re.I,
    )
    words = re.sub(
        r"^(?:(?:something|anything|an? (?:way|place|thing)) (?:for|to) )?(?:(?:my|our|the) )?",
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
