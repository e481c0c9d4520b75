"""Discord by simcord in the same process: every command, button, form, kind of channel and right, through the whole bot."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.chat.discord.port import DiscordPort
from bot.app import App
from bot.frontends import served
from bot.settings import Settings
from bot.wiring import opened
from core.chat import CLOSED
from core.thread.commands import COMMANDS
from tests.servers.process import seeded

PAGE = "Make a landing page for a bicycle workshop called Spoke & Chain"
SECONDS = 90.0


@dataclass
class There:
    """A server with Ann and Ben, and the bot."""

    env: Any
    guild: Any
    channel: Any
    ann: Any
    ben: Any
    port: DiscordPort
    app: App

    async def thread(self, count: int = 1, channel: Any = None) -> Any:
        """Return the latest thread of a channel once there are so many."""
        where = channel or self.channel
        return (await self.seen(lambda: len(where.threads) >= count and where.threads))[-1]

    async def seen(self, look: Callable[[], Any]) -> Any:
        """Return the first value of `look` that is true; the bot works beside simcord's time."""
        async with asyncio.timeout(SECONDS):
            while not (found := look()):
                await asyncio.sleep(0.05)
        return found

    async def replies(self, thread: Any, count: int) -> list[discord.Message]:
        """Wait for so many replies in a thread: they are the messages of ours that an embed's footer ends."""

        def look() -> list[discord.Message]:
            own = [one for one in thread.history() if one.author.id == self.env.bot.user.id]
            return [one for one in own if one.embeds and " s" in (one.embeds[0].footer.text or "")]

        await self.seen(lambda: len(look()) >= count)
        found = look()
        assert len(found) == count
        return found

    async def begun(self) -> tuple[Any, discord.Message]:
        """Build something, and return its thread and the reply."""
        await self.ann.slash(self.channel, "build", what=PAGE)
        thread = await self.thread()
        (reply,) = await self.replies(thread, 1)
        return thread, reply


@dataclass
class House:
    """The bot, and its port, not yet connected."""

    app: App
    port: DiscordPort
    gap: asyncio.Event


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(
        Settings(data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none"), previews=False
    ) as app:
        gap = asyncio.Event()
        port = DiscordPort(app.intake.accept, app.enclosures.of, gap.set)
        app.caught_up[port.platform] = asyncio.Event()
        yield House(app, port, gap)


@pytest.fixture
def simcord_bot(house: House) -> discord.Client:
    """What simcord's own fixture connects."""
    return house.port.fresh_client()


@pytest.fixture
async def there(simcord_env: Any, house: House) -> AsyncIterator[There]:
    guild = simcord_env.create_guild("Test server")
    channel = guild.create_text_channel("general")
    ann, ben = (guild.add_member(simcord_env.create_user(name)) for name in ("ann", "ben"))
    async with served(house.app, house.port, house.gap):
        yield There(simcord_env, guild, channel, ann, ben, house.port, house.app)


def shown(answer: Any) -> str:
    """Return all that a person was told alone."""
    parts = [answer.response, *answer.followups]
    return " ".join(
        f"{one.content} {one.embeds and one.embeds[0].to_dict()} {[a.filename for a in one.attachments]}"
        for one in parts
        if one
    )


async def test_every_command_answers_alone_and_in_time(there: There) -> None:
    assert set(there.ann.available_commands(there.channel)) == {one.verb for one in COMMANDS.values() if one.slash}
    thread, _ = await there.begun()
    for name in (one.verb for one in COMMANDS.values() if one.slash and not one.asks):
        answer = await there.ann.slash(thread, name)
        assert answer.acknowledged, name
        assert answer.modal or answer.ephemeral, name


async def test_commands_outside_of_a_thread_say_where_they_work(there: There) -> None:
    for name in (one.verb for one in COMMANDS.values() if one.slash and not one.asks):
        answer = await there.ann.slash(there.channel, name)
        assert answer.ephemeral
        assert "one of my threads" in shown(answer)


async def test_the_menu_of_a_message_undoes_and_only_on_an_answer(there: There) -> None:
    thread, built = await there.begun()
    await there.ann.send(thread, "make it dark")
    _, dark = await there.replies(thread, 2)
    said = await there.ben.send(thread, "Nice!")
    assert "on one of my answers" in shown(await there.ann.context_menu(thread, "Undo this turn", said))
    await there.ann.context_menu(thread, "Undo this turn", dark)
    assert "Undone" in (await there.replies(thread, 3))[-1].content
    await there.ann.react(dark, "↪️")
    await there.replies(thread, 4)
    await there.ann.context_menu(thread, "Undo to here", built)
    assert "Undone" in (await there.replies(thread, 5))[-1].content
    assert "decides who can drive" in shown(await there.ben.context_menu(thread, "Undo this turn", built))


async def test_buttons_forms_and_reactions_work_after_a_restart(there: There) -> None:
    thread, built = await there.begun()
    await there.env.restart_bot(there.port.fresh_client())
    await there.ann.click(built, label="Undo")
    assert "Undone" in (await there.replies(thread, 2))[-1].content
    await there.ann.react(built, "↪️")
    assert "Redone" in (await there.replies(thread, 3))[-1].content
    # The same emoji comes with and without its variation selector.
    await there.ann.react(built, "↩")
    assert "Undone" in (await there.replies(thread, 4))[-1].content
    await there.ann.unreact(built, "↩")
    assert "Redone" in (await there.replies(thread, 5))[-1].content
    asked = await there.ann.click(built, label="Settings")
    assert asked.modal
    await there.env.restart_bot(there.port.fresh_client())
    chosen = {"access": "owner", "listening": "always", "verbosity": "answer", "sharing": "link", "scope": "thread"}
    told = await there.ann.submit_modal(asked, {name: [value] for name, value in chosen.items()})
    assert "I show: answer" in shown(told)


@pytest.mark.parametrize("may", [True, False])
async def test_a_reaction_that_did_nothing_is_taken_off_where_the_bot_may(there: There, may: bool) -> None:
    allowed = discord.PermissionOverwrite(manage_messages=may)
    channel = there.guild.create_text_channel("tidy", overwrites={there.guild.me: allowed})
    await there.ann.slash(channel, "build", what=PAGE)
    thread = await there.thread(channel=channel)
    (built,) = await there.replies(thread, 1)

    def marks() -> dict[str, int]:
        message = next(one for one in thread.history() if one.id == built.id)
        return {str(one.emoji): one.count for one in message.reactions}

    # Nothing clashed, Ben may not drive; an undo that worked stays.
    await there.ann.react(built, "🤝")
    await there.ben.react(built, "↩️")
    await there.ann.react(built, "👍")
    await there.ann.react(built, "👎")
    await there.ann.react(built, "↩️")
    assert "Undone" in (await there.replies(thread, 2))[-1].content
    await there.seen(lambda: may is ("🤝" not in marks()))
    await there.env.settle()
    assert marks() == ({"👎": 1, "↩️": 1} if may else {"🤝": 1, "↩️": 2, "👍": 1, "👎": 1})
    # That the bot took Ben's away again has redone nothing.
    await there.ann.unreact(built, "↩️")
    assert "Redone" in (await there.replies(thread, 3))[-1].content


async def test_what_one_person_is_told_alone_others_do_not_see(there: There) -> None:
    thread, built = await there.begun()
    diff = await there.ann.click(built, label="Diff")
    assert ".diff" in shown(diff)
    (told,) = diff.followups or [diff.response]
    assert told.id in [one.id for one in thread.history(viewer=there.ann)]
    assert told.id not in [one.id for one in thread.history(viewer=there.ben)]


async def test_a_guest_asks_the_owner(there: There) -> None:
    thread, _ = await there.begun()
    await there.ben.send(thread, f"<@{there.env.bot.user.id}> make it dark")

    waits = await there.seen(lambda: next((one for one in thread.history() if "would like me" in one.content), None))
    assert "decides who can drive" in shown(await there.ben.click(waits, label="Allow once"))
    await there.ann.click(waits, label="Allow once")
    await there.replies(thread, 2)
    await there.seen(lambda: "ann let this message of ben through" in " ".join(one.content for one in thread.history()))


async def test_what_a_message_links_to_has_its_name(there: There) -> None:
    thread, _ = await there.begun()
    await there.ann.send(
        thread, f"say that <@{there.ben.id}> answers in <#{there.channel.id}> <:wave:123456789012345678>"
    )
    await there.replies(thread, 2)
    (session,) = await there.app.sessions.list()
    said = [str(one.doc) for one in await there.app.messages.since(session.id) if one.kind == "person"]
    assert "say that @ben answers in #general :wave:" in said[-1]


async def test_who_is_replied_to_is_not_who_is_invited(there: There) -> None:
    thread, _ = await there.begun()
    cem = there.guild.add_member(there.env.create_user("cem"))
    asked = await cem.send(thread, "Who decides here?")
    parsers: Any = there.env.bot._connection.parsers
    heard = parsers["MESSAGE_CREATE"]

    def with_reply(payload: Any) -> None:
        """Discord lists whoever is replied to among the mentions."""
        replied = {"id": str(cem.id), "username": "cem", "discriminator": "0", "avatar": None}
        heard({**payload, "mentions": [replied, *payload["mentions"]]})

    parsers["MESSAGE_CREATE"] = with_reply
    await there.ann.send(thread, f"<@{there.env.bot.user.id}> invite <@{there.ben.id}>", reply_to=asked)
    await there.seen(lambda: "ben can now drive this thread" in " ".join(one.content for one in thread.history()))
    (session,) = await there.app.sessions.list()
    async with there.app.database.read() as connection:
        standings = {
            who.author.name: who.standing for who in await there.app.threads.people.there(connection, session.id)
        }
    assert standings == {"ann": "owner", "cem": "guest", "ben": "invited"}


@pytest.mark.parametrize("kind", ["news", "forum", "direct"])
async def test_threads_begin_in_every_kind_of_channel(there: There, kind: str) -> None:
    call = f"<@{there.env.bot.user.id}> {PAGE}"
    if kind == "direct":
        await there.ann.send_dm(PAGE)
        await there.replies(there.ann.user.dm_channel, 1)
        await there.ann.send_dm("make it dark")
        await there.replies(there.ann.user.dm_channel, 2)
        return
    if kind == "news":
        channel = there.guild.create_news_channel("news")
        await there.ann.send(channel, call)
        thread = await there.thread(channel=channel)
    else:
        forum = there.guild.create_forum_channel("ideas")
        backend = there.env.backend
        backend.create_thread(forum.id, "A page for the workshop", there.ann.id)
        thread = await there.thread(channel=forum)
        # The first message of a post has the post's own number, and lies in it.
        post = backend.prepare_message(thread.id, there.ann.id, call)
        post.id = thread.id
        backend.commit_message(post)
    await there.replies(thread, 1)
    if kind == "forum":
        await there.seen(lambda: [str(one.emoji) for one in thread.history()[0].reactions] == ["✅"])
    await there.ann.send(thread, "make it dark")
    await there.replies(thread, 2)


async def test_a_call_that_answers_somebody_is_about_what_they_said(there: There) -> None:
    asked = await there.ben.send(there.channel, "Make a landing page for a bakery called Crumbs")
    await there.ann.send(there.channel, f"<@{there.env.bot.user.id}> build this", reply_to=asked)
    await there.replies(await there.thread(), 1)
    (session,) = await there.app.sessions.list()
    assert session.title == "Crumbs"
    (said,) = [one for one in await there.app.messages.since(session.id) if one.kind == "person"]
    assert "Crumbs" not in str(said.doc)


async def test_a_forwarded_card_and_a_forwarded_picture_are_read(there: There) -> None:
    thread, _ = await there.begun()
    backend = there.env.backend
    card = {
        "type": "rich",
        "title": "Make it dark",
        "description": "please",
        "fields": [{"name": "Page", "value": "all"}],
    }
    attached = backend.store_attachments(there.channel.id, [("shot.png", b"\x89PNG\r\n\x1a\n")])
    report = backend.create_message(there.channel.id, there.ben.id, "", embeds=[card], attachments=attached)
    reference = {"type": 1, "channel_id": str(there.channel.id), "message_id": str(report.id)}
    backend.create_message(thread.id, there.ann.id, "", reference=reference)
    await there.replies(thread, 2)
    (session,) = await there.app.sessions.list()
    said = [one for one in await there.app.messages.since(session.id) if one.kind == "person"][-1]
    text = str(said.doc)
    assert "Make it dark\\nplease\\nPage: all" in text
    assert "📎 shot.png" in text
    reply = (await there.replies(thread, 2))[-1]
    assert "Put static/uploads/shot.png" in reply.content or "uploads/shot.png" in reply.content


async def test_a_long_wish_is_shown_whole(there: There) -> None:
    await there.ann.slash(there.channel, "build", what=f"{PAGE}. {'Really. ' * 450}The end")
    thread = await there.thread()
    await there.replies(thread, 1)
    ours = [one for one in [*there.channel.history(), *thread.history()] if one.type is discord.MessageType.default]
    asked = "".join(one.content for one in ours if not one.embeds)
    assert "ann asks:" in asked
    assert asked.count("Really.") == 450
    assert "The end" in asked


@pytest.mark.parametrize("what", ["thread", "channel"])
async def test_a_thread_that_is_deleted_is_closed(there: There, what: str) -> None:
    thread, _ = await there.begun()
    there.env.backend.delete_channel(thread.id if what == "thread" else there.channel.id)

    async def closed() -> bool:
        (session,) = await there.app.sessions.list()
        return session.key.thread == f"{CLOSED}{session.id}:{thread.id}"

    async with asyncio.timeout(SECONDS):
        while not await closed():
            await asyncio.sleep(0.05)


async def test_an_interaction_that_comes_twice_is_answered_once_and_is_no_error(
    there: There, caplog: pytest.LogCaptureFixture
) -> None:
    parsers: Any = there.env.bot._connection.parsers
    heard = parsers["INTERACTION_CREATE"]

    def twice(payload: Any) -> None:
        heard(payload)
        heard(payload)

    parsers["INTERACTION_CREATE"] = twice
    await there.begun()
    assert len(there.channel.threads) == 1
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


TOLD_ALONE = ("view_channel", "send_messages", "send_messages_in_threads", "create_public_threads")


@pytest.mark.parametrize("right", TOLD_ALONE)
async def test_where_the_bot_may_not_write_its_person_is_told_alone(there: There, right: str) -> None:
    lacking = discord.PermissionOverwrite(**{right: False})
    closed = there.guild.create_text_channel("closed", overwrites={there.guild.me: lacking})
    await there.ann.slash(closed, "build", what=PAGE)
    told = await there.seen(lambda: there.ann.user.dm_channel.history())
    assert right.replace("_", " ").title() in told[0].content


async def test_without_the_right_to_react_people_get_the_answer_and_what_is_missing(there: There) -> None:
    lacking = discord.PermissionOverwrite(add_reactions=False)
    channel = there.guild.create_text_channel("poor", overwrites={there.guild.me: lacking})
    await there.ann.send(channel, f"<@{there.env.bot.user.id}> {PAGE}")
    thread = await there.thread(channel=channel)
    await there.replies(thread, 1)
    await there.seen(lambda: "I lack Add Reactions" in " ".join(one.content for one in thread.history()))


async def test_where_no_thread_can_be_opened_that_is_said_in_the_channel(there: There) -> None:
    lacking = discord.PermissionOverwrite(read_message_history=False)
    channel = there.guild.create_text_channel("poor", overwrites={there.guild.me: lacking})
    await there.ann.send(channel, f"<@{there.env.bot.user.id}> {PAGE}")
    await there.seen(lambda: "I lack Read Message History" in " ".join(one.content for one in channel.history()))


async def test_a_thread_that_is_deleted_while_a_turn_runs_ends_quietly(
    there: There, caplog: pytest.LogCaptureFixture
) -> None:
    thread, _ = await there.begun()
    await there.ann.send(thread, "make it dark")
    there.env.backend.delete_channel(thread.id)
    await there.seen(lambda: "delivery_dropped" in caplog.text)
    await there.ann.slash(there.channel, "build", what="Make a landing page for a bakery called Crumbs")
    await there.replies(await there.thread(), 1)
    assert "delivery_refused" not in caplog.text
    assert there.ann.user.dm_channel.history() == []


def bent(payload: Any, data: st.DataObject) -> Any:
    """Return a payload of which one part, anywhere, is missing or something else."""
    payload = json.loads(json.dumps(payload))
    place = payload
    while True:
        keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    if isinstance(place, dict) and data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ODD)
    return payload


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10), st.lists(st.integers(), max_size=2),
                st.dictionaries(st.text(max_size=5), st.integers(), max_size=2))  # fmt: skip


@pytest.mark.simcord(check_errors=False)
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # threads of the bot use it meanwhile
async def test_no_payload_of_discord_breaks_the_bot(there: There) -> None:
    """Every kind of event, with any part of it bent, costs at most itself; what comes next is heard."""
    thread, built = await there.begun()
    backend, samples = there.env.backend, list[tuple[str, Any]]()
    backend.subscribers.append(lambda event, payload: samples.append((event, payload)))
    said = await there.ann.send(thread, "hm")
    await there.ann.edit(said, "hm!")
    await there.ann.react(built, "👍")
    await there.ann.unreact(built, "👍")
    await there.ann.slash(thread, "status")
    await there.ann.click(built, label="Settings")
    await there.ann.context_menu(thread, "Undo to here", built)
    await there.ann.delete(said)
    kinds = {event for event, _ in samples}
    assert {"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE",
            "INTERACTION_CREATE"} <= kinds  # fmt: skip
    parsers: Any = there.env.bot._connection.parsers
    heard = [(event, payload) for event, payload in samples if event in parsers]

    @settings(max_examples=400, deadline=None)
    @given(st.sampled_from(heard), st.data())
    def feed(sample: tuple[str, Any], data: st.DataObject) -> None:
        parsers[sample[0]](bent(sample[1], data))

    feed()
    await there.ann.send(thread, f"<@{there.env.bot.user.id}> Rename it to Wheels")
    await there.seen(lambda: any("Wheels" in one.content and one.embeds for one in thread.history()))

    def stuck() -> list[int]:
        return [one.id for one in thread.history() for mark in one.reactions if str(mark.emoji) == "👀" and mark.me]

    await there.seen(lambda: not stuck())
