"""“When did it break?”: run what is known of a thread's commits, and name the message after which it no longer passed."""

import re
from collections.abc import Awaitable, Callable, Sequence

from adapters.checks.suite import CheckSuite
from adapters.store.messages import plain
from adapters.vfs.git import GitRepository
from core.chat import Answer
from core.findings import CheckResult
from core.history import Commit
from core.manifests import MANIFEST_PATH, read_manifest
from core.messages import Action, Doc, Para
from core.sessions import Session

Passes = Callable[[Sequence[CheckResult]], bool]
MOST_COMMITS = 1_000


async def first_bad(commits: Sequence[Commit], bad: Callable[[Commit], Awaitable[bool]]) -> Commit | None:
    """
    Return the oldest of the latest commits that are bad, None when the newest is fine; `commits` are newest first.

    Looks back in steps that double until one is fine, then halves what lies between.
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
        return await suite.known(tree, read_manifest(tree.get(MANIFEST_PATH)))

    found = _meant(what, await results(commits[0]))
    if found is None:
        names = ", ".join(one.name for one in await results(commits[0]))
        return Answer(plain(f"I know no check and no test called “{what}”. The checks are: {names}.", "❗"))
    name, passes = found

    async def bad(commit: Commit) -> bool:
        return not passes(await results(commit))

    broken = await first_bad(commits, bad)
    if broken is None:
        return Answer(plain(f"{name} passes in the app as it is now.", "✅"))
    if broken == commits[-1]:
        return Answer(plain(f"{name} has never passed in this thread.", "🔎"))
    where = f" ({broken.link})" if broken.link else ""
    said = f"{name} passed until “{broken.title}” by {broken.author.name}{where}, commit {broken.id[:10]}."
    actions = (Action("undo", broken.turn_id),) if broken.turn_id else ()
    return Answer(Doc((Para(said),), "🔎", actions))


def _meant(what: str, results: Sequence[CheckResult]) -> tuple[str, Passes] | None:
    """Return the check or the test that people mean, and whether it passes in some results."""
    words = set(re.findall(r"[a-z0-9]+", what.casefold())) - {"the", "test", "check"}
    for check in results:
        if check.name in words | {what.strip().casefold()} or check.name.rstrip("s") in words:
            return (
                check.name,
                lambda seen, name=check.name: not any(one.name == name and one.status == "failed" for one in seen),
            )
    tests = {name for check in results for name in check.passed}
    tests |= {
        f"{one.path}::{one.message.split(':')[0]}" for check in results for one in check.findings if one.rule == "test"
    }
    fits = sorted(name for name in tests if words and words <= set(re.findall(r"[a-z0-9]+", name.casefold())))
    if not fits:
        return None
    return (
        fits[0],
        lambda seen: (
            not any(f"{one.path}::{one.message.split(':')[0]}" == fits[0] for check in seen for one in check.findings)
        ),
    )
