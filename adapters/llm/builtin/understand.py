"""Read a request for a new app: what it is called, what it keeps, which of the well-known apps it is."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from adapters.llm.builtin.around import to_the_point
from adapters.llm.builtin.coverage import ACTS, left_out, stems
from adapters.llm.builtin.doubts import doubts, without_formulas
from adapters.llm.builtin.known import (
    BOARD,
    CSV,
    LANES,
    PRESETS,
    SEARCH,
    SECTIONS,
    Preset,
    lanes_in,
    poll_in,
    preset_in,
    sections_in,
    with_lanes,
)
from adapters.llm.builtin.lists import WISHES, entities, is_told, lists_of, row_alone, skipped, unlisted, unsure_of
from adapters.llm.builtin.looks import ACCENTS, OF_THE_WHOLE, accent_in, mode_in, without_dislikes
from adapters.llm.builtin.shapes import in_shape, plainer
from adapters.llm.builtin.stacks import without_stack
from adapters.llm.builtin.titles import title_of
from adapters.llm.builtin.words import (
    TYPE_NAMES,
    first_needed,
    is_doing,
    known_field,
    words_of,
)
from adapters.llm.builtin.words import field as read_field
from core.manifests import DataField, DataModel

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
    features: list[str] = field(default_factory=list)
    """What lists can do beside keeping."""
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
    raw = request = _ASKED_FIRST.sub(r"\g<asked>.", request)
    request, elsewhere = without_stack(to_the_point(request), react=react)
    request, formulas = without_formulas(plainer(request))
    request = in_shape(request)
    request, order = _without_order(request)
    request, features = _without_features(request)
    found, read = _understood(request)
    if found.models:
        found = replace(found, features=[name for name, _ in features])
    else:
        elsewhere = [*elsewhere, *(said for _, said in features)]
    if order and (ordered := _ordered(found.models, order)):
        found = replace(found, models=ordered)
    elif order:
        elsewhere = [*elsewhere, order[0].strip(" ,.")]
    # What stands in brackets behind a field is its type, or the list that it is one of.
    lists = "|".join(re.escape(form) for model in found.models for form in (model.plural, model.label))
    types = rf"(?:{_TYPE_SAID}|{_OBLIGED})"
    said = re.sub(
        rf"\((?:one of (?:the |our |my )?(?:{lists or '(?!)'})|{types}(?:, ?{types})?)\)|\b(?:y/n|yes/no|yes or no|or not)\b|{_HAS_NONE}",
        "",
        request,
        flags=re.I,
    )
    if (counted := _COUNTED.match(said)) and _NUMBER.get(counted[1].casefold()) == len(found.models):
        said = said[counted.end() :]
    missing = [
        *elsewhere,
        *formulas,
        *doubts(raw, said, found.models, found.title, found.preset),
        *_PART_OF_A_FORM.findall(request),
        *(left := left_out(said, _covered(request, found))),
        *(one for one in skipped(read, found.models) if not any(one in other for other in left)),
        *(" ".join(one[0].split()) for one in _BUT.finditer(said)),
        *(
            f"more than one of the {one.label.lower()}"
            for model in found.models
            for one in model.fields
            if _of_several(one)
        ),
    ]
    return replace(found, left_out=list(dict.fromkeys(missing)))


_ASKED_FIRST = re.compile(
    r"(?P<asked>^\W*(?:[a-z]+,? )?(?:can|could|would|will) (?:you|we|i|someone|somebody)\b[^?.\n]{5,300})\?(?= +[a-z])",
    re.I,
)
"""A question whose mark ends a sentence and not a field: “Can we get a board with todo, done? Every card needs …”."""
_HAS_NONE = r"\b(?:no|without)(?: an?| any)? (?:log-?ins?|sign-?ins?|sign-?ups?|accounts?|passwords?|registration)(?: (?:needed|required|necessary))?\b"
"""What no app of ours has by itself: who wants none gets what they want."""
_DAYS = words_of("mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday")


def _of_several(field: DataField) -> bool:
    """Say whether a field has words to choose from of which a person may mean several: “delivery days (mon, tue)”, “allergies (nuts, milk)”."""
    last = field.label.casefold().split()[-1]
    return field.type == "choice" and (
        last in _SEVERAL_OF or (last == "days" and len(_DAYS & {one.casefold() for one in field.choices}) > 1)
    )


_SEVERAL_OF = words_of(
    "allergies allergens toppings extras tags interests skills languages hobbies instruments availabilities symptoms"
)


_BUT = re.compile(
    r"\b(?:without|w/o|except|instead of|rather than|but not|no need for|excluding|either|each with|in (?:german|french|spanish|italian|dutch|polish|portuguese|turkish|arabic|chinese|japanese|russian)|per (?:customer|person|user|member|project|client)|(?:has|have) (?:many|several|multiple)|belongs? to|one of the|(?:is|are) (?:an)?other (?=[a-z]+$|[a-z]+[.,;])|from the \w+ list|light or dark|dark or light)\b[^,.;:\n]{0,80}",
    re.I,
)
"""What restricts a wish: the words that follow are in it, and not asked for."""
_PART_OF_A_FORM = re.compile(r"(?:,|\band|\bwith)\s+(column|table|list|field)(?=\s*(?:,|and\b|$|[.;]))", re.I)
"""A field that is called as the parts of forms are: it would be taken for one."""
_TYPE_SAID = "|".join(map(re.escape, TYPE_NAMES))
_NAMED_SO = re.compile(r"\b(?:called|named|titled|(?:call|name) (?:it|this))\b", re.I)
_NO_FIELD_NAME = re.compile(r"[=*/\d]")
_WITH_NUMBER = re.compile(
    r"\b(?:out of \d{1,4}|in [a-z]{1,2}[23]|\d{1,2}k)\b|^(?:pass/fail|win/loss|in/out|on/off|m/f)$|^[a-z]+(?:/[a-z]+){2,6}$",
    re.I,
)
"""Numbers and strokes that belong to a name: “score out of 100”, “size in m2”, “5k time”."""


def _covered(request: str, found: Understood) -> set[str]:
    # A title takes in whatever stands before the lists; numbers, colours and the like in it are wishes, unless it is a given name.
    named = _NAMED_SO.search(request)
    title = [word for word in found.title.split() if not (word[0].isdigit() or word.casefold() in _NOT_BY_TITLE)]
    if found.preset and not named:
        title = _known_in_title(title, found.preset, request)
    texts = [found.title if named else " ".join(title), *_around(request, found)]
    for model in found.models:
        labels = [one.label for one in model.fields if not _NO_FIELD_NAME.search(_WITH_NUMBER.sub("", one.label))]
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


_FOR_WHOM = re.compile(
    r"\b(?:for|in|at|of) (?:our |my |the |an? |all |her |his |their )?(?:(?!(?:each|every|with|that|where|which|who|to|and|or|so|when|by|for|in|at|of)\b)[a-z'-]+[ ,.]?){1,4}",
    re.I,
)
_WHOSE_IT_IS = words_of("our my the a an her his their")
_COUNTED = re.compile(r"\W*(two|three|four|2|3|4) (?:lists|tables)\b", re.I)
_NUMBER = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}
_BY_PEOPLE = r"\b(?:our |my |the )?[a-z]+s (?:can |may |should )?(?:report|submit|request|suggest|nominate|raise|lodge|enter) (?:their |our |the )?"


def _around(request: str, found: Understood) -> list[str]:
    """Return what a wish says before its lists of for whom or where it is, and of who reports what is kept: it asks for nothing."""
    lead = re.split(r":|\bwith\b|\n", request, maxsplit=1)[0]
    said = [match[0] for match in _FOR_WHOM.finditer(lead)] if found.models else []
    said += [
        match[0] for model in found.models for match in re.finditer(_BY_PEOPLE + re.escape(model.plural), lead, re.I)
    ]  # fmt: skip
    words = [(one, one.casefold().replace(".", " ").replace(",", " ").split()) for one in said]
    return [
        one
        for one, said_in in words
        if not any(
            word in _NOT_BY_TITLE | ACTS or (is_doing(word) and said_in[1] not in _WHOSE_IT_IS) for word in said_in
        )
    ]


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
    beside = re.findall(
        rf"\b{_OBLIGED} (?:{some})\b|\b(?:{some}) (?:\({_OBLIGED}\)|{_OBLIGED}(?=\s*(?:[,.;\n]|$|and\b)))", text, re.I
    )
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
    first = first_needed(model.fields)
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
    r"(?:,?\s*\b|(?<=\.) )(?:(?:sorted|ordered|ranked|(?:please )?(?:sort|order)(?: (?:it|them|the list))?) by (?P<field>[a-z]+(?: [a-z]+)?)(?P<down>,? (?:descending|desc|newest first|latest first|highest first))?"
    r"|(?P<newest>(?:newest|latest|most recent) first))(?=\s*(?:[,.:;\n]|$)|\s+(?:with|where|and|that)\b)", re.I
)  # fmt: skip


_FEATURES = (
    (SEARCH, re.compile(
        r"(?:[,.;]\s*|\s)(?:and )?(?:(?:it|they|this|the list|everything) (?:(?:also )?(?:needs?|has|have|should|must)(?: to)? be|should be) searchable"
        r"|(?:please )?make (?:it|them|this|the list) searchable|(?:with |plus )?(?:an? )?search(?: (?:box|bar|function))?)(?=\s*(?:[.;\n]|$))", re.I,
    )),
    (CSV, re.compile(
        r"(?:[,.;]\s*|\s)(?:and )?(?:with |plus )?(?:an? )?(?:csv (?:export|download)|export (?:to|as) (?:an? )?csv(?: file)?)(?=\s*(?:[.;\n]|$))", re.I,
    )),
)  # fmt: skip
"""What lists can do, where that is said at the end."""


def _without_features(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a text without what lists shall be able to do, and that with its words."""
    found = list[tuple[str, str]]()
    for name, pattern in (*_FEATURES, *_FEATURES):
        if match := pattern.search(text):
            text = f"{text[: match.start()]}{text[match.end() :]}"
            found.append((name, match[0].strip(" ,.;")))
    return text, list(dict(found).items())


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
        # “A, b or c” can be answers only.
        return Understood(poll[0], [poll[1]], unsure=not _ONLY_ANSWERS.search(text)), text
    if other := _ANOTHER_KIND.match(text):
        return Understood("App", left_out=[other[0].strip()]), text
    lanes, text = lanes_in(text)
    whole, text = text, _IN_A_MODE.sub("", text)
    preset = preset_in(text) or (preset_in("kanban") if lanes else None)
    text = lists_of(unlisted(text), preset.pattern, preset.kept) if preset else lists_of(unlisted(text))
    landing = _is_page(text, entities(text))
    models, text, unsure = ([], text, False) if landing else _what_is_kept(text)
    own = bool(models)
    if preset and preset.kept == "tasks" and own:
        models = [_with_title(model) if model.name == "task" else model for model in models]
    if not models and preset and not landing:
        models = entities(preset.keeps)
    if models and (lanes or (BOARD.search(text) and not _board_ready(models))):
        models = with_lanes(models, lanes or LANES)
    view = _view_of(text, preset, models)
    title = title_of(text, preset.title if preset and not own else "", models, landing=landing) or "App"
    if re.search(r"\banonym", text, re.I):
        models = [_anonymous(model) for model in models]
    name = preset.title if preset and (models or landing) and not own else ""
    # A colour that is kept is no wish for the looks.
    fields = [one for model in models for one in model.fields]
    kept = {word.casefold() for one in fields for word in (one.name, *one.choices)} & ACCENTS.keys()
    liked = re.sub(
        r"\([^()]*\)|\bblack and white\b|(?:^|(?<=[.;\n] ))(?:if|when) [^.;\n]{1,200}",
        " ",
        without_dislikes(whole),
        flags=re.I,
    )
    accent = accent_in(liked) if OF_THE_WHOLE.search(liked) and not kept else ""
    sections = sections_in(text, _FOR) if landing else []
    return Understood(title, models, view, landing, accent, mode_in(liked), name, sections, unsure=unsure), text


_ONLY_ANSWERS = re.compile(r",[^,]*\bor (?!.*\b(?:on|for|at|in|next|this|tomorrow)\b)")
_ANOTHER_KIND = re.compile(
    r"\W*(?:(?:build|create|make|write|give me|i want|we want|i need|we need) )?(?:me |us )?(?:an? |the |some )?(?:(?:small|simple|little|fun|nice|quick|new|online|interactive|live|multiplayer|mini) )*"
    r"(?:(?:(?:(?:bar|line|pie|gantt|area|live|sales) )?(?:chart|graph|map)|(?:[a-z]+ )?(?:quiz|game|puzzle|timer|stopwatch|countdown|calculator|converter|generator|simulat(?:or|ion)|visuali[sz]ation|"
    r"chat ?bot|bot|editor|player|scraper|translator|voting|forecast))(?: (?:app|page|tool|site|website))?(?=(?<=calculator):|(?<=converter):|(?<=generator):| (?:about|of|for|on|over|to|with|where|that|showing)\b|[:.,!?]?\s*$)"
    r"(?! of (?:accounts|the day)\b)(?! (?:collection|library|list|tracker|log|inventory|night|club)\b)|weather(?: app| page| site)?(?= with\b| for\b|[:.,!?]?\s*$))",
    re.I,
)
"""What does or draws something: none of it is a list, whatever stands behind “with”."""


def _what_is_kept(text: str) -> tuple[list[DataModel], str, bool]:
    """Return what a text says is kept, the text with its lists as they were read, and whether what is kept was guessed."""
    models = entities(text)
    alone = row_alone(text) if not models or (len(models) == 1 and unsure_of(text)) else None
    if alone and (not models or alone[0][0].name != "entry"):
        # “Wine cellar: wine, vintage”: its first field says better what is kept than a heading does.
        return alone[0], alone[1], True
    return models, text, bool(models) and unsure_of(text)


def _is_page(text: str, models: list[DataModel]) -> bool:
    """Say whether a page to look at is asked for, and nothing that keeps something."""
    if _LANDING.search(re.split(r":|\bwith\b", text[:40])[0]):
        return True
    if _A_PAGE.search(text[:60]):
        return sum(known_field(one.label) for model in models for one in model.fields) < FEWEST_OF_A_LIST
    return bool(_LANDING.search(text)) and not any(is_told(model) for model in models)


def _view_of(text: str, preset: Preset | None, models: list[DataModel]) -> str:
    board = bool(BOARD.search(text)) or (preset is not None and preset.view == "board" and len(models) == 1)
    if board and _board_ready(models):
        return "board"
    return preset.view if preset and len(models) == 1 and preset.view != "board" else "table"


FEWEST_OF_A_LIST = 2
_IN_A_MODE = re.compile(
    r",?\s*\b(?:but |and |preferably )?in (?:dark|light)(?: mode| theme)?(?=\s*[:,.;\n]|\s*$|\s+with\b)", re.I
)


def _anonymous(model: DataModel) -> DataModel:
    """Return a model without who it was."""
    kept = [one for one in model.fields if one.name not in ("name", "email", "phone")]
    return model.model_copy(update={"fields": kept}) if kept else model


_WHAT_TO_DO = (
    "title",
    "task",
    "name",
    "what",
    "item",
    "todo",
    "to_do",
    "description",
    "subject",
    "job",
    "chore",
    "activity",
    "action",
    "summary",
)


def _with_title(model: DataModel) -> DataModel:
    """Return tasks with what is to be done, where only who does it and when was said."""
    if any(one.name in _WHAT_TO_DO or one.name.endswith(("_title", "_name")) for one in model.fields):
        return model
    title = DataField(name="title", label="Title", required=True)
    return model.model_copy(
        update={"fields": [title, *(one.model_copy(update={"required": False}) for one in model.fields)]}
    )


def _board_ready(models: list[DataModel]) -> bool:
    return any(one.type == "choice" for model in models for one in model.fields)
