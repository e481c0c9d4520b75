"""
What a turn wrote and the app did not take: a commit beside the history, which nobody loses and nobody takes for the app.

A turn that is stopped, that the checks keep out or that uses up its budget leaves one.
"""

from collections import Counter
from dataclasses import dataclass, field

from core.files import FileTree
from core.history import Draft
from core.manifests import manifest_path
from core.messages import TurnRequest
from core.ports import Checks


@dataclass
class Work:
    """
    What a turn has so far: `tree` is what became of the files of `parent`, which are `before`.

    `edits` counts how the model's answers were applied, as `TurnResult.edits` has it.
    """

    parent: str | None = None
    before: FileTree = field(default_factory=FileTree)
    tree: FileTree = field(default_factory=FileTree)
    edits: Counter[str] = field(default_factory=Counter)

    def begin(self, parent: str | None, tree: FileTree) -> None:
        """Start from the files of `parent`; what was written before is forgotten."""
        self.parent, self.before, self.tree = parent, tree, tree
        self.edits.clear()


async def kept_draft(work: Work, request: TurnRequest, title: str, checks: Checks) -> Draft | None:
    """Return the commit that keeps what was written, without files in which something looks like a secret; None for nothing."""
    changes = work.before.changes_to(work.tree)
    leaking = await checks.leaking(FileTree({path: body for path, body in changes.items() if body is not None}))
    changes = {path: body for path, body in changes.items() if path not in leaking}
    if not changes.keys() - {manifest_path(work.tree)}:
        # A plan is soon made again.
        return None
    return Draft(
        request.session_id, work.parent, changes, title, request.turn_id, request.author,
        body="Kept beside the app; it was not taken in.", link=request.link,
    )  # fmt: skip
