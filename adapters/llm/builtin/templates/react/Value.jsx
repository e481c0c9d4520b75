// One value of a record, as people read it.

const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const numeric = (field) => ["integer", "decimal", "money"].includes(field.type);

export function Value({ field, row }) {
  const value = row[field.shown ?? field.name];
  if (value === null || value === undefined || value === "") return <span className="text-soft">–</span>;
  switch (field.type) {
    case "choice":
      return <span className={`tag tag-${field.tags[field.choices.indexOf(value)] ?? 5}`}>{value}</span>;
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
