"""From a message to a plan: what is asked, the app as it shall be, and what has to be written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.agents import request_for
from core.context import Context
from core.llm.chat import LanguageModel
from core.llm.structured import InvalidAnswer, ask_for
from core.manifests import AppManifest, Page, Plan, PlannedFile, Stack, Triage
from core.ports import Frontend


@dataclass(frozen=True)
class Planned:
    """A plan, and a sentence for the reply when it is the fallback and not the model's."""

    plan: Plan
    caveat: str = ""


async def triage(
    request: str, context: Context, model: LanguageModel, frontends: Sequence[Frontend] = ("html",)
) -> Triage:
    """Ask the core role what the message wants; when its answer is unusable, take it for the obvious: build or change."""
    obvious = Triage(intent="change" if context.tree else "build")
    try:
        found = await ask_for(
            model, request_for("core", _sections(request, context, frontends), images=context.images), Triage
        )
    except InvalidAnswer:
        return obvious
    if found.intent == "question":
        return found
    return found.model_copy(update={"intent": obvious.intent})


async def plan(
    request: str, context: Context, model: LanguageModel, frontends: Sequence[Frontend] = ("html",)
) -> Planned | str:
    """
    Ask the arch role for a plan.

    An answer that does not fit gets one repair turn; then a new app gets the plainest manifest that holds the request,
    and an existing one keeps its own. Both say so. Files without a manifest, which people brought, stay as they are:
    then the sentence is all there is.
    """
    files = context.related([]) if context.tree else None
    sections = _sections(request, context, frontends)
    try:
        found = await ask_for(model, request_for("arch", sections, files_of=files, images=context.images), Plan)
    except InvalidAnswer as error:
        return _fallback(request, context, str(error))
    if not context.tree:
        return Planned(found.model_copy(update={"write": [file.path for file in found.manifest.files]}))
    missing = [file.path for file in found.manifest.files if file.path not in context.tree]
    return Planned(found.model_copy(update={"write": list(dict.fromkeys([*found.write, *missing]))}))


def _sections(request: str, context: Context, frontends: Sequence[Frontend]) -> dict[str, object]:
    return context.sections(request) | {"sandbox": {"frontends": list(frontends)}}


def kept(manifest: AppManifest) -> Planned:
    """Return the plan for a message that brings files and no words."""
    return Planned(Plan(manifest=manifest, summary="Kept your files in the app."))


def _fallback(request: str, context: Context, problem: str) -> Planned | str:
    said = f"The model gave no usable plan ({problem[:200]}), so "
    stays = said + "the app stays as it is. Say it in other words, or try another model."
    if context.manifest is not None:
        return Planned(Plan(manifest=context.manifest, summary="The app stays as it is."), stays)
    if context.tree:
        return stays
    return Planned(fallback_plan(request), said + "this is the plainest page that holds your request.")


def fallback_plan(request: str) -> Plan:
    """Return the deterministic plan for a new app: one static page, titled by the request's first words."""
    words = re.findall(r"[A-Za-z0-9]+", request)[:5] or ["App"]
    title = " ".join(words)[:60].capitalize()
    name = re.sub(r"^[^a-z]+", "", "_".join(words).lower())[:40] or "app"
    manifest = AppManifest(
        name=name,
        title=title,
        analysis=request[:2_000],
        kind="static",
        stack=Stack(),
        pages=[Page(path="/", title=title, view="content", text=request[:2_000])],
        files=[
            PlannedFile(path="index.html", role="uix", description="The page"),
            PlannedFile(path="styles.css", role="uix", description="How it looks"),
        ],
        agents=["uix"],
    )
    return Plan(manifest=manifest, write=["index.html", "styles.css"], summary=f"A page titled {title!r}.")
