"""Texts on which a grammar reads for minutes hold up nothing, and what they cost ends with them."""

import threading
import time
from collections.abc import Iterator

import pytest

from adapters.sandbox.parsing import Trial, tried_apart
from core.edits.languages import errors, root

ENDLESS = "a<b," * 16_000
"""The grammar of TypeScript looks at each of these as a comparison and as a list of types, as often as there are others."""


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with tried_apart():
        yield


def test_others_go_on_while_a_grammar_does_not_end() -> None:
    ticks, done = 0, threading.Event()

    def ticking() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.01)

    ticker = threading.Thread(target=ticking)
    ticker.start()
    try:
        assert root("app.ts", ENDLESS) is None
    finally:
        done.set()
        ticker.join()
    # Parsed in this process, the whole time would have been a single tick.
    assert ticks > 10
    assert errors("app.ts", ENDLESS + "\n") == 1


def test_a_longer_text_is_parsed_as_ever() -> None:
    text = "export const a = (b: number) => b + 1;\n" * 2_000
    top = root("app.ts", text)
    assert top is not None
    assert top.child_count == 2_000
    assert errors("app.ts", text + "const = ;") > 0
    assert root("app.html", "<p>" + "word " * 2_000 + "</p>") is not None


def test_a_process_that_was_killed_is_replaced() -> None:
    trial = Trial(seconds=0.5)
    try:
        assert trial("ts", b"let a = 1;")
        first = trial._process
        assert first is not None
        assert not trial("ts", ENDLESS.encode())
        assert first.returncode is not None
        assert trial("ts", b"let a = 2;")
        second = trial._process
        assert second is not None
        second.kill()
        second.wait()
        assert not trial("ts", b"let a = 3;")
        assert trial("ts", b"let a = 4;")
    finally:
        trial.close()
    assert trial._process is None
