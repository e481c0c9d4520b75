"""Read a request for a change, clause by clause, and apply it to the manifest."""

import re
from collections.abc import Callable

from pydantic import ValidationError

from adapters.llm.builtin.coverage import covered_by, stems, uncovered
from adapters.llm.builtin.known import CSV, FILTER, PAGES, SEARCH
from adapters.llm.builtin.looks import ACCENTS as _ACCENTS
from adapters.llm.builtin.plans import completed
from adapters.llm.builtin.rules_data import (
    add_choice,
    add_fields,
    add_lane,
    add_model,
    exchange,
    is_type_of,
    more_choices,
    oblige,
    remove,
    rename,
    widen,
)
from adapters.llm.builtin.rules_looks import add_page, features, look, sort, title, view
from adapters.llm.builtin.shapes import WHETHER
from adapters.llm.builtin.state import Changed
from adapters.llm.builtin.words import known_field, known_words, singular, split_list, spread, words_of
from core.manifests import AppManifest

_NEXT = (
    r"add|rename|remove|delete|drop|sort|order|make|change|show|use|filter|put|allow|let|call|export|give|paginate|track|"
    r"switch|turn|set|include|also|support|enable|display|list|create|search"
)
_CLAUSES = re.compile(
    rf"[;\n]+\s*|[.?!]+(?:\s+|$)|,?\s+(?:and|then|plus)\s+(?:then\s+)?(?=(?:{_NEXT})\b)|,\s*(?=(?:{_NEXT})\b)",
    re.I,
)
_TAIL = re.compile(
    r"[\s,]*(?:[?!.]|\b(?:please|pls|plz|thx|thanks|thank you|too|as well|instead|everywhere|for me)\b)\s*$", re.I
)
MAX_CLAUSE_CHARS = 500
_POLITE = re.compile(
    r"^\W*(?:please|pls|plz|(?:can|could|would) (?:you|u|we)|now|then|also|next|(?:i|we) (?:want|need) to|(?:i|we)(?:'d| would) like to|let's|it would be (?:nice|great|good) to)\s+",
    re.I,
)

_RELATES = re.compile(r"\bone of the\b|\bbelongs? to\b|\b(?:has|have) (?:many|several)\b", re.I)
"""Relations in words that no rule reads."""
_NO_NEED = re.compile(
    r"\b(?:we|i) (?:don'?t|do not|no longer) (?:need|want) (?:the )?(?P<what>[\w ]{1,40}?)(?: any ?more| any longer)?"
    r"(?:,? (?:so )?(?:please |pls )?(?:take (?:it|them) out|remove (?:it|them)|drop (?:it|them)|delete (?:it|them)))?(?=[.;,\n]|$)", re.I
)  # fmt: skip
_BEST_FIRST = re.compile(
    r"\b(?:show |put |list )?the (?:biggest|highest|largest|longest|most expensive|newest|latest) (?P<field>[\w ]{2,30}?) (?:first|on top|at the top)\b",
    re.I,
)
_ON_TOP = re.compile(
    r"\b(?P<what>(?:newest|latest|highest|largest|most recent)(?: \w+)?) (?:on top|at the top)\b", re.I
)
_NEW_FIELD = re.compile(
    r"^(?:please |pls )?(?:new field:?|another field:?|put in (?:a|another) field(?: called)?|we (?:also )?need a field(?: called| for)?) ",
    re.I,
)
_DEFAULT_NO = re.compile(
    r"(?P<field>\b(?:add|include) (?:an? )?(?:new )?(?:field |column )?[\w ]{1,40}?)(?P<list> (?:to|for) (?:the )?[\w ]{1,40})?,? \(?(?:(?:default|defaults to|which is|set to) (?:no|false|off)|off by default)\)?(?=[.;\n]|$)",
    re.I,
)
"""A field that is “no” until somebody says otherwise is yes or no; so it begins anyway."""
_OF_CHOICES = re.compile(r"\bchoice of\b|\bshould be (?:one of|an? choice)\b", re.I)
"""What is chosen from stands together: “a choice of black and gold” wishes for no gold."""
_TAKES_AWAY = re.compile(r"(?:remove|delete|drop|get rid of|take out)\b", re.I)
_WITH = re.compile(r"\s+with\s+(?![^(]*\))")
# What moves are called that change an app.
_MOVES = words_of("""
    must filled be saying says reads swap exchange tick box tickbox checkbox toggle lane lanes column columns stage stages rename remove delete drop sort order change show filter turn set display search switch call move replace take
    out off on rid colour color accent theme title heading headline sorted ordered first last highest lowest
    newest oldest latest largest smallest descending ascending desc asc reverse reversed recent most soonest
    earliest view mode style brand button buttons enable disable support allow empty left mandatory obligatory required optional second third
""")
_FEATURE_WORDS = {
    SEARCH: {"search", "searching", "searchable", "box", "bar", "find"}, FILTER: {"filter", "filtering", "choice", "choices"},
    CSV: {"csv", "export", "exporting", "download", "downloads", "spreadsheet", "button"},
    PAGES: {"pagination", "paginate", "paginated", "paging", "per", "long", "time", "25"},
}  # fmt: skip
# The first rule that understands a clause has it.
_RULES: tuple[Callable[[Changed, str], str], ...] = (
    title, sort, view, rename, exchange, widen, remove, oblige, add_page, look, features, add_lane, more_choices, add_choice, add_model, add_fields,
)  # fmt: skip


def change(manifest: AppManifest, request: str) -> Changed:
    """Apply every clause of `request` that can be understood."""
    state = Changed(manifest)
    # "from blue to orange" is orange.
    request = re.sub(rf"\bfrom (?:dark |light )?(?:{'|'.join(_ACCENTS)}) (?=to\b)", "", request, flags=re.I)
    request = _DEFAULT_NO.sub(
        r"\g<field> (yes/no)\g<list>", _NO_NEED.sub(r"remove \g<what>", request.replace("\u2019", "'"))
    )
    request = _NEW_FIELD.sub("add a field ", _BEST_FIRST.sub(r"sort by \g<field> descending", request))
    request = _ON_TOP.sub(r"\g<what> first", request)
    request = spread(_as_orders(request))
    for clause in _clauses(_parted(request, manifest)):
        relates = _RELATES.search(clause)
        if not relates and _apply(state, clause):
            continue
        # Half of a removal may be another's: "remove the status from orders and customers".
        if relates or _TAKES_AWAY.match(clause) or _OF_CHOICES.search(clause):
            state.missed.append(clause)
            continue
        # "add a pricing section and a team page": one verb for two wishes. What is not understood of several is named.
        parts = [part.strip() for wish in split_list(clause) for part in _WITH.split(wish) if part.strip()]
        verb = parts[0].split(" ", 1)[0] if parts else ""
        missed = [
            part for at, part in enumerate(parts)
            if (at and is_type_of(part, parts[at - 1]))
            or (not _apply(state, part) and not (at and _apply(state, f"{verb} {part}")))
        ]  # fmt: skip
        state.missed += missed if len(missed) < len(parts) else [clause]
    return state


_ORDERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\badd (?P<list>[a-z]{3,}s)[,:]? each (?:[a-z]+ )?(?:has|with) (?=[a-z])", re.I), r"add \g<list> with "),
    (re.compile(r" (?:as well|too)(?= \([^()]*,)", re.I), ""),
    (re.compile(r", in (?=(?:minutes|hours|days|euros|dollars|metres|meters|km|kg|cm)\b)", re.I), " in "),
    (re.compile(r"\bcall them (?P<new>[a-z]{3,30}) instead of (?P<old>[a-z]{3,30})\b", re.I), r"rename \g<old> to \g<new>"),
    (re.compile(r"\bgive (?:it|the app) (?:a|the) (?:title|name)(?::| of)? (?=[A-Z])"), "call it "),
    (re.compile(rf"\b(?P<call>call (?:the app|it) [\w' ]{{2,40}}), (?P<colour>{'|'.join(_ACCENTS)})(?=[,.;\n]|$| and\b)", re.I), r"\g<call>. make it \g<colour>"),
    (re.compile(r"\bthere(?:'s| is) (?:another|an?)(?: [a-z]+)? (?P<field>[a-z]{3,20}): (?P<value>[a-z][a-z ]{1,30})(?=[.;,\n]|$)", re.I), r"add \g<value> to the \g<field>"),
    (re.compile(r"(?:^|(?<=[.;\n])\s*|, )(?P<old>[a-z][a-z ]{1,30}?) (?:->|→|=>) (?P<new>[a-z][a-z ]{1,30}?)(?=[.;,\n]|$)", re.I), r". rename \g<old> to \g<new>"),
    (re.compile(r"(?P<start>^|[.;\n]\s*)(?:we|i) (?:also )?need (?P<list>[a-z]{3,}s) with (?=[a-z])", re.I), r"\g<start>add \g<list> with "),
    (re.compile(r"(?P<start>^|[.;\n]\s*)(?:we|i) need an? (?=[\w ]{2,30} \([^()]*,)", re.I), r"\g<start>add a "),
    (re.compile(r"^(?:the )?(?P<old>[a-z]{3,}s) (?:are|should be) called (?P<new>[a-z]{3,}s)(?: from now on)?\W*$", re.I), r"call \g<old> \g<new>"),
    (re.compile(r"^(?:please )?(?:don't|do not) change [\w ]{2,30}, (?:just|only) ", re.I), ""),
    (re.compile(r"(?:^|(?<=[.;\n] ))(?:the )?(?P<what>[\w ]{2,30}?) (?:is not|isn't|are not|aren't) (?:needed|used) (?:any longer|any ?more)(?=[.;,\n]|$)", re.I), r"remove \g<what>"),
    (re.compile(r"\b(?P<title>Dr|Mr|Mrs|Ms|Prof|St)\. (?=[A-Z])"), r"\g<title> "),
    (WHETHER, r"\g<what> (yes/no)"),
    (re.compile(r"(?P<start>^|[.;\n]\s*)(?:and |also |plus )*(?:an?|another) (?P<what>list|table) (?P<of>of|for) ", re.I), r"\g<start>add a \g<what> \g<of> "),
    (re.compile(r"(?<=\w), with (?=[a-z])", re.I), " with "),
    (re.compile(r"\b(?P<verb>add|include|put in) (?P<what>[\w ]{2,40}?) at the (?:bottom|end)(?=[,.;\n]|$)", re.I), r"\g<verb> \g<what>"),
    (re.compile(r"\b(?P<verb>rename|change) (?P<old>[\w \"]{2,40}?) (?P<to>to|into) (?P<new>\"?[\w ]{2,40}?\"?) and make it (?P<how>required|mandatory|optional)\b", re.I), r"\g<verb> \g<old> \g<to> \g<new> and make \g<new> \g<how>"),
    (re.compile(r"\b(?P<verb>add|include) (?:an? |the )?(?P<new>(?!.*\band\b)[\w ]{2,40}?)(?P<kind> field| column)? and make it (?P<how>required|mandatory|optional)\b", re.I), r"\g<verb> \g<new>\g<kind> and make \g<new> \g<how>"),
    (re.compile(r"^(?:h+m+,? )?(?:the \w+ is (?:too )?\w+,? )?(?:(?:can|could) we have|use|try|(?:i'd|we'd) like|(?:i|we) want) (?:something |an? )?(?:[a-z]+-?ish )?(?:like )?(?P<colour>#[0-9a-f]{6})\W*$", re.I), r"make it \g<colour>"),
    (re.compile(r"(?P<start>^|[.;\n,]\s*|\band )(?:(?:could|can|may) (?:we|i) (?:please )?(?:also |maybe )?(?:have|get)|(?:we|i)(?:'d| would) (?:also )?like(?! (?:to|it|the)\b)|(?:we |i )?also need(?! to\b))\s+", re.I), r"\g<start>add "),
    (re.compile(r"\b(?:i|we)(?:'d| would) (?:prefer|like) (?:it|the app|this) (?:in|to be)\s+", re.I), "make it "),
    (re.compile(r"(?<=\w) with a (?P<mode>dark|light) (?:background|theme|mode)\b", re.I), r" and \g<mode>"),
    (re.compile(r"\b(?:take|throw|leave) (?P<what>(?:the |that )?[\w' ]{2,30}?) (?:off|out|away)(?: again)?(?=[,.;\n]|$)", re.I), r"remove \g<what>"),
    (re.compile(r"\b(?:take off|throw out|leave out|lose|scrap|ditch|kill|cut) (?=\w)", re.I), "remove "),
    (re.compile(r",? (?:nobody|no one|noone) (?:uses|needs|wants|reads) (?:it|that|them)\b|, (?:it is|it's|they are|they're) (?:not|never|no longer) (?:used|needed)\b", re.I), ""),
    (re.compile(r"\badd to (?:each |every |the |all )?(?P<list>[a-z]+)\s*[:,]\s*(?P<fields>[^.;\n]+)", re.I), r"add \g<fields> to \g<list>"),
    (re.compile(r"\b(?P<verb>an?|add) link to (?:the |our |an? )?(?P<what>[\w ]{2,30}?)(?= and\b|[,.;\n]|$)", re.I), r"\g<verb> \g<what> link"),
    (re.compile(r"\b(?:an? )?(?P<kind>checkbox|check box|tick ?box|toggle|flag|yes/no(?: field)?) for (?:the )?(?P<what>[\w \"'“”]{2,30}?)(?= and\b|[,.;:\n]|$)", re.I), r"\g<what> (yes/no)"),
    (re.compile(r"\b(?:an? )?drop-?down (?:list )?for (?:the )?(?P<what>[\w ]{2,30}?)(?: with|:) (?P<list>[^.;:()\n]+)", re.I), r"\g<what> (\g<list>)"),
    (re.compile(r"\b(?:an? )?(?P<kind>date|number|text)(?: field| box| picker)? for (?:the )?(?P<what>[\w ]{2,30}?)(?= and\b|[,.;:\n]|$)", re.I), r"\g<what> (\g<kind>)"),
)  # fmt: skip
"""Other ways to say what the rules read."""


_OF_EACH = re.compile(
    r"\badd (?P<noun>[a-z]{3,}s) (?:to|for|on) (?:each|every|all) (?P<list>[a-z]+)(?:: ?| with )(?P<fields>[^.;:\n]+)", re.I
)  # fmt: skip
"""Several of something for each record are a list of their own: “add comments to each ticket: author, text”."""


def _list_of_each(match: re.Match[str]) -> str:
    if not any(map(known_field, split_list(match["fields"]))):
        return match[0]
    return f"add {match['noun']} with {match['fields']}, {singular(match['list'])}"


def _parted(request: str, manifest: AppManifest) -> str:
    """Return a request with a full stop before what it says of another list or field: “…, and boats have a mooring”."""
    lists = "|".join(map(re.escape, sorted(known_words(manifest.models), key=len, reverse=True)))
    fields = "|".join(re.escape(one.label) for model in manifest.models for one in model.fields)
    if not lists:
        return request
    # “add A to these, B to those, and a list of others”: one verb for several wishes.
    there = rf"(?:the |each |all )?(?:{lists})"
    several = re.compile(
        rf"(?P<first>\badd [^.;\n]{{1,120}}? to {there})(?:,\s*(?:and )?(?=[^,.;\n]{{1,60}}(?:\([^()]*\))? to {there}\b)|,? and (?=an? (?:new )?(?:list|table) (?:of|for|called) ))",
        re.I,
    )
    while (parted := several.sub(r"\g<first>. add ", request)) != request:
        request = parted
    return re.sub(
        rf"(?:,\s+(?:and\s+)?|\s+and\s+)(?=(?:each |every |all )?(?:{lists}) (?:has|have|gets?|needs?)\b|(?:the )?(?:{fields}) (?:is|are) (?:required|mandatory|optional)\b)",
        ". ", request, flags=re.I,
    )  # fmt: skip


def _as_orders(request: str) -> str:
    request = _OF_EACH.sub(_list_of_each, re.sub(r"(?<!\w)'([^'\n]{1,40})'(?!\w)", r'"\1"', request))
    for pattern, instead in _ORDERS:
        request = pattern.sub(instead, request)
    return request


def _apply(state: Changed, clause: str) -> bool:
    """Apply one clause by the first rule that understands all of it."""
    before = (state.manifest, state.last_model)
    for rule in _RULES:
        said = rule(state, clause)
        fitting = _fitting(state.manifest) if said else None
        if fitting and not uncovered(clause, _known(before[0], fitting, said)):
            state.manifest = fitting
            state.done.append(said)
            return True
        # A rule that gives up must leave nothing behind, or people would get what they were told they do not.
        state.manifest, state.last_model = before
    return False


def _known(before: AppManifest, after: AppManifest, said: str) -> set[str]:
    """Return the words that a change covers: those of the app before and after, and of what is said of it."""
    words = {*covered_by(before), *covered_by(after), *stems(said), *_MOVES}
    if after.theme.accent != before.theme.accent:
        # Only the colour that it has now: a second one was not heard.
        words |= {name for name, value in _ACCENTS.items() if value == after.theme.accent}
        words.add(after.theme.accent.lstrip("#"))
    if after.theme.mode != before.theme.mode:
        words |= {after.theme.mode, "bright", "mode", "night"}
    for feature in set(after.features) ^ set(before.features):
        words |= _FEATURE_WORDS.get(feature, set())
    return words


def _fitting(manifest: AppManifest) -> AppManifest | None:
    """Return the manifest with what follows from it, None when it would break a limit."""
    try:
        return completed(manifest)
    except ValidationError:
        return None


def _clauses(request: str) -> list[str]:
    clauses = []
    for raw in _CLAUSES.split(request):
        clause = raw or ""
        while _POLITE.match(clause):
            clause = _POLITE.sub("", clause, count=1)
        if re.search(r"\w", clause):
            clause = re.sub(r"^[-*•\s]+", "", " ".join(clause.split())[:MAX_CLAUSE_CHARS])
            while (shorter := _TAIL.sub("", clause)) != clause:
                clause = shorter
            clauses.append(clause.strip(" ,"))
    return clauses
