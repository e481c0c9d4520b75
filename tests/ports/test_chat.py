"""The ChatPort, on Slack and Discord over their sockets and on the one in memory: what a courier relies on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.chat.discord.port import DiscordPort
from adapters.chat.slack.port import SlackPort
from core.chat import OPENING, Accepted, ChatPort, Event, Missing, Outgoing, Part, Picture
from core.messages import Action, Attachment, Doc, FileChange, Files, Para, Progress, ProgressCard
from core.sessions import ThreadKey
from tests.servers.chat import OnDiscord, OnSlack
from tests.servers.discord import TOKEN, discord_server
from tests.servers.fake_chat import KEY, FakePort, OnFake
from tests.servers.slack import APP_TOKEN, BOT_TOKEN, CHANNEL, TEAM, slack_server

NONCE = "nonce-of-this-test"


@dataclass
class There:
    """A port that is connected, a thread, and the people in it."""

    port: ChatPort
    key: ThreadKey
    people: Any
    heard: list[Event]

    @property
    def person(self) -> str:
        """Ann's id on the platform."""
        platform = self.key.platform
        known = (
            self.people.server.people
            if platform == "slack"
            else self.people.world.people
            if platform == "discord"
            else {}
        )
        return str(known.get("Ann", "Ann"))

    async def in_thread(self, work: Callable[..., Any], *words: Any) -> Any:
        """Let people do something; the servers of real platforms run in threads of their own."""
        if self.key.platform == "fake":
            return await work(*words)
        return await asyncio.to_thread(work, *words)


@pytest.fixture(params=["slack", "discord", "fake"])
async def there(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[There]:
    heard: list[Event] = []

    async def accept(event: Event) -> Accepted:
        heard.append(event)
        return Accepted()

    async def nothing(*_: Any) -> Any:
        return ()

    if request.param == "fake":
        fake = FakePort()
        yield There(fake, KEY, OnFake(fake, accept), heard)
        return
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "slack":
            slack = stack.enter_context(slack_server(tmp_path / "slack", "Ann"))
            people: Any = OnSlack(slack)
            people.thread = await asyncio.to_thread(slack.say, "Ann", "the root")
            port: Any = SlackPort(accept, nothing, lambda: None)
            url = f"http://127.0.0.1:{slack.port}/api/"
            await stack.enter_async_context(port.opened(BOT_TOKEN, APP_TOKEN, "", url))
            yield There(port, ThreadKey("slack", TEAM, CHANNEL, people.thread), people, heard)
            return
        server = stack.enter_context(discord_server())
        world = server.world("Ann")
        people = OnDiscord(server, world)
        root = world.say("Ann", world.channel, "the root")
        port = DiscordPort(accept, nothing, lambda: None)
        await stack.enter_async_context(port.opened(TOKEN, server.api_url, server.gateway_url))
        key = ThreadKey("discord", str(world.guild), str(world.channel), f"{OPENING}at:{root}")
        thread, _ = await port.open_thread(key, "A thread", Part("main", {}), NONCE)
        again, _ = await port.open_thread(key, "A thread", Part("main", {}), NONCE)
        assert thread == again == str(root)
        people.number = root
        yield There(port, ThreadKey("discord", key.workspace, key.channel, thread), people, heard)


def part(port: ChatPort, text: str, *files: Picture) -> Part:
    """Return a message with a button, as the port renders it."""
    return port.render(Outgoing(Doc((Para(text),), actions=(Action("undo"),)), "t1", files))[0]


async def test_a_message_is_posted_found_edited_and_deleted(there: There) -> None:
    port, key = there.port, there.key
    remote_id = await port.post(key, part(port, "hello"), NONCE)
    found = await port.find(key, part(port, "hello"), NONCE, time.time() - 300)
    assert found == remote_id
    assert await port.find(key, part(port, "another"), "another", time.time() - 300) == ""
    await port.edit(key, remote_id, part(port, "changed"))
    shown = await there.in_thread(there.people.shown)
    assert [("changed" in one.text, one.buttons) for one in shown] == [(True, ("undo",))]
    await port.delete(key, remote_id)
    await port.delete(key, remote_id)
    assert await there.in_thread(there.people.shown) == []
    with pytest.raises(Missing):
        await port.edit(key, remote_id, part(port, "gone"))


async def test_a_person_can_be_told_something_alone(there: There) -> None:
    await there.port.tell(there.key, there.person, "only for you")
    assert await there.in_thread(there.people.told, "Ann") == ["only for you"]
    assert await there.in_thread(there.people.shown) == []


@pytest.mark.parametrize("length", [2_001, 3_001, 13_200, 40_000])
async def test_a_text_of_any_length_goes_through(there: There, length: int) -> None:
    """The platforms' limits are those of the servers here; what does not fit into messages is a file."""
    text = "".join(f"{number:07} " for number in range(length // 8 + 1))[:length]
    doc = Doc((Para(text), Files(tuple(FileChange(f"{number}.py", "added", 1, 0) for number in range(60)), "a" * 40)), "✅",
              tuple(Action("undo", f"{number}") for number in range(60)))  # fmt: skip
    parts = there.port.render(Outgoing(doc, "t1"))
    for one in parts:
        await there.port.post(there.key, one, f"{NONCE}-{one.name}")
    files = [one for part in parts for one in part.files]
    shown = await there.in_thread(there.people.shown)
    assert len(shown) == len(parts)
    said = "".join(one.text for one in shown) + "".join(one.content.decode() for one in files)
    assert all(word in said for word in text.split())


async def test_files_arrive_with_their_names(there: There) -> None:
    files = (Picture("a.diff", b"+1"), Picture("b.png", b"\x89PNG", "A picture"))
    for one in there.port.render(Outgoing(Doc((Para("with files"),)), files=files)):
        await there.port.post(there.key, one, f"{NONCE}-{one.name}")
    shown = await there.in_thread(there.people.shown)
    assert sorted(name for one in shown for name in one.files) == ["a.diff", "b.png"]


async def test_a_reaction_may_be_put_and_taken_away_twice(there: There) -> None:
    message = await there.in_thread(there.people.say, "Ann", "hello")
    remote_id = f"{CHANNEL}/{message}" if there.key.platform == "slack" else message
    for _ in range(2):
        await there.port.react(there.key, remote_id, "👀", True)
    assert await there.in_thread(there.people.marks, message) == {"👀"}
    for _ in range(2):
        with contextlib.suppress(Missing):
            await there.port.react(there.key, remote_id, "👀", False)
    assert await there.in_thread(there.people.marks, message) == set()


async def test_what_was_said_is_heard_and_can_be_read_again(there: There) -> None:
    said = await there.in_thread(there.people.say, "Ann", "hello there")
    deadline = time.monotonic() + 60
    while not any(one.text == "hello there" for one in there.heard):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    past = await there.port.history(there.key, "")
    (again,) = [one for one in past.events if one.text == "hello there"]
    (heard,) = [one for one in there.heard if one.text == "hello there"]
    assert again.id == heard.id
    assert again.thread == heard.thread == there.key
    assert again.remote_id in past.remote_ids
    assert said in again.remote_id


async def test_a_file_that_people_attach_can_be_fetched(there: There) -> None:
    await there.in_thread(there.people.upload, "Ann", "see", [("notes.txt", b"content")])
    deadline = time.monotonic() + 60
    while not (found := [one for event in there.heard for one in event.files]):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert (found[0].name, await there.port.fetch(found[0])) == ("notes.txt", b"content")
    gone = Attachment("x", "text/plain", 1, found[0].ref[:-4] + "0000")
    with pytest.raises(Missing):
        await there.port.fetch(gone)


async def test_a_card_is_shown_while_it_changes(there: There) -> None:
    def card(step: str, over: bool = False) -> Part:
        doc = Doc((ProgressCard(Progress(step), 1.0, over),), actions=() if over else (Action("stop"),))
        return there.port.render(Outgoing(doc, "t1"))[0]

    remote_id = await there.port.post(there.key, card("Planning"), NONCE)
    await there.port.working(there.key, "Planning")
    await there.port.edit(there.key, remote_id, card("Writing", over=True))
    await there.port.working(there.key, "")
    (shown,) = await there.in_thread(there.people.shown)
    assert "Writing" in shown.text
    assert shown.buttons == ()
