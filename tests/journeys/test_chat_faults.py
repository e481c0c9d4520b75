"""What goes wrong at Slack and Discord, and what people see of it: one reply for each message, in order, whatever happens."""

import contextlib
import hashlib
import hmac
import os
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import discord
import httpx
import pytest

from tests.needs import missing
from tests.servers import slack as slack_module
from tests.servers.chat import OnDiscord, Place, place, until
from tests.servers.discord import Fault as DiscordFault
from tests.servers.discord import discord_server
from tests.servers.model import ModelServer
from tests.servers.process import BotProcess
from tests.servers.slack import Fault as SlackFault

PAGE = "Make a landing page for a bicycle workshop called Spoke & Chain"
QUIET = {"THREADWRIGHT_SANDBOX": "none"}
both = pytest.mark.parametrize("kind", ["slack", "discord"])
MESSAGES, MESSAGE = r"/channels/\d+/messages", r"/channels/\d+/messages/\d+"


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
def test_a_rate_limit_on_edits_is_waited_for(kind: str, via: bool, tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 1
    with place(kind, tmp_path, **with_model(slow)) as there:
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


def test_an_event_that_comes_again_after_a_restart_means_one_turn(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        there.people.server.unacked_seconds = 5.0
        there.people.server.lose_acks = 2
        there.people.call("Ann", PAGE)
        there.reply(1)
        there.bot.kill()
        there.restart()
        until(lambda: there.people.server.redelivered)
        time.sleep(2)
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
        people.react("Ann", first.id, "↪️")
        there.reply(4)


@both
def test_a_command_is_answered_on_a_machine_that_has_just_started(kind: str, tmp_path: Path) -> None:
    """The steady clock begins near 0 when a machine starts; what was never refused was not refused at 0."""
    booted = ["unshare", *(["-r"] if os.geteuid() else []), "-T", "--monotonic", str(10 - int(time.monotonic()))]
    if subprocess.run([*booted, "true"], check=False, capture_output=True).returncode:
        missing("time namespaces", "a kernel with CONFIG_TIME_NS")
    with place(kind, tmp_path, **QUIET) as there:
        there.bot.kill()
        there.bot.through = booted
        there.restart()
        there.people.build("Ann", PAGE)
        there.reply(1)


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
def test_who_called_the_bot_while_it_was_away_is_answered(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        there.bot.kill()
        with ThreadPoolExecutor(1) as threads:
            called = threads.submit(people.call, "Ben", "Make a landing page for a bakery called Crumbs")
            time.sleep(1)
            # More than a page of what a platform gives at once lies between the call and now.
            people.chatter("Ann", 230)
            there.restart()
            there.marked(called.result(), "✅")
        there.reply(1)
        there.bot.kill()
        there.restart()
        time.sleep(3)
        there.reply(1)


@both
def test_a_stop_that_was_put_on_a_message_while_the_bot_was_away_counts(
    kind: str, tmp_path: Path, slow: ModelServer
) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        slow.delay = 30
        asked = len(slow.bodies)
        running = people.say("Ann", "make it dark")
        until(lambda: len(slow.bodies) > asked)
        there.bot.kill()
        people.react("Ann", running, "❌")
        there.restart()
        assert "Stopped by" in there.reply(2).text
        there.marked(running, "⏹️")


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
            "Undone" if "Undone" in one.text else "Redone"
            for one in there.replies()
            if "brings it back" in one.text or "undoes it again" in one.text
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
        assert "I lack Add Reactions" in there.notice("could not react").text
        assert there.people.marks(asked) == set()


def test_without_the_right_to_embed_discord_shows_the_evidence_as_text(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        forbid(there, "embed_links")
        there.people.call("Ann", PAGE)
        told = there.reply(1).text
        assert "files changed" in told
        assert "I lack Embed Links here" in told


SCOPES = {
    "reactions:write": ("reactions.add", "I could not react: The Slack app lacks the scope reactions:write"),
    "files:read": ("files.info", "Left out notes.txt: The Slack app lacks the scope files:read"),
    "users:read": ("users.info", ""),
    "channels:history": ("conversations.replies", ""),
    "emoji:read": ("emoji.list", ""),
    "channels:read": ("users.conversations", ""),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_without_a_scope_slack_still_gets_the_answer_and_what_is_missing(scope: str, tmp_path: Path) -> None:
    method, told = SCOPES[scope]
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        needed = {"needed": scope, "provided": "chat:write"}
        people.server.faults.append(SlackFault(method, 200, "missing_scope", extra=needed, times=10**6))
        people.build("Ann", PAGE)
        there.reply(1)
        people.upload("Ann", "make it dark", [("notes.txt", b"hello")])
        there.reply(2)
        if told:
            there.notice(told)
        there.bot.kill()
        there.restart()
        people.say("Ann", "make it blue")
        there.reply(3)


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


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_a_platform_that_cannot_be_reached_at_the_start_keeps_nobody_else_waiting(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        server = there.people.server
        there.bot.kill()
        if kind == "slack":
            server.faults.append(SlackFault("auth.test", 503, times=10**6))
        else:
            server.faults.append(DiscordFault("", ".*", 503, times=10**6))
        there.bot.start()
        if kind == "slack":
            assert "tried again" in health(there)["chats"]["slack"]
        else:
            until(lambda: "keep trying" in health(there)["chats"].get("discord", ""))
        assert "Slack answered 503" in there.bot.log() or kind == "discord"
        server.faults.clear()
        until(lambda: health(there)["state"] == "ok", 90)
        there.people.call("Ann", PAGE)
        there.reply(1)


def health(there: Place) -> Any:
    """Return what the bot's health page says."""
    answer = httpx.get(f"{there.bot.url}/healthz", trust_env=False)
    assert answer.status_code == 200
    return answer.json()


def test_a_token_of_discord_that_is_revoked_later_ends_the_connection_without_a_storm(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        server = there.people.server
        assert health(there)["chats"] == {"discord": "ok"}
        server.faults.append(DiscordFault("", ".*", 401, {"message": "401: Unauthorized", "code": 0}, times=10**6))
        server.kick(4004)
        until(lambda: "platform_lost" in there.bot.log())
        time.sleep(1)
        before = sum(server.requests.values())
        time.sleep(4)
        assert sum(server.requests.values()) - before <= 2
        told = health(there)
        assert told["state"] == "degraded"
        assert "THREADWRIGHT_DISCORD_TOKEN" in told["chats"]["discord"]


def test_a_token_of_slack_that_is_revoked_later_ends_the_connection_without_a_storm(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        server = there.people.server
        assert health(there)["chats"] == {"slack": "ok"}
        server.faults.append(SlackFault("", 200, "token_revoked", times=10**6))
        server.say("Ann", f"<@{slack_module.BOT}> {PAGE}")
        until(lambda: "platform_lost" in there.bot.log())
        time.sleep(1)
        before = sum(server.calls.values())
        time.sleep(4)
        assert sum(server.calls.values()) - before <= 2
        told = health(there)
        assert told["state"] == "degraded"
        assert "THREADWRIGHT_SLACK_BOT_TOKEN" in told["chats"]["slack"]


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


def test_a_workspace_with_sessions_and_without_streams_gets_an_ordinary_card(tmp_path: Path, slow: ModelServer) -> None:
    # Each turn takes long enough for a card that is a stream.
    slow.delay = 1
    with place("slack", tmp_path, **with_model(slow)) as there:
        server = there.people.server
        server.native = True
        server.faults.append(SlackFault("chat.startStream", 200, "missing_scope", times=10**6))
        there.people.call("Ann", PAGE)
        there.reply(1)
        until(lambda: any("Reading the app →" in one.text for one in there.people.shown()))

        def session() -> list[str]:
            return [one["status"] for one in server.statuses if one.get("status") in ("processing", "active")]

        until(lambda: session()[-1:] == ["active"])
        there.people.say("Ann", "make it dark")
        there.reply(2)
        assert server.calls["chat.startStream"] == 1


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


def test_a_payload_of_discord_that_is_mangled_costs_no_connection(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        for event, payload in (
            ("MESSAGE_UPDATE", {"id": "1"}), ("MESSAGE_CREATE", {}), ("MESSAGE_REACTION_ADD", {"emoji": None}),
            ("INTERACTION_CREATE", {"id": "1", "type": 2}), ("MESSAGE_DELETE", {"id": "x"}), ("UNHEARD_OF", {}),
        ):  # fmt: skip
            people.server.send_event(event, payload)
        people.say("Ann", "make it dark")
        there.reply(2)
        assert people.server.identified == 1
        assert "discord_payload_odd" in there.bot.log()


def test_unsigned_and_old_requests_are_refused(tmp_path: Path) -> None:
    with place("slack-http", tmp_path, **QUIET) as there:
        url = f"{there.bot.url}/slack/events"
        body = '{"type":"url_verification","challenge":"abc"}'

        def signed(
            at: float, secret: str = slack_module.SECRET, body: str = body, kind: str = "application/json"
        ) -> httpx.Response:
            base = f"v0:{int(at)}:{body}".encode()
            mac = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
            headers = {
                "X-Slack-Request-Timestamp": str(int(at)),
                "X-Slack-Signature": mac,
                "Content-Type": kind,
            }
            return httpx.post(url, content=body, headers=headers, trust_env=False)

        assert signed(time.time()).json() == {"challenge": "abc"}
        for odd in ("[]", " []", "null", "123", '"text"', "[" * 100_000, "{"):
            assert signed(time.time(), body=odd).status_code == 400
        for odd in (
            '{"event":"x","type":"event_callback"}', '{"event":[]}', '{"authorizations":5,"type":"event_callback","event":{}}',
            '{"authorizations":[7],"type":"event_callback","event":{"type":"message"}}',
        ):  # fmt: skip
            assert signed(time.time(), body=odd).status_code == 400, odd
            assert signed(time.time(), "another", body=odd).status_code == 401, odd
        for odd in ("payload=%5B%5D", "payload=null", "payload=1", "payload=nonsense", "payload=%7B%22type%22%3A7%7D"):
            refused = signed(time.time(), body=odd, kind="application/x-www-form-urlencoded").status_code
            assert 400 <= refused < 500, odd
        assert signed(time.time(), "another").status_code == 401
        assert httpx.post(url, content=body, trust_env=False).status_code == 401
        assert health(there)["chats"] == {"slack": "ok"}
        assert signed(time.time() - 360, "another").status_code == 401
        assert health(there)["chats"] == {"slack": "ok"}
        # What is really from Slack, and too old, says that the clock is wrong; until it is right again.
        assert signed(time.time() - 360).status_code == 401
        assert "by the clock of this machine" in health(there)["chats"]["slack"]
        assert signed(time.time()).status_code == 200
        assert health(there)["state"] == "ok"


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
