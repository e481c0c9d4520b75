"""“When did it break?”: run what is known of a thread's commits, and name the message after which it no longer passed."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from adapters.checks.suite import CheckSuite
from adapters.vfs.git import GitRepository
from core.chat import Answer
from core.findings import CheckResult
from core.history import Commit
from core.manifests import manifest_of
from core.messages import Action, Doc, Para
from core.sessions import Session
from core.thread.transcript import plain

Passes = Callable[[Sequence[CheckResult]], bool | None]
MOST_COMMITS = 1_000


async def first_bad(commits: Sequence[Commit], bad: Callable[[Commit], Awaitable[bool]]) -> Commit | None:
    """
    Return the commit since which it is bad, None when the newest is fine; `commits` are newest first.

    Looks back in steps that double until one is fine, then halves what lies between: what was bad, fine and bad again
    between two looks is taken for bad all along.
    """
    if not commits or not await bad(commits[0]):
        return None
    newest_good, oldest_bad, step = len(commits), 0, 1
    while oldest_bad + step < len(commits):
        if not await bad(commits[oldest_bad + step]):
            newest_good = oldest_bad + step
            break
        oldest_bad, step = oldest_bad + step, step * 2
    while newest_good - oldest_bad > 1:
        middle = (newest_good + oldest_bad) // 2
        if await bad(commits[middle]):
            oldest_bad = middle
        else:
            newest_good = middle
    return commits[oldest_bad]


async def when_it_broke(what: str, session: Session, repository: GitRepository, suite: CheckSuite) -> Answer:
    """Answer when a check (`mypy`, `tests`) or a test (by words of its name) no longer passed."""
    commits = await repository.log(session.id, MOST_COMMITS)

    async def results(commit: Commit) -> Sequence[CheckResult]:
        tree = await repository.tree(session.id, commit.id)
        return await suite.known(tree, manifest_of(tree))

    found = _meant(what, await results(commits[0]))
    if found is None:
        names = ", ".join(one.name for one in await results(commits[0]))
        return Answer(plain(f"I know no check and no test called “{what}”. The checks are: {names}.", "❗"))
    name, passes = found

    looked = 0

    async def bad(commit: Commit) -> bool:
        nonlocal looked
        looked += 1
        return passes(await results(commit)) is not True

    if passes(await results(commits[0])) is None:
        return Answer(plain(f"{name} could not be run over the app as it is now, so I cannot tell.", "❗"))
    broken = await first_bad(commits, bad)
    if broken is None:
        return Answer(plain(f"{name} passes in the app as it is now.", "✅"))
    if broken == commits[-1]:
        many = f"the {looked} commits" if looked > 1 else "the one commit"
        return Answer(plain(f"{name} passed in none of {many} that I looked at, back to the first.", "🔎"))
    where = f" ({broken.link})" if broken.link else ""
    said = f"{name} passed until “{broken.title}” by {broken.author.name}{where}, commit {broken.id[:10]}."
    actions = (Action("undo", broken.turn_id),) if broken.turn_id else ()
    return Answer(Doc((Para(said),), "🔎", actions))


def _meant(what: str, results: Sequence[CheckResult]) -> tuple[str, Passes] | None:
    """Return the check or the test that people mean, and whether it passes in some results; None there: it was not run."""
    words = set(re.findall(r"[a-z0-9]+", what.casefold())) - {"the", "test", "check"}
    names = {check.name: set(re.findall(r"[a-z0-9]+", check.name)) for check in results}
    for name, parts in names.items():
        if words and words <= parts | {name.rstrip("s"), f"{name}s"}:
            return name, partial(_check_passes, name)
    tests = {name for check in results for name in (*check.passed, *_failed(check))}
    fits = sorted(name for name in tests if words and words <= set(re.findall(r"[a-z0-9]+", name.casefold())))
    return (fits[0], partial(_test_passes, fits[0])) if fits else None


def _check_passes(name: str, seen: Sequence[CheckResult]) -> bool | None:
    status = next((one.status for one in seen if one.name == name), "not_run")
    return None if status == "not_run" else status == "passed"


def _test_passes(name: str, seen: Sequence[CheckResult]) -> bool | None:
    if any(name in check.passed for check in seen):
        return True
    return False if any(name in _failed(check) for check in seen) else None


def _failed(check: CheckResult) -> list[str]:
    """Return the names of the tests that failed, as they are called where they pass."""
    return [f"{one.path}::{one.message.split(': ')[0]}" for one in check.findings if one.rule == "test"]
