// Runs as a reporter of vitest, in the sandbox: at the end it says what came of each test, under the secret of this run.
//
// Tests run in processes of their own and may print what they like; what they print does not count.
import { writeSync } from "node:fs";

const secret = process.env.THREADWRIGHT_RUN ?? "";
delete process.env.THREADWRIGHT_RUN;
const MOST_NAMES = 500;
const MOST_CHARS = 300;

const cut = (text) => String(text ?? "").slice(0, MOST_CHARS);

export default class Evidence {
  onTestRunEnd(modules, errors) {
    const report = { collected: 0, counts: { passed: 0, failed: 0, skipped: 0 }, names: [], failures: [], errors: errors.map(({ message }) => cut(message)) };
    for (const module of modules) {
      report.errors.push(...module.errors().map(({ message }) => cut(message)));
      for (const test of module.children.allTests()) {
        const { state, errors: why } = test.result();
        report.collected += 1;
        if (state === "passed") report.names.push(cut(`${module.relativeModuleId}::${test.fullName}`));
        if (state === "failed") report.failures.push([cut(module.relativeModuleId), cut(test.fullName), cut(why[0]?.message)]);
        // One that is pending has not run to its end, and counts nowhere.
        if (state in report.counts) report.counts[state] += 1;
      }
    }
    for (const list of ["names", "failures", "errors"]) report[list] = report[list].slice(0, MOST_NAMES);
    writeSync(1, `\n${secret} ${JSON.stringify(report)}\n`);
  }
}
