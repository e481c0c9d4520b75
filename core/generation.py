"""From a plan to a patch: one call per file, files in parallel, each by the role that owns it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.agents import request_for
from core.concurrency import all_of
from core.context import Context
from core.edits import Delete, Edit, Patched, Refusal, apply_patch, asks_for_removal, parse_answer
from core.files import FileTree
from core.findings import Finding
from core.keeping import Work
from core.llm.chat import ChatRequest, LanguageModel, asked_again
from core.manifests import AppManifest, Plan

PARALLEL_CALLS = 6
MAX_FINDINGS_SHOWN = 20
NO_CHANGE = "NO CHANGE"
"""The answer of a model that finds nothing to change in a file that is there."""


@dataclass(frozen=True)
class Written:
    """
    The tree with the patch applied, or the refusals because of which it stayed as it was.

    `unchanged` are the files that the plan named and of which the model said that they need no change.
    """

    tree: FileTree
    refused: tuple[Refusal, ...] = ()
    unchanged: tuple[str, ...] = ()


async def write_files(
    request: str, plan: Plan, context: Context, model: LanguageModel, on_file: Callable[[str], None], work: Work
) -> Written:
    """
    Write every file that the plan names and remove what it removes; all of it or nothing.

    `on_file` hears each path when its file is written, and `work` has it from then on.
    """
    limit = asyncio.Semaphore(PARALLEL_CALLS)

    async def one(path: str) -> tuple[Edit, ...] | Refusal:
        async with limit:
            edits = await _write(request, path, plan, context, model, work)
        if not isinstance(edits, Refusal):
            work.tree = (await _applied(work.tree, edits, _about(request, plan))).tree
        on_file(path)
        return edits

    answers = await all_of(one(path) for path in plan.write)
    refused = tuple(answer for answer in answers if isinstance(answer, Refusal))
    if refused:
        return Written(context.tree, refused)
    removed = [Delete(path) for path in plan.remove if path in context.tree]
    edits = [edit for answer in answers if not isinstance(answer, Refusal) for edit in answer]
    patched = await _applied(context.tree, [*edits, *removed], _about(request, plan))
    unchanged = tuple(path for path, answer in zip(plan.write, answers, strict=True) if not answer)
    return Written(patched.tree, patched.refused, unchanged)


async def _write(
    request: str, path: str, plan: Plan, context: Context, model: LanguageModel, work: Work
) -> tuple[Edit, ...] | Refusal:
    planned = plan.manifest.file(path)
    assert planned is not None, "Plan refuses files that its manifest does not name"
    role = "edit" if path in context.tree else planned.role
    sections = context.sections(request) | {
        "manifest": plan.manifest.model_dump(mode="json"),
        "write": {"path": path, "role": planned.role, "description": planned.description},
    }
    # How something shall look is for those who write what people see.
    shown = context.images if planned.role == "uix" else ()
    asked = request_for(role, sections, files_of=context.related([path]), images=shown)
    return await _edits_from(_about(request, plan), asked, [path], context.tree, model, work)


def _about(request: str, plan: Plan) -> str:
    """Return what a change is about: what is asked for, and what was planned for it, which may take away what the request does not name."""
    return f"{plan.summary}\n{request}"


async def repair(
    request: str,
    tree: FileTree,
    manifest: AppManifest,
    findings: Sequence[Finding],
    model: LanguageModel,
    work: Work,
) -> Written:
    """Ask the debug role to repair `findings`; it may change the files they name and the manifest's own files."""
    shown = findings[:MAX_FINDINGS_SHOWN]
    paths = list(dict.fromkeys(one.path for one in shown if one.path in tree))
    allowed = {*paths, *(file.path for file in manifest.files)}
    context = Context(tree, manifest)
    sections = context.sections(request) | {
        "manifest": manifest.model_dump(mode="json"),
        "findings": [_finding_for_model(one, tree) for one in shown],
    }
    asked = request_for("debug", sections, files_of=context.related(paths))
    edits = await _edits_from(request, asked, sorted(allowed), tree, model, work, mending=True)
    if isinstance(edits, Refusal):
        return Written(tree, (edits,))
    patched = await _applied(tree, edits, request, mending=True)
    return Written(patched.tree, patched.refused)


async def _applied(tree: FileTree, edits: Sequence[Edit], request: str, *, mending: bool = False) -> Patched:
    """Apply edits beside the event loop: files can be large, and answers wild. Who mends may take away what does not work."""

    def apply() -> Patched:
        return apply_patch(tree, edits, may_remove=asks_for_removal(request), may_drop=mending, request=request)

    return await asyncio.to_thread(apply)


def _finding_for_model(finding: Finding, tree: FileTree) -> dict[str, Any]:
    lines = (tree.text(finding.path) or "").splitlines()
    around = lines[max(0, finding.line - 3) : finding.line + 2] if finding.line else []
    return {
        "rule": finding.rule, "path": finding.path, "line": finding.line, "message": finding.message, "lines": around,
    }  # fmt: skip


async def _edits_from(
    request: str,
    asked: ChatRequest,
    allowed: Sequence[str],
    tree: FileTree,
    model: LanguageModel,
    work: Work,
    *,
    mending: bool = False,
) -> tuple[Edit, ...] | Refusal:
    """Ask; after a refusal ask once more with the reason and the real lines, then once for whole files."""
    answer = ""
    problem: Refusal | None = None
    for hint in ("", "Answer again.", "Answer with the whole file in one fenced block under its FILE line."):
        if problem is not None:
            asked = asked_again(
                asked, answer, f"Not applied: {problem.message}\n{hint}", cut_off=problem.kind == "truncated"
            )
        completion = await model.complete(asked)
        answer = completion.text
        edits, outcomes = await _usable(request, answer, completion.complete, allowed, tree, mending)
        work.edits.update(f"{completion.model} | {outcome}" for outcome in outcomes)
        if not isinstance(edits, Refusal):
            return edits
        problem = edits
    assert problem is not None
    return problem


async def _usable(
    request: str, answer: str, complete: bool, allowed: Sequence[str], tree: FileTree, mending: bool
) -> tuple[tuple[Edit, ...] | Refusal, list[str]]:
    """Return the answer's edits if they are whole, stay inside what was asked for, and apply; and what became of each."""
    edits = await asyncio.to_thread(_read, answer, complete, allowed, tree)
    if isinstance(edits, Refusal):
        return edits, [f"answer | refused: {edits.kind}"]
    patched = await _applied(tree, edits, request, mending=mending)
    if patched.refused:
        return patched.refused[0], [f"edit | refused: {one.kind}" for one in patched.refused]
    return edits, [f"{type(edit).__name__} | {one.tier}" for edit, one in zip(edits, patched.applied, strict=True)]


def _read(answer: str, complete: bool, allowed: Sequence[str], tree: FileTree) -> tuple[Edit, ...] | Refusal:
    if not complete:
        return Refusal("truncated", allowed[0], "The answer was cut off at the token limit.")
    if answer.strip().strip("`*.").upper() == NO_CHANGE and all(path in tree for path in allowed):
        return ()
    edits = parse_answer(answer, allowed[0])
    if isinstance(edits, Refusal):
        return edits
    if strange := [edit.path for edit in edits if edit.path not in allowed]:
        return Refusal(
            "wrong_path", strange[0], f"{strange[0][:100]!r} was not asked for; only {', '.join(allowed[:10])}."
        )
    return edits
