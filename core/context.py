"""What goes in front of the model, within a budget of characters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.attachments import Attached, for_model, images
from core.files import FileTree, is_lock, is_secret
from core.history import Commit
from core.llm.chat import Image
from core.manifests import AppManifest, manifest_of, manifest_path
from core.memory import Memory, Recollection

MEMORY_CHARS = 10_000
FILES_CHARS = 120_000


@dataclass(frozen=True)
class Context:
    """What is known when a turn starts. `manifest` is the app's own, None before the first turn."""

    tree: FileTree
    manifest: AppManifest | None
    memories: Sequence[Memory] = ()
    recollections: Sequence[Recollection] = ()
    history: Sequence[Commit] = ()
    talk: Sequence[Mapping[str, str]] = ()
    attached: Sequence[Attached] = ()

    @classmethod
    def of(
        cls,
        tree: FileTree,
        memories: Sequence[Memory],
        recollections: Sequence[Recollection],
        history: Sequence[Commit],
    ) -> "Context":
        """Read the manifest out of the tree and keep the rest."""
        return cls(tree, manifest_of(tree), memories, recollections, history)

    def sections(self, request: str) -> dict[str, Any]:
        """Return the prompt's sections that every role gets: request, app, memory, history, talk, files."""
        return {
            "request": request,
            "app": self.manifest.model_dump(mode="json") if self.manifest else None,
            "memory": list(_within([one.text for one in reversed(self.memories)], MEMORY_CHARS)) or None,
            "history": [{"by": one.author.name, "did": one.title} for one in self.history[:12]] or None,
            "talk": list(self.talk) or None,
            "attachments": for_model(self.attached),
            "tree": sorted(self.tree) or None,
        }

    @property
    def images(self) -> tuple[Image, ...]:
        """Return the pictures that came with the message."""
        return images(self.attached)

    def related(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the texts worth showing for work on `paths`: those files first, then recalled ones, then the rest."""
        recalled = [path for one in self.recollections for path in one.files]
        order = dict.fromkeys([*paths, *recalled, *self.tree])
        shown: dict[str, str] = {}
        left, hidden = FILES_CHARS, manifest_path(self.tree)
        for path in order:
            text = self.tree.text(path)
            if path == hidden or is_secret(path) or text is None:
                continue
            if path not in paths and (len(text) > left or is_lock(path)):
                continue
            shown[path] = text
            left -= len(text)
        return shown


def _within(texts: Iterable[str], most_chars: int) -> Iterable[str]:
    for text in texts:
        most_chars -= len(text)
        if most_chars < 0:
            return
        yield text
