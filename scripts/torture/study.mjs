/** One run of a study, as `eigensam paper` makes it, but small: `node study.mjs RUN PLAN`, PLAN being JSON. */
import { stopOnSignals } from "../../dist/cli/stop.js";
import { trainOrResume } from "../../dist/train/run-training.js";
import { checkConfig } from "../../dist/train/settings.js";

const [run, plan] = process.argv.slice(2);
const config = checkConfig(JSON.parse(plan).config);
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);
const { signal, status } = stopOnSignals();
const listen = (event) => event.event !== "step" && process.stdout.write(`${JSON.stringify(event)}\n`);
try {
  const outcome = await trainOrResume({ config, run, listen, stop: signal });
  if (outcome.status === "stopped") process.exitCode = status();
} catch (error) {
  process.stderr.write(`eigensam: ${error.message}\n`);
  process.exitCode = error.name === "ConfigError" ? 2 : 1;
}
