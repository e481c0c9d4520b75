"""Corners of Slack and Discord: edits in mid-turn, tools that take their time, answers that get lost."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_chat import REQUEST, with_model
from tests.journeys.test_chat_faults import PAGE, QUIET
from tests.servers.chat import Place, place, until
from tests.servers.discord import Fault as DiscordFault
from tests.servers.model import ModelServer
from tests.servers.slack import Fault as SlackFault

both = pytest.mark.parametrize("kind", ["slack", "discord"])


@both
def test_an_edit_of_a_running_message_corrects_it_and_a_deletion_does_not_stop_it(
    kind: str, tmp_path: Path, slow: ModelServer
) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        slow.delay = 15
        running = at_work(there, slow, "make it dark")
        slow.delay = 0
        people.edit("Ann", running, "make it blue")
        until(lambda: any("make it blue" in json.dumps(one) for one in slow.bodies))
        there.reply(2)
        there.marked(running, "✅")
        slow.delay = 15
        gone = at_work(there, slow, "Rename it to Wheels")
        slow.delay = 0
        people.delete("Ann", gone)
        assert "Wheels" in there.reply(3).text


def at_work(there: Place, model: ModelServer, text: str) -> str:
    """Say something, and return the message once the model is asked about it."""
    asked = len(model.bodies)
    said: str = there.people.say("Ann", text)
    until(lambda: len(model.bodies) > asked)
    return said


@both
def test_what_is_said_while_a_guest_waits_is_done_and_the_guest_still_waits(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ben", "make it dark", mention=True)
        first = there.notice("make it dark")
        people.say("Cem", "make it orange", mention=True)
        second = there.notice("make it orange")
        people.say("Ann", "make it blue", mention=True)
        there.reply(2)
        people.press("Ann", second.id, "allow")
        there.reply(3)
        people.press("Ann", first.id, "deny")
        there.notice("said no to")
        time.sleep(1)
        there.reply(3)


def processes_with(words: str) -> list[str]:
    """Return the command lines of running programs in which `words` is found."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return [one for one in found if words in one]


def test_stop_does_not_wait_for_a_tool_that_takes_its_time(tmp_path: Path, slow: ModelServer) -> None:
    def sleepy(body: dict[str, Any]) -> str | None:
        wanted = re.search(r'<write>{"path":"((?:backend/)?tests/[^"]+\.py)"', body["messages"][-1]["content"])
        text = "import time\n\n\ndef test_slow() -> None:\n    time.sleep(300)\n    assert time.time() > 0\n"
        return f"FILE: {wanted[1]}\n````python\n{text}````" if wanted else None

    slow.fault = sleepy
    env = {**with_model(slow), "THREADWRIGHT_SANDBOX": "bubblewrap"}
    with place("discord", tmp_path, **env) as there:
        asked = there.people.call("Ann", REQUEST)
        scratch = str(tmp_path / "data" / "scratch")
        until(lambda: [one for one in processes_with(scratch) if "pytest" in one])
        there.people.react("Ann", there.notice("Checking").id, "❌")
        assert "Stopped by" in there.reply(1, seconds=30).text
        there.marked(asked, "⏹️")
        until(lambda: not processes_with(scratch), 10)


@both
def test_an_answer_that_cannot_be_given_costs_only_itself(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        built = there.reply(1)
        if kind == "slack":
            people.server.faults.append(SlackFault("views.open", 200, "expired_trigger_id"))
            people.server.faults.append(SlackFault("chat.postEphemeral", 500, "internal_error"))
            people.press("Ann", built.id, "diff")
            until(lambda: "slack_answer_failed" in there.bot.log())
            people.press("Ann", built.id, "diff")
            until(lambda: people.server.views)
        else:
            refused = {"code": 40060, "message": "Interaction has already been acknowledged."}
            people.server.faults.append(DiscordFault("POST", "/interactions/.*", 400, refused))
            people.press("Ann", built.id, "diff")
            until(lambda: people.server.faults == [])
            again = people.world.press("Ann", people.number, int(built.id), "diff")
            until(lambda: again.followup_ids or again.message_id)
        people.say("Ann", "make it dark")
        there.reply(2)


def test_a_channel_of_slack_that_is_gone_ends_its_turns_quietly(tmp_path: Path, slow: ModelServer) -> None:
    with place("slack", tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        slow.delay = 1
        at_work(there, slow, "make it dark")
        gone = [SlackFault(one, 200, "channel_not_found", times=10**6) for one in ("chat.postMessage", "chat.update")]
        asked = people.server.calls["chat.postMessage"]
        people.server.faults += gone
        slow.delay = 0
        until(lambda: there.bot.log().count("turn_finished") == 2)
        until(lambda: "delivery_dropped" in there.bot.log())

        def quiet() -> bool:
            tried = people.server.calls["chat.postMessage"]
            time.sleep(5)
            return bool(people.server.calls["chat.postMessage"] == tried)

        # Each state of the card and the reply are tried once, and nothing again and again.
        until(quiet)
        assert 0 < people.server.calls["chat.postMessage"] - asked <= there.bot.log().count("delivery_dropped")
        people.server.faults.clear()
        people.build("Ann", "Make a landing page for a bakery called Crumbs")
        there.reply(1)
