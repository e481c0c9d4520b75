"""Errors of running apps: found in logs, told once, mended by a turn."""

from adapters.preview.troubles import troubles
from bot.troubles import told, wish
from core.messages import Action

LOG = """
INFO: started
Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/starlette/routing.py", line 73, in app
    response = await f(request)
  File "/app/0123456789ab/main.py", line 9, in page
    return names["x"]
           ~~~~~^^^^^
KeyError: 'x'
INFO: 200
ERROR:    Traceback (most recent call last):
  File "/app/abcdefabcdef/main.py", line 12, in page
    return names["y"]
KeyError: 'y'
Traceback (most recent call last):
  File "/app/0123456789ab/store.py", line 1, in load
ValueError: no
Traceback (most recent call last):
  File "/app/0123456789ab/half
"""


def test_errors_are_told_apart_by_what_was_raised_where() -> None:
    first, second = troubles(LOG)
    assert (first.kind, second.kind) == ("KeyError: 'x'", "ValueError: no")
    assert 'File "main.py", line 9, in page' in first.text
    assert "starlette" in first.text
    assert troubles("nothing\nTraceback (most recent call last):") == []
    again, *_ = troubles(LOG.replace("line 9", "line 19"))
    assert again.fingerprint == first.fingerprint


def test_an_error_without_frames_and_an_endless_one_are_told_too() -> None:
    (bare,) = troubles("Traceback (most recent call last):\nRecursionError: too deep")
    assert bare.kind == "RecursionError: too deep"
    deep = "Traceback (most recent call last):\n" + '  File "/app/0123456789ab/a.py", line 1, in f\n    f()\n' * 1_000
    (cut,) = troubles(f"{deep}RecursionError: too deep")
    assert len(cut.text.splitlines()) == 61


def test_what_is_told_can_be_asked_to_be_mended() -> None:
    doc = told(troubles(LOG)[0], "k")
    assert doc.actions == (Action("fix", "k"),)
    assert wish(doc).startswith("Please mend this. The running app raised an error:")
    assert "KeyError: 'x'" in wish(doc)
