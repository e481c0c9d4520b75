// Lists, forms and navigation. What there is to show comes from models.js.

import { features, models, pages } from "./models.js";

const main = document.getElementById("main");
const toast = document.getElementById("toast");
const state = { search: "", filters: {}, page: 1, sort: null };
const PER_PAGE = 25;

// Build an element; children that are text are never read as HTML.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

async function api(path, options = {}) {
  const answer = await fetch(`api/${path}`, { headers: { "Content-Type": "application/json" }, ...options });
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(problem(body, answer.status));
  return body;
}

function problem(body, status) {
  if (typeof body.detail === "string") return body.detail;
  if (Array.isArray(body.detail)) {
    return body.detail.map((one) => `${one.loc.at(-1)}: ${one.msg}`).join(". ");
  }
  return `The server answered ${status}.`;
}

function say(text) {
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => toast.classList.remove("shown"), 4000);
}

const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function shown(field, row) {
  const value = row[field.shown ?? field.name];
  if (value === null || value === undefined || value === "") return el("span", { class: "none" }, "–");
  if (field.type === "choice") return el("span", { class: `tag tag-${field.tags[field.choices.indexOf(value)] ?? 5}` }, value);
  if (field.type === "boolean") return el("span", { class: value ? "yes" : "none" }, value ? "✓ yes" : "no");
  if (field.type === "money") return money.format(value);
  if (field.type === "date") return new Date(`${value}T00:00`).toLocaleDateString();
  if (field.type === "datetime") {
    return new Date(value).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
  if (field.type === "email") return el("a", { href: `mailto:${value}` }, value);
  if (field.type === "phone") return el("a", { href: `tel:${value}` }, value);
  if (field.type === "url") return el("a", { href: value, rel: "noopener noreferrer", target: "_blank" }, value);
  return String(value);
}

const numeric = (field) => ["integer", "decimal", "money"].includes(field.type);

function sorted(rows) {
  if (!state.sort) return rows;
  const { key, down } = state.sort;
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
  };
  return [...rows].sort((a, b) => compare(a[key], b[key]) * (down ? -1 : 1));
}

function table(name, rows) {
  const { fields } = models[name];
  const heads = fields.map((field) => {
    const key = field.shown ?? field.name;
    const active = state.sort?.key === key;
    const order = active ? (state.sort.down ? "descending" : "ascending") : "none";
    const sort = () => {
      state.sort = { key, down: active && !state.sort.down };
      draw(name, rows);
    };
    const mark = active ? (state.sort.down ? " ↓" : " ↑") : "";
    return el("th", { scope: "col", "aria-sort": order, class: numeric(field) ? "number" : null },
      el("button", { type: "button", onclick: sort }, field.label + mark));
  });
  const body = sorted(rows).map((row) => el("tr", {},
    fields.map((field) => el("td", { "data-label": field.label, class: numeric(field) ? "number" : null }, shown(field, row))),
    el("td", { class: "actions" }, actions(name, row))));
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, heads, el("th", { scope: "col" }, el("span", { class: "hidden" }, "Actions")))),
    el("tbody", {}, body)));
}

function card(name, row, skip) {
  const { fields, title } = models[name];
  const details = fields.filter((field) => field.name !== title && field.name !== skip && row[field.name] !== null && row[field.name] !== "");
  return el("article", { class: "card" },
    el("h3", {}, String(row[title] ?? `#${row.id}`)),
    el("dl", {}, details.map((field) => [el("dt", {}, field.label), el("dd", {}, shown(field, row))])),
    el("div", { class: "actions" }, actions(name, row)));
}

const cards = (name, rows) => el("div", { class: "cards" }, sorted(rows).map((row) => card(name, row)));

function board(name, rows) {
  const lane = models[name].fields.find((field) => field.name === models[name].lane);
  const column = (choice) => {
    const inside = rows.filter((row) => row[lane.name] === choice);
    const drop = async (event) => {
      event.preventDefault();
      const row = rows.find((one) => String(one.id) === event.dataTransfer.getData("text/plain"));
      if (row && row[lane.name] !== choice) await save(name, { ...row, [lane.name]: choice }, row.id);
    };
    return el("section", { class: "lane", ondragover: (event) => event.preventDefault(), ondrop: drop },
      el("h3", {}, choice, el("span", { class: "count" }, String(inside.length))),
      inside.map((row) => {
        const node = card(name, row, lane.name);
        node.draggable = true;
        node.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", String(row.id)));
        return node;
      }));
  };
  return el("div", { class: "board" }, lane.choices.map(column));
}

function actions(name, row) {
  const title = row[models[name].title] ?? `#${row.id}`;
  return [
    el("button", { type: "button", class: "quiet", "aria-label": `Edit ${title}`, onclick: () => edit(name, row) }, "Edit"),
    el("button", { type: "button", class: "quiet danger", "aria-label": `Delete ${title}`, onclick: () => remove(name, row, title) }, "Delete"),
  ];
}

async function remove(name, row, title) {
  if (!confirm(`Delete ${title}?`)) return;
  try {
    await api(`${name}/${row.id}`, { method: "DELETE" });
    say(`${title} is deleted.`);
  } catch (error) {
    say(error.message);
  }
  await show();
}

async function save(name, values, id) {
  const known = models[name].fields.map((field) => field.name);
  const body = JSON.stringify(Object.fromEntries(known.map((key) => [key, values[key] ?? null])));
  await api(id ? `${name}/${id}` : name, { method: id ? "PUT" : "POST", body });
  await show();
}

async function control(field, value) {
  const common = { id: `field-${field.name}`, name: field.name, required: field.required && field.type !== "boolean" };
  if (field.type === "long_text") return el("textarea", { ...common, rows: 4 }, value ?? "");
  if (field.type === "boolean") return el("input", { ...common, type: "checkbox", checked: Boolean(value) });
  if (field.type === "choice" || field.type === "relation") {
    const options = field.type === "choice"
      ? field.choices.map((choice) => [choice, choice])
      : (await api(`${field.target}${features.pages ? "?per_page=200" : ""}`)).map((row) => [row.id, row[models[field.target].title] ?? `#${row.id}`]);
    const chosen = value ?? (field.type === "choice" ? field.choices[0] : "");
    return el("select", common,
      field.type === "choice" && chosen ? null : el("option", { value: "" }, "–"),
      options.map(([key, text]) => el("option", { value: key, selected: key === chosen }, text)));
  }
  const types = { email: "email", phone: "tel", url: "url", integer: "number", decimal: "number", money: "number", date: "date", datetime: "datetime-local" };
  const step = { integer: "1", money: "0.01", decimal: "any" }[field.type];
  return el("input", { ...common, type: types[field.type] ?? "text", step, min: field.type === "money" ? "0" : null, value: value ?? "" });
}

function entered(form, fields) {
  return Object.fromEntries(fields.map((field) => {
    const input = form.elements.namedItem(field.name);
    if (field.type === "boolean") return [field.name, input.checked];
    if (input.value === "") return [field.name, null];
    if (numeric(field) || field.type === "relation") return [field.name, Number(input.value)];
    return [field.name, input.value];
  }));
}

async function edit(name, row = {}) {
  const { fields, label } = models[name];
  const error = el("p", { class: "error", role: "alert" });
  const inputs = await Promise.all(fields.map((field) => control(field, row[field.name])));
  const rows = fields.map((field, index) => el("div", { class: field.type === "boolean" ? "row check" : "row" },
    el("label", { for: `field-${field.name}` }, field.label, field.required ? el("span", { "aria-hidden": "true" }, " *") : null),
    inputs[index]));
  const submit = async (event) => {
    event.preventDefault();
    try {
      await save(name, entered(event.target, fields), row.id);
      dialog.close();
      say(`${label} saved.`);
    } catch (problem) {
      error.textContent = problem.message;
    }
  };
  const dialog = el("dialog", { "aria-labelledby": "form-title", onclose: () => dialog.remove() },
    el("form", { onsubmit: submit },
      el("h2", { id: "form-title" }, row.id ? `Edit ${label.toLowerCase()}` : `New ${label.toLowerCase()}`),
      rows, error,
      el("div", { class: "buttons" },
        el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
        el("button", { type: "submit" }, "Save"))));
  document.body.append(dialog);
  dialog.showModal();
}

function toolbar(name) {
  const parts = [];
  const change = (update) => {
    Object.assign(state, update, { page: 1 });
    fill(name);
  };
  if (features.search) {
    parts.push(el("input", { type: "search", placeholder: "Search", "aria-label": "Search", value: state.search,
      oninput: (event) => change({ search: event.target.value }) }));
  }
  if (features.filters) {
    for (const field of models[name].fields.filter((one) => one.type === "choice" || one.type === "boolean")) {
      const options = field.type === "choice" ? field.choices.map((one) => [one, one]) : [["true", "yes"], ["false", "no"]];
      parts.push(el("select", { "aria-label": `Filter by ${field.label}`,
        onchange: (event) => change({ filters: { ...state.filters, [field.name]: event.target.value } }) },
        el("option", { value: "" }, `${field.label}: all`),
        options.map(([key, text]) => el("option", { value: key, selected: state.filters[field.name] === key }, text))));
    }
  }
  if (features.csv) parts.push(el("a", { class: "button quiet", href: `api/${name}.csv`, download: true }, "Download CSV"));
  return parts.length ? el("div", { class: "toolbar" }, parts) : null;
}

function query() {
  const values = Object.entries(state.filters).filter(([, value]) => value);
  if (features.search && state.search) values.push(["search", state.search]);
  if (features.pages) values.push(["page", state.page], ["per_page", PER_PAGE]);
  return values.length ? `?${new URLSearchParams(values)}` : "";
}

function draw(name, rows) {
  const page = current();
  const views = { table, board, cards };
  const empty = el("div", { class: "empty" },
    el("p", {}, state.search || Object.values(state.filters).some(Boolean) ? "Nothing matches." : `No ${models[name].plural.toLowerCase()} yet.`));
  const list = rows.length || page.view === "board" ? (views[page.view] ?? table)(name, rows) : empty;
  document.getElementById("list").replaceChildren(list, pager(name, rows));
}

function pager(name, rows) {
  if (!features.pages || (state.page === 1 && rows.length < PER_PAGE)) return "";
  const go = (step) => () => {
    state.page += step;
    fill(name);
  };
  return el("nav", { class: "pager", "aria-label": "Pages of the list" },
    el("button", { type: "button", class: "quiet", disabled: state.page === 1, onclick: go(-1) }, "Previous"),
    el("span", {}, `Page ${state.page}`),
    el("button", { type: "button", class: "quiet", disabled: rows.length < PER_PAGE, onclick: go(1) }, "Next"));
}

async function fill(name) {
  const asked = (fill.asked = {});
  try {
    const rows = await api(name + query());
    if (fill.asked === asked) draw(name, rows);
  } catch (error) {
    document.getElementById("list").replaceChildren(el("p", { class: "error", role: "alert" }, error.message));
  }
}

const current = () => pages.find((page) => `#${page.path}` === location.hash) ?? pages[0];

async function show() {
  const page = current();
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.getAttribute("href") === `#${page.path}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!page.model) {
    main.replaceChildren(el("section", { class: "prose" }, el("h2", {}, page.title), (page.text ?? "").split("\n").map((line) => el("p", {}, line))));
    return;
  }
  const { label } = models[page.model];
  main.replaceChildren(
    el("div", { class: "head" }, el("h2", {}, page.title), el("button", { type: "button", onclick: () => edit(page.model) }, `New ${label.toLowerCase()}`)),
    toolbar(page.model) ?? "",
    el("div", { id: "list" }, el("p", { class: "empty" }, "Loading …")));
  await fill(page.model);
}

window.addEventListener("hashchange", () => {
  Object.assign(state, { search: "", filters: {}, page: 1, sort: null });
  show();
});
show();
