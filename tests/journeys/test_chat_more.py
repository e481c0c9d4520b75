"""Forms, App Home, commands on messages, lists of who may start: what a platform has beside the conversation."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_chat import with_model
from tests.servers.chat import Place, place, until
from tests.servers.model import model_server
from tests.servers.slack import BOT, CHANNEL, TEAM

PAGE = "Make a landing page for a bicycle workshop called Spoke & Chain"
QUIET = {"THREADWRIGHT_SANDBOX": "none"}
CHOSEN = {"access": "everyone", "listening": "always", "verbosity": "answer", "scope": "channel"}


def told(there: Place, answer: Any, words: str) -> bool:
    """Wait until a person was answered privately on Discord, with these words."""
    backend = there.people.world.server.backend

    def look() -> bool:
        ids = [answer.message_id, *answer.followup_ids]
        messages = [backend.messages[answer.channel_id].get(int(found)) for found in ids if found]
        shown = [[one.content, one.embeds, one.components, one.attachments] for one in messages if one]
        return words in json.dumps(shown, ensure_ascii=False, default=str)

    return bool(until(look, 20))


def check_settings(there: Place) -> None:
    """After the form everybody drives, plain messages of several people count, and no card is shown."""
    people = there.people
    people.say("Ben", "make it blue")
    there.reply(2)
    people.say("Ann", "make it dark")
    there.reply(3)
    assert len([one for one in people.shown() if "Reading the app" in one.text]) == 1
    people.build("Ann", "Make a landing page for a bakery called Crumbs")
    there.reply(1)
    people.say("Cem", "make it blue")
    there.reply(2)


def test_settings_are_a_form_in_slack(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ann", "settings")
        asked = there.notice("Who may drive")
        people.press("Ann", asked.id, "settings")
        view = until(lambda: people.server.views)[-1]
        assert [one["block_id"] for one in view["blocks"]] == ["access", "listening", "verbosity", "sharing", "scope"]
        people.server.submit("Ann", CHOSEN)
        until(lambda: any("Changed." in json.dumps(one) for one in people.server.ephemerals))
        check_settings(there)


def test_settings_are_a_form_in_discord(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        asked = people.world.slash("Ann", people.number, "settings")
        until(lambda: asked.modal)
        answer = people.world.submit("Ann", asked, **CHOSEN)
        assert told(there, answer, "Changed.")
        check_settings(there)


FILLED_IN = {
    "title": "Bike rental",
    "lists": "bikes: model, price (money)\n\nrentals: bike, who, due date",
    "looks": "teal",
}


def test_to_whom_no_words_come_a_form_opens_in_slack(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.server.command("Ann", "")
        view = until(lambda: people.server.views)[-1]
        assert [one["block_id"] for one in view["blocks"]] == ["starter", "title", "lists", "looks"]
        people.server.submit("Ann", FILLED_IN)
        people.thread = until(
            lambda: [one["ts"] for one in people.server.messages() if "Bike rental" in json.dumps(one)]
        )[0]
        assert "an app that keeps bikes and rentals" in there.reply(1).text
        # Nothing opens a thread but a form with something in it.
        count = len(people.server.views)
        people.server.command("Ann", " ")
        until(lambda: len(people.server.views) > count)
        people.server.submit("Ann", {})
        until(lambda: "Nothing was filled in" in json.dumps(people.server.ephemerals))
        people.server.command("Ann", "")
        until(lambda: len(people.server.views) > count + 1)
        people.server.submit("Ann", {"starter": "landing"})
        until(
            lambda: [one for one in people.server.messages() if "Spoke" in json.dumps(one) and "thread_ts" not in one]
        )


def test_to_whom_no_words_come_a_form_opens_in_discord(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        world, channel = there.people.world, there.people.world.channel
        asked = world.slash("Ann", channel, "build")
        until(lambda: asked.modal)
        assert told(there, world.submit("Ann", asked), "Nothing was filled in")
        asked = world.slash("Ann", channel, "build")
        until(lambda: asked.modal)
        assert told(there, world.submit("Ann", asked, **FILLED_IN), "Opening a thread for it.")
        there.people.number = until(lambda: world.threads())[-1]
        assert "an app that keeps bikes and rentals" in there.reply(1).text


def test_a_form_that_was_open_when_the_bot_died_still_works(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        asked = people.world.slash("Ann", people.number, "settings")
        until(lambda: asked.modal)
        there.bot.kill()
        there.restart()
        assert told(there, people.world.submit("Ann", asked, **CHOSEN), "Changed.")


LONG = "Make it red. " + "We talked about this for a long time. " * 60 + "And call it Rouge."


def check_decided(there: Place) -> None:
    """After an invitation by form the message is carried out, and the guest drives."""
    there.notice(" invited ")
    there.reply(2)
    there.people.say("Ben", "make it dark", mention=True)
    there.reply(3)


def test_a_guests_message_is_read_whole_and_decided_in_a_form_in_slack(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ben", LONG, mention=True)
        card = there.notice("would like me to do this")
        people.press("Ben", card.id, "review")
        people.press("Ann", card.id, "review")
        view = until(lambda: people.server.views)[-1]
        assert len(people.server.views) == 1
        assert "And call it Rouge." in json.dumps(view)
        people.server.submit("Ann", {"decision": "invite"})
        check_decided(there)


def test_a_guests_message_is_read_whole_and_decided_in_a_form_in_discord(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ben", LONG[:1_900], mention=True)
        card = there.notice("would like me to do this")
        number = int(card.id)
        assert told(there, people.world.press("Ben", people.number, number, "review"), "decides who can drive")
        asked = people.world.press("Ann", people.number, number, "review")
        until(lambda: asked.modal)
        assert LONG[:1_900].rstrip() in json.dumps(asked.modal)
        people.world.submit("Ann", asked, decision="invite")
        check_decided(there)
        assert told(there, people.world.submit("Ann", asked, decision="deny"), "already been decided")


def test_an_approval_can_be_taken_back_while_it_waits(tmp_path: Path) -> None:
    with model_server(1) as slow, place("discord", tmp_path, **QUIET | with_model(slow)) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        slow.delay = 20
        people.say("Ann", "make it dark", mention=True)
        until(lambda: any("Planning" in one.text and "Writing" not in one.text for one in people.shown()))
        people.say("Ben", "make it red. queue", mention=True)
        card = there.notice("would like me to do this")
        people.react("Ann", card.id, "👍")
        there.notice("position 1")
        people.react("Ben", card.id, "👍", present=False)
        people.react("Ann", card.id, "👍", present=False)
        assert "Ben's message is not carried out" in there.notice("took that back").text
        slow.delay = 0
        there.reply(2)
        people.say("Ann", "status", mention=True)
        there.notice("Nothing is running")


def test_the_diff_opens_in_a_modal_and_app_home_lists_threads(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        built = there.reply(1)
        people.press("Ann", built.id, "diff")
        view = until(lambda: people.server.views)[-1]
        assert view["title"]["text"] == "Diff"
        assert "+&lt;!doctype html&gt;" in json.dumps(view).lower()
        people.server.open_home("Ann")
        home = until(lambda: [one for one in people.server.views if one["type"] == "home"])[-1]
        assert "Spoke &amp; Chain" in json.dumps(home)
        assert "tw_preview=" in json.dumps(home)
        people.server.open_home("Ben")
        until(lambda: len([one for one in people.server.views if one["type"] == "home"]) == 2)
        assert "Spoke" not in json.dumps(people.server.views[-1])


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_what_a_stopped_turn_wrote_can_be_seen_and_gone_on_with(kind: str, tmp_path: Path) -> None:
    with model_server() as slow, place(kind, tmp_path, **with_model(slow)) as there:
        slow.late = '<write>{"path":"styles.css"'
        people = there.people
        people.build("Ann", PAGE)
        there.notice("index.html")
        people.say("Ann", "stop")
        stopped = there.reply(1)
        assert "kept beside the app as" in stopped.text
        assert re.search(r"\d files? kept beside the app · \+", stopped.text)
        assert stopped.buttons == ("continue", "diff")
        if kind == "slack":
            people.press("Ann", stopped.id, "diff")
            seen = json.dumps(until(lambda: people.server.views)[-1], ensure_ascii=False)
            assert "This isn't in the app" in seen
            assert "tw_preview=" in seen
        else:
            answer = people.world.press("Ann", people.number, int(stopped.id), "diff")
            assert told(there, answer, "This isn't in the app")
            assert told(there, answer, "tw_preview=")
        slow.late = ""
        people.press("Ann", stopped.id, "continue")
        assert "files changed" in there.reply(2).text


def test_the_menu_of_an_answer_in_slack_undoes(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        built = there.reply(1)
        people.say("Ann", "make it dark")
        there.reply(2)
        people.say("Ann", "make it blue")
        there.reply(3)
        body = {
            "type": "message_action", "callback_id": "tw:undo_to", "trigger_id": "7.7", "team": {"id": TEAM},
            "user": {"id": people.server.people["Ann"]}, "channel": {"id": CHANNEL}, "token": "t",
            "message": {"ts": built.id, "thread_ts": people.thread},
        }  # fmt: skip
        people.server.send_event(body, "interactive")
        assert "Undone" in there.reply(4).text
        assert "blue" not in there.reply(4).text
        elsewhere = people.server.say("Ben", "Nice!")
        body |= {"trigger_id": "8.8", "message": {"ts": elsewhere}}
        people.server.send_event(body, "interactive")
        until(lambda: any("one of my threads" in json.dumps(one) for one in people.server.ephemerals))


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_who_is_called_into_a_thread_knows_what_was_said_before(kind: str, tmp_path: Path) -> None:
    with model_server() as model, place(kind, tmp_path, **with_model(model)) as there:
        people = there.people
        people.opens("Ann", "Our workshop needs a page")
        people.say("Ben", "It is called Spoke & Chain, and the colour is teal")
        people.say("Ann", "make the landing page that we talked of", mention=True)
        there.reply(1)
        shown = model.bodies[0]["messages"][1]["content"]
        assert '"said":"It is called Spoke & Chain, and the colour is teal"' in shown
        assert "Our workshop needs a page" in shown


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_people_who_are_mentioned_have_their_names(kind: str, tmp_path: Path) -> None:
    with model_server() as model, place(kind, tmp_path, **with_model(model)) as there:
        people = there.people
        people.call("Ann", PAGE)
        there.reply(1)
        asked = len(model.bodies)
        people.say("Ann", f"say that {people.named('Ben')} answers the phone")
        there.reply(2)
        assert "say that @ben answers the phone" in model.bodies[asked]["messages"][1]["content"].lower()
        # Ben has not spoken yet.
        people.say("Ann", f"invite {people.named('Ben')}")
        until(lambda: any("ben can now drive this thread" in one.text.lower() for one in people.shown()))
        people.say("Ben", "make it dark", mention=True)
        there.reply(3)
        people.say("Ann", f"uninvite {people.named('Ben')}", mention=True)
        until(lambda: any("ben can no longer drive this thread" in one.text.lower() for one in people.shown()))
        if kind == "slack":
            # Slack leaves the names of channels and groups out.
            asked = len(model.bodies)
            people.say("Ann", f"say that we meet in <#{CHANNEL}> with <!subteam^S0GROUP1>", mention=True)
            there.reply(4)
            assert "we meet in #general with @group" in model.bodies[asked]["messages"][1]["content"]


def test_discords_commands_answer_privately_and_act_in_the_thread(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people, world = there.people, there.people.world
        people.build("Ann", PAGE)
        built = there.reply(1)
        for name, answer in (
            ("status", "Nothing is running"), ("help", "undo"), ("checks", "syntax"), ("preview", "new link"),
            ("diff", ".diff"), ("export", ".zip"), ("stop", "Nothing is running"),
        ):  # fmt: skip
            assert told(there, world.slash("Ann", people.number, name), answer)
        world.slash("Ann", people.number, "build", what="Rename it to Wheels")
        second = there.reply(2)
        world.slash("Ann", people.number, "queue", what="make it dark")
        there.reply(3)
        world.slash("Ann", people.number, "undo")
        assert "Undone" in there.reply(4).text
        world.slash("Ann", people.number, "redo")
        assert "Redone" in there.reply(5).text
        world.on_message("Ann", people.number, int(second.id), "Undo this turn")
        assert "Undone" in there.reply(6).text
        world.on_message("Ann", people.number, int(built.id), "Undo to here")
        assert "Undone" in there.reply(7).text
        refused = world.on_message("Ann", people.number, int(world.say("Ben", people.number, "hm")), "Undo this turn")
        assert told(there, refused, "on one of my answers")
        assert told(there, world.slash("Ben", people.number, "undo"), "decides who can drive")
        assert len(there.replies()) == 7
        nowhere = world.slash("Ann", world.channel, "undo")
        assert told(there, nowhere, "one of my threads")


def test_only_people_on_the_list_may_start(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET, THREADWRIGHT_CHAT_PEOPLE="U01ANN") as there:
        people = there.people
        people.server.say("Ben", f"<@{BOT}> {PAGE}")
        until(lambda: any("not on the list" in json.dumps(one) for one in people.server.ephemerals))
        people.server.command("Ben", PAGE)
        until(lambda: sum("not on the list" in json.dumps(one) for one in people.server.ephemerals) == 2)
        people.build("Ann", PAGE)
        there.reply(1)


def test_only_channels_on_the_list_may_be_started_in(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET, THREADWRIGHT_CHAT_CHANNELS="1") as there:
        world = there.people.world
        refused = world.slash("Ann", world.channel, "build", what=PAGE)
        assert told(there, refused, "not allowed to build in this channel")
        world.say("Ann", world.channel, f"<@{world.server.backend.bot_user.id}> {PAGE}")
        until(lambda: any("not allowed to build" in one.content for one in world.messages(world.channel)))
        assert world.threads() == []


def test_a_very_long_message_and_many_files_are_taken(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ann", "Add a section called News. " + "Really. " * 3_750)
        there.reply(2)
        people.upload("Ann", "make it blue", [("same.txt", f"file {number}".encode()) for number in range(20)])
        told = there.reply(3).text
        assert "/uploads/same-10.txt" in told
        assert "10 more files" in told


def test_a_pause_ends_only_by_its_owner(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        people.say("Ann", "set access nobody")
        assert "You can still say “settings”" in there.notice("Who may drive: nobody").text
        refused = people.say("Ann", "make it blue")
        there.marked(refused, "⛔")
        people.say("Ann", "set access everyone")
        there.notice("Who may drive: everyone")
        people.say("Ann", "make it blue")
        there.reply(2)


def test_an_edit_does_not_get_a_guest_past_the_owner(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        people = there.people
        people.build("Ann", PAGE)
        there.reply(1)
        asked = people.say("Ben", "make it blue", mention=True)
        card = there.notice("make it blue")
        people.edit("Ben", asked, "make it dark")
        until(lambda: any("make it dark" in one.text and "allow" in one.buttons for one in people.shown()))
        people.press("Ann", card.id, "deny")
        there.notice("said no")
        people.edit("Ben", asked, "make it green")
        again = people.say("Ben", "make it red", mention=True)
        there.notice("make it red")
        there.marked(again, "🔑")
        assert len(there.replies()) == 1


def check_question(there: Place, *picks: Callable[[str], None]) -> None:
    """A question with options is answered by picking one, once."""
    there.people.call("Ann", "Please do something nice for us")
    asked = there.reply(1)
    assert asked.buttons == ("answer_1", "answer_2", "answer_3")
    assert "2️⃣ Build a booking page" in asked.text
    picks[0](asked.id)
    assert "undo" in there.reply(2, 60).buttons
    # What is answered has no buttons any more, and a reaction comes too late.
    until(lambda: there.replies()[0].buttons == ())
    picks[1](asked.id)
    time.sleep(2)
    assert len(there.replies()) == 2


def test_a_question_is_answered_by_a_number_on_slack(tmp_path: Path) -> None:
    with place("slack", tmp_path, **QUIET) as there:
        react = there.people.react
        check_question(there, lambda asked: react("Ann", asked, "2️⃣"), lambda asked: react("Ann", asked, "3️⃣"))


def test_a_question_is_answered_by_a_button_on_discord(tmp_path: Path) -> None:
    with place("discord", tmp_path, **QUIET) as there:
        react, press = there.people.react, there.people.press
        check_question(there, lambda asked: press("Ann", asked, "answer_2"), lambda asked: react("Ann", asked, "3️⃣"))
