// One value of a record, as people read it.

const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const TAGS = [
  "bg-blue-500/15 text-blue-800 dark:text-blue-200",
  "bg-amber-500/20 text-amber-800 dark:text-amber-200",
  "bg-green-500/20 text-green-800 dark:text-green-200",
  "bg-pink-500/15 text-pink-800 dark:text-pink-200",
  "bg-violet-500/15 text-violet-800 dark:text-violet-200",
  "bg-slate-500/15 text-slate-800 dark:text-slate-200",
];

export const numeric = (field) => ["integer", "decimal", "money"].includes(field.type);

export function Value({ field, row }) {
  const value = row[field.shown ?? field.name];
  if (value === null || value === undefined || value === "") return <span className="text-soft">–</span>;
  switch (field.type) {
    case "choice":
      return <span className={`rounded-full px-2.5 py-0.5 text-sm font-semibold ${TAGS[field.choices.indexOf(value) % TAGS.length]}`}>{value}</span>;
    case "boolean":
      return value ? <span className="font-semibold text-link">✓ yes</span> : <span className="text-soft">no</span>;
    case "money":
      return money.format(value);
    case "date":
      return new Date(`${value}T00:00`).toLocaleDateString();
    case "datetime":
      return new Date(value).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    case "email":
      return <a className="text-link underline" href={`mailto:${value}`}>{value}</a>;
    case "phone":
      return <a className="text-link underline" href={`tel:${value}`}>{value}</a>;
    case "url":
      return <a className="text-link underline" href={value} rel="noopener noreferrer" target="_blank">{value}</a>;
    default:
      return String(value);
  }
}
