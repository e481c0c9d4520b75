// Runs as a reporter of Node's test runner, in the sandbox: at the end it says what came of each test, under the secret of this run.
//
// Test files run in processes of their own and may print what they like, or end themselves; what they print does not count.
const secret = process.env.THREADWRIGHT_RUN ?? "";
delete process.env.THREADWRIGHT_RUN;
const MOST_NAMES = 500;
const MOST_CHARS = 300;

const cut = (text) => String(text ?? "").slice(0, MOST_CHARS);

/** A file that ended without the report of a test stands in the place of one, under its path. */
const isFile = ({ name, file }) => file !== undefined && (name === file || file.endsWith(`/${name}`));

export default async function* evidence(source) {
  const report = { collected: 0, counts: { passed: 0, failed: 0, skipped: 0 }, names: [], failures: [], silent: [] };
  for await (const { type, data } of source) {
    if (data?.nesting !== 0 || !["test:enqueue", "test:pass", "test:fail"].includes(type)) continue;
    if (isFile(data)) {
      if (type === "test:pass") report.silent.push(cut(data.name));
      if (type !== "test:fail") continue;
      report.collected += 1;
    }
    if (type === "test:enqueue") {
      report.collected += 1;
    } else if (type === "test:fail") {
      const error = data.details?.error;
      report.counts.failed += 1;
      report.failures.push([cut(data.file), cut(data.name), cut(error?.cause?.message ?? error?.cause ?? error?.message)]);
    } else if (data.skip !== undefined || data.todo !== undefined) {
      report.counts.skipped += 1;
    } else {
      report.counts.passed += 1;
      report.names.push(cut(data.name));
    }
  }
  for (const list of ["names", "failures", "silent"]) report[list] = report[list].slice(0, MOST_NAMES);
  yield `\n${secret} ${JSON.stringify(report)}\n`;
}
