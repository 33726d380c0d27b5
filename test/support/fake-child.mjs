/** A child of the pool: `node fake-child.mjs KIND FOLDER`. It prints its process number, then what its kind does. */
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [kind, folder] = process.argv.slice(2);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
print({ pid: process.pid });

/** Prints and reports steps, and at SIGINT saves and ends. */
function work(steps) {
  let step = 0;
  const timer = setInterval(() => {
    print({ step: ++step });
    process.send({ done: step, of: 10 });
    if (step < steps) return;
    clearInterval(timer);
    process.disconnect();
  }, 30);
  process.on("SIGINT", () => {
    appendFileSync(join(folder, `${process.pid}.asked`), "SIGINT\n");
    clearInterval(timer);
    // A second signal would come meanwhile.
    setTimeout(() => {
      writeFileSync(join(folder, `${process.pid}.saved`), String(step));
      process.exit(130);
    }, 200);
  });
  writeFileSync(join(folder, `${process.pid}.ready`), "");
}

const kinds = {
  works: () => work(10),
  "works-on": () => work(Number.POSITIVE_INFINITY),
  /** Ends well after a sibling that fails. */
  outlasts: () => {
    const timer = setInterval(() => {
      if (!readdirSync(folder).some((name) => name.endsWith(".failed"))) return;
      clearInterval(timer);
      setTimeout(() => work(1), 500);
    }, 30);
  },
  fails: () => {
    process.once("exit", () => writeFileSync(join(folder, `${process.pid}.failed`), ""));
    process.disconnect();
    process.stderr.write("some progress\neigensam: the loss is NaN at step 3\n  hint: lower the rate\n");
    process.exitCode = 1;
  },
  /** Fails when three siblings work. */
  "fails-late": () => {
    const timer = setInterval(() => {
      if (readdirSync(folder).filter((name) => name.endsWith(".ready")).length < 3) return;
      clearInterval(timer);
      kinds.fails();
    }, 30);
  },
  dies: () => process.kill(process.pid, "SIGKILL"),
  babbles: () => process.stdout.write("not JSON\n"),
  crashes: () => {
    process.stderr.write(Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\n"));
    process.exitCode = 3;
  },
};
kinds[kind]();
