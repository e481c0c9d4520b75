"""What goes wrong at Slack and Discord, and what people see of it: one reply for each message, in order, whatever happens."""

import contextlib
import hashlib
import hmac
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import discord
import httpx
import pytest

from tests.servers import slack as slack_module
from tests.servers.chat import OnDiscord, Place, place, until
from tests.servers.discord import Fault as DiscordFault
from tests.servers.discord import discord_server
from tests.servers.model import ModelServer, model_server
from tests.servers.process import BotProcess
from tests.servers.slack import Fault as SlackFault

PAGE = "Make a landing page for a bicycle workshop called Spoke & Chain"
QUIET = {"THREADWRIGHT_SANDBOX": "none"}
both = pytest.mark.parametrize("kind", ["slack", "discord"])
MESSAGES, MESSAGE = r"/channels/\d+/messages", r"/channels/\d+/messages/\d+"


@pytest.fixture
def slow() -> Iterator[ModelServer]:
    """A model that answers as the builder would, as late as a test wants."""
    with model_server() as model:
        yield model


def with_model(model: ModelServer) -> dict[str, str]:
    return {**QUIET, "THREADWRIGHT_MODEL_BASE_URL": model.url, "THREADWRIGHT_MODEL_NAME": "slow"}


def limited(kind: str, there: Place, what: str, times: int, seconds: float = 1, via: bool = True) -> None:
    """Let the platform say that it is asked too often."""
    if kind == "slack":
        method = {"edit": "chat.update", "post": "chat.postMessage"}[what]
        headers = {"Retry-After": str(int(seconds))}
        there.people.server.faults.append(SlackFault(method, 429, "ratelimited", headers, times=times))
        return
    verb, path = {"edit": ("PATCH", MESSAGE), "post": ("POST", MESSAGES)}[what]
    headers = {"Retry-After": str(seconds), **({"Via": "1.1 proxy"} if via else {})}
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    there.people.server.faults.append(DiscordFault(verb, path, 429, body, headers, times=times))


def broken(kind: str, there: Place, status: int, times: int) -> None:
    """Let posting fail with an error of the server."""
    if kind == "slack":
        there.people.server.faults.append(SlackFault("chat.postMessage", status, "internal_error", times=times))
    else:
        there.people.server.faults.append(
            DiscordFault("POST", MESSAGES, status, {"message": "no", "code": 0}, times=times)
        )


@both
@pytest.mark.parametrize("via", [True, False])
def test_a_rate_limit_on_edits_is_waited_for(kind: str, via: bool, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        limited(kind, there, "edit", 2, via=via)
        asked = there.people.call("Ann", PAGE)
        there.reply(1)
        there.marked(asked, "✅")
        until(lambda: any("Reading the app →" in one.text for one in there.people.shown()))
        assert "rate" not in "".join(one.text for one in there.people.shown())
        assert there.people.server.faults == []


@both
def test_a_rate_limit_on_posts_is_waited_for(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        limited(kind, there, "post", 2, via=False)
        there.people.call("Ann", PAGE)
        there.reply(1)
        assert there.people.server.faults == []


@both
@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_platform_delays_a_reply_and_doubles_none(kind: str, status: int, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        broken(kind, there, status, 2)
        there.people.call("Ann", PAGE)
        there.reply(1)
        time.sleep(2)
        there.reply(1)


@both
def test_a_connection_that_breaks_after_a_post_doubles_nothing(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        if kind == "slack":
            there.people.server.faults.append(SlackFault("chat.postMessage", stored=True, cut=True, times=2))
        else:
            there.people.server.faults.append(DiscordFault("POST", MESSAGES, stored=True, times=2))
        there.people.call("Ann", PAGE)
        there.reply(1)
        time.sleep(2)
        assert there.people.server.faults == []
        there.reply(1)
        texts = [one.text for one in there.people.shown()]
        assert len(texts) == len(set(texts))


@pytest.mark.parametrize("kind", ["slack", "slack-http"])
def test_an_acknowledgement_that_gets_lost_means_one_turn(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        there.people.server.lose_acks = 3
        there.people.call("Ann", PAGE)
        there.reply(1)
        until(lambda: there.people.server.redelivered >= 2)
        time.sleep(3)
        there.reply(1)


@both
def test_a_message_that_cannot_be_written_is_not_acknowledged_and_comes_again(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        there.people.build("Ann", PAGE)
        there.reply(1)
        with sqlite3.connect(tmp_path / "data" / "threadwright.db", isolation_level=None) as blocker:
            blocker.execute("BEGIN EXCLUSIVE")
            with ThreadPoolExecutor(1) as threads:
                said = threads.submit(there.people.say, "Ann", "make it dark")
                time.sleep(11)
                blocker.execute("ROLLBACK")
                said.result()
        there.reply(2)
        time.sleep(2)
        there.reply(2)


@both
def test_a_lost_connection_comes_back_and_nothing_is_lost(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        if kind == "slack":
            people.server.disconnect()
            time.sleep(0.5)
            until(people.ready)
            people.say("Ann", "make it dark")
            there.reply(2)
            people.server.cut()
            time.sleep(0.1)
            until(people.ready)
            people.say("Ann", "make it blue")
            there.reply(3)
            return
        people.server.kick(4000)
        people.say("Ann", "make it dark")
        there.reply(2)
        assert people.server.resumed == 1
        people.server.cut(forget=True)
        people.say("Ann", "make it blue")
        there.reply(3)
        assert people.server.identified == 2


@both
def test_a_bot_that_is_killed_in_mid_turn_answers_once(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        first = there.reply(1)
        slow.delay = 2
        asked = people.say("Ann", "make it dark")
        there.marked(asked, "👀")
        there.notice("Planning")
        there.bot.kill()
        slow.delay = 0
        there.restart()
        there.reply(2)
        there.marked(asked, "✅")
        people.react("Ann", first.id, "↩️")
        there.reply(3)
        people.press("Ann", first.id, "redo")
        there.reply(4)


@both
def test_what_happened_while_the_bot_was_away_is_made_up_for(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        done = people.say("Ann", "make it dark")
        there.reply(2)
        slow.delay = 5
        running = people.say("Ann", "make it green")
        there.marked(running, "👀")
        waiting = people.say("Ann", "Rename it to Wheels. queue")
        there.notice("Queued, position 1")
        there.bot.kill()
        slow.delay = 0
        if kind == "discord":
            people.world.archive(people.number)
        people.delete("Ann", waiting)
        people.edit("Ann", done, "make it light")
        missed = people.say("Ann", "make it blue. queue")
        there.restart()
        there.marked(missed, "✅")
        for one in (done, running):
            there.marked(one, "✅")
        # The correction steers the turn that goes on, or comes after it.
        until(lambda: len(there.replies()) >= 4)
        time.sleep(2)
        assert len(there.replies()) in (4, 5)
        assert [one.id for one in there.replies()] == sorted(one.id for one in there.replies())
        assert "Wheels" not in "".join(one.text for one in there.replies())
        there.bot.kill()
        before, latest = len(there.replies()), there.replies()[-1]
        people.react("Ann", latest.id, "↩️")
        there.restart()
        assert "Undone" in there.reply(before + 1).text
        there.bot.kill()
        people.react("Ann", latest.id, "↩️", present=False)
        there.restart()
        assert "Redone" in there.reply(before + 2).text
        # The same reaction again is a new wish.
        there.bot.kill()
        people.react("Ann", latest.id, "↩️")
        there.restart()
        assert "Undone" in there.reply(before + 3).text


@both
def test_a_late_answer_to_a_command_doubles_nothing(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        with sqlite3.connect(tmp_path / "data" / "threadwright.db", isolation_level=None) as blocker:
            blocker.execute("BEGIN EXCLUSIVE")
            with ThreadPoolExecutor(1) as threads:
                said = threads.submit(there.people.build, "Ann", PAGE)
                time.sleep(4)
                blocker.execute("ROLLBACK")
                said.result()
        there.reply(1)
        time.sleep(1)
        there.reply(1)


@both
def test_the_final_state_of_a_reaction_counts(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ann", "make it dark")
        change = there.reply(2)
        people.say("Ann", "make it blue. btw")
        for present in (True, False, True):
            people.react("Ann", change.id, "↩️", present=present)
        until(lambda: any("Undone" in one.text for one in there.replies()))
        time.sleep(3)
        told = [
            "Undone" if "Undone" in one.text else "Redone" for one in there.replies() if "done. History" in one.text
        ]
        assert told[-1] == "Undone", told
        assert "already" not in "".join(one.text for one in there.replies())


@both
def test_an_edit_of_a_finished_message_is_a_correction(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        asked = people.say("Ann", "make it blue")
        there.reply(2)
        people.edit("Ann", asked, "make it dark")
        there.reply(3)
        there.marked(asked, "✅")
        people.edit("Ann", asked, "make it dark")
        time.sleep(1)
        there.reply(3)


@both
def test_messages_at_the_same_moment_are_all_heard(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        slow.delay = 1
        with ThreadPoolExecutor(5) as threads:
            wishes = [f"make it {colour}. queue" for colour in ("blue", "green", "dark", "red", "orange")]
            said = list(threads.map(lambda wish: people.say("Ann", wish), wishes))
        slow.delay = 0
        for one in said:
            there.marked(one, "✅")
        there.reply(6)


@both
def test_stop_is_quick_while_a_model_takes_its_time(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 60
    with place(kind, tmp_path, **with_model(slow)) as there:
        asked = there.people.call("Ann", PAGE)
        there.notice("Planning")
        began = time.monotonic()
        there.people.say("Ann", "stop")
        assert "Stopped by" in there.reply(1, seconds=20).text
        assert time.monotonic() - began < 20
        there.marked(asked, "⏹️")


@both
def test_a_card_that_somebody_deletes_comes_back_as_a_new_one(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 2
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.call("Ann", PAGE)
        card = there.notice("Planning")
        if kind == "slack":
            people.server.delete("bot", card.id)
        else:
            people.delete("Ann", card.id)
        there.reply(1)
        until(lambda: any("Reading the app →" in one.text for one in people.shown()))
        assert len([one for one in people.shown() if "Reading the app" in one.text]) == 1


@both
def test_without_the_right_to_attach_files_people_still_get_the_answer(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        server: Any = there.people.server
        if kind == "slack":
            needed = {"needed": "files:write", "provided": "chat:write"}
            server.faults.append(SlackFault("files.getUploadURLExternal", 200, "missing_scope", extra=needed, times=99))
        else:
            forbid(there, "attach_files")
        there.people.call("Ann", PAGE)
        there.reply(1)
        told = there.notice("could not attach").text
        assert ("files:write" if kind == "slack" else "Attach Files") in told


def forbid(there: Place, *permissions: str) -> None:
    """Take permissions from the bot and from everybody."""
    world = there.people.world
    backend = world.server.backend

    def take() -> None:
        guild = backend.guilds[world.guild]
        for role in guild.roles.values():
            left = discord.Permissions(role.permissions)
            left.update(**dict.fromkeys(permissions, False))
            backend.edit_role(guild.id, role.id, {"permissions": left.value})

    world.server.do(take)


def test_without_the_right_to_react_discord_still_gets_the_answer(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        forbid(there, "add_reactions")
        asked = there.people.call("Ann", PAGE)
        there.reply(1)
        assert there.people.marks(asked) == set()


def test_an_archived_thread_is_opened_again_for_the_end_of_a_turn(tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 2
    with place("discord", tmp_path, **with_model(slow)) as there:
        people = there.people
        asked = people.call("Ann", PAGE)
        there.notice("Planning")
        people.world.archive(people.number)
        there.reply(1)
        there.marked(asked, "✅")


def test_an_answer_that_a_locked_thread_does_not_take_is_told_to_its_owner(tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 2
    with place("discord", tmp_path, **with_model(slow)) as there:
        people = there.people
        people.call("Ann", PAGE)
        there.notice("Planning")
        people.world.archive(people.number, locked=True)
        (told,) = until(lambda: people.told("Ann"))
        assert "the thread is locked" in told
        assert there.replies() == []


def test_a_command_where_slack_lets_the_app_not_in_is_answered_alone(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        server = there.people.server
        server.faults.append(SlackFault("chat.postMessage", error="not_in_channel"))
        server.command("Ann", PAGE)
        (told,) = until(lambda: there.people.told("Ann"))
        assert "not_in_channel" in told
        assert "invite" in told


def test_discord_without_message_content_hears_mentions_only(tmp_path: Path) -> None:
    with discord_server() as server, contextlib.ExitStack() as stack:
        server.approved = discord.Intents.default()
        people = OnDiscord(server, server.world("Ann"))
        bot = BotProcess(tmp_path / "data", {**QUIET, "THREADWRIGHT_BROWSER": "none", **people.env()})
        stack.callback(bot.kill)
        bot.start()
        until(people.ready)
        assert "Message Content Intent" in bot.log()
        there = Place(people, bot)
        people.call("Ann", PAGE)
        there.reply(1)
        assert "mention" in there.notice("mention me").text
        people.say("Ann", "make it dark")
        people.say("Ann", "make it blue", mention=True)
        assert "accent colour" in there.reply(2).text


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_a_token_that_is_refused_at_the_start_ends_the_bot_with_a_sentence(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        there.bot.kill()
        if kind == "slack":
            there.people.server.faults.append(SlackFault("auth.test", 200, "invalid_auth", times=99))
        else:
            there.bot.set("THREADWRIGHT_DISCORD_TOKEN", "wrong")
        with pytest.raises(AssertionError, match=r"refuses the token.*THREADWRIGHT_"):
            there.bot.start()


def test_a_token_that_is_revoked_later_ends_the_connection_without_a_storm(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        server = there.people.server
        methods = ("chat.postMessage", "chat.update", "reactions.add", "apps.connections.open", "auth.test")
        server.faults += [SlackFault(one, 200, "token_revoked", times=10**6) for one in methods]
        server.say("Ann", f"<@{slack_module.BOT}> {PAGE}")
        until(lambda: "platform_lost" in there.bot.log())
        time.sleep(1)
        before = sum(server.calls.values())
        time.sleep(4)
        assert sum(server.calls.values()) - before <= 2
        assert httpx.get(f"{there.bot.url}/healthz", trust_env=False).status_code == 200


def test_native_streams_carry_the_card_and_fall_back_when_they_expire(tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 2
    with place("slack", tmp_path, **with_model(slow)) as there:
        server = there.people.server
        server.native = True
        there.people.call("Ann", PAGE)
        until(lambda: server.calls["chat.startStream"] == 1)
        until(lambda: server.calls["chat.appendStream"] >= 1)
        server.streams.clear()
        there.reply(1)
        until(lambda: any("Reading the app →" in one.text for one in there.people.shown()))
        assert server.calls["chat.startStream"] == 1
        until(lambda: {one["status"] for one in server.statuses if "status" in one} >= {"processing", "active"})


def test_slacks_own_stop_button_stops(tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 30
    with place("slack", tmp_path, **with_model(slow)) as there:
        server = there.people.server
        thread = there.people.call("Ann", PAGE)
        there.notice("Planning")
        event = {"type": "agent_session_stopped", "channel": slack_module.CHANNEL, "thread_ts": thread,
                 "user": server.people["Ann"], "streaming_message_ts": []}  # fmt: skip
        server.send_event({"type": "event_callback", "team_id": slack_module.TEAM, "event_id": "EvStop", "event": event,
                           "authorizations": [{"team_id": slack_module.TEAM, "user_id": slack_module.BOT, "is_bot": True}]})  # fmt: skip
        assert "Stopped by" in there.reply(1).text


def test_threads_do_not_hear_of_each_other(tmp_path: Path) -> None:
    """What is said in one thread or channel appears in no other, and calls to everybody are never passed on."""
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        first = people.thread
        people.build("Ben", "Make a landing page for a bakery called Crumbs <!channel>")
        until(lambda: there.replies())
        people.server.say("Ann", "make it dark", first)
        second = people.thread
        people.thread = first
        there.reply(2)
        people.thread = second
        assert "Spoke" not in "".join(one.text for one in people.shown())
        assert "<!channel>" not in "".join(one.text for one in people.shown())
        assert len(there.replies()) == 1


def test_other_bots_and_unknown_payloads_are_left_alone(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        server = there.people.server
        event = {"type": "message", "subtype": "bot_message", "bot_id": "B9", "channel": slack_module.CHANNEL,
                 "text": f"<@{slack_module.BOT}> {PAGE}", "ts": f"{time.time():.6f}"}  # fmt: skip
        for number, one in enumerate((event, {"type": "message"}, {"type": "unheard_of"}, {})):
            server.send_event({"type": "event_callback", "team_id": slack_module.TEAM, "event_id": f"Ev{number}", "event": one,
                               "authorizations": [{"team_id": slack_module.TEAM, "user_id": slack_module.BOT, "is_bot": True}]})  # fmt: skip
        there.people.call("Ann", PAGE)
        there.reply(1)
        until(lambda: len(server.messages()) == 4)  # the call, the card, the reply, the files


def test_unsigned_and_old_requests_are_refused(tmp_path: Path) -> None:
    with place("slack-http", tmp_path, **QUIET) as there:
        url = f"{there.bot.url}/slack/events"
        body = '{"type":"url_verification","challenge":"abc"}'

        def signed(at: float, secret: str = slack_module.SECRET) -> httpx.Response:
            base = f"v0:{int(at)}:{body}".encode()
            mac = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
            headers = {
                "X-Slack-Request-Timestamp": str(int(at)),
                "X-Slack-Signature": mac,
                "Content-Type": "application/json",
            }
            return httpx.post(url, content=body, headers=headers, trust_env=False)

        assert signed(time.time()).json() == {"challenge": "abc"}
        assert signed(time.time(), "another").status_code == 401
        assert signed(time.time() - 360).status_code == 401
        assert httpx.post(url, content=body, trust_env=False).status_code == 401


@both
def test_ten_threads_at_once_all_get_their_reply(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        threads = []
        for number in range(10):
            people.call("Ann", f"Make a landing page for a shop called Shop{number}")
            threads.append(people.thread if kind == "slack" else people.number)

        def told(thread: Any) -> bool:
            if kind == "slack":
                people.thread = thread
            else:
                people.number = thread
            return len(there.replies()) == 1

        for one in threads:
            until(partial(told, one), 120)
        if kind == "slack":
            # Ten busy threads share fifty edits a minute.
            assert people.server.calls["chat.update"] < 40
