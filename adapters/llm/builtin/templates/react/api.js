// Talk to the server; an error is a sentence for people.

export async function api(path, options = {}) {
  const answer = await fetch(`/api/${path}`, { headers: { "Content-Type": "application/json" }, ...options });
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(problem(body, answer.status));
  return body;
}

function problem(body, status) {
  if (typeof body.detail === "string") return body.detail;
  if (Array.isArray(body.detail)) return body.detail.map((one) => `${one.loc.at(-1)}: ${one.msg}`).join(". ");
  return `The server answered ${status}.`;
}

export function save(name, fields, values, id) {
  const body = JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, values[field.name] ?? null])));
  return api(id ? `${name}/${id}` : name, { method: id ? "PUT" : "POST", body });
}
