// The local chat: sends what people write and react, and shows what the server streams.

const thread = document.body.dataset.thread;
const list = document.getElementById("messages");
const text = document.getElementById("text");
const problem = document.getElementById("problem");

const fresh = () => crypto.randomUUID();

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300));
  return answer.json();
}

const atEnd = () => window.innerHeight + window.scrollY > document.body.scrollHeight - 160;

function show(message) {
  const follow = atEnd();
  const old = document.getElementById(`message-${message.id}`);
  if (message.empty) {
    old?.remove();
    return;
  }
  const holder = document.createElement("ol");
  holder.innerHTML = message.html;
  const node = holder.firstElementChild;
  if (old) {
    // What a reader has opened stays open.
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    node.querySelectorAll("details").forEach((one, at) => (one.open = open[at] ?? false));
    old.replaceWith(node);
  } else {
    const later = [...list.children].find((one) => Number(one.dataset.id) > message.id);
    list.insertBefore(node, later ?? null);
  }
  if (follow) window.scrollTo({ top: document.body.scrollHeight });
}

function listen() {
  let changed = Number(document.body.dataset.changed);
  const open = () => {
    const source = new EventSource(`${thread}/events?after=${changed}`);
    source.onmessage = (event) => {
      const message = JSON.parse(event.data);
      changed = Math.max(changed, message.changed);
      show(message);
    };
    source.onerror = () => {
      source.close();
      setTimeout(open, 1000);
    };
  };
  open();
}

document.getElementById("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  const said = { id: fresh(), text: text.value };
  problem.textContent = "";
  button.disabled = true;
  try {
    const answer = await send(thread ? `${thread}/messages` : "/threads", said);
    text.value = "";
    if (answer.url) location.href = answer.url;
  } catch (error) {
    problem.textContent = `Not sent: ${error.message || "the bot does not answer"}. Your text is still here.`;
  } finally {
    button.disabled = false;
    text.focus();
  }
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

list.addEventListener("click", async (event) => {
  const button = event.target.closest("button.react");
  if (!button) return;
  const added = button.getAttribute("aria-pressed") !== "true";
  button.disabled = true;
  try {
    const message = Number(button.closest(".message").dataset.id);
    await send(`${thread}/reactions`, { id: fresh(), message_id: message, emoji: button.dataset.emoji, added });
    if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(added));
  } catch (error) {
    problem.textContent = error.message;
  } finally {
    button.disabled = false;
  }
});

for (const starter of document.querySelectorAll(".starter")) {
  starter.addEventListener("click", () => {
    text.value = starter.dataset.wish;
    text.style.height = `${text.scrollHeight + 4}px`;
    text.focus();
  });
}

if (thread) {
  listen();
  window.scrollTo({ top: document.body.scrollHeight });
}
text.focus();
