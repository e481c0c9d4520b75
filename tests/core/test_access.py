"""Who may start, who may drive, what counts as said to the bot: by table, and closed where nothing is said."""

from dataclasses import replace
from typing import Any

import pytest

from core.chat import Event
from core.sessions import Author, Session, ThreadKey
from core.thread.access import StartRules, is_addressed, may_drive, with_names
from core.thread.settings import wanted_settings

KEY = ThreadKey("slack", "T", "C", "1.1")
SESSION = Session("s", KEY, "Shop", "shop-1")
EVENT = Event("e", KEY, Author("U1", "Ann"), text="hello")


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (StartRules(), True),
        (StartRules(channels=frozenset({"C"})), True),
        (StartRules(channels=frozenset({"D"})), False),
        (StartRules(people=frozenset({"U1"})), True),
        (StartRules(people=frozenset({"R1"})), True),
        (StartRules(people=frozenset({"U2"})), False),
        (StartRules(channels=frozenset({"C"}), people=frozenset({"U2"})), False),
    ],
)
def test_who_may_start(rules: StartRules, allowed: bool) -> None:
    assert (rules.refusal(replace(EVENT, roles=("R1",))) == "") is allowed


def test_the_local_chat_is_open_to_whoever_reaches_it() -> None:
    local = replace(EVENT, thread=ThreadKey("local", "l", "l", "t"))
    assert StartRules(channels=frozenset({"x"})).refusal(local) == ""
    assert may_drive(replace(SESSION, key=local.thread), "guest")


@pytest.mark.parametrize(
    ("access", "drivers"),
    [
        ("owner", {"owner"}),
        ("invited", {"owner", "invited"}),
        ("everyone", {"owner", "invited", "guest"}),
        ("nobody", set()),
        ("odd", set()),
    ],
)
def test_who_may_drive(access: Any, drivers: set[str]) -> None:
    standings: list[Any] = ["owner", "invited", "guest", "denied"]
    assert {one for one in standings if may_drive(replace(SESSION, access=access), one)} == drivers


@pytest.mark.parametrize(
    ("listening", "speakers", "change", "heard"),
    [
        ("auto", 1, {}, True), ("auto", 2, {}, False), ("auto", 2, {"mentioned": True}, True), ("auto", 1, {"for_others": True}, False),
        ("always", 5, {}, True), ("always", 5, {"for_others": True}, False), ("mention", 1, {}, False),
        ("auto", 2, {"for_others": True, "mentioned": True}, False), ("mention", 1, {"mentioned": True}, True),
    ],
)  # fmt: skip
def test_what_counts_as_said_to_the_bot(listening: Any, speakers: int, change: dict[str, Any], heard: bool) -> None:
    assert is_addressed(replace(SESSION, listening=listening), replace(EVENT, **change), speakers) is heard


def test_settings_that_are_not_known_are_left_out() -> None:
    text = "access=everyone&listening=shouting&colour=blue&verbosity answer&scope=channel&&x="
    assert wanted_settings(text) == {"access": "everyone", "verbosity": "answer", "scope": "channel"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ask <@U1> and <@!U2>, then <@U1>", "ask @Ann and @Ben B., then @Ann"),
        ("ask <@U3|cem>", "ask <@U3|cem>"),
        ("<@U4>", "<@U4>"),
        ("a <@U5> b", "a @everyone U1 b"),
        ("1 < 2 and <@> is no name", "1 < 2 and <@> is no name"),
    ],
)
def test_mentions_have_the_names_that_people_read(text: str, read: str) -> None:
    people = [Author("U1", "Ann"), Author("U2", "Ben\n B."), Author("U4", "<>"), Author("U5", "@everyone <@U1>")]
    assert with_names(text, people) == read


def test_in_the_local_chat_everything_is_said_to_the_bot() -> None:
    local = replace(SESSION, key=replace(SESSION.key, platform="local"))
    assert is_addressed(local, replace(EVENT, for_others=True), 9)
