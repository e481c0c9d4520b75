"""Errors of running previews are told in their thread, once each, with a way to have them mended."""

import logging
from dataclasses import dataclass

from adapters.preview.host import PAST, Previews
from adapters.preview.troubles import Trouble
from adapters.store.database import Database
from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from bot.progress import ProgressBoard
from core.sessions import Session
from core.thread.transcript import TROUBLE
from core.thread.troubles import told

log = logging.getLogger(__name__)
LOOK_SECONDS = 10
MOST_AT_ONCE = 3


@dataclass(frozen=True)
class Troubles:
    """Looks for errors of the apps that run."""

    database: Database
    sessions: Sessions
    messages: Messages
    previews: Previews
    board: ProgressBoard
    mends: bool = True
    """Whether the model in use can mend an error; the built-in builder cannot."""

    async def look(self) -> None:
        """Tell what is new; the same error of the same version is told once, also after a restart."""
        for slug, commit, found in await self.previews.troubles():
            session = None if PAST in slug else await self.sessions.of_slug(slug)
            if session is not None:
                await self._tell(session, commit, found[:MOST_AT_ONCE])

    async def _tell(self, session: Session, commit: str, found: list[Trouble]) -> None:
        for one in found:
            key = f"{session.id}{TROUBLE}{commit[:10]}:{one.fingerprint}"
            async with self.database.write() as tx:
                if await self.messages.by_key(tx, key) is None:
                    await self.messages.post(
                        tx,
                        session.id,
                        key,
                        "notice",
                        told(one.text, key, mends=self.mends, overfull=one.fingerprint == "overfull"),
                    )
        self.board.changed(session.id)
