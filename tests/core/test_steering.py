"""What is said to a running turn: what counts, what comes too late, what a stop takes back."""

from core.messages import Signal, TurnRequest
from core.sessions import Author
from core.steering import added_to, asked, corrected, counted, named, unheard, up_to_stop

ANN, BEN = Author("U1", "Ann"), Author("U2", "Ben")
STOP = Signal("stop", ANN)
REQUEST = TurnRequest("t1", "s", "message", "Build a shop", ANN)


def steer(text: str, said: str = "") -> Signal:
    return Signal("steer", BEN, text, said or text)


def numbered(*signals: Signal) -> list[tuple[int, Signal]]:
    return list(enumerate(signals, 1))


def test_a_correction_counts_in_the_place_of_what_it_corrects() -> None:
    assert counted([steer("red", "m1"), steer("a map", "m2"), steer("blue", "m1")]) == (
        steer("blue", "m1"), steer("a map", "m2"),
    )  # fmt: skip
    assert counted([steer("red", "m1"), Signal("withdraw", BEN, said="m1"), Signal("withdraw", BEN, said="m9")]) == ()
    # Without a message of its own each counts by itself.
    assert len(counted([Signal("steer", BEN, "red"), Signal("steer", BEN, "blue")])) == 2


def test_what_a_turn_is_asked_has_its_own_correction_and_what_others_added() -> None:
    assert asked(REQUEST, ()) == "Build a shop"
    added = (steer("Build a bakery", "t1:person"), steer("with a map"))
    assert asked(REQUEST, added) == "Build a bakery\n\nWhile you were working, Ben added: with a map"
    assert corrected("Build a bakery") == "I have edited my earlier message. It now says:\nBuild a bakery"


def test_a_turn_hears_nothing_beyond_a_stop() -> None:
    told = numbered(steer("red"), STOP, steer("blue"))
    assert up_to_stop(told) == told[:2]
    assert up_to_stop(told[2:]) == told[2:]


def test_what_comes_too_late_is_a_turn_of_its_own_unless_a_later_stop_took_it_back() -> None:
    told = numbered(steer("red"), steer("a map"), STOP, steer("blue"))
    assert unheard(told, 0) == ([(4, steer("blue"))], [steer("red"), steer("a map")])
    assert unheard(told, 1) == ([(4, steer("blue"))], [steer("a map")])
    assert unheard(told, 4) == ([], [])
    assert unheard(told[:2], 1) == ([(2, steer("a map"))], [])
    # What is corrected there and back is one wish.
    back = numbered(steer("red", "m1"), steer("blue", "m1"), steer("red", "m1"))
    assert unheard(back, 0) == ([(3, steer("red", "m1"))], [])


def test_who_goes_on_with_a_turn_gets_what_was_added_before_it_was_stopped() -> None:
    told = numbered(steer("red", "m1"), STOP, steer("blue"), steer("green", "m1"), Signal("withdraw", BEN, said="m2"))
    assert added_to(REQUEST, told[:1], 1) == (steer("red", "m1"),)
    # What was said after the stop is its own wish; what corrects an addition is none.
    assert added_to(REQUEST, told, 2) == (steer("green", "m1"),)
    assert added_to(REQUEST, told[:1], 0) == ()
    own = steer("Build a bakery", "t1:person")
    assert added_to(REQUEST, numbered(own), 0) == (own,)


def test_what_is_named_is_short_and_stands_in_one_line() -> None:
    assert named([steer("make\nit  blue"), steer("x" * 100)]) == f"“make it blue”, “{'x' * 80}”"
    assert named([steer(str(at)) for at in range(25)]).endswith("“19” and 5 more")
