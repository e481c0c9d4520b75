"""What people say to a turn while it runs, and what becomes of that. Pure."""

from collections.abc import Iterable, Sequence

from core.messages import Signal, TurnRequest
from core.wording import inert, listed, quoted

MOST_NAMED = 20


def up_to_stop(told: Sequence[tuple[int, Signal]]) -> Sequence[tuple[int, Signal]]:
    """Return what a turn hears of all that it was told: what is said after a stop is for later."""
    return told[: next((at + 1 for at, (_, signal) in enumerate(told) if signal.kind == "stop"), None)]


def counted(heard: Iterable[Signal]) -> tuple[Signal, ...]:
    """Return what counts of what was said: a correction takes the place of what it corrects, what was taken back is gone."""
    counts: dict[str, Signal] = {}
    for at, one in enumerate(heard):
        if one.kind == "steer":
            counts[one.said or str(at)] = one
        elif one.kind == "withdraw":
            counts.pop(one.said, None)
    return tuple(counts.values())


def named(said: Iterable[Signal]) -> str:
    """Return what was said, each on one line and shortened."""
    return listed(quoted([inert(one.text)[:80] for one in said]), MOST_NAMED)


def asked(request: TurnRequest, added: Sequence[Signal]) -> str:
    """Return what a turn is asked, with what was said while it ran; its own message may have been corrected."""
    text = next((one.text for one in added if one.said == request.message), request.text)
    others = [one for one in added if one.said != request.message]
    return "\n\n".join([text, *(f"While you were working, {one.author.name} added: {one.text}" for one in others)])


def corrected(text: str) -> str:
    """Return the correction of a message that was carried out before, as a wish of its own."""
    return f"I have edited my earlier message. It now says:\n{text}"


def added_to(request: TurnRequest, told: Sequence[tuple[int, Signal]], heard: int) -> tuple[Signal, ...]:
    """
    Return what a turn will take into account when it is gone on with, of all that it was `told`.

    That is what it has `heard`, up to that number, and what was said before somebody stopped it; of what came later it is
    what corrects or takes back any of this.
    """
    stopped = max((number for number, signal in told if signal.kind == "stop"), default=heard)
    known = {request.message, *(one.said for one in request.added)}
    counts: list[Signal] = [*request.added]
    for number, signal in told:
        if number <= max(heard, stopped) or signal.said in known:
            known.add(signal.said)
            counts.append(signal)
    return counted(counts)


def unheard(told: Sequence[tuple[int, Signal]], heard: int) -> tuple[list[tuple[int, Signal]], list[Signal]]:
    """Return what came too late for a turn and has to become one of its own; and what a later stop took back."""
    late = [(number, signal) for number, signal in told if number > heard]
    stopped = max((at for at, (_, signal) in enumerate(late) if signal.kind == "stop"), default=-1)
    counts = counted(signal for _, signal in late)
    mine = [at for at, (_, signal) in enumerate(late) if any(signal is one for one in counts)]
    return [late[at] for at in mine if at > stopped], [late[at][1] for at in mine if at < stopped]
