"""Answer each role's prompt."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.llm.builtin.change import change
from adapters.llm.builtin.coverage import foreign
from adapters.llm.builtin.plans import DEFAULT_SECTIONS, new_manifest
from adapters.llm.builtin.render import render
from adapters.llm.builtin.understand import looks_of, sentence, understand
from adapters.llm.builtin.words import tidied
from core.context import MEMORY_CHARS
from core.llm.chat import ChatRequest, Completion, Usage
from core.manifests import AppManifest, Plan, Review, Triage
from core.wording import listed, quoted

CONNECT = (
    "To connect a model, set OPENROUTER_API_KEY, OPENAI_API_KEY or another provider's key and start the bot again."
)
LATER = "What was said here stays: say it again then, and it is built with the model."
CAN_BUILD = (
    "The built-in builder makes apps that keep records (“orders with customer, price and due date”), landing pages, and "
    "well-known small apps: to-do, kanban, blog, booking, inventory, survey, CRM."
)
CAN_CHANGE = (
    "The built-in builder can add, rename and remove fields and lists; sort, search, filter, paginate and export; change "
    "titles and colours; add pages."
)
EXAMPLES = ["Build a to-do list", "Build a booking page", "Build an inventory with name, amount and place"]
_QUESTION = re.compile(
    r"^\s*(?:what|which|who|when|where|why|how|is|are|does|do|did|can i|was|were)\b.*\?\s*$", re.I | re.S
)
MOST_NAMED = 8
# What the bot itself writes around people's words.
_OURS = re.compile(
    r"While you were working, .{1,80}? added: |I have edited my earlier message\. It now says:\n"
    r"|In answer to this message of .{1,80}?: "
)
_DECIDED = re.compile(
    r"\b(?:always|never|our (?:brand|company|colou?rs?)|we (?:are called|use|prefer|decided))\b", re.I
)
MAX_REQUEST_CHARS = 20_000
assert MAX_REQUEST_CHARS > MEMORY_CHARS


# A sentence that only tells of a decision; a rule for the app ("a table must never …") is a wish.
_DECIDES = re.compile(r"(?:our|we)\b", re.I)


class BuiltinModel:
    """Deterministic: the same prompt gives the same answer."""

    name = "builtin"

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer a role's prompt; text it is not made for gets a sentence that says so."""
        sections = _sections(request.messages[0].text)
        if request.schema is not None:
            text = _structured(request.role, sections)
        elif len(request.messages) > 1:
            text = f"The place to change does not read as it was written, so I leave it alone. {CONNECT}"
        elif request.role == "debug":
            text = _rewritten(sections)
        else:
            text = _file_answer(sections)
        words = sum(len(message.text) for message in request.messages) // 4
        return Completion(text, self.name, Usage(words, len(text) // 4, 0.0), blind=bool(request.images))


BOT, OFFER = "the bot", "I would build:"
"""Who the bot is in the talk, and how its offer begins."""
_YES = re.compile(
    r"(?:yes|yep|yeah|ok|okay|sure|fine|go|go ahead|do it|do that|please do|build it|build that|without that)"
    r"(?:[,.!]? (?:please|build it|do it|do that|go ahead|without that|thanks|thank you)){0,3}[.!]*", re.I
)  # fmt: skip
_LESS = re.compile(r"\s*(?:just|only|no|not|instead|rather|remove|drop|without)\b", re.I)
_MORE = re.compile(r"\s*(?:and|also|plus|but|with|add|make it)\b", re.I)


def _sections(prompt: str) -> dict[str, Any]:
    """Return the prompt's tagged JSON and its files' texts."""
    found: dict[str, Any] = {"files": {}}
    for match in re.finditer(r"^<(?P<tag>[a-z_]+)>(?P<json>.*)</(?P=tag)>$", prompt, re.M):
        found[match["tag"]] = json.loads(match["json"])
    for match in re.finditer(
        r"^<file path=(?P<path>\"[^\n]*\")>\n`````\n(?P<text>.*?)\n`````\n</file>", prompt, re.M | re.S
    ):
        found["files"][json.loads(match["path"])] = match["text"]
    if "request" in found:
        request, found["agreed"] = tidied(_OURS.sub("", found["request"])), False
        found["changing"] = request.strip() == CHANGE_IT
        if found.get("app") is None:
            request, found["agreed"] = _with_offer(request, found.get("talk") or [])
        found["request"] = request
    return found


def _with_offer(request: str, talk: Sequence[Mapping[str, str]]) -> tuple[str, bool]:
    """Return what is asked for, where it answers an offer to build something: yes to that, or a change of it; and whether it is a yes."""
    wishes: list[str] = []
    said = list(talk)
    while len(said) > 1 and said[-1]["by"] == BOT and said[-1]["said"].startswith(OFFER) and said[-2]["by"] != BOT:
        wishes.insert(0, tidied(said[-2]["said"]).rstrip(" .!"))
        said = said[:-2]
    if not wishes:
        return request, False
    wishes = [wish for wish in wishes if not _YES.fullmatch(wish) and wish != CHANGE_IT] or wishes
    offered = ". ".join(wishes)
    if request.strip() == CHANGE_IT:
        return offered, False
    if _YES.fullmatch(request.strip()):
        return offered, True
    if _LESS.match(request) or (understand(request).clear and not _MORE.match(request)):
        return request, False
    return f"{offered}. {request}", False


def _sentences(request: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n", request) if part.strip()]


def _structured(role: str, sections: dict[str, Any]) -> str:
    if role == "core":
        return _triage(sections).model_dump_json()
    if role == "arch":
        return _plan(sections).model_dump_json()
    return Review(summary=str(sections.get("summary") or "Done.")).model_dump_json()


def _triage(sections: dict[str, Any]) -> Triage:
    request = str(sections["request"])[:MAX_REQUEST_CHARS]
    decisions = [part[:300] for part in _sentences(request) if _DECIDED.search(part)][:8]
    manifest = _manifest(sections.get("app"))
    if manifest is None:
        if not sections.get("tree"):
            return _triage_of_new(
                request, decisions, react=_react(sections), agreed=sections["agreed"], changing=sections["changing"]
            )
        reply = f"The files here were not made by the built-in builder, so it cannot change them. {CONNECT}"
        return Triage(intent="change", reply=reply, questions=["Which model shall I use?"])
    if _SMALL_TALK.fullmatch(request.strip()):
        return Triage(intent="question", reply="You're welcome. Say what to change next, or take a change back with ↩️.")
    if _QUESTION.match(request):
        return Triage(intent="question", reply=_answer(manifest, request), decisions=decisions)
    if language := foreign(request):
        reply = f"That looks like {language}. The built-in builder only reads English. {CONNECT}"
        return Triage(intent="change", reply=reply, questions=["Can you say it in English?"])
    changed = change(manifest, request)
    if changed.done:
        return Triage(intent="change", decisions=decisions)
    if (typed := _TYPE_CHANGE.match(request.strip())) and any(
        one.label.casefold() == typed["field"].casefold() for model in manifest.models for one in model.fields
    ):
        reply = (
            f"A field keeps its type, for what people have typed in could not be read any more. “Replace {typed['field']} with "
            f"{typed['field']} 2 ({typed['type']})” takes it away and adds another one. {CONNECT}"
        )
        return Triage(intent="change", reply=reply, questions=["Shall it go, with what is stored in it?"])
    if decisions and all(_DECIDES.match(part) for part in _sentences(request)):
        return Triage(intent="question", reply="Noted: " + " ".join(decisions), decisions=decisions)
    reply = f"I did not understand “{request[:200]}”. {CAN_CHANGE} {CONNECT}"
    return Triage(intent="change", reply=reply, questions=["Can you say it as one of these changes?"])


_SMALL_TALK = re.compile(
    r"(?:(?:thanks?(?: you| a lot| so much| a bunch| again)?|thx|ty|tysm|cheers|great(?: job| work| stuff)?|awesome|amazing|perfect|brilliant|nice(?: one| work)?|cool|super|"
    r"wow|lovely|well done|good job|good bot|(?:looks|that looks|it looks|that is|that's|this is) (?:great|good|nice|perfect|awesome|amazing|brilliant|lovely)|(?:i|we) love it|love it|"
    r"(?:you're|you are) (?:a star|the best|awesome|great)|exactly (?:what (?:i|we) (?:wanted|needed)|right)|everyone|everybody|team|all|bot|much appreciated|appreciate it)[\s,.!:)-]*){1,5}", re.I
)  # fmt: skip
"""What is said out of courtesy, and asks for nothing."""
_TYPE_CHANGE = re.compile(
    r"(?:please )?(?:make|turn|change|set)\s+(?:the\s+)?(?P<field>[\w ]{1,40}?)\s+(?:to\s+|into\s+|as\s+)?(?:an?\s+)?(?P<type>number|date|yes/no|checkbox|dropdown|date and time|email|phone|url)(?: field)?",
    re.I,
)
_ANSWERS = (
    (r"colou?r|theme|dark|light|font", "Say what it should be, such as “make it green” or “make it dark”."),
    (r"log ?in|password|who can (?:see|open|use|edit|change)|private|public|users?\b|accounts?",
     "Its apps have no accounts of their own: whoever has the link to a preview can use it, and see and change everything."),
    (r"csv|excel|export|download|spreadsheet", "Say “add a CSV export”, and every list can be downloaded."),
    (r"undo|take (?:it|that) back|go back|revert", "↩️ on my answer takes back what it did; ↪️ does it again."),
    (r"delete|remove", "Say what should go: “remove the phone”, or “delete the owners list”."),
    (r"add|more fields?|another", "Say what should come: “add a due date to orders”, or “add suppliers with name and phone”."),
)  # fmt: skip
"""Questions about the builder itself that people ask most, by the words in them."""


def _answer(manifest: AppManifest, question: str) -> str:
    """Answer a question: how something is done here, and else what the app keeps."""
    how = re.match(
        r"\s*(?:how (?:do|can|would|could)|can i|where (?:do|can)|why (?:is|are|can)|who can|is (?:there|it)|are there)\b",
        question,
        re.I,
    )
    told = (
        next((said for pattern, said in _ANSWERS if re.search(rf"\b(?:{pattern})", question, re.I)), "") if how else ""
    )
    return f"{told} {_facts(manifest)}" if told else _facts(manifest)


AGREE, CHANGE_IT, CONNECT_ONE = "Yes, build it", "Change it", "Connect a model"
"""What people can answer to an offer, beside the wish in a sentence that needs no offer to be understood."""


def _triage_of_new(
    request: str, decisions: list[str], *, react: bool, agreed: bool = False, changing: bool = False
) -> Triage:
    """Build only what was understood whole, or was `agreed` to; show the rest before anything is built."""
    if language := foreign(request):
        reply = f"That looks like {language}. The built-in builder only reads English. {CONNECT}"
        return Triage(intent="build", reply=reply, questions=["Can you say it in English?"], options=EXAMPLES)
    if _SMALL_TALK.fullmatch(request.strip()):
        return Triage(intent="question", reply=f"You're welcome. {CAN_BUILD}")
    if request.strip() == CONNECT_ONE:
        return Triage(intent="question", reply=f"{CONNECT} `python -m bot doctor` says whether it answers. {LATER}")
    found = understand(request, react=react)
    if not found.clear:
        reply = f"I do not see in that what the app should keep or show. {CAN_BUILD} {CONNECT}"
        asked = ["What should the app keep, with which fields?"]
        return Triage(intent="build", reply=reply, questions=asked, options=EXAMPLES)
    if agreed or not (found.left_out or found.unsure or changing):
        return Triage(intent="build", decisions=decisions)
    told = "; ".join(
        f"a list “{model.plural.lower()}” with {', '.join(one.label.lower() for one in model.fields)}"
        for model in found.models
    )
    would = told or f"a page “{found.title}” with the sections {', '.join(found.sections or DEFAULT_SECTIONS)}"
    would += f", in {' and '.join(looks)}" if (looks := looks_of(found)) else ""
    reply, simply = f"{OFFER} {would}.", sentence(found)
    if found.left_out:
        reply += f"\nLeft out (a model could do that): {listed(quoted(found.left_out), MOST_NAMED)}.\n{CONNECT}"
    asked = ["Shall I build it without that?" if found.left_out else "Shall I build it like that?"]
    if changing:
        asked = ["What should be different? Add to it (“and a phone number”), or say the whole anew in one message."]
    options = [simply or AGREE, *([] if changing else [CHANGE_IT]), CONNECT_ONE]
    return Triage(intent="build", reply=reply[:4_000], questions=asked, options=options)


def _react(sections: Mapping[str, Any]) -> bool:
    return "react" in (sections.get("sandbox") or {}).get("frontends", [])


def _facts(manifest: AppManifest) -> str:
    kept = "; ".join(f"{model.plural}: {', '.join(field.label for field in model.fields)}" for model in manifest.models)
    return (
        f"{manifest.title} keeps {kept}."
        if kept
        else f"{manifest.title} has the pages {', '.join(page.title for page in manifest.pages)}."
    )


def _plan(sections: dict[str, Any]) -> Plan:
    request = str(sections["request"])[:MAX_REQUEST_CHARS]
    before = _manifest(sections.get("app"))
    if before is None:
        react = _react(sections)
        manifest = new_manifest(request, understand(request, react=react), react=react)
        kept = " and ".join(model.plural.lower() for model in manifest.models)
        summary = f"{manifest.title}: an app that keeps {kept}." if kept else f"{manifest.title}: a page to start from."
        return Plan(manifest=manifest, write=[file.path for file in manifest.files], summary=summary)
    changed = change(before, request)
    after = changed.manifest
    paths = {file.path for file in after.files}
    write = [path for path in sorted(paths) if render(after, path) != render(before, path)]
    said = "; ".join(changed.done)
    summary = said[:1].upper() + said[1:] + "." if said else "Nothing changed."
    if changed.missed:
        summary += f" {CONNECT}"
    removed = [one.path for one in before.files if one.path not in paths]
    left = [one[:300] for one in changed.missed[:20]]
    return Plan(manifest=after, write=write, remove=removed, summary=summary, left_out=left)


def _manifest(value: Any) -> AppManifest | None:
    return AppManifest.model_validate(value) if value is not None else None


def _file_answer(sections: dict[str, Any]) -> str:
    """Write one file: whole when it is new, as the difference of two versions when it exists."""
    path = str(sections["write"]["path"])
    after = AppManifest.model_validate(sections["manifest"])
    new = render(after, path)
    if new is None:
        return f"The built-in builder does not know how to write {path}. {CONNECT}"
    before = _manifest(sections.get("app"))
    old = render(before, path) if before is not None else None
    if old is None or path not in sections["files"]:
        return f"FILE: {path}\n``````\n{new.removesuffix(chr(10))}\n``````\n"
    return f"FILE: {path}\n" + "\n".join(_blocks(old, new))


def _rewritten(sections: dict[str, Any]) -> str:
    """Write the files that findings name as they should be."""
    manifest = AppManifest.model_validate(sections["manifest"])
    parts = []
    for path in dict.fromkeys(str(one["path"]) for one in sections["findings"]):
        content = render(manifest, path)
        if content is not None:
            parts.append(f"FILE: {path}\n``````\n{content.removesuffix(chr(10))}\n``````\n")
    return "\n".join(parts) or f"The built-in builder cannot repair these files. {CONNECT}"


def _blocks(old: str, new: str) -> list[str]:
    """Return SEARCH/REPLACE blocks that turn `old` into `new`, each with enough context to stand at one place only."""
    before, after = old.removesuffix("\n").split("\n"), new.removesuffix("\n").split("\n")
    changes = [
        one for one in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if one[0] != "equal"
    ]
    # Spans of `before` to quote: grown until unique, merged where they touch.
    spans: list[list[int]] = []
    for _, a1, a2, _, _ in changes:
        start, end = _unique_span(before, a1, a2)
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    blocks = []
    for start, end in spans:
        replacement, at = list[str](), start
        for _, a1, a2, b1, b2 in changes:
            if start <= a1 and a2 <= end:
                replacement += before[at:a1] + after[b1:b2]
                at = a2
        replacement += before[at:end]
        blocks.append("\n".join(["<<<<<<< SEARCH", *before[start:end], "=======", *replacement, ">>>>>>> REPLACE"]))
    return blocks


def _unique_span(lines: list[str], start: int, end: int) -> tuple[int, int]:
    """Grow lines[start:end] on both sides until it has context and stands at one place, ignoring indentation."""
    stripped = [line.strip() for line in lines]
    start, end = max(0, start - 1), min(len(lines), end + 1)
    while True:
        wanted = stripped[start:end]
        hits = sum(stripped[at : at + len(wanted)] == wanted for at in range(len(lines) - len(wanted) + 1))
        if (hits == 1 and any(wanted)) or (start == 0 and end == len(lines)):
            return start, end
        start, end = max(0, start - 1), min(len(lines), end + 1)
