"""Commands that change nothing in the app's code: the diff, the checks, the preview's link, the code, its data."""

from collections.abc import Callable

from adapters.checks.suite import CheckSuite
from adapters.preview.host import PAST, Previews
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.bisect import when_it_broke
from bot.replies import shortened
from core.chat import Answer
from core.messages import (
    Block,
    ChecksTable,
    DiffText,
    Doc,
    Enclosed,
    Files,
    Footer,
    Para,
    PreviewCard,
    PreviewState,
)  # fmt: skip
from core.sessions import Session
from core.thread.decisions import Query
from core.thread.transcript import plain

NOTHING = Answer(plain("There is no app in this thread yet.", "❗"))


class Queries:
    """Answers them."""

    def __init__(
        self, turns: Turns, repository: GitRepository, suite: CheckSuite, previews: Previews, link: Callable[[str], str]
    ) -> None:
        self._turns, self._repository, self._suite = turns, repository, suite
        self._previews, self._link = previews, link

    async def look(self, session: Session, query: Query) -> Answer:
        """Answer one query."""
        verb, about = query.verb, query.about
        head = await self._repository.head(session.id)
        if verb == "diff":
            return await self._diff(session, about, head)
        if head is None:
            return NOTHING
        if verb == "bisect":
            return await when_it_broke(about, session, self._repository, self._suite)
        if verb == "reset_data":
            await self._previews.reset(session.slug)
            return Answer(
                plain("The app's data has been deleted. The app starts empty the next time someone opens it.")
            )
        if verb == "checks":
            return await self._checks(session, about)
        if verb == "export":
            how = "Unpack it, and README or app.json says how to start. `export --dir` on the bot's machine has the history too."
            return Answer(Doc((Para(f"The code at {head[:10]}. {how}"), Enclosed("export", head)), "📦"))
        card = PreviewCard(PreviewState("ready", self._link(session.slug), head))
        return Answer(Doc((Para("Here is a new link to the preview. Anyone who has it can open it."), card), "🔗"))

    async def _diff(self, session: Session, target: str, head: str | None) -> Answer:
        """Answer with what a turn changed, or wrote for nothing: that can be looked at as it would have been."""
        result = await self._turns.result_in(session.id, target) if target else None
        if result and not (result.commit or result.kept):
            return Answer(plain("That turn didn't change the app.", "✅"))
        commit = (result.commit or result.kept) if result else head
        if commit is None:
            return NOTHING
        found, diff = await self._repository.show(session.id, commit)
        blocks: list[Block] = [
            Para(f"{found.title} · {found.author.name}"), Files(diff.files, commit, bool(result and result.kept)),
            DiffText(shortened(diff.text)), Enclosed("diff", commit),
        ]  # fmt: skip
        if result and result.kept:
            link = self._link(f"{session.slug}{PAST}{commit[:10]}")
            blocks[1:1] = [Para("This isn't in the app."), PreviewCard(PreviewState("ready", link, commit))]
        return Answer(Doc(tuple(blocks)))

    async def _checks(self, session: Session, target: str) -> Answer:
        found = target or next((one.turn_id for one in await self._repository.log(session.id, 50) if one.turn_id), "")
        result = await self._turns.result_in(session.id, found)
        if result is None or not result.checks:
            return Answer(plain("No checks ran for that turn.", "✅"))
        return Answer(Doc((ChecksTable(result.checks), Footer(f"at {result.commit[:10]}")), "🔎"))
