"""The well-known apps: the words that call for them, and what of them people say in a way of their own: lanes, answers, sections."""

import re
from dataclasses import dataclass

from adapters.llm.builtin.looks import ACCENTS
from adapters.llm.builtin.words import label, names_something, split_list, words_of
from core.manifests import DataField, DataModel

SEARCH, FILTER, CSV, PAGES = "Search", "Filter by choice", "CSV export", "Pagination"
"""What lists can do."""
# The words that call for an app, its view, and what it keeps.
PRESETS: tuple[tuple[str, str, str, str], ...] = (
    (r"kanban|task board|trello", "Kanban board", "board",
     "cards with title, description, assignee, status (to do, doing, done) and due date"),
    (r"to-?do|task list|tasks", "To-do list", "table", "tasks with title, done, due date and notes"),
    (r"blog|journal|diary", "Blog", "cards", "posts with title, author, body and published date"),
    (r"bookings?|appointments?|reservations?", "Bookings", "table",
     "bookings with name, email, phone, start time, guests, status (requested, confirmed, cancelled) and notes"),
    (r"inventory|(?<!rolling )(?<!in )stock(?! (?:prices?|markets?|exchange|portfolio|options?|trading))|warehouse", "Inventory", "table",
     "items with name, sku, category, quantity, reorder level, price and supplier"),
    (r"surveys?|questionnaire|feedback form|polls?", "Survey", "table",
     "responses with name, email, rating, would recommend (yes, maybe, no) and comments"),
    (r"crm|customer relation", "CRM", "table",
     "companies with name, website and phone; contacts with name, company, email, phone and stage (lead, qualified, won, lost)"),
    (r"expenses?|spending|budget", "Expenses", "table",
     "expenses with description, amount, category (food, travel, office, other), date and paid"),
    (r"recipes?|cook ?book", "Recipes", "cards", "recipes with title, servings, minutes, ingredients and instructions"),
    (r"contacts?|address ?book|phone ?book", "Contacts", "table", "contacts with name, email, phone, company and notes"),
    (r"events?|rsvp|guest list", "Events", "table",
     "events with title, date, start time, location, capacity and description; guests with name, event, email and attending (yes, no, maybe)"),
    (r"bugs?|issue tracker|(?<!ferry )(?<!train )(?<!bus )(?<!flight )(?<!concert )(?<!event )(?<!theatre )(?<!cinema )(?<!parking )(?<!raffle )tickets?|help ?desk", "Tickets", "board",
     "tickets with title, description, reporter, priority and status (open, in progress, closed)"),
    (r"library|books", "Library", "table", "books with title, author, year, pages, read (boolean) and notes"),
)  # fmt: skip
_KEPT_BY = {"CRM": "contacts"}
"""What fields describe that are given to an app which keeps several lists."""


@dataclass(frozen=True)
class Preset:
    """A well-known app: what calls for it, its title, its view, what it keeps by itself, and what fields that are given to it describe."""

    pattern: str
    title: str
    view: str
    keeps: str

    @property
    def kept(self) -> str:
        """What people's own fields are fields of."""
        return _KEPT_BY.get(self.title, self.keeps.partition(" with ")[0])


def preset_in(text: str) -> Preset | None:
    """Return the well-known app that a text calls for."""
    return next((Preset(*one) for one in PRESETS if re.search(rf"\b(?:{one[0]})\b", text, re.I)), None)


# Boards ---------------------------------------------------------------------------------------------------------------

BOARD = re.compile(
    r"\bkanban\b|\btrello\b|(?<!on )(?<!full )(?<!half )(?<!skirting )(?<!key )(?<!surf )(?<!dash )(?<!notice )(?<!bulletin )(?<!message )(?<!score )(?<!circuit )(?<!hymn )"
    r"\bboard\b(?! (?:members?|games?|meetings?|rooms?|of (?:the )?(?:[a-z]+ )?(?:trustees|directors|governors|advisors|advisers|management|education|studies|examiners))\b)",
    re.I,
)
_LANES = re.compile(
    r"(?:^|[.,:;]?\s+)(?:with (?:the )?)?(?:the )?(?:columns?|lanes|stages|swim ?lanes)(?: are| called| named)?\s*[:=]?\s+(?P<lanes>[^.;:\n()]+?)"
    r"(?=[.;\n]|$|,? (?:each|every|and) (?:card|task|ticket)s?\b|,? cards? (?:with|have|has)\b)", re.I
)  # fmt: skip
_LANES_AT_ONCE = re.compile(
    r"(?P<board>\b(?:kanban(?: board)?|trello(?:[- ]like)?(?: board)?|board)(?: (?:for|of|about) [^:,.;\n()]{1,40}?)?)(?:\s*:| with)\s+(?P<lanes>[^.;:\n()]+)",
    re.I,
)
_LANE_WORDS = words_of("""
    todo to-do doing done backlog progress review waiting blocked testing finished shipped ideas idea draft drafts drafting published
    open closed new planned later next now pending ready started deployed released archived buy ordered hold
""")
_CARD_WORDS = words_of("title name assignee owner description notes date deadline priority tags label labels estimate")


LANES = ["to do", "doing", "done"]
"""What a board has for lanes where nothing is said."""


def lanes_in(text: str) -> tuple[list[str], str]:
    """Return the lanes that a board was asked to have, and the text without them."""
    if not BOARD.search(text):
        return [], text
    for pattern in (_LANES, _LANES_AT_ONCE):
        match = pattern.search(text)
        lanes = _items(match["lanes"]) if match else []
        said = {word for lane in lanes for word in lane.casefold().split()}
        if match is None or len(lanes) < 2 or _CARD_WORDS & said or any(len(lane.split()) > 3 for lane in lanes):
            continue
        if pattern is _LANES:
            rest = re.sub(r"^,? (?:and )?(?:each|every) ", ". ", text[match.end() :])
            return lanes, f"{text[: match.start()]} {rest}".strip()
        if _LANE_WORDS & said:
            return lanes, f"{text[: match.start()]}{match['board']}{text[match.end() :]}"
    return [], text


def with_lanes(models: list[DataModel], lanes: list[str]) -> list[DataModel]:
    """Return the models of a board with its lanes: what the first list has for a status, or gets."""
    status = DataField(name="status", label="Status", type="choice", choices=[lane.casefold() for lane in lanes])
    first = models[0]
    kept = [one for one in first.fields if one.name != "status"]
    at = next((at for at, one in enumerate(first.fields) if one.name == "status"), len(kept))
    return [first.model_copy(update={"fields": [*kept[:at], status, *kept[at:]]}), *models[1:]]


def _items(text: str) -> list[str]:
    parts = [part.strip(" .'\"") for part in re.split(r",|/|\||->|→|>|\band\b|\bor\b", text)]
    return list(dict.fromkeys(part for part in parts if part))


# Polls ----------------------------------------------------------------------------------------------------------------

_POLL = re.compile(
    r"^(?:[a-z' ]{0,40}?\b)?(?:poll|vote)(?:[:,-]? (?P<about>(?:about |on |for |where |when |which |who |what |whether )[^:?\n]{1,80}?))?(?:[:?]\s*| with | between | - )"
    r"(?P<answers>[^:\n]{3,200}?)\??$", re.I
)  # fmt: skip


_ASKED_OF = words_of(
    "name email e-mail phone date time rating comment comments notes question answer answers title votes vote age"
)
"""What a form asks: none of it is an answer to a poll."""


_WHEN = re.compile(r" (?:on|for|at|this|next) [a-z][a-z ]{2,20}$|(?<=\w) (?:today|tonight|tomorrow)$", re.I)


def poll_in(text: str) -> tuple[str, DataModel] | None:
    """Return the title and the list of a poll, whose answers were given: “poll: remote, hybrid or office?”."""
    match = _POLL.match(text)
    answers = _items(match["answers"]) if match else []
    when = ""
    if len(answers) > 1 and (tail := _WHEN.search(answers[-1])) and not any(_WHEN.search(one) for one in answers[:-1]):
        answers[-1], when = answers[-1][: tail.start()], tail[0]  # “fish or pasta on friday?”
    if (
        match is None
        or not 2 <= len(answers) <= 12
        or any(len(one.split()) > 4 or one.casefold() in _ASKED_OF for one in answers)
    ):
        return None
    name = DataField(name="name", label="Name", required=True)
    choice = DataField(name="choice", label="Choice", type="choice", choices=answers, required=True)
    about = re.sub(r"^(?:about|on|for) ", "", match["about"] or "", flags=re.I)
    return label(about) or f"Poll{when}", DataModel(name="vote", label="Vote", plural="Votes", fields=[name, choice])


# Pages ----------------------------------------------------------------------------------------------------------------

SECTIONS = {
    "About": r"about(?: us| me)?", "Features": r"features?", "Pricing": r"pricing|prices|price list", "FAQ": r"faqs?",
    "Testimonials": r"testimonials?", "Team": r"(?:our |the )?team", "Gallery": r"gallery", "Opening hours": r"opening (?:hours|times)",
    "Contact": r"contacts?(?: us| details| section)?",
}  # fmt: skip
"""The sections that a page can have with words of their own, and how people call them; others have a title and a place to write."""
_LISTED = re.compile(
    r"(?:\bsections?(?: (?:for|on|called|are))?:? |\bwith (?:the )?(?:sections?:? (?:for |on )?)?|:\s+|\s[-–—] )(?P<items>[^:.;\n]+?)(?=[.;:\n]|$)",
    re.I,
)
_SENTENCES = re.compile(r"[.!?\n]\s*(?P<items>[^:.;!?\n]+,[^:.;!?\n]+)(?=[.;!?\n]|$)")
"""Sections in a sentence of their own: “… for my photography. About me, portfolio, prices.”"""
_IN_LOOKS = re.compile(rf",?\s+in (?:dark |light )?(?:{'|'.join(ACCENTS)})$|,?\s+in (?:dark|light)(?: mode)?$", re.I)
_DOES = words_of("""
    form forms calendar booking shop cart login log-in newsletter map search chat slider carousel video countdown signup sign-up payment payments
    checkout now rsvp link links button buttons animation animations blog feed login counter download upload widget
""")
"""What a section does, where it needs more than words."""


def sections_in(text: str, about: re.Pattern[str]) -> list[str]:
    """Return the sections that a page was asked to have; “about our choir” is what it is about, and “no FAQ” is none."""
    found = dict[str, int]()
    bare = re.sub(
        r"\b(?:no|not|without)(?: an?| any)? \w+|\babout (?!us\b|me\b|and\b|section|page)(?=\w)",
        " ",
        about.sub(" ", text),
        flags=re.I,
    )
    for name, pattern in SECTIONS.items():
        if match := re.search(rf"\b(?:{pattern})\b", bare, re.I):
            found[name] = match.start() if bare == text else text.lower().find(match[0].lower())
    told = [
        match
        for match in _SENTENCES.finditer(text)
        if any(re.search(rf"\b(?:{one})\b", match["items"], re.I) for one in SECTIONS.values())
    ]
    for match in (*_LISTED.finditer(text), *told):
        items = split_list(_IN_LOOKS.sub("", match["items"]))
        for item in items if len(items) > 1 or "with" in match[0] else ():
            name = re.sub(r"\s+section$", "", item.strip(" .'\""), flags=re.I)
            if _is_section(name) and not any(re.search(rf"\b(?:{one})\b", name, re.I) for one in SECTIONS.values()):
                found.setdefault(label(name), match.start("items") + match["items"].find(item))
    return sorted(found, key=lambda name: found[name])


def _is_section(name: str) -> bool:
    words = name.casefold().split()
    if re.fullmatch(r"(?:where|who|how|what|why|when) (?:we|i|to|it|you|they)\b[a-z' ]{0,25}", name, re.I):
        return True  # “where we are”, “how to get here”
    plain = (
        bool(re.fullmatch(r"[A-Za-z][\w' -]{2,30}", name))
        and len(words) <= 3
        and words[0] not in ("a", "an", "no", "not", "its", "it's")
    )
    return (
        plain and not (_DOES | ACCENTS.keys() | {"dark", "light", "his", "her"}) & set(words) and names_something(name)
    )
