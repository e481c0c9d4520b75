"""What somebody else's files are."""

import json

import pytest

from core.files import FileTree
from core.projects import recognised

NODE = {"scripts": {"dev": "x"}, "dependencies": {"react": "19", "next": "16"}}
OURS = {"name": "shop", "title": "Shop", "files": [{"path": "index.html", "role": "uix", "description": "a page"}]}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"package.json": json.dumps(NODE), "index.html": "<p>"}, "a Next.js project (package.json). It does not run"),
        ({"package.json": '{"scripts": {"start": "node ."}, "dependencies": []}'}, "a Node project (package.json)"),
        ({"package.json": '{"scripts": {"lint": "x"}}', "index.html": "<p>"}, "a static page; it runs"),
        ({"package.json": "[1]", "index.html": "<p>"}, "a static page"),
        ({"package.json": "[" * 100_000, "index.html": "<p>"}, "a static page"),
        ({"manage.py": "", "requirements.txt": "django"}, "a Django project (manage.py)"),
        ({"go.mod": "module x"}, "a Go project"),
        ({"notes.md": "x"}, "Not recognised as a project"),
        ({}, ""),
    ],
)
def test_a_project_is_recognised_by_its_files(files: dict[str, str], said: str) -> None:
    text = recognised(FileTree({path: body.encode() for path, body in files.items()}))
    assert said in text
    assert bool(text) == bool(said)
