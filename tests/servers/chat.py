"""People at Slack and at Discord, by the same verbs: so that one journey is walked on both."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.servers.discord import TOKEN, DiscordServer, World, discord_server
from tests.servers.process import BotProcess, free_port
from tests.servers.slack import APP_TOKEN, BOT, BOT_TOKEN, SECRET, SlackServer, slack_server

Value = TypeVar("Value")
SECONDS = 60.0
_FOOTER = re.compile(r"\d+\.\d s")
NAMES = {"👀": "eyes", "✅": "white_check_mark", "⚠️": "warning", "❌": "x", "↩️": "leftwards_arrow_with_hook",
         "↪️": "arrow_right_hook", "👍": "+1", "👎": "-1", "⏹️": "black_square_for_stop", "❗": "exclamation",
         "🔑": "key", "⛔": "no_entry", "❓": "question", "2️⃣": "two", "3️⃣": "three"}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A message of the bot as people see it: everything in it as one text, its buttons, the names of its files."""

    id: str
    text: str
    buttons: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def final(self) -> bool:
        """Whether this is the reply that ends a turn: only those say how long it took to a tenth."""
        return _FOOTER.search(self.text) is not None


class People(Protocol):
    """What people do and see on a platform. `thread` is the one that was opened last."""

    name: str

    def env(self) -> dict[str, str]:
        """Return the settings that connect the bot."""
        ...

    def build(self, who: str, text: str) -> None:
        """Give /build in the channel."""
        ...

    def call(self, who: str, text: str) -> str:
        """Mention the bot in the channel, and return the message."""
        ...

    def chatter(self, who: str, count: int) -> None:
        """Say something in the channel, many times."""

    def say(self, who: str, text: str, *, mention: bool = False) -> str:
        """Say something in the thread, and return the message."""
        ...

    def edit(self, who: str, message: str, text: str) -> None:
        """Edit a message."""
        ...

    def delete(self, who: str, message: str) -> None:
        """Delete a message."""
        ...

    def upload(self, who: str, text: str, files: Sequence[tuple[str, bytes]]) -> str:
        """Say something with files in the thread."""
        ...

    def react(self, who: str, message: str, emoji: str, present: bool = True) -> None:
        """Put a reaction on a message, or take it away."""
        ...

    def press(self, who: str, message: str, verb: str) -> None:
        """Press a button."""
        ...

    def named(self, who: str) -> str:
        """Return what a client sends where a person is mentioned."""
        ...

    def shown(self) -> list[Shown]:
        """Return the bot's messages in the thread, oldest first."""
        ...

    def told(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        ...

    def marks(self, message: str) -> set[str]:
        """Return the reactions of the bot on a message."""
        ...


class OnSlack:
    """People at Slack."""

    def __init__(self, server: SlackServer) -> None:
        self.server, self.thread = server, ""
        self.name = "slack"

    def env(self) -> dict[str, str]:
        """Return the settings that connect the bot, by Socket Mode or by HTTP."""
        common = {
            "THREADWRIGHT_SLACK_BOT_TOKEN": BOT_TOKEN, "THREADWRIGHT_SLACK_API_URL": f"http://127.0.0.1:{self.server.port}/api/",
        }  # fmt: skip
        if self.server.bot_url:
            return {**common, "THREADWRIGHT_SLACK_SIGNING_SECRET": SECRET}
        return {**common, "THREADWRIGHT_SLACK_APP_TOKEN": APP_TOKEN}

    def ready(self) -> bool:
        """Say whether the bot is connected."""
        return bool(self.server.bot_url) or self.server.connected > 0

    def build(self, who: str, text: str) -> None:
        """Give /build; the thread is the bot's next message in the channel."""
        before = {one["ts"] for one in self.server.messages()}
        self.server.command(who, text)

        def roots() -> list[str]:
            found = [one for one in self.server.messages() if one["ts"] not in before and "thread_ts" not in one]
            return [str(one["ts"]) for one in found]

        self.thread = until(roots)[0]

    def opens(self, who: str, text: str) -> None:
        """Begin a thread without the bot."""
        self.thread = self.server.say(who, text)

    def chatter(self, who: str, count: int) -> None:
        """Say something in the channel, many times."""
        for number in range(count):
            self.server.say(who, f"Lunch {number}?")

    def call(self, who: str, text: str) -> str:
        """Mention the bot; the message is the thread."""
        self.thread = self.server.say(who, f"<@{BOT}> {text}")
        return self.thread

    def say(self, who: str, text: str, *, mention: bool = False) -> str:
        """Say something in the thread."""
        return self.server.say(who, f"<@{BOT}> {text}" if mention else text, self.thread)

    def named(self, who: str) -> str:
        """Return what a client sends where a person is mentioned."""
        return f"<@{self.server.people[who]}>"

    def edit(self, who: str, message: str, text: str) -> None:
        """Edit a message."""
        self.server.edit(who, message, text)

    def delete(self, who: str, message: str) -> None:
        """Delete a message."""
        self.server.delete(who, message)

    def upload(self, who: str, text: str, files: Sequence[tuple[str, bytes]]) -> str:
        """Say something with files."""
        return self.server.upload(who, text, files, self.thread)

    def react(self, who: str, message: str, emoji: str, present: bool = True) -> None:
        """Put a reaction on a message."""
        self.server.react(who, message, NAMES[emoji], present)

    def press(self, who: str, message: str, verb: str) -> None:
        """Press a button."""
        self.server.press(who, message, verb)

    def told(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        return self.server.direct(who)

    def shown(self) -> list[Shown]:
        """Return the bot's messages; its files are a message of their own."""
        found = []
        for one in self.server.messages(self.thread):
            if one["user"] == BOT and one["ts"] != self.thread:
                blocks = self.server.blocks.get(one["ts"], [])
                buttons = [
                    part for block in blocks for part in block.get("elements", ()) if part.get("type") == "button"
                ]
                verbs = tuple(part["action_id"].removeprefix("tw:") for part in buttons)
                files = tuple(file["name"] for file in one.get("files", ()))
                found.append(
                    Shown(one["ts"], f"{one.get('text', '')} {json.dumps(blocks, ensure_ascii=False)}", verbs, files)
                )
        return found

    def marks(self, message: str) -> set[str]:
        """Return the bot's reactions, as emoji."""
        back = {name: emoji for emoji, name in NAMES.items()}
        return {back[name] for name in self.server.marks(message)}


class OnDiscord:
    """People at Discord."""

    def __init__(self, server: DiscordServer, world: World) -> None:
        self.server, self.world, self.number = server, world, 0
        self.name = "discord"

    def env(self) -> dict[str, str]:
        """Return the settings that connect the bot."""
        return {
            "THREADWRIGHT_DISCORD_TOKEN": TOKEN, "THREADWRIGHT_DISCORD_API_URL": self.server.api_url,
            "THREADWRIGHT_DISCORD_GATEWAY_URL": self.server.gateway_url,
        }  # fmt: skip

    def ready(self) -> bool:
        """Say whether the bot is connected."""
        return self.server.connected > 0

    def build(self, who: str, text: str) -> None:
        """Give /build; the thread is the next one of the channel."""
        before = self.world.threads()
        self.world.slash(who, self.world.channel, "build", what=text)
        self.number = until(lambda: len(self.world.threads()) > len(before) and self.world.threads()[-1])

    def opens(self, who: str, text: str) -> None:
        """Begin a thread without the bot."""
        self.number = self.world.say(who, self.world.channel, text)
        self.world.open_thread(who, self.number, text)

    def chatter(self, who: str, count: int) -> None:
        """Say something in the channel, many times."""
        for number in range(count):
            self.world.say(who, self.world.channel, f"Lunch {number}?")

    def call(self, who: str, text: str) -> str:
        """Mention the bot; the thread hangs on the message and has its id."""
        number = self.world.say(who, self.world.channel, f"<@{self.server.backend.bot_user.id}> {text}")
        until(lambda: number in self.world.threads())
        self.number = number
        return str(number)

    def say(self, who: str, text: str, *, mention: bool = False) -> str:
        """Say something in the thread."""
        me = f"<@{self.server.backend.bot_user.id}> "
        return str(self.world.say(who, self.number, (me if mention else "") + text))

    def named(self, who: str) -> str:
        """Return what a client sends where a person is mentioned."""
        return f"<@{self.world.people[who]}>"

    def edit(self, who: str, message: str, text: str) -> None:
        """Edit a message."""
        self.world.edit(self.number, int(message), text)

    def delete(self, who: str, message: str) -> None:
        """Delete a message."""
        self.world.delete(self.number, int(message))

    def upload(self, who: str, text: str, files: Sequence[tuple[str, bytes]]) -> str:
        """Say something with files."""
        return str(self.world.say(who, self.number, text, files))

    def react(self, who: str, message: str, emoji: str, present: bool = True) -> None:
        """Put a reaction on a message."""
        self.world.react(who, self.number, int(message), emoji, present)

    def press(self, who: str, message: str, verb: str) -> None:
        """Press a button."""
        self.world.press(who, self.number, int(message), verb)

    def shown(self) -> list[Shown]:
        """Return the bot's messages."""
        bot = self.server.backend.bot_user.id
        found = []
        for one in self.world.messages(self.number):
            if one.author_id == bot:
                ids = [part.get("custom_id", "open:") for row in one.components for part in row["components"]]
                verbs = tuple(str(part).partition(":")[0] for part in ids)
                files = tuple(file["filename"] for file in one.attachments)
                text = f"{one.content} {json.dumps(one.embeds, ensure_ascii=False)}"
                found.append(Shown(str(one.id), text, verbs, files))
        return found

    def told(self, who: str) -> list[str]:
        """Return what the bot has written to a person alone."""
        return self.world.direct(who)

    def marks(self, message: str) -> set[str]:
        """Return the bot's reactions."""
        number = int(message)
        where = self.number if number in {one.id for one in self.world.messages(self.number)} else self.world.channel
        return self.world.marks(where, number)


def until(look: Callable[[], Value], seconds: float = SECONDS) -> Any:
    """Return the first value of `look` that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


@dataclass
class Place:
    """A platform with people, and the bot in a process of its own."""

    people: Any
    bot: BotProcess

    def replies(self) -> list[Shown]:
        """Return the replies that ended turns."""
        return [one for one in self.people.shown() if one.final]

    def reply(self, count: int, seconds: float = SECONDS) -> Shown:
        """Wait for reply number `count`, and return it; there must be no more than that."""
        try:
            found: list[Shown] = until(lambda: len(self.replies()) >= count and self.replies(), seconds)
        except AssertionError:
            shown = "\n".join(one.text[:300] for one in self.people.shown())
            raise AssertionError(f"no reply number {count}; there are:\n{shown}\n{self.bot.log()[-3000:]}") from None
        assert len(found) == count, [one.text[:200] for one in found]
        return found[count - 1]

    def notice(self, words: str, seconds: float = SECONDS) -> Shown:
        """Wait for a message of the bot with these words."""
        look = lambda: [one for one in self.people.shown() if words in one.text]  # noqa: E731
        try:
            return until(look, seconds)[-1]  # type: ignore[no-any-return]
        except AssertionError:
            raise AssertionError(f"nothing with {words!r}: {[one.text[:200] for one in self.people.shown()]}") from None

    def marked(self, message: str, *marks: str) -> None:
        """Wait until the bot's reactions on a message are exactly these."""
        try:
            until(lambda: self.people.marks(message) == set(marks), 30)
        except AssertionError:
            raise AssertionError(f"{self.people.marks(message)} instead of {marks}") from None

    def restart(self) -> None:
        """Start the bot again and wait until it is connected."""
        self.bot.start()
        until(self.people.ready)


@contextlib.contextmanager
def place(kind: str, folder: Path, **env: str) -> Iterator[Place]:
    """Open a platform (slack, slack-http or discord) with Ann, Ben and Cem, and a bot that is connected to it."""
    with contextlib.ExitStack() as stack:
        people: Any
        port = free_port()
        if kind == "discord":
            server = stack.enter_context(discord_server())
            people = OnDiscord(server, server.world("Ann", "Ben", "Cem"))
        else:
            url = f"http://127.0.0.1:{port}" if kind == "slack-http" else ""
            people = OnSlack(stack.enter_context(slack_server(folder / "slack", "Ann", "Ben", "Cem", bot_url=url)))
        bot = BotProcess(folder / "data", {"THREADWRIGHT_BROWSER": "none", **people.env(), **env}, port)
        try:
            bot.start()
            until(people.ready)
            yield Place(people, bot)
        finally:
            bot.kill()
