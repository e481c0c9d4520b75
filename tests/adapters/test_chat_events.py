"""What Slack and Discord report, as events: by the documentation's examples, and by whatever else may come."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.chat.discord.events import filled_in
from adapters.chat.slack.emoji import NAMES, meaning, name_of
from adapters.chat.slack.events import event_of
from bot.replies import MARKS
from core.messages import Attachment
from core.sessions import Author
from core.thread.access import with_names
from core.thread.commands import COMMANDS, plain_emoji

ME = "U0BOT"
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=6,
)


def wrapped(**event: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}


MESSAGE = wrapped(
    type="message", channel="C1", user="U1", text=f"<@{ME}> build &lt;b&gt; <https://a.example|a>", ts="10.5"
)
SAMPLES: list[dict[str, Any]] = [
    MESSAGE,
    wrapped(type="reaction_added", user="U1", reaction="+1::skin-tone-3", item={"type": "message", "channel": "C1", "ts": "1.1"}, event_ts="2.2"),
    wrapped(type="message", subtype="message_changed", channel="C1", message={"user": "U1", "text": "b", "ts": "1.1", "edited": {"ts": "3.3"}},
            previous_message={"text": "a"}),
    wrapped(type="message", subtype="message_deleted", channel="C1", deleted_ts="1.1", previous_message={"user": "U1"}),
    {"command": "/build", "text": "x", "team_id": "T1", "channel_id": "C1", "user_id": "U1", "trigger_id": "9"},
    {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "trigger_id": "9", "message": {"thread_ts": "1.1"},
     "container": {"type": "message", "channel_id": "C1", "message_ts": "2.2"}, "actions": [{"action_id": "tw:undo", "value": "t"}]},
    {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1"},
     "view": {"id": "V1", "callback_id": "tw:set", "private_metadata": '{"channel": "C1", "thread": "1.1"}',
              "state": {"values": {"access": {"access": {"selected_option": {"value": "everyone"}}}}}}},
]  # fmt: skip


def test_a_message_is_read_as_it_was_typed() -> None:
    event = event_of(MESSAGE, ME, {})
    assert event is not None
    assert event.text == "build <b> a (https://a.example)"
    assert (event.id, event.thread.thread, event.remote_id) == ("slack:T1:C1:10.5", "10.5", "C1/10.5")
    assert event.begins
    assert event.mentioned


def test_what_a_message_links_to_has_its_name_and_people_are_told() -> None:
    text = f"<@{ME}> ask <@U2|ben>, <@U3> and <!subteam^S1|@design> in <#C9|help>, <!here> by <!date^1^{{date}}|Monday>, <@U2>"
    event = event_of({**MESSAGE, "event": {**MESSAGE["event"], "text": text}}, ME, {})
    assert event is not None
    assert event.text == "ask <@U2|ben>, <@U3> and @design in #help, @here by Monday, <@U2>"
    assert [(one.id, one.name) for one in event.people] == [("U2", "ben"), ("U3", "U3")]
    command = event_of({**SAMPLES[4], "text": "a page that <@U2|ben> likes"}, ME, {})
    assert command is not None
    assert with_names(command.target, command.people) == "a page that @ben likes"


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("edit <http://main.py|main.py>", "edit main.py"),
        (
            "for <http://spoke.bike|spoke.bike> and <https://spoke.bike/|https://spoke.bike>",
            "for spoke.bike and https://spoke.bike",
        ),
        ("<https://spoke.bike/prices|our prices>", "our prices (https://spoke.bike/prices)"),
        ("<mailto:ann@spoke.bike|ann@spoke.bike>", "ann@spoke.bike"),
        ("Lulu’s\u00a0Café 👨\u200d👩\u200d👧", "Lulu’s\u00a0Café 👨\u200d👩\u200d👧"),
    ],
)
def test_links_that_slack_makes_itself_read_as_they_were_typed(sent: str, typed: str) -> None:
    event = event_of({**MESSAGE, "event": {**MESSAGE["event"], "text": sent}}, ME, {})
    assert event is not None
    assert event.text == typed


@pytest.mark.parametrize("home", ["T1", ""])
def test_somebody_of_another_organisation_speaks_in_our_thread(home: str) -> None:
    foreign = {**MESSAGE, "team_id": "T9", "authorizations": [{"team_id": "T1", "is_bot": True}]}
    event, ours = event_of(foreign, ME, {}, home), event_of(MESSAGE, ME, {}, home)
    assert event is not None
    assert ours is not None
    assert (event.thread, event.id) == (ours.thread, ours.id)
    button = event_of({**SAMPLES[5], "team": {"id": "T9"}}, ME, {}, "T1")
    assert button is not None
    assert button.thread.workspace == "T1"


def test_who_gives_a_command_is_looked_up_and_not_called_by_their_login() -> None:
    command = event_of({**SAMPLES[4], "user_name": "ann.smith84"}, ME, {})
    assert command is not None
    assert command.author == Author("U1", "U1")


def test_a_mention_and_its_message_are_one_event() -> None:
    mention = {**MESSAGE, "event_id": "Ev2", "event": {**MESSAGE["event"], "type": "app_mention"}}
    one, other = event_of(MESSAGE, ME, {}), event_of(mention, ME, {})
    assert one is not None
    assert other is not None
    assert one.id == other.id


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": "B1"},
        {"subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"user": ME},
        {"type": "unheard_of"},
        {"ts": None},
    ],
)
def test_what_is_not_for_us_is_nobody(change: dict[str, Any]) -> None:
    assert event_of({**MESSAGE, "event": {**MESSAGE["event"], **change}}, ME, {}) is None


def test_a_link_that_is_unfurled_is_no_edit() -> None:
    same = {"user": "U1", "text": "a", "ts": "1.1", "edited": {"ts": "3.3"}}
    assert (
        event_of(
            wrapped(
                type="message", subtype="message_changed", channel="C1", message=same, previous_message={"text": "a"}
            ),
            ME,
            {},
        )
        is None
    )


def test_a_message_to_somebody_else_says_so() -> None:
    event = event_of({**MESSAGE, "event": {**MESSAGE["event"], "text": "<@U2> look"}}, ME, {})
    assert event is not None
    assert event.for_others


def test_who_is_named_first_is_who_is_meant() -> None:
    event = event_of({**MESSAGE, "event": {**MESSAGE["event"], "text": f"<@U2> ask <@{ME}> for a page"}}, ME, {})
    assert event is not None
    assert (event.for_others, event.begins) == (True, False)


def test_a_message_that_is_forwarded_is_read() -> None:
    shared = {"is_share": True, "author_name": "Cem", "from_url": "https://x.slack.com/p1", "text": "We need &lt;b&gt;"}
    unfurled = {"title": "A page", "text": "not this", "from_url": "https://example.com"}
    body = {**MESSAGE, "event": {**MESSAGE["event"], "text": "", "attachments": [unfurled, shared, "odd"]}}
    event = event_of(body, ME, {})
    assert event is not None
    assert event.text == "Forwarded from Cem (https://x.slack.com/p1):\nWe need <b>"


@pytest.mark.parametrize("verb", ["undo", "undo_to"])
def test_the_menu_of_a_message_in_a_thread_offers_undo(verb: str) -> None:
    body = {
        "type": "message_action", "callback_id": f"tw:{verb}", "trigger_id": "7.7", "team": {"id": "T1"},
        "user": {"id": "U1"}, "channel": {"id": "C1"}, "message": {"ts": "2.2", "thread_ts": "1.1"},
    }  # fmt: skip
    event = event_of(body, ME, {})
    assert event is not None
    assert (event.text, event.target, event.thread.thread) == (verb, "message:C1/2.2", "1.1")
    assert event_of({**body, "callback_id": "tw:reset_data"}, ME, {}) is None


def test_buttons_and_forms_carry_verb_and_target() -> None:
    button, form = event_of(SAMPLES[5], ME, {}), event_of(SAMPLES[6], ME, {})
    assert button is not None
    assert form is not None
    assert (button.text, button.target, button.thread.thread) == ("undo", "t", "1.1")
    assert (form.text, form.target) == ("set", "access=everyone")


def test_files_are_known_by_their_id() -> None:
    body = {
        **MESSAGE,
        "event": {
            **MESSAGE["event"],
            "subtype": "file_share",
            "files": [{"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3}],
        },
    }
    event = event_of(body, ME, {})
    assert event is not None
    assert event.files == (Attachment("a.png", "image/png", 3, "slack:F1"),)


@pytest.mark.parametrize("name", ["+1", "thumbsup", "+1::skin-tone-2", "our-thumb"])
def test_emoji_are_compared_by_meaning(name: str) -> None:
    assert meaning(name, {"our-thumb": "+1"}) == "👍"


def test_an_alias_that_leads_in_a_circle_ends() -> None:
    assert meaning("a", {"a": "b", "b": "a"}) in ("a", "b")


def test_every_mark_has_a_name_at_slack() -> None:
    assert all(name_of(mark) != "grey_question" for mark in (*MARKS.values(), "👀", "🔑"))


def test_every_reaction_that_means_something_is_known_at_slack() -> None:
    known = {plain_emoji(one) for one in NAMES}
    assert {plain_emoji(command.emoji) for command in COMMANDS.values() if command.emoji} <= known


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_no_payload_of_slack_breaks_the_parser(sample: dict[str, Any], data: st.DataObject) -> None:
    """A payload of which any part is something else is either read or nobody's, and never an error."""
    text = json.dumps(sample)
    body = json.loads(text)
    place: Any = body
    while isinstance(place, dict | list) and place:
        keys: Any = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            if isinstance(place, dict) and data.draw(st.booleans()):
                del place[key]
            else:
                place[key] = data.draw(VALUES)
            break
        place = place[key]
    event = event_of(body, ME, {})
    assert event is None or event.id


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_nothing_at_all_breaks_the_parser(body: Any) -> None:
    assert event_of(body, ME, {}) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=4))
def test_no_form_of_discord_breaks_its_reader(components: list[Any]) -> None:
    filled_in(components)
