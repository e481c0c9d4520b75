"""Whole conversations at Slack and Discord, over their sockets, with the real pipeline and the built-in builder."""

import shutil
from pathlib import Path

import pytest

from tests.needs import missing
from tests.servers.chat import Place, place, until
from tests.servers.model import ModelServer

KINDS = ["slack", "slack-http", "discord"]
REQUEST = "Build a to-do list: tasks with title, done and due date"
LOGO = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)  # fmt: skip


def with_model(model: ModelServer) -> dict[str, str]:
    return {
        "THREADWRIGHT_MODEL_BASE_URL": model.url, "THREADWRIGHT_MODEL_NAME": "slow", "THREADWRIGHT_SANDBOX": "none",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_thread_becomes_an_app_and_every_turn_can_be_taken_back(kind: str, tmp_path: Path) -> None:
    """Build, change, undo an older turn by an emoji, redo by taking it away, restart, old button, old reaction."""
    if shutil.which("chromium") is None:
        missing("a browser", "apt-get install chromium")
    with place(kind, tmp_path, THREADWRIGHT_BROWSER="auto") as there:
        people = there.people
        people.build("Ann", REQUEST)
        built = there.reply(1)
        assert "✅" in built.text
        assert "files changed" in built.text
        assert "tests" in built.text
        assert built.buttons == ("open", "diff", "undo", "settings")
        assert "who started it and whom they let in" in built.text
        files = until(lambda: [name for one in people.shown() for name in one.files])
        assert {"preview.png", "diff.png"} <= set(files)
        assert any(name.endswith(".diff") for name in files)

        asked = people.say("Ann", "Add a notes field to tasks")
        change = there.reply(2)
        assert "notes" in change.text
        there.marked(asked, "✅")
        people.say("Ann", "Sort by due date")
        there.reply(3)

        people.react("Ann", change.id, "↩️")
        assert "Undone" in there.reply(4).text
        people.react("Ann", change.id, "↩️", present=False)
        assert "Redone" in there.reply(5).text

        there.bot.kill()
        there.restart()
        people.press("Ann", change.id, "undo")
        assert "Undone" in there.reply(6).text
        people.react("Ann", change.id, "↪️")
        assert "Redone" in there.reply(7).text
        people.react("Ann", built.id, "👍")
        people.say("Ann", "undo")
        assert "Undone" in there.reply(8).text
        # A kill would leave its containers.
        assert there.bot.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_runs_people_steer_queue_ask_and_stop(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    slow.delay = 3
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        first = people.call("Ann", REQUEST)
        there.marked(first, "👀")
        steer = people.say("Ann", "and make it dark")
        queued = people.say("Ann", "Add a notes field. queue")
        assert "position 1" in there.notice("Queued").text
        dropped = people.say("Ann", "Add a colour field. queue")
        waits = there.notice("position 2")
        people.press("Ann", waits.id, "drop")
        there.notice("Removed from the queue")
        there.marked(dropped, "⏹️")
        edited = people.say("Ann", "Add a price field. queue")
        there.notice("position 2")
        people.edit("Ann", edited, "Add a weight field. queue")
        gone = people.say("Ann", "Add a size field. queue")
        there.notice("position 3")
        people.delete("Ann", gone)
        until(lambda: sum("Removed from the queue" in one.text for one in people.shown()) == 2)
        aside = people.say("Ann", "what is it for?. btw")
        slow.delay = 0
        there.marked(aside, "✅")
        there.marked(queued, "⚠️")
        there.marked(edited, "⚠️")
        there.marked(steer, "⚠️")
        there.marked(first, "⚠️")
        told = [one.text.splitlines()[0] for one in until(lambda: len(there.replies()) == 4 and there.replies())]
        assert any("notes" in one for one in told)
        assert any("weight" in one for one in told)
        # What was said while the first build ran is in the app, or is named.
        dark = "".join(one.text for one in there.replies())
        assert "dark" in dark or "data-theme" in dark, dark
        assert not any(f"have {name}" in one for one in told for name in ("prices", "price", "colour", "size"))

        def planning() -> bool:
            return any("Planning" in one.text and "Writing" not in one.text for one in people.shown())

        # A reply may come before the last edit of its card.
        until(lambda: not planning())
        slow.delay = 20
        running = people.say("Ann", "Add a rating field")
        until(planning)
        left = people.say("Ann", "Add a shape field. queue")
        there.notice("position 1")
        people.react("Ann", running, "❌")
        stopped = there.reply(5)
        assert "Stopped by" in stopped.text
        assert "shape" in stopped.text
        assert "In progress" in stopped.text
        there.marked(running, "⏹️")
        there.marked(left, "⏹️")
        slow.delay = 0
        people.press("Ann", stopped.id, "continue")
        assert "rating" in there.reply(6).text


@pytest.mark.parametrize("kind", KINDS)
def test_guests_ask_the_owner_and_nobody_else_drives(kind: str, tmp_path: Path, slow: ModelServer) -> None:
    with place(kind, tmp_path, **with_model(slow)) as there:
        people = there.people
        people.build("Ann", REQUEST)
        built = there.reply(1)
        people.react("Ben", built.id, "↩️")
        people.press("Ben", built.id, "undo")
        asked = people.say("Ben", "Add a notes field", mention=True)
        there.marked(asked, "🔑")
        card = there.notice("would like me to do this")
        assert set(card.buttons) == {"allow", "invite", "deny", "review"}
        people.press("Ben", card.id, "allow")
        people.react("Cem", card.id, "👍")
        people.press("Ann", card.id, "allow")
        assert "notes" in there.reply(2).text
        there.marked(asked, "⚠️")
        assert "let this message" in there.notice("let this message").text

        again = people.say("Ben", "Add a colour field", mention=True)
        second = there.notice("Add a colour field")
        people.press("Ann", second.id, "deny")
        there.marked(again, "⛔")
        people.say("Ben", "Add a weight field", mention=True)
        third = there.notice("Add a weight field")
        people.react("Ann", third.id, "👍")
        assert "weight" in there.reply(3).text
        people.say("Ben", "just chatting here")
        people.say("Ben", "Add a size field", mention=True)
        fourth = there.notice("Add a size field")
        people.press("Ann", fourth.id, "invite")
        assert "size" in there.reply(4).text
        people.say("Ben", "Add a shape field", mention=True)
        assert "shape" in there.reply(5).text


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_people_reach_the_app(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, THREADWRIGHT_SANDBOX="none") as there:
        people = there.people
        people.build("Ann", REQUEST)
        there.reply(1)
        files = [("logo.png", LOGO), ("notes.txt", "Größe".encode())]
        asked = people.upload("Ann", "Add a notes field", files)
        changed = there.reply(2)
        assert "/uploads/logo.png" in changed.text
        assert "/uploads/notes.txt" in changed.text
        there.marked(asked, "⚠️")
        people.upload("Ann", "", [("logo.png", LOGO + b"2")])
        assert "/uploads/logo-2.png" in there.reply(3).text
        people.say("Ann", "export")
        archive = until(lambda: [name for one in people.shown() for name in one.files if name.endswith(".zip")])
        assert len(archive) == 1


def commands(there: Place) -> None:
    """Say every word that only looks something up."""
    for word, answer in (
        ("status", "Nothing is running"),
        ("checks", "syntax"),
        ("preview", "new link"),
        ("help", "undo"),
    ):
        there.people.say("Ann", word)
        there.notice(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_words_answer_in_the_thread(kind: str, tmp_path: Path) -> None:
    with place(kind, tmp_path, THREADWRIGHT_SANDBOX="none") as there:
        there.people.build("Ann", REQUEST)
        there.reply(1)
        commands(there)
        there.people.say("Ann", "set access everyone")
        there.notice("Who may drive: everyone")
        there.people.say("Cem", "Add a notes field", mention=True)
        assert "notes" in there.reply(2).text
