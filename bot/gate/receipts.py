"""A commit's whole receipt as a page, for those who may open its preview."""

import json
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from adapters.vfs.git import GitRepository
from core.errors import UserError
from core.sessions import Session

HERE = Path(__file__).parent


async def receipt_page(session: Session, commit: str, repository: GitRepository) -> str:
    """
    Return the page. It is served by the app's own host, so it holds nothing that the app may not see.

    Raises:
        UserError: there is no such commit, or it has no receipt.
    """
    found, _ = await repository.show(session.id, commit)
    lines, _, body = (await repository.noted(session.id, found.id)).partition("\n\n")
    if not body:
        raise UserError("This commit has no receipt: it took something back, or somebody pushed it.")
    return _templates().get_template("receipt.html").render(
        styles=(HERE.parent / "web" / "static" / "chat.css").read_text(encoding="utf-8"), commit=found.id, title=found.title,
        author=found.author.name, lines=lines.splitlines(), whole=json.loads(body),
        parent=found.parents[0] if found.parents else "",
    )  # fmt: skip


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape())
