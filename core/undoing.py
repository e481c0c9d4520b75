"""Undo and redo any turn, as new commits; people's later work stays, and a clash moves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.checking import judge
from core.errors import UserError
from core.findings import CheckResult, marked
from core.history import Clash, Commit, Committed, Draft, Reversal, latest_turn, reversal, standing_after
from core.manifests import manifest_of
from core.messages import Progress, TurnRequest
from core.ports import Checks, MemoryStore, ProgressSink, Repository, Tx, Waivers
from core.wording import listed, quoted


async def reverse_turn(tx: Tx, request: TurnRequest, repository: Repository, memory: MemoryStore) -> Committed:
    """
    Take back the turn that `request` names (the latest one when it names none), or bring it back.

    `beyond` means every turn that stands after the target. What was learned in a turn is retracted, or
    learned again, in the same transaction.

    Raises:
        UserError: there is nothing to take back or bring back; or of several turns one clashes, then nothing moves.
    """
    assert request.kind in ("undo", "redo")
    log = await repository.log(request.session_id)
    done = [await _reverse(tx, request, one, repository, memory) for one in _reversals(log, request)]
    if len(done) == 1:
        return done[0]
    if clashes := [clash for one in done for clash in one.clashes]:
        raise UserError(explain_clashes(clashes, "They cannot all be undone"))
    files = {file.path: file for one in done for file in one.files}
    return replace(done[-1], parent=done[0].parent, files=tuple(files.values()))


@dataclass(frozen=True)
class Trial:
    """What would come of a reversal: why it is refused, '' when it is not, and what the checks say."""

    head: str
    target: str
    title: str
    refused: str = ""
    checks: tuple[CheckResult, ...] = ()


async def tried(
    request: TurnRequest, repository: Repository, checks: Checks, waivers: Waivers | None, progress: ProgressSink
) -> Trial:
    """Check what a reversal would leave, before anything moves. A state that the app was in before is never refused."""
    log = await repository.log(request.session_id)
    commits = [one.commit for one in _reversals(log, request)]
    head, last = log[0].id, commits[-1]
    # Several that were taken back at once are brought back at once, by the turn that took them.
    trial = Trial(head, request.turn_id if len(commits) > 1 else "", original_title(last.title))
    wanted = [one.id for one in commits]
    tree = await repository.reversed(request.session_id, wanted, prevails=bool(request.base))
    if tree is None:
        # The reversal itself says what is in the way.
        return trial
    now = await repository.tree(request.session_id, head)
    manifest, before = manifest_of(tree), last.parents[0] if last.parents else None
    seen = tree == await repository.tree(request.session_id, before)
    if manifest is None:
        broken = manifest_of(now) is not None and not seen
        why = "what describes the app would no longer be readable. Nothing was changed."
        return replace(trial, refused=f"{cannot(request, trial.title)}: {why}" if broken else "")
    if seen:
        known = await checks.known(tree, manifest)
        return replace(
            trial, checks=marked(known, [one.fingerprint for result in known for one in result.findings], {})
        )
    progress(Progress("Checking"))
    waived = await waivers.waived(request.session_id) if waivers else {}
    verdict = await judge(tree, now, manifest, checks, lambda _: None, waived)
    if not verdict.blocking:
        return replace(trial, checks=verdict.results)
    shown = "\n".join(f"- {one.path}:{one.line} {one.message} ({one.rule})" for one in verdict.blocking[:5])
    why = "that would break the app, so nothing was changed."
    way = "Undo the later turns first (“Undo to here”), or say what should become of them."
    return replace(trial, refused=f"{cannot(request, trial.title)}: {why} {way}\n{shown}", checks=verdict.results)


def cannot(request: TurnRequest, title: str) -> str:
    """Return the beginning of the sentence that says that a turn cannot be taken back or brought back."""
    return f"“{title}” cannot be {'undone' if request.kind == 'undo' else 'redone'} on its own"


def _reversals(log: Sequence[Commit], request: TurnRequest) -> list[Reversal]:
    """Return what has to be reversed, in order."""
    assert request.kind in ("undo", "redo")
    kind: Literal["undo", "redo"] = "undo" if request.kind == "undo" else "redo"
    if request.beyond:
        return [reversal(log, turn, kind) for turn in standing_after(log, request.target)]
    target = request.target or latest_turn(log, kind)
    # A turn that took back several others is brought back as a whole, the oldest first.
    several = [one.undoes for one in log if one.turn_id == target and one.undoes]
    if len(several) > 1:
        return [reversal(log, turn, "redo") for turn in several]
    return [reversal(log, target, kind)]


async def _reverse(
    tx: Tx, request: TurnRequest, found: Reversal, repository: Repository, memory: MemoryStore
) -> Committed:
    undo = found.wish == "undo"
    draft = Draft(
        session_id=request.session_id,
        parent=None,
        changes={},
        title=f"{'Undo' if undo else 'Redo'}: {original_title(found.commit.title)}",
        turn_id=request.turn_id,
        author=request.author,
        link=request.link,
        undoes=found.target if undo else "",
        redoes="" if undo else found.target,
        prevails=bool(request.base),
    )
    committed = await repository.reverse(tx, draft, found.commit.id)
    if not committed.clashes:
        await memory.retract(tx, request.session_id, found.target, undo)
    return replace(committed, target=found.target)


def original_title(title: str) -> str:
    """Strip the marks of earlier undos and redos."""
    while title.startswith(("Undo: ", "Redo: ")):
        title = title[6:]
    return title


def explain_clashes(clashes: Sequence[Clash], what: str) -> str:
    """Return a few lines for people: what cannot be done, which files and which later turns are in the way."""
    titles = list(dict.fromkeys(original_title(title) for clash in clashes for title in clash.since))
    lines = [
        f"{what}: later work changed the same lines.",
        f"Files: {listed([clash.path for clash in clashes], MOST_FILES)}",
    ]
    if titles:
        lines.append(f"Changed since by: {listed(quoted([_cut(title) for title in titles]), MOST_TURNS)}")
    return "\n".join([*lines, "Nothing was changed. What would you like?"])


def explain_sides(clashes: Sequence[Clash]) -> str:
    """Return both sides of each clash, for a model."""
    return "\n\n".join(
        f"{clash.path}\nnow in the app:\n{_quoted(clash.ours)}\nthe other side:\n{_quoted(clash.theirs)}"
        for clash in clashes[:5]
    )


MOST_FILES, MOST_TURNS, TITLE_CHARS = 3, 2, 60


def _cut(title: str) -> str:
    return title if len(title) <= TITLE_CHARS else f"{title[: TITLE_CHARS - 1].rstrip()}…"


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"
