"""Rules about what an app shows: its title, colours, features, views and pages."""

import re
from typing import Literal

from adapters.llm.builtin.known import CSV, FILTER, PAGES, SEARCH, SECTIONS
from adapters.llm.builtin.looks import ACCENTS, accent_in
from adapters.llm.builtin.state import Changed, field_in, model_in, model_with_field, put_feature, put_model, put_theme
from adapters.llm.builtin.words import identifier, label, words_of
from core.manifests import DataField, Page

COLOURS = rf"(?:{'|'.join(ACCENTS)})"
_COLOURED = re.compile(
    rf"(?:make|turn|set|paint|change|colou?r)\s+(?P<what>[^,]{{0,80}}?)\s*\b(?:dark\s+|light\s+)?(?:{COLOURS}\b|#[0-9a-f]{{6}})",
    re.I,
)
_WHOLE = words_of("""
    it this that the a an all our app application everything whole site website page pages theme accent colour color colours
    colors brand main primary look looks style design to be into in with and dark light its
""")
"""What may be coloured: the app as a whole; one button or one list of it may not."""
_OFF = r"\b(?:remove|no|without|turn off|disable)\b"
_FEATURE_NAME = re.compile(
    r"(?:full[- ]?text )?(?:search|filter(?:ing|s)?|csv(?: export| download)?|export|pagination|paging)(?: (?:box|field|bar|function|button))?",
    re.I,
)
_FEATURES = (
    (CSV, r"\bcsv\b|\bexport\b|\bspreadsheet\b", "lists can be downloaded as CSV"),
    (PAGES, r"\bpaginat\w*|\bpaging\b|\bpages of\b|\bper page\b|\b\d+ at a time\b", "long lists are shown in pages"),
    (SEARCH, r"\bsearch\w*", "lists can be searched"),
    (FILTER, r"\bfilter\w*", "lists can be filtered by their choices"),
)  # fmt: skip


_NO_TITLE = re.compile(
    r",\s*(?:please|make|add|and|dark|light|in|with|remove|sort|use|change|show)\b|\b(?:instead of|rather than|because|since)\b|^(?:something|anything|whatever)\b",
    re.I,
)
"""What is more than a title, or none yet: “Velo, please make it green”, “something nicer”."""


def title(state: Changed, clause: str) -> str:
    """Change the app's title: 'call it Sweet Things'."""
    match = re.match(
        r"(?:(?:change|set|rename|make)\s+(?:the\s+)?(?:app'?s?\s+|page'?s?\s+|site'?s?\s+)?(?:title|name|heading|headline|app|application|site|page)(?:\s+of\s+(?:the\s+|this\s+)?(?:app|site|page))?\s+(?:to|into|as)|"
        r"call\s+(?:it|this|the app|the site|the page)|rename\s+(?:it|this|the app)\s+(?:to|into)|title\s+it)\s+[\"'“]?(?P<title>.+?)[\"'”]?$",
        clause, re.I,
    )  # fmt: skip
    if not match:
        return ""
    named = re.match(
        r"(?:rename|change|set|make)\s+(?:the\s+)?(?P<what>name|title|heading|headline)\s+(?!of\b)", clause, re.I
    )
    if named and model_with_field(state, named["what"]) is not None:
        return ""  # the field of that name is meant
    if _NO_TITLE.search(match["title"]):
        return ""
    title = label(match["title"])
    pages = [page.model_copy(update={"title": title}) if page.path == "/" else page for page in state.manifest.pages]
    state.manifest = state.manifest.model_copy(update={"title": title, "pages": pages})
    return f"the title is now “{title}”"


def look(state: Changed, clause: str) -> str:
    """Change the theme: 'make it blue', 'use dark mode'."""
    if re.search(
        r"\b(?:don't|do not|not|too|less|late|shipped|when|choice|choices|options?|dropdown)\b", clause, re.I
    ) or re.match(r"(?:add|include)\b.*(?:\(|\bto\b)", clause, re.I):
        return ""
    coloured = _COLOURED.match(clause)
    if coloured and not set(re.findall(r"[a-z]+", coloured["what"].casefold())) <= _WHOLE:
        return ""
    shade = re.search(rf"\bdark {COLOURS}\b", clause, re.I)
    mode = "" if re.search(r"\b(field|column|page)\b", clause, re.I) else _mode(clause)
    accent = accent_in(clause)
    if not re.search(r"\b(colou?rs?|accent|theme|make|use|brand|buttons?|style|it)\b", clause, re.I) or re.search(
        r"\b(field|column)\b", clause, re.I
    ):
        accent = ""
    if accent and shade:
        accent = f"#{''.join(f'{int(accent[at : at + 2], 16) * 3 // 5:02x}' for at in (1, 3, 5))}"
    if mode:
        put_theme(state, mode=mode)
    if accent:
        put_theme(state, accent=accent)
    off = "the dark theme is off" if re.search(_OFF, clause, re.I) else f"the app has a {mode} theme"
    named = f"{shade[0].casefold()} ({accent})" if shade else accent
    return " and ".join([off] * bool(mode) + [f"the accent colour is {named}"] * bool(accent))


def _mode(clause: str) -> Literal["", "dark", "light"]:
    """Return the theme that a clause asks for; 'dark blue' and 'light grey' are colours, not themes."""
    match = re.search(rf"\b(?P<mode>dark|light|bright)(?: mode| theme)?\b(?! {COLOURS}\b)", clause, re.I)
    if not match:
        return ""
    dark = match["mode"].casefold() == "dark" and not re.search(_OFF, clause, re.I)
    return "dark" if dark else "light"


_NEWEST = re.compile(
    r"(?:show |list |put )?(?:the )?(?P<which>newest|latest|most recent|oldest)(?: (?P<model>[\w ]+?))? first$", re.I
)


def _by_age(state: Changed, newest: re.Match[str]) -> str:
    """Sort a list by its first date, or by when its entries were made."""
    models = state.manifest.models
    model = (
        model_in(state, newest["model"])
        if newest["model"]
        else next((one for one in models if len(models) == 1 or one.name == state.last_model), None)
    )
    if model is None:
        return ""
    by = next((one.name for one in model.fields if one.type in ("date", "datetime")), "id")
    down = "" if newest["which"].casefold() == "oldest" else "-"
    put_model(state, model.model_copy(update={"order_by": f"{down}{by}"}))
    return f"{model.plural.lower()} are sorted, the {'newest' if down else 'oldest'} first"


def sort(state: Changed, clause: str) -> str:
    """Sort a list: 'sort orders by due date'."""
    match = re.match(
        r"(?:sort|order|list|show)\s+(?:(?P<model>.+?)\s+)?(?:sorted\s+|ordered\s+)?by\s+(?P<field>.+?)"
        r"(?P<down>\s*,?\s*\(?(?:desc(?:ending)?|newest first|latest first|highest first|most recent first|in reverse|reversed|largest first)\)?)?"
        r"(?:\s*,?\s*\(?(?:asc(?:ending)?|oldest first|lowest first|earliest first|soonest first)\)?)?$",
        clause, re.I,
    )  # fmt: skip
    if newest := _NEWEST.match(clause):
        return _by_age(state, newest)
    if not match:
        return ""
    model = model_in(state, match["model"] or "") or model_with_field(state, match["field"])
    found = field_in(model, match["field"]) if model else None
    if model is None or found is None:
        return ""
    down = "-" if match["down"] else ""
    put_model(state, model.model_copy(update={"order_by": f"{down}{found.name}"}))
    return f"{model.plural.lower()} are sorted by {found.label.lower()}{', highest first' if down else ''}"


_SEARCHED = ("text", "long_text", "email", "phone", "url", "choice", "relation")
"""What the search looks into."""


def _is_named(field: DataField, clause: str) -> bool:
    return re.search(rf"\b{re.escape(field.label)}\b", clause, re.I) is not None


def features(state: Changed, clause: str) -> str:
    """Switch search, filters, pages and CSV on or off."""
    if not state.manifest.models or re.search(r"\b(field|column|page)\b", re.sub(r"per page", "", clause), re.I):
        return ""
    added = re.match(r"(?:add|include)\s+(?:an?\s+)?(?P<what>.+?)\s+to\s+", clause, re.I)
    if added and not _FEATURE_NAME.fullmatch(added["what"]):
        return ""
    removing = re.match(r"(?:remove|delete|drop|disable|turn off)\b", clause, re.I)
    choices = any(one.type in ("choice", "boolean") for model in state.manifest.models for one in model.fields)
    fields = [one for model in state.manifest.models for one in model.fields]
    said = []
    for name, pattern, result in _FEATURES:
        if not re.search(pattern, clause, re.I) or (name == FILTER and not choices):
            continue
        if name == SEARCH and any(_is_named(one, clause) for one in fields if one.type not in _SEARCHED):
            return ""
        if removing:
            kept = [one for one in state.manifest.features if one != name]
            state.manifest = state.manifest.model_copy(update={"features": kept})
            said.append(f"{name} is gone")
        else:
            put_feature(state, name)
            said.append(result)
    return ", ".join(said)


def view(state: Changed, clause: str) -> str:
    """Show a list otherwise: 'show orders as a board'."""
    match = re.search(
        r"\b(?P<model>[a-z][a-z -]*?)\s+(?:as|in|into|on)\s+(?:an?\s+)?(?:kanban\s+)?(?P<view>board|cards?|table|list)\b",
        clause,
        re.I,
    )
    if not match:
        return ""
    model = model_in(state, re.sub(r"^(?:show|display|make|turn|list|put)\s+", "", match["model"], flags=re.I))
    view = {"board": "board", "card": "cards", "cards": "cards"}.get(match["view"].casefold(), "table")
    if model is None or (view == "board" and not any(one.type == "choice" for one in model.fields)):
        return ""
    pages = [
        page.model_copy(update={"view": view}) if page.model == model.name else page for page in state.manifest.pages
    ]
    state.manifest = state.manifest.model_copy(update={"pages": pages})
    return f"{model.plural.lower()} are shown as {'a ' if view != 'cards' else ''}{view}"


def remove_page(state: Changed, title: str) -> str:
    """Remove a page or a section by its title; '' when there is none."""
    # A section is called in many ways: “prices” is “Pricing”.
    section = next((name for name, pattern in SECTIONS.items() if re.fullmatch(pattern, title, re.I)), title)
    wanted = section.casefold() if state.manifest.kind == "static" else title.casefold()
    pages = [page for page in state.manifest.pages if page.model or page.path == "/" or page.title.casefold() != wanted]
    features = [one for one in state.manifest.features if one.casefold() != wanted]
    if len(pages) == len(state.manifest.pages) and len(features) == len(state.manifest.features):
        return ""
    state.manifest = state.manifest.model_copy(update={"pages": pages, "features": features})
    return f"the section {label(title)} is gone" if state.manifest.kind == "static" else f"{label(title)} is gone"


def add_page(state: Changed, clause: str) -> str:
    """Add a page or a section: 'add an about page saying …'."""
    match = re.match(
        r"(?:add|create|include|make)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?P<title>[\w' &-]+?)\s+(?:page|section)"
        r"(?:\s+(?:that says|saying|with(?: the text)?|which says|:)\s*[\"'“]?(?P<text>.+?)[\"'”]?)?$",
        clause, re.I,
    )  # fmt: skip
    if called := re.match(
        r"(?:add|create)\s+(?:an?\s+)?(?:new\s+)?page\s+(?:called|named|about)?\s*[\"'“]?(?P<title>[\w' &-]+?)[\"'”]?(?:\s+(?:saying|with the text)\s+(?P<text>.+))?$",
        clause,
        re.I,
    ):
        match = called
    section = re.match(r"(?:add|create|include)\s+(?:an?\s+|the\s+)?(?P<title>[\w' &-]+?)(?P<text>)$", clause, re.I)
    known = section and any(re.fullmatch(pattern, section["title"], re.I) for pattern in SECTIONS.values())
    if not match and known and state.manifest.kind == "static":
        match, clause = section, f"{clause} section"
    if (
        not match
        or model_in(state, match["title"])
        or re.search(r"\b(?:page|section|link|with)\b", match["title"], re.I)
    ):
        return ""
    # A page about us is called that.
    title = "About us" if match["title"].casefold() == "us" else label(match["title"])
    text = (match["text"] or "").strip(" '\"“”")
    if not title or identifier(title) == "index":
        return ""
    if state.manifest.kind == "static" and re.search(r"\bsection\b", clause, re.I):
        title = next((one for one, pattern in SECTIONS.items() if re.fullmatch(pattern, title, re.I)), title)
        put_feature(state, title)
        return f"the page has a section {title}"
    path = f"/{identifier(title).replace('_', '-')}"
    if any(page.path == path for page in state.manifest.pages):
        return ""
    page = Page(path=path, title=title, view="content", text=text or f"Write something about {title.lower()} here.")
    state.manifest = state.manifest.model_copy(update={"pages": [*state.manifest.pages, page]})
    return f"there is a page {title}"
