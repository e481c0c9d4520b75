"""
What providers say when they do not answer: why, until when to wait, whether waiting helps, how much may be asked for.

The shapes are those seen in public reports: headers and durations of OpenAI, Groq and Cerebras, Google's `retryDelay` in a
list, texts that name a limit. Everything here is pure; texts are cut before any pattern sees them.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

SHORTEST_WAIT = 0.5
"""Seconds; some providers ask for none and refuse again."""
MESSAGE_CHARS = 300
READ_CHARS = 4_000
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
_FOR_GOOD = {
    "invalid_api_key", "account_deactivated", "model_not_found", "context_length_exceeded", "content_filter",
    "content_policy_violation",
}  # fmt: skip
_A_DAY = ("perday", "per day", "per-day", "(tpd)", "(rpd)", "daily")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[dhms])")
_ROOM = (
    re.compile(r"can only afford (?P<most>\d{1,9})"),
    re.compile(r"supports at most (?P<most>\d{1,9}) completion"),
    re.compile(r"tokens\W{0,3}:? ?\d{1,9} > (?P<most>\d{1,9})"),
    re.compile(r"less than or equal to `?(?P<most>\d{1,9})"),
    re.compile(r"expected a value <= (?P<most>\d{1,9})"),
    re.compile(r"max_tokens\D{0,40}\[1, ?(?P<most>\d{1,9})\]"),
    re.compile(r"maximum context length (?:is|of) (?P<limit>\d{1,9}) tokens.{0,160}?(?P<used>\d{1,9}) (?:input tokens|in the messages|of text input)"),
)  # fmt: skip
_MINUTE = re.compile(r"Limit:? (?P<limit>\d{1,9})(?:, Used:? \d{1,9})?, Requested:? (?P<requested>\d{1,9})")


def error_of(body: Any) -> dict[str, Any]:
    """Return what is in an answer's `error`, whatever it is wrapped in: a list (Google), a text (Ollama)."""
    if isinstance(body, list):
        body = body[0] if body else {}
    found = body.get("error", body) if isinstance(body, dict) else body
    return found if isinstance(found, dict) else {"message": str(found or "")}


def reason(error: Mapping[str, Any]) -> str:
    """Return why, as the provider says it, on one line."""
    said = error.get("message") or error.get("detail") or ""
    return " ".join(str(said)[:READ_CHARS].split())[:MESSAGE_CHARS]


def _codes(error: Mapping[str, Any]) -> set[str]:
    return {str(error.get(name)).lower() for name in ("code", "type", "status")}


def no_credit(status: int, error: Mapping[str, Any]) -> bool:
    """Say whether the account is what stands in the way."""
    return status == 402 or not _NO_CREDIT.isdisjoint(_codes(error))


def for_good(status: int, error: Mapping[str, Any]) -> bool:
    """Say whether asking again cannot help: no credit, a limit of the day, a key or a model that is refused."""
    if no_credit(status, error) or not _FOR_GOOD.isdisjoint(_codes(error)):
        return True
    text = str(error)[:READ_CHARS].lower()
    return status == 429 and any(word in text for word in _A_DAY)


def wait_of(headers: Mapping[str, str], error: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds to wait, None where the provider does not say; `now` is a Unix time in seconds."""
    metadata = error.get("metadata")
    inner = metadata.get("headers") if isinstance(metadata, Mapping) else None
    said = {name.lower(): str(value) for source in (headers, inner or {}) for name, value in source.items()}
    details = error.get("details")
    asked = [
        _seconds(f"{said['retry-after-ms']}ms", now) if "retry-after-ms" in said else None,
        _seconds(said.get("retry-after", ""), now),
        *(
            _seconds(str(one.get("retryDelay", "")), now)
            for one in (details if isinstance(details, list) else ())
            if isinstance(one, Mapping)
        ),
        _in_text(reason(error)),
    ]
    known = [seconds for seconds in asked if seconds is not None] or _resets(said, now)
    return max(SHORTEST_WAIT, *known) if known else None


def _in_text(text: str) -> float | None:
    """Return the time of `Please try again in 1m26.4s`."""
    for words in ("try again in ", "retry in "):
        _, found, rest = text.lower().partition(words)
        if found:
            return _duration(rest.split(" ")[0].rstrip(".,"))
    return None


def _resets(headers: Mapping[str, str], now: float) -> list[float]:
    """Return when the windows open again that are used up; the first of all where none is said to be."""
    windows = {
        name.replace("-reset", ""): value for name, value in headers.items() if "ratelimit" in name and "-reset" in name
    }
    used_up = {
        name.replace("-remaining", "")
        for name, value in headers.items()
        if "ratelimit" in name and "-remaining" in name and value.strip() in ("0", "0.0")
    }
    times = {name: seconds for name, value in windows.items() if (seconds := _seconds(value, now)) is not None}
    waits = [seconds for name, seconds in times.items() if name in used_up]
    return [max(waits)] if waits else [min(times.values())] if times else []


def _seconds(text: str, now: float) -> float | None:
    """Return the seconds of `20`, `20s`, `1m26.4s`, `250ms`, of a date, and of a point of time in seconds or milliseconds."""
    text = text.strip()[:100]
    with suppress(ValueError):
        number = float(text)
        return number / 1000 - now if number >= 1e11 else number - now if number >= 1e9 else number
    if (span := _duration(text)) is not None:
        return span
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError):
            return read(text).timestamp() - now
    return None


def _duration(text: str) -> float | None:
    parts = _PART.findall(text)
    whole = bool(parts) and "".join(number + unit for number, unit in parts) == text
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if whole else None


def room(error: Mapping[str, Any], asked: int) -> int | None:
    """Return how many tokens of an answer the provider would let be asked for, None where it does not say."""
    text = reason(error)
    for pattern in _ROOM:
        if match := pattern.search(text.replace(",", "") if "limit" in pattern.groupindex else text):
            found = match.groupdict()
            return int(found["most"]) if "most" in found else int(found["limit"]) - int(found["used"])
    match = _MINUTE.search(text)
    return int(match["limit"]) - (int(match["requested"]) - asked) if match else None


def wants_other_size_key(error: Mapping[str, Any], key: str) -> bool:
    """Say whether it is the name of the answer's size limit that is refused; models of one vendor differ in it."""
    text = reason(error).lower()
    refused = any(word in text for word in ("unsupported", "not supported", "unrecognized", "unknown", "extra"))
    other = "max_tokens" if key == "max_completion_tokens" else "max_completion_tokens"
    return refused and (f"'{key}'" in text or f"`{key}`" in text or f'"{key}"' in text or other in text)
