"""Pages of a preview reload by themselves when a new version is shown."""

import re
from pathlib import Path

PATH = "/__threadwright/"
"""Below it the preview gate answers for every app."""
_END = re.compile(rb"</body\s*>", re.IGNORECASE)

SCRIPT = """(() => {
  const have = new URL(document.currentScript.src).searchParams.get("have");
  const typing = () => {
    const field = document.activeElement;
    return field && field.matches("input, textarea, [contenteditable]") && (field.value || field.textContent);
  };
  const offer = () => {
    const button = document.createElement("button");
    button.textContent = "There is a new version. Show it";
    button.style.cssText = "position:fixed;z-index:2147483647;right:16px;bottom:16px;padding:10px 16px;border:0;" +
      "border-radius:999px;background:#1f2328;color:#fff;font:15px system-ui,sans-serif;cursor:pointer";
    button.onclick = () => location.reload();
    document.body.append(button);
  };
  const shown = () => new Promise((done) => {
    if (!document.hidden) return done();
    document.addEventListener("visibilitychange", () => done(), { once: true });
  });
  const watch = async () => {
    for (;;) {
      await shown();
      try {
        const answer = await fetch("PATHlive?have=" + have);
        if (answer.status === 205) return typing() ? offer() : location.reload();
        if (answer.status !== 204) return;
      } catch {
        await new Promise((done) => setTimeout(done, 5000));
      }
    }
  };
  setTimeout(watch, 1500);
})();
""".replace("PATH", PATH)


def add_live(folder: Path, version: str) -> None:
    """Let every page below a folder load the script that reloads it."""
    tag = f'<script src="{PATH}live.js?have={version}" defer></script>\n'.encode()
    for page in folder.rglob("*.html"):
        content = page.read_bytes()
        if ends := list(_END.finditer(content)):
            at = ends[-1].start()
            page.write_bytes(content[:at] + tag + content[at:])
