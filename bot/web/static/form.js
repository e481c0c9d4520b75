// A form for what words do not say well: lists, their fields and types. It becomes a message like any other.

const dialog = document.getElementById("form");
const lists = document.getElementById("lists");
const problem = document.getElementById("form-problem");

const plain = (text) => text.replace(/[(),:;\n]+/g, " ").replace(/\s+/g, " ").trim();

function adapt(field) {
  const type = field.querySelector(".field-type").value;
  const choices = field.querySelector(".field-choices");
  const target = field.querySelector(".field-target");
  choices.hidden = type !== "choice";
  target.hidden = type !== "relation";
  if (type !== "relation") return;
  const own = field.closest(".list").querySelector(".list-name").value;
  const names = [...lists.querySelectorAll(".list-name")].map((one) => plain(one.value)).filter((name) => name && name !== plain(own));
  const chosen = target.value;
  target.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
}

function addField(list, focus) {
  const field = document.getElementById("field").content.firstElementChild.cloneNode(true);
  list.querySelector(".fields").append(field);
  if (focus) field.querySelector(".field-name").focus();
}

function addList(focus) {
  const list = document.getElementById("list").content.firstElementChild.cloneNode(true);
  lists.append(list);
  for (let count = 0; count < 3; count += 1) addField(list, false);
  if (focus) list.querySelector(".list-name").focus();
}

function typed(field) {
  const name = plain(field.querySelector(".field-name").value);
  if (!name) return "";
  const type = field.querySelector(".field-type").value;
  const needed = field.querySelector(".field-required").checked ? "required " : "";
  if (type === "choice") {
    const words = field.querySelector(".field-choices").value.split(",").map(plain).filter(Boolean);
    if (words.length < 2) throw new Error(`“${name}” needs at least two words to choose from, with a comma between.`);
    return `${needed}${name} (${words.join(", ")})`;
  }
  if (type === "relation") {
    const target = field.querySelector(".field-target").value;
    if (!target) throw new Error(`“${name}” is one of another list, and there is no other list yet.`);
    return `${needed}${name} (one of the ${target})`;
  }
  return needed + name + (type ? ` (${type})` : "");
}

function line(list) {
  const name = plain(list.querySelector(".list-name").value);
  const fields = [...list.querySelectorAll(".field")].map(typed).filter(Boolean);
  if (!name && !fields.length) return "";
  if (!name) throw new Error(`What is the list with ${fields[0]} called?`);
  if (!fields.length) throw new Error(`What shall the list of ${name} have? Name at least one field.`);
  return `${name}: ${fields.join(", ")}`;
}

lists.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches(".add-field")) addField(button.closest(".list"), true);
  if (button?.matches(".remove-field")) button.closest(".field").remove();
  if (button?.matches(".remove-list")) button.closest(".list").remove();
});
lists.addEventListener("input", () => lists.querySelectorAll(".field").forEach(adapt));

document.getElementById("open-form").addEventListener("click", () => {
  if (!lists.children.length) addList(false);
  problem.textContent = "";
  dialog.showModal();
});
document.getElementById("close-form").addEventListener("click", () => dialog.close());
document.getElementById("add-list").addEventListener("click", () => addList(true));

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("[type=submit]");
  problem.textContent = "";
  button.disabled = true;
  try {
    const said = [...lists.children].map(line).filter(Boolean);
    if (!said.length) throw new Error("Name a list and what it has.");
    const { title, looks } = event.target.elements;
    const form = { title: plain(title.value), looks: plain(looks.value), lists: said.join("\n") };
    const answer = await fetch("/threads", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id: crypto.randomUUID(), form }),
    });
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 300));
    location.href = (await answer.json()).url;
  } catch (error) {
    problem.textContent = error.message;
    button.disabled = false;
  }
});
