// The dialog in which a record is made or changed.

import { useEffect, useRef, useState } from "react";

import { api, save } from "./api.js";
import { features, models } from "./models.js";
import { numeric } from "./Value.jsx";

const TYPES = { email: "email", phone: "tel", url: "url", integer: "number", decimal: "number", money: "number", date: "date", datetime: "datetime-local" };
const STEPS = { integer: "1", money: "0.01", decimal: "any" };

function Control({ field, value, change }) {
  const [options, setOptions] = useState([]);
  useEffect(() => {
    if (field.type !== "relation") return;
    api(`${field.target}${features.pages ? "?per_page=200" : ""}`).then(setOptions);
  }, [field]);
  const common = { id: `field-${field.name}`, required: field.required && field.type !== "boolean", className: "input" };
  const write = (event) => change(event.target.value);
  if (field.type === "long_text") return <textarea {...common} rows={4} value={value ?? ""} onChange={write} />;
  if (field.type === "boolean") {
    return <input {...common} className="size-5 accent-accent" type="checkbox" checked={Boolean(value)} onChange={(event) => change(event.target.checked)} />;
  }
  if (field.type === "choice") {
    return (
      <select {...common} value={value ?? field.choices[0]} onChange={write}>
        {field.choices.map((choice) => <option key={choice}>{choice}</option>)}
      </select>
    );
  }
  if (field.type === "relation") {
    return (
      <select {...common} value={value ?? ""} onChange={write}>
        <option value="">–</option>
        {options.map((row) => <option key={row.id} value={row.id}>{row[models[field.target].title] ?? `#${row.id}`}</option>)}
      </select>
    );
  }
  return <input {...common} type={TYPES[field.type] ?? "text"} step={STEPS[field.type]} min={field.type === "money" ? 0 : undefined} value={value ?? ""} onChange={write} />;
}

function entered(field, value) {
  if (field.type === "boolean") return Boolean(value);
  if (field.type === "choice") return value ?? field.choices[0];
  if (value === "" || value === null || value === undefined) return null;
  return numeric(field) || field.type === "relation" ? Number(value) : value;
}

export function Form({ name, row, done }) {
  const { fields, label } = models[name];
  const [values, setValues] = useState(row);
  const [error, setError] = useState("");
  const dialog = useRef(null);
  useEffect(() => {
    if (!dialog.current.open) dialog.current.showModal();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    try {
      await save(name, fields, Object.fromEntries(fields.map((field) => [field.name, entered(field, values[field.name])])), row.id);
      done(`${label} saved.`);
    } catch (problem) {
      setError(problem.message);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="form-title" onClose={() => done("")} className="m-auto w-[min(520px,calc(100vw-32px))] rounded-2xl border border-line bg-surface p-6 text-ink shadow-2xl backdrop:bg-black/45">
      <form onSubmit={submit} className="grid gap-4">
        <h2 id="form-title" className="text-xl font-bold">{row.id ? "Edit" : "New"} {label.toLowerCase()}</h2>
        {fields.map((field) => (
          <div key={field.name} className={field.type === "boolean" ? "flex flex-row-reverse items-center justify-end gap-3" : ""}>
            <label htmlFor={`field-${field.name}`} className="mb-1 block font-medium">
              {field.label}{field.required && <span aria-hidden="true"> *</span>}
            </label>
            <Control field={field} value={values[field.name]} change={(value) => setValues((now) => ({ ...now, [field.name]: value }))} />
          </div>
        ))}
        <p role="alert" className="min-h-6 font-medium text-danger">{error}</p>
        <div className="flex justify-end gap-3">
          <button type="button" className="button quiet" onClick={() => done("")}>Cancel</button>
          <button type="submit" className="button">Save</button>
        </div>
      </form>
    </dialog>
  );
}
