"""Threads, sessions and people."""

from dataclasses import dataclass
from typing import Literal

Access = Literal["owner", "invited", "everyone", "nobody"]
Listening = Literal["auto", "always", "mention"]
Verbosity = Literal["answer", "steps", "everything"]
Sharing = Literal["link", "public"]


@dataclass(frozen=True)
class ThreadKey:
    """The platform's conversation; four opaque strings."""

    platform: str
    workspace: str
    channel: str
    thread: str

    def __str__(self) -> str:
        return "/".join((self.platform, self.workspace, self.channel, self.thread))


@dataclass(frozen=True)
class Author:
    """A person as the platform names them; `id` is stable, `name` is for people."""

    id: str
    name: str


@dataclass(frozen=True)
class Session:
    """
    Our durable record of one thread. `slug` names its preview host: lower case letters, digits, hyphens.

    `access` says who may drive it, `listening` which messages count as said to the bot, `verbosity` what it shows,
    `sharing` who may open its preview; links that were given out before `links_since` open nothing. `seen` is the
    platform's id of the latest message that was taken in. Times are in Unix seconds.
    """

    id: str
    key: ThreadKey
    title: str
    slug: str
    access: Access = "invited"
    listening: Listening = "auto"
    verbosity: Verbosity = "steps"
    seen: str = ""
    created: float = 0.0
    sharing: Sharing = "link"
    links_since: float = 0.0
