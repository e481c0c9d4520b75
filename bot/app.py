"""What is open while the bot runs."""

import asyncio
from dataclasses import dataclass

from adapters.checks.suite import CheckSuite
from adapters.preview.host import PAST, Previews
from adapters.store.database import Database
from adapters.store.messages import Messages
from adapters.store.sessions import Sessions
from adapters.store.threads import ThreadRows
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.enclosures import Enclosures
from bot.gate.previews import Signer
from bot.progress import ProgressBoard
from bot.settings import Settings
from core.chat import ChatPort
from core.llm.chat import LanguageModel
from core.thread.intake import Intake
from core.turn import TurnPorts


@dataclass(frozen=True)
class App:
    """Everything that is open while the bot runs."""

    settings: Settings
    database: Database
    sessions: Sessions
    turns: Turns
    messages: Messages
    repository: GitRepository
    threads: ThreadRows
    intake: Intake
    board: ProgressBoard
    previews: Previews
    signer: Signer
    model: LanguageModel
    sandbox: str
    checks: CheckSuite
    enclosures: Enclosures
    platforms: dict[str, ChatPort]
    caught_up: dict[str, asyncio.Event]
    """For each platform that will be connected: whether what was missed while the bot was away has been taken in."""
    lost: dict[str, str]
    """Why a platform was given up."""
    ports: TurnPorts
    """What a turn is carried out with."""

    def preview_link(self, slug: str, commit: str = "") -> str:
        """Return a fresh signed link to a thread's preview, or to that of one of its commits."""
        return link_to(self.signer, self.settings, f"{slug}{PAST}{commit[:10]}" if commit else slug)


def link_to(signer: Signer, settings: Settings, name: str) -> str:
    """Return a fresh signed link to a preview: a thread's, or that of one of its commits, which opens with the thread's link."""
    return signer.link(settings.preview_link(name), name.partition(PAST)[0])
