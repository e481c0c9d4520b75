"""
One turn, read downwards: from a person's message to one good commit, or to an untouched head.

`run_turn` is the whole story. Every `steps.` call is durable: after a crash the turn goes on behind the last one that
finished. The head moves in exactly one place, inside the transaction that also records that the step is done.
"""

import base64
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import dropwhile, islice

from core import attachments, checking, generation, keeping, planning, steering, undoing
from core.agents import request_for
from core.attachments import Fetch, folder_of
from core.checking import Verdict
from core.context import Context
from core.edits import Refusal
from core.errors import BudgetExceeded
from core.files import FileTree
from core.findings import CheckResult, Finding, blocking
from core.history import Commit, Committed, Draft
from core.keeping import Work
from core.llm.chat import LanguageModel, Usage
from core.llm.metered import Budget, MeteredModel
from core.llm.structured import InvalidAnswer, ask_for
from core.locks import locks_of
from core.manifests import BESIDE_PATH, MANIFEST_PATH, AppManifest, Plan, Review, Triage, manifest_of, manifest_path
from core.memory import Memory, kind_of
from core.messages import Outcome, PreviewState, Progress, Signal, TurnRequest, TurnResult
from core.ports import (
    Checks,
    Frontend,
    MemoryStore,
    PreviewHost,
    ProgressSink,
    Repository,
    Steps,
    Transcript,
    Tx,
    Waivers,
)  # fmt: skip
from core.receipts import not_verified
from core.sessions import Author, Session
from core.wording import quoted

MAX_RESTARTS = 5
"""How often what was said meanwhile lets a turn begin anew; each time costs the calls that were under way."""
FULL = 0.7
"""How full the model's context may be before that is told."""
BLIND = "The model cannot look at pictures; it only knows their names and addresses."
HISTORY = 12
"""How many commits the model hears of."""


@dataclass(frozen=True)
class TurnPorts:
    """What a turn needs of the world."""

    model: LanguageModel
    repository: Repository
    checks: Checks
    preview: PreviewHost
    memory: MemoryStore
    progress: ProgressSink
    budget: Budget = field(default_factory=Budget)
    frontends: tuple[Frontend, ...] = ("html",)
    talk: Transcript | None = None
    fetch: Fetch | None = None
    waivers: Waivers | None = None
    document: attachments.ReadDocument | None = None
    locks: tuple[str, ...] = ()
    """The lock files of front ends that are known."""


@dataclass(frozen=True)
class Proposal:
    """
    What a turn would commit, or the answer it ends with when there is nothing to commit (`outcome` is set).

    `changes` are texts by path, None for a file that goes; `uploads` are other files, in base64.
    """

    outcome: Outcome | None
    message: str
    parent: str | None = None
    changes: dict[str, str | None] = field(default_factory=dict)
    title: str = ""
    checks: tuple[CheckResult, ...] = ()
    decisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    uploads: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    context: float = 0.0
    edits: dict[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


async def run_turn(request: TurnRequest, session: Session, ports: TurnPorts, steps: Steps) -> TurnResult:
    """
    Carry out one turn and return its result; the result never claims more than the checks and the preview saw.

    Raises:
        BotError: the world failed before the commit; the head is where it was.
    """
    if request.kind in ("undo", "redo"):
        return await _reverse(request, session, ports, steps)
    if request.kind == "aside":
        return await steps.step("aside", partial(_aside, request, ports), TurnResult)

    model, work = MeteredModel(ports.model, ports.budget), Work()
    added, begun = request.added, 1
    while True:
        attempt = partial(propose, steering.asked(request, added), request, ports, model, work)
        if begun > MAX_RESTARTS:
            # Enough said: what comes now becomes a turn of its own.
            answer: Proposal | list[Signal] = await steps.step("propose", attempt, Proposal)
        else:
            answer = await steps.interruptible("propose", attempt, Proposal)
        if isinstance(answer, Proposal):
            break
        added, begun = steering.counted([*added, *answer]), begun + 1
        if (stop := answer[-1]).kind == "stop":
            said = f"Stopped by {stop.author.name}. The app is as it was before."
            notes = [f"Stopped with it: {steering.named(added)}."] if added else []
            notes += [stop.text] if stop.text else []
            result = TurnResult(
                request.turn_id, "stopped", said, notes=tuple(notes), usage=model.usage,
                model=", ".join(sorted(model.models)),
            )  # fmt: skip
            return await _kept(result, request, work, ports, steps)

    heard = (f"With what was added meanwhile: {steering.named(added)}.",) if added else ()
    result = TurnResult(
        request.turn_id, answer.outcome or "done", answer.message, checks=answer.checks, notes=(*answer.notes, *heard),
        usage=answer.usage, model=answer.model, parent=answer.parent or "", options=answer.options,
        context=answer.context, edits=answer.edits, left_out=answer.left_out,
    )  # fmt: skip
    if answer.outcome in ("blocked", "over_budget"):
        return await _kept(result, request, work, ports, steps)
    if answer.outcome is not None:
        return result

    involved = dict.fromkeys([*request.helpers, *(one.author for one in added)])
    helpers = tuple(one for one in involved if one != request.author)
    committed = await steps.transaction("commit", lambda tx: _commit(tx, request, helpers, answer, ports), Committed)
    if committed.clashes:
        return _clashed(result, committed, "Your change does not fit any more")

    return await _seen(result, committed, committed.merged, session, ports, steps)


async def propose(asked: str, request: TurnRequest, ports: TurnPorts, model: MeteredModel, work: Work) -> Proposal:
    """Plan, write, check and repair, without touching the head; safe to run again. `work` has what is written so far."""
    try:
        proposal = await _propose(asked, request, ports, model, work)
    except BudgetExceeded as error:
        proposal = Proposal("over_budget", str(error))
    models = ", ".join(sorted(model.models))
    notes = [BLIND] if model.blind else []
    if model.context >= FULL:
        full = f"What the model was shown filled {model.context:.0%} of its context"
        notes.append(f"{full}; say less at once, or let the app be split, before something is left out.")
    proposal = replace(proposal, notes=(*proposal.notes, *notes))
    return replace(proposal, usage=model.usage, model=models, context=model.context, edits=dict(work.edits))


async def _propose(asked: str, request: TurnRequest, ports: TurnPorts, model: MeteredModel, work: Work) -> Proposal:
    show = _Card(ports.progress, model)
    show.step("Reading the app")
    head = request.base or await ports.repository.head(request.session_id)
    context = await _context(asked, request, head, ports)
    work.begin(head, context.tree)
    context, notes = await _with_files(context, request, ports)
    if not request.text.strip() and (pasted := attachments.pasted(context.attached)):
        asked, context = f"{pasted}\n\n{asked}".strip(), replace(context, attached=[])
    title = _title(asked)
    asked = f"{asked}\n\n{request.about}" if request.about else asked

    show.step("Planning")
    if context.attached and context.manifest and not asked.strip():
        wanted, planned = Triage(intent="change"), planning.kept(context.manifest)
    else:
        wanted = await planning.triage(asked, context, model, ports.frontends)
        if (answer := _without_change(wanted, head, notes, context)) is not None:
            return answer
        found = await planning.plan(asked, context, model, ports.frontends)
        if isinstance(found, str):
            return Proposal("asked", found, head, notes=tuple(notes))
        planned = found
    plan, manifest_at = planned.plan, manifest_path(context.tree)
    notes += [planned.caveat] if planned.caveat else []
    if not plan.write and not plan.remove and plan.manifest == context.manifest and not context.attached:
        return Proposal(
            "asked", plan.summary or "Nothing in the app needs to change for that.", head, notes=tuple(notes)
        )

    show.step(f"Writing {len(plan.write)} file{'s' * (len(plan.write) != 1)}")
    work.tree = context.tree.changed({manifest_at: plan.manifest.to_bytes()})
    written = await generation.write_files(asked, plan, context, model, show.file, work)
    if written.refused:
        return Proposal("blocked", _refused(written.refused), head, notes=tuple(notes))
    if written.unchanged and len(written.unchanged) == len(plan.write) and not plan.remove and not context.attached:
        names = ", ".join(written.unchanged[:5])
        said = f"The model found nothing to change in {names}. Say what should be different in other words."
        return Proposal("asked", said, head, notes=tuple(notes))
    if manifest_at == BESIDE_PATH and BESIDE_PATH not in context.tree:
        notes.append(f"Your own {MANIFEST_PATH} is left alone; what describes the app is in {BESIDE_PATH}.")
    uploads = {f"{folder_of(plan.manifest)}/{one.name}": one.content for one in context.attached}
    notes += [f"Put {path} into the app; it is served as /uploads/{path.rpartition('/')[2]}." for path in uploads]
    locks = locks_of(written.tree, ports.locks)
    work.tree = written.tree.changed({manifest_at: plan.manifest.to_bytes(), **uploads, **locks})

    show.step("Checking")
    verdict, repairs = await _checked(asked, plan.manifest, ports, model, show, work, request.session_id)
    work.tree = verdict.tree
    if repairs:
        notes.append(f"Repaired {repairs} time{'s' * (repairs != 1)} after the checks found something.")
    if verdict.blocking:
        return Proposal("blocked", _blocked(verdict), head, checks=verdict.results, notes=tuple(notes))

    changes = context.tree.changes_to(verdict.tree)
    written_changes = {path: body for path, body in changes.items() if path not in uploads}
    summary, remarks = await _described(asked, plan, written_changes, context.tree, model)
    return Proposal(
        None,
        summary,
        head,
        {path: body.decode() if body is not None else None for path, body in written_changes.items()},
        title=title,
        checks=verdict.results,
        decisions=tuple(wanted.decisions),
        notes=(*notes, *remarks),
        left_out=tuple(plan.left_out),
        uploads={path: base64.b64encode(body).decode() for path, body in changes.items() if path in uploads and body},
    )


def _without_change(wanted: Triage, head: str | None, notes: list[str], context: Context) -> Proposal | None:
    """Return the answer to a message that needs no change, None for one that does."""
    if context.attached:
        names = ", ".join(one.name for one in context.attached)
        notes = [*notes, f"Nothing was changed, so {names} is not in the app; send it again with your answer."]
    if wanted.intent == "question":
        said = wanted.reply or "I have no answer to that."
        return Proposal("done", said, head, decisions=tuple(wanted.decisions), notes=tuple(notes))
    if wanted.questions:
        said = "\n".join([wanted.reply, *wanted.questions]).strip()
        return Proposal("asked", said, head, notes=tuple(notes), options=tuple(wanted.options))
    return None


async def _context(asked: str, request: TurnRequest, head: str | None, ports: TurnPorts) -> Context:
    """Return what is known of the app and its thread when the turn starts."""
    context = Context.of(
        await ports.repository.tree(request.session_id, head),
        await ports.memory.standing(request.session_id),
        await ports.memory.recall(request.session_id, asked),
        await _log(request, ports),
    )
    if ports.talk is None:
        return context
    return replace(context, talk=await ports.talk.talk(request.session_id, request.resumes or request.turn_id))


async def _log(request: TurnRequest, ports: TurnPorts) -> list[Commit]:
    """Return the history that the turn starts from."""
    if not request.base:
        return await ports.repository.log(request.session_id, HISTORY)
    found = await ports.repository.log(request.session_id)
    return list(islice(dropwhile(lambda commit: commit.id != request.base, found), HISTORY))


async def _with_files(context: Context, request: TurnRequest, ports: TurnPorts) -> tuple[Context, list[str]]:
    """Add the files that came with the message, and what could not be read of them."""
    if not request.files or ports.fetch is None:
        return context, []
    folder = folder_of(context.manifest) + "/"
    taken = [path.removeprefix(folder) for path in context.tree if path.startswith(folder)]
    attached, problems = await attachments.read(request.files, ports.fetch, taken, ports.document)
    return replace(context, attached=attached), problems


async def _aside(request: TurnRequest, ports: TurnPorts) -> TurnResult:
    """Answer a question beside the work, from what is committed; the app is not touched."""
    model = MeteredModel(ports.model, ports.budget)
    head = await ports.repository.head(request.session_id)
    context = await _context(request.text, request, head, ports)
    found = await planning.triage(request.text, context, model)
    said = found.reply or "I don't have an answer to that. Without “btw” I would treat it as a request."
    models = ", ".join(sorted(model.models))
    return TurnResult(request.turn_id, "done", said, usage=model.usage, model=models)


async def _checked(
    asked: str,
    manifest: AppManifest,
    ports: TurnPorts,
    model: LanguageModel,
    show: "_Card",
    work: Work,
    session_id: str,
) -> tuple[Verdict, int]:
    """Check what was written, and repair what this turn broke: linters mend what they can, then the debug role."""
    parent = work.before
    waived = await ports.waivers.waived(session_id) if ports.waivers else {}

    async def fix(broken: FileTree, findings: tuple[Finding, ...]) -> FileTree:
        show.step(f"Repairing {len(findings)} finding{'s' * (len(findings) != 1)}")
        return (await generation.repair(asked, broken, manifest, findings, model, work)).tree

    async def judged(changed: FileTree) -> Verdict:
        return await checking.judge(changed, parent, manifest, ports.checks, show.detail, waived)

    async def weighed(verdict: Verdict) -> Verdict:
        return await checking.weighed(verdict, parent, manifest, ports.checks, waived)

    async def again(changed: FileTree) -> Verdict:
        return await weighed(await judged(changed))

    first = await judged(work.tree)
    if rules := checking.mendable(first, parent):
        mended = await ports.checks.fixed(first.tree, rules)
        if mended != first.tree:
            second = await judged(mended)
            first = second if second.merit >= first.merit else first
    return await checking.repaired(await weighed(first), fix, again)


async def _described(
    asked: str, plan: Plan, changes: dict[str, bytes | None], parent: FileTree, model: LanguageModel
) -> tuple[str, list[str]]:
    """Return the summary for people; the quality role writes it when the plan asks for one, else the plan has it."""
    if "quality" not in plan.manifest.agents:
        return plan.summary or "Done.", []
    files = {path: body.decode()[:20_000] for path, body in changes.items() if body is not None}
    sections = Context(parent, None).sections(asked) | {"summary": plan.summary}
    try:
        review = await ask_for(model, request_for("quality", sections, files_of=files), Review)
    except InvalidAnswer:
        return plan.summary or "Done.", []
    return review.summary, review.notes


async def _commit(
    tx: Tx, request: TurnRequest, helpers: tuple[Author, ...], proposal: Proposal, ports: TurnPorts
) -> Committed:
    draft = Draft(
        session_id=request.session_id,
        parent=proposal.parent,
        changes={
            **{path: None if text is None else text.encode() for path, text in proposal.changes.items()},
            **{path: base64.b64decode(body) for path, body in proposal.uploads.items()},
        },
        title=proposal.title,
        body=proposal.message,
        turn_id=request.turn_id,
        author=request.author,
        helpers=helpers,
        link=request.link,
        model=proposal.model,
        variant="default",
        prevails=bool(request.base),
    )
    committed = await ports.repository.commit(tx, draft)
    if not committed.clashes:
        learned = [Memory(kind_of(text), text, request.turn_id) for text in proposal.decisions]
        learned.append(
            Memory(
                "request", (request.text or proposal.title)[:2_000], request.turn_id, tuple(sorted(proposal.changes))
            )
        )
        await ports.memory.remember(tx, request.session_id, learned)
    return committed


async def _kept(result: TurnResult, request: TurnRequest, work: Work, ports: TurnPorts, steps: Steps) -> TurnResult:
    """Keep what was written beside the app. Whether that succeeds or not, it is what the result says."""
    try:
        draft = await keeping.kept_draft(work, request, _title(request.text), ports.checks)

        async def keep(tx: Tx) -> Committed:
            return await ports.repository.keep(tx, draft) if draft else Committed()

        # Also with nothing to keep: a turn that goes on after a crash has to find the same steps, and has no work.
        kept = await steps.transaction("keep", keep, Committed)
    except Exception as error:  # noqa: BLE001 - see above
        return replace(result, notes=(*result.notes, f"What was written could not be kept: {error}"[:300]))
    if not kept.commit:
        return result
    told = f"What was written is kept beside the app as {kept.commit[:10]}."
    return replace(result, kept=kept.commit, files=kept.files, notes=(*result.notes, told))


async def _reverse(request: TurnRequest, session: Session, ports: TurnPorts, steps: Steps) -> TurnResult:
    """An undo or a redo: one commit that reverses, through the same checks as any other, then the preview."""
    assert request.kind in ("undo", "redo")
    undo = request.kind == "undo"
    trial = await steps.step(
        "try",
        partial(undoing.tried, request, ports.repository, ports.checks, ports.waivers, ports.progress),
        undoing.Trial,
    )
    result = TurnResult(
        request.turn_id, "done", "", parent=trial.head, target=trial.target, checks=trial.checks, reverses=request.kind
    )
    if trial.refused:
        return replace(result, outcome="blocked", message=trial.refused)
    committed = await steps.transaction(
        "reverse", lambda tx: undoing.reverse_turn(tx, request, ports.repository, ports.memory), Committed
    )
    result = replace(result, parent=committed.parent, target=trial.target or committed.target)
    if committed.clashes:
        return _clashed(result, committed, undoing.cannot(request, trial.title))
    result = replace(
        result,
        message=f"{'Undone' if undo else 'Redone'}: “{trial.title}”. {'↪️ brings it back' if undo else '↩️ undoes it again'}.",
    )
    moved = committed.parent != trial.head
    return await _seen(result, committed, moved, session, ports, steps)


async def _seen(
    result: TurnResult, committed: Committed, moved: bool, session: Session, ports: TurnPorts, steps: Steps
) -> TurnResult:
    """Look at what was committed; where it is not what was checked, because the head had `moved`, check that too."""
    if moved:
        ports.progress(Progress("Checking what it is together with what came meanwhile", goes_on=True))
        again = await steps.step(
            "check again", partial(checked_late, session, committed, ports), tuple[CheckResult, ...]
        )
        result = replace(result, checks=again)
    return finished(result, committed, await _preview(session, committed.commit, ports, steps), moved=moved)


async def checked_late(session: Session, committed: Committed, ports: TurnPorts) -> tuple[CheckResult, ...]:
    """Check a commit that is there already, as a turn's change is checked before; none where nothing describes the app."""
    tree = await ports.repository.tree(session.id, committed.commit)
    if (manifest := manifest_of(tree)) is None:
        return ()
    before = await ports.repository.tree(session.id, committed.parent or None)
    waived = await ports.waivers.waived(session.id) if ports.waivers else {}
    return (await checking.judge(tree, before, manifest, ports.checks, lambda _: None, waived)).results


def _clashed(result: TurnResult, committed: Committed, what: str) -> TurnResult:
    said, sides = undoing.explain_clashes(committed.clashes, what), undoing.explain_sides(committed.clashes)
    return replace(result, outcome="blocked", message=said, sides=sides, clashed=True)


async def _preview(session: Session, commit: str, ports: TurnPorts, steps: Steps) -> PreviewState:
    """Show the commit. After the commit nothing can fail the turn: whatever happens here is a fact in the reply."""
    try:
        return await steps.step("preview", lambda: _show(session, commit, ports), PreviewState)
    except Exception as error:  # noqa: BLE001 - see above
        return PreviewState("failed", commit=commit, note=f"it could not be started: {error}"[:300])


async def _show(session: Session, commit: str, ports: TurnPorts) -> PreviewState:
    ports.progress(Progress("Starting the preview", goes_on=True))
    tree = await ports.repository.tree(session.id, commit)
    return await ports.preview.show(session.id, session.slug, commit, tree, manifest_of(tree))


def finished(result: TurnResult, committed: Committed, preview: PreviewState, *, moved: bool = False) -> TurnResult:
    """Done only with evidence, and whole: every check ran, and the preview was seen; otherwise unverified, with the reason."""
    notes = list(result.notes)
    if result.left_out:
        notes.insert(0, f"Left out: {', '.join(quoted(result.left_out))}.")
    if committed.merged:
        notes.append("Merged with what people pushed meanwhile.")
    notes += not_verified(result.checks, preview)
    waived = [
        one for check in result.checks for one in check.findings if one.new and one.level == "error" and one.waived
    ]
    if waived:
        notes.append(f"Taken as it is, with {len(waived)} finding{'s' * (len(waived) != 1)} that people said are fine.")
    broken = bool(result.reverses) and any(check.status == "failed" for check in result.checks)
    if broken:
        notes.append("The checks find something in this state of the app, as they did before.")
    errors = blocking(result.checks) if moved else ()
    if errors:
        first = f"{errors[0].path}:{errors[0].line} {errors[0].message}"
        notes.append(f"Together with what came meanwhile the checks find an error, {first}. Undo takes this back.")
    seen = preview.state == "ready" and not preview.problems and not broken and not errors
    ran = bool(result.checks) and all(check.status != "not_run" for check in result.checks)
    verified = seen and ran and not result.left_out and not waived
    return replace(
        result, outcome="done" if verified else "unverified", commit=committed.commit, parent=committed.parent,
        files=committed.files, preview=preview, notes=tuple(notes),
    )  # fmt: skip


def _title(text: str) -> str:
    first = " ".join(text.split()) or "Change"
    return first if len(first) <= 72 else first[:69].rsplit(" ", 1)[0] + "..."


def _refused(refusals: tuple[Refusal, ...]) -> str:
    shown = "\n".join(f"- {one.message}" for one in refusals[:5])
    return f"The model's answer could not be applied, so the app is as it was.\n{shown}"


def _blocked(verdict: Verdict) -> str:
    shown = "\n".join(f"- {one.path}:{one.line} {one.message} ({one.rule})" for one in verdict.blocking[:5])
    return f"The change would break the app, so it was not taken.\n{shown}"


class _Card:
    """Collects the steps and files of a running turn, and shows the whole each time."""

    def __init__(self, sink: ProgressSink, model: MeteredModel) -> None:
        self._sink, self._model = sink, model
        self._steps: list[str] = []
        self._files: list[str] = []

    def step(self, name: str) -> None:
        self._steps.append(name)
        self._show(name)

    def detail(self, name: str) -> None:
        self._show(f"{self._steps[-1]}: {name}")

    def file(self, path: str) -> None:
        self._files.append(path)
        self._show(self._steps[-1])

    def _show(self, step: str) -> None:
        self._sink(Progress(step, tuple(self._steps[:-1]), tuple(self._files), self._model.usage))
