"""Errors of running apps: found in logs, told once, mended by a turn."""

from adapters.preview.troubles import in_browser, troubles
from core.messages import Action
from core.thread.troubles import told, wish

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
    doc = told(troubles(LOG)[0].text, "k")
    assert doc.actions == (Action("fix", "k"),)
    assert wish(doc).startswith("Please fix this. The running app reported an error:")
    assert "KeyError: 'x'" in wish(doc)


def test_where_the_model_mends_nothing_no_button_says_so() -> None:
    doc = told(troubles(LOG)[0].text, "k", mends=False)
    assert doc.actions == ()
    assert "The built-in builder can't fix this; undo the change, or connect a model." in str(doc)


NODE_LOG = """
listening
TypeError: Cannot read properties of undefined (reading 'name')
    at page (file:///app/0123456789ab/server.mjs:7:31)
    at Layer.handle (/node_modules/express/lib/router/layer.js:95:5)
TypeError: Cannot read properties of undefined (reading 'name')
    at page (file:///app/abcdefabcdef/server.mjs:9:31)
Error: 12 is no number of a page
    at node:internal/main:1:1
Error: a sentence of a log
"""


def test_errors_of_node_are_found_by_their_stacks() -> None:
    first, second = troubles(NODE_LOG)
    assert first.kind == "TypeError: Cannot read properties of undefined (reading 'name')"
    assert first.text.splitlines()[1] == "    at page (server.mjs:7:31)"
    assert second.kind == "Error: 12 is no number of a page"


def test_errors_of_browsers_are_told_apart_without_what_changes() -> None:
    chrome = "TypeError: x is undefined\n    at App (http://a-b.preview.localhost:8001/src/App.jsx?t=179&tw_preview=secret:3:9)\n    at http://a-b.preview.localhost:8001/a.js:1:1"
    one = in_browser(chrome)
    assert one is not None
    assert one.text == "In the browser: TypeError: x is undefined\n    at App (/src/App.jsx:3:9)\n    at /a.js:1:1"
    other = in_browser(chrome.replace("t=179", "t=200").replace(":3:9", ":4:1"))
    assert other is not None
    assert other.fingerprint == one.fingerprint
    built = in_browser("Error: no\nApp@https://a.example/assets/index-BfJn1Q9z.js:10:4301")
    again = in_browser("Error: no\nApp@https://a.example/assets/index-C_Kn-Q9w.js:11:4311")
    assert built is not None
    assert again is not None
    assert built.fingerprint == again.fingerprint
    assert in_browser(" \n ") is None
    long = in_browser("E" * 10_000 + "\n" + "what is no frame\n" * 100)
    assert long is not None
    assert len(long.text) < 400
