// The list of one kind of record: as a table, as cards, or as a board.

import { useEffect, useState } from "react";

import { api, save } from "./api.js";
import { Form } from "./Form.jsx";
import { features, models } from "./models.js";
import { numeric, Value } from "./Value.jsx";

const PER_PAGE = 25;

function query({ search, filters, page }) {
  const values = Object.entries(filters).filter(([, value]) => value);
  if (features.search && search) values.push(["search", search]);
  if (features.pages) values.push(["page", page], ["per_page", PER_PAGE]);
  return values.length ? `?${new URLSearchParams(values)}` : "";
}

function sorted(rows, sort) {
  if (!sort) return rows;
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true }));
  return [...rows].sort((a, b) => compare(a[sort.key], b[sort.key]) * (sort.down ? -1 : 1));
}

function Actions({ name, row, act }) {
  const title = row[models[name].title] ?? `#${row.id}`;
  return (
    <div className="flex justify-end gap-2">
      <button type="button" className="button quiet px-2.5! py-1! text-sm" aria-label={`Edit ${title}`} onClick={() => act.edit(row)}>Edit</button>
      <button type="button" className="button quiet px-2.5! py-1! text-sm text-danger!" aria-label={`Delete ${title}`} onClick={() => act.remove(row, title)}>Delete</button>
    </div>
  );
}

function Table({ name, rows, act, sort, setSort }) {
  const { fields } = models[name];
  return (
    <div className="frame overflow-x-auto rounded-xl border border-line bg-surface shadow-sm">
      <table className="records w-full">
        <thead>
          <tr className="border-b border-line text-sm">
            {fields.map((field) => {
              const key = field.shown ?? field.name;
              const active = sort?.key === key;
              return (
                <th key={field.name} scope="col" aria-sort={active ? (sort.down ? "descending" : "ascending") : "none"} className={`px-4 py-3 ${numeric(field) ? "text-right" : "text-left"}`}>
                  <button type="button" className="cursor-pointer font-semibold text-soft" onClick={() => setSort({ key, down: active && !sort.down })}>
                    {field.label}{active && (sort.down ? " ↓" : " ↑")}
                  </button>
                </th>
              );
            })}
            <th scope="col"><span className="sr-only">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {sorted(rows, sort).map((row) => (
            <tr key={row.id} className="border-b border-line last:border-0 hover:bg-accent/5">
              {fields.map((field) => (
                <td key={field.name} data-label={field.label} className={`px-4 py-3 ${numeric(field) ? "text-right tabular-nums" : ""}`}><Value field={field} row={row} /></td>
              ))}
              <td data-label="" className="px-4 py-2"><Actions name={name} row={row} act={act} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Card({ name, row, act, skip, draggable }) {
  const { fields, title } = models[name];
  const shown = fields.filter((field) => field.name !== title && field.name !== skip && row[field.name] !== null && row[field.name] !== "");
  return (
    <article draggable={draggable} onDragStart={(event) => event.dataTransfer.setData("text/plain", String(row.id))} className={`rounded-xl border border-line bg-surface p-4 shadow-sm ${draggable ? "cursor-grab" : ""}`}>
      <h3 className="mb-2 font-semibold wrap-anywhere">{String(row[title] ?? `#${row.id}`)}</h3>
      <dl className="mb-3">
        {shown.map((field) => (
          <div key={field.name} className="mb-1.5">
            <dt className="text-xs text-soft">{field.label}</dt>
            <dd className="whitespace-pre-line wrap-anywhere"><Value field={field} row={row} /></dd>
          </div>
        ))}
      </dl>
      <Actions name={name} row={row} act={act} />
    </article>
  );
}

function Board({ name, rows, act }) {
  const lane = models[name].fields.find((field) => field.name === models[name].lane);
  const drop = (choice) => (event) => {
    event.preventDefault();
    const row = rows.find((one) => String(one.id) === event.dataTransfer.getData("text/plain"));
    if (row && row[lane.name] !== choice) act.move(row, lane.name, choice);
  };
  return (
    <div className="grid auto-cols-[minmax(250px,1fr)] grid-flow-col gap-4 overflow-x-auto pb-3">
      {lane.choices.map((choice) => {
        const inside = rows.filter((row) => row[lane.name] === choice);
        return (
          <section key={choice} onDragOver={(event) => event.preventDefault()} onDrop={drop(choice)} className="flex min-h-60 flex-col gap-3 rounded-xl bg-soft/10 p-3.5">
            <h3 className="flex justify-between font-semibold capitalize">{choice}<span className="font-medium text-soft">{inside.length}</span></h3>
            {inside.map((row) => <Card key={row.id} name={name} row={row} act={act} skip={lane.name} draggable />)}
          </section>
        );
      })}
    </div>
  );
}

function Toolbar({ name, state, change }) {
  const filtered = features.filters ? models[name].fields.filter((field) => field.type === "choice" || field.type === "boolean") : [];
  if (!features.search && !features.csv && !filtered.length) return null;
  return (
    <div className="mb-4 flex flex-wrap gap-2.5">
      {features.search && <input type="search" aria-label="Search" placeholder="Search" className="input w-56!" value={state.search} onChange={(event) => change({ search: event.target.value })} />}
      {filtered.map((field) => (
        <select key={field.name} aria-label={`Filter by ${field.label}`} className="input w-auto!" value={state.filters[field.name] ?? ""} onChange={(event) => change({ filters: { ...state.filters, [field.name]: event.target.value } })}>
          <option value="">{field.label}: all</option>
          {field.type === "choice" ? field.choices.map((choice) => <option key={choice}>{choice}</option>) : <><option value="true">yes</option><option value="false">no</option></>}
        </select>
      ))}
      {features.csv && <a className="button quiet" href={`/api/${name}.csv`} download>Download CSV</a>}
    </div>
  );
}

export function Records({ page, say }) {
  const name = page.model;
  const { label, plural, fields } = models[name];
  const [state, setState] = useState({ search: "", filters: {}, page: 1 });
  const [rows, setRows] = useState(null);
  const [error, setError] = useState("");
  const [sort, setSort] = useState(null);
  const [edited, setEdited] = useState(null);
  const [loads, setLoads] = useState(0);
  const reload = () => setLoads((count) => count + 1);
  useEffect(() => {
    let current = true; // an answer that comes after a newer question's is not shown
    api(name + query(state)).then(
      (found) => {
        if (!current) return;
        setRows(found);
        setError("");
      },
      (problem) => current && setError(problem.message),
    );
    return () => {
      current = false;
    };
  }, [name, state, loads]);
  const change = (update) => setState((now) => ({ ...now, page: 1, ...update }));
  const attempt = async (work, text) => {
    try {
      await work();
      if (text) say(text);
    } catch (problem) {
      say(problem.message);
    }
    reload();
  };
  const act = {
    edit: setEdited,
    remove: (row, title) => confirm(`Delete ${title}?`) && attempt(() => api(`${name}/${row.id}`, { method: "DELETE" }), `${title} is deleted.`),
    move: (row, field, choice) => attempt(() => save(name, fields, { ...row, [field]: choice }, row.id)),
  };
  const View = { board: Board, cards: null, table: Table }[page.view] ?? null;
  const narrowed = state.search || Object.values(state.filters).some(Boolean);
  let list = <p className="py-14 text-center text-soft">Loading …</p>;
  if (error) list = <p role="alert" className="font-medium text-danger">{error}</p>;
  else if (rows && !rows.length && page.view !== "board") {
    list = <p className="rounded-xl border border-dashed border-line py-14 text-center text-soft">{narrowed ? "Nothing matches." : `No ${plural.toLowerCase()} yet.`}</p>;
  } else if (rows && View) list = <View name={name} rows={rows} act={act} sort={sort} setSort={setSort} />;
  else if (rows) {
    list = <div className="grid grid-cols-[repeat(auto-fill,minmax(260px,1fr))] gap-4">{rows.map((row) => <Card key={row.id} name={name} row={row} act={act} />)}</div>;
  }
  return (
    <>
      <div className="mb-5 flex items-center justify-between gap-4">
        <h2 className="text-2xl font-bold tracking-tight">{page.title}</h2>
        <button type="button" className="button" onClick={() => setEdited({})}>New {label.toLowerCase()}</button>
      </div>
      <Toolbar name={name} state={state} change={change} />
      {list}
      {features.pages && rows && (state.page > 1 || rows.length === PER_PAGE) && (
        <nav aria-label="Pages of the list" className="mt-5 flex items-center justify-center gap-4">
          <button type="button" className="button quiet" disabled={state.page === 1} onClick={() => change({ page: state.page - 1 })}>Previous</button>
          <span>Page {state.page}</span>
          <button type="button" className="button quiet" disabled={rows.length < PER_PAGE} onClick={() => change({ page: state.page + 1 })}>Next</button>
        </nav>
      )}
      {edited && <Form name={name} row={edited} done={(text) => { setEdited(null); if (text) say(text); reload(); }} />}
    </>
  );
}
