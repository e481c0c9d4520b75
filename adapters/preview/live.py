"""What pages of a preview do for us: they reload when a new version is shown, and tell what their scripts throw."""

import re
from pathlib import Path

PATH = "/__threadwright/"
"""Below it the preview gate answers for every app."""
_HEAD = re.compile(rb"<head(?:\s[^>]{0,500})?>", re.IGNORECASE)
_END = re.compile(rb"</body\s*>", re.IGNORECASE)

SCRIPT = """(() => {
  const have = document.currentScript.dataset.have;
  let told = 0;
  const tell = (thrown) => {
    const text = thrown?.stack?.includes(thrown.message) ? thrown.stack : `${thrown?.message ?? thrown}\\n${thrown?.stack ?? ""}`;
    if (told++ < 5) fetch("PATHerror?text=" + encodeURIComponent(text.slice(0, 1000)), { keepalive: true }).catch(() => {});
  };
  addEventListener("error", (event) => event.error && tell(event.error));
  addEventListener("unhandledrejection", (event) => tell(event.reason));
  let typed = false;
  addEventListener("input", () => { typed = true; }, true);
  addEventListener("submit", () => { typed = false; }, true);
  const typing = () => {
    const field = document.activeElement;
    return typed || (field && field.matches("input, textarea, [contenteditable]") && (field.value || field.textContent));
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
        if (answer.status >= 500) throw new Error();
        if (answer.status !== 204) return;
      } catch {
        await new Promise((done) => setTimeout(done, 5000));
      }
    }
  };
  setTimeout(watch, 1500);
})();
""".replace("PATH", PATH)


def tag(version: str) -> bytes:
    """Return what a page of a version loads the script by."""
    return f'<script src="{PATH}live.js" data-have="{version}"></script>\n'.encode()


def add_live(folder: Path, version: str) -> None:
    """Let every page below a folder load the script, first of all where it has a head."""
    for page in folder.rglob("*.html"):
        content = page.read_bytes()
        ends = list(_END.finditer(content))
        if not ends:
            continue  # a part of a page
        head = _HEAD.search(content, 0, ends[-1].start())
        at = head.end() if head else ends[-1].start()
        page.write_bytes(content[:at] + tag(version) + content[at:])
