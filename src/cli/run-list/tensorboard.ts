import { join } from "node:path";
import type { RunSummary } from "../../experiments/run-list/summary.ts";
import { oneLine } from "../../report/printable.ts";
import { ConfigError, InputError } from "../../util/errors.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { say } from "../ui.ts";

/** Writes the metrics of runs for TensorBoard, each in a folder of its name, and prints the files. Runs that cannot be are named. */
export async function exportRuns(runs: readonly RunSummary[], out: string): Promise<void> {
  assertFolderWritable(out);
  const places = new Map<string, string>();
  const { exportEvents } = await import("../../train/tensorboard/event-file.ts");
  for (const { name, path, kind } of runs) {
    if (kind !== "train") {
      say(oneLine(`${name} is no run of training that has begun`));
      continue;
    }
    const place = join(out, ...within(name));
    const other = places.get(place);
    if (other !== undefined)
      throw new ConfigError(
        oneLine(`${other} and ${path} would both go to ${place}`),
        { place },
        "give one folder of runs",
      );
    places.set(place, path);
    try {
      console.log(oneLine(exportEvents(path, place)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      say(oneLine(`${name} is damaged: ${error.what}`));
    }
  }
}

/** The parts of a name that lead down. */
const within = (name: string): string[] => name.split(/[\\/]/).filter((part) => !["", ".", ".."].includes(part));
