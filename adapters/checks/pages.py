"""What a page needs to be usable by everyone, and the files it names."""

import asyncio
import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from adapters.checks.material import Check, Material, Report
from core.edits.languages import root
from core.findings import Finding

if TYPE_CHECKING:
    from tree_sitter import Node

_LABELLED = ("aria-label", "aria-labelledby", "title")
_UNLABELLED_INPUTS = ("hidden", "submit", "button", "reset", "image")
_LOADED = {"stylesheet", "icon", "manifest", "preload", "modulepreload", "apple-touch-icon", "shortcut"}
_FILES = {
    "script": "src",
    "link": "href",
    "img": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "iframe": "src",
}


@dataclass
class Element:
    """An element: its tag, attributes, line, and whether something in it can be read aloud."""

    tag: str
    attributes: dict[str, str]
    line: int
    inside: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self) -> "Iterator[Element]":
        """Yield the elements below this one."""
        left = self.inside[::-1]
        while left:
            one = left.pop()
            yield one
            left += one.inside[::-1]

    @property
    def named(self) -> bool:
        """Whether a screen reader has something to say for it."""
        if any(self.attributes.get(name) for name in _LABELLED) or self.text.strip():
            return True
        return any(
            one.text.strip() or one.attributes.get("alt") or one.attributes.get("aria-label") for one in self.all()
        )


def pages_check() -> Check:
    """Return the check of HTML files; only a file that a static page names and that is not there is an error."""

    async def run(material: Material) -> Report:
        return Report(tuple(await asyncio.to_thread(lambda: list(_findings(material)))))

    return Check("pages", 0, lambda material: bool(material.paths(".html")), run)


def _findings(material: Material) -> Iterator[Finding]:
    static = material.manifest is not None and material.manifest.kind == "static"
    for path in material.paths(".html"):
        text = material.tree.text(path)
        top = root(path, text) if text else None
        if top is None:
            continue
        page = Element("", {}, 0)
        _read(top, page)
        whole = any(one.tag == "html" for one in page.all())
        for rule, line, said in [*_people(page), *(_document(page) if whole else ())]:
            yield Finding(rule, "warning", path, line, said, "pages")
        for line, name in _files(page):
            # As a browser does: what leads out of the site ends at its root, and a folder means its start page.
            wanted = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), unquote(name))).lstrip("/")
            start = f"{wanted}/index.html".lstrip("/")
            if static and wanted not in material.tree and start not in material.tree:
                yield Finding("missing-file", "error", path, line, f"{name} is no file of the app.", "pages")


def _read(top: "Node", page: Element) -> None:
    left = [(child, page) for child in reversed(top.named_children)]
    while left:
        node, into = left.pop()
        if node.type in ("element", "script_element", "style_element"):
            tag = node.named_children[0]
            named = next((one for one in tag.named_children if one.type == "tag_name"), None)
            name = named.text.decode().lower() if named is not None and named.text else ""
            element = Element(name, dict(_attributes(tag)), node.start_point[0] + 1)
            into.inside.append(element)
            left += [(child, element) for child in reversed(node.named_children)]
        elif node.type in ("text", "entity") and node.text:
            into.text += node.text.decode()
        elif node.type == "ERROR":
            left += [(child, into) for child in reversed(node.named_children)]


def _attributes(tag: "Node") -> Iterator[tuple[str, str]]:
    for one in tag.named_children:
        if one.type == "attribute" and one.text:
            name, _, value = one.text.decode().partition("=")
            yield name.strip().lower(), value.strip().strip("'\"") or ("" if "=" in one.text.decode() else "yes")


def _people(page: Element) -> Iterator[tuple[str, int, str]]:
    """Yield what keeps people from using a page."""
    elements = list(page.all())
    labelled = {one.attributes.get("for", "") for one in elements if one.tag == "label"}
    in_labels = {id(inner) for one in elements if one.tag == "label" for inner in one.all()}
    for one in elements:
        if one.tag == "img" and "alt" not in one.attributes:
            yield "img-alt", one.line, "An image needs an alt text (an empty one for decoration)."
        if one.tag in ("button", "a") and not one.named and ("href" in one.attributes or one.tag == "button"):
            yield "name", one.line, f"A {'link' if one.tag == 'a' else 'button'} needs a text or an aria-label."
        wants = one.tag in ("input", "select", "textarea") and one.attributes.get("type", "") not in _UNLABELLED_INPUTS
        known = (
            id(one) in in_labels
            or one.attributes.get("id") in labelled
            or any(one.attributes.get(n) for n in _LABELLED)
        )
        if wants and not known:
            yield "label", one.line, f"A field ({one.attributes.get('name', one.tag)}) needs a label or an aria-label."
    ids = Counter(
        one.attributes["id"] for one in elements if one.attributes.get("id") and "{" not in one.attributes["id"]
    )
    for one in elements:
        if ids.get(one.attributes.get("id", ""), 0) > 1:
            yield "duplicate-id", one.line, f"The id {one.attributes['id']} is there {ids[one.attributes['id']]} times."


def _document(page: Element) -> Iterator[tuple[str, int, str]]:
    """Yield what a whole document lacks."""
    elements = list(page.all())
    if not any(one.tag == "html" and one.attributes.get("lang") for one in elements):
        yield "lang", 1, "The html element needs a lang attribute."
    if not any(one.tag == "title" for one in elements):
        yield "title", 1, "The page needs a title."
    if not any(one.tag == "meta" and one.attributes.get("name") == "viewport" for one in elements):
        yield "viewport", 1, "The page needs a viewport for phones: width=device-width."


def _files(page: Element) -> Iterator[tuple[int, str]]:
    """Yield (line, address) of files that a page names without host, query or template."""
    elements = list(page.all())
    if any(one.tag == "base" for one in elements):
        return  # its addresses are another's
    drafts = {id(inner) for one in elements if one.tag == "template" for inner in one.all()}
    for one in elements:
        named = one.attributes.get("rel", "").lower().split()
        if id(one) in drafts or (one.tag == "link" and not _LOADED & set(named)):
            continue
        address = one.attributes.get(_FILES.get(one.tag, ""), "").split("#")[0].split("?")[0]
        address = "" if address == "yes" else address.strip()
        if address and "{" not in address and ":" not in address and not address.startswith("//"):
            yield one.line, address
