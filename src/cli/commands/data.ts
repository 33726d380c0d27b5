import { type Dataset, isSplit } from "../../data/dataset.ts";
import type { DatasetEntry } from "../../data/entry.ts";
import { ConfigError } from "../../util/errors.ts";
import { grouped } from "../format.ts";
import { registry } from "../plugins.ts";
import { progressLine } from "../progress-line.ts";
import { emit, say, status } from "../ui.ts";
import { oneOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface DataOptions {
  readonly dir?: string;
  readonly base?: string;
  readonly json?: true;
}

const actions = ["list", "fetch", "verify"] as const;

export const data: CliCommand<DataOptions> = {
  configure: (command) => {
    command
      .argument("<action>", "list, fetch or verify", oneOf(actions))
      .argument("[name]", "the data set to fetch or verify")
      .option("--dir <dir>", "folder to look in first (default: the cache, or EIGENSAM_DATA)")
      .option("--base <url>", "fetch from a mirror that has the files side by side")
      .option("--json", "JSON lines on stdout");
  },
  run: async (options, [action, name]) => {
    const { datasets } = registry();
    if (action === "list") {
      for (const entry of Object.values(datasets)) list(entry, options);
      return;
    }
    const entry = name === undefined ? undefined : datasets[name];
    if (entry === undefined)
      throw new ConfigError(
        name === undefined ? `data ${action} needs a name` : `there is no data set ${name}`,
        { name },
        `data sets: ${Object.keys(datasets).join(", ")}`,
      );
    if (action === "fetch") await fetchSet(entry, options);
    else await verifySet(entry, options);
  },
};

function list({ name, summary, ...entry }: DatasetEntry, { dir, json }: DataOptions): void {
  const folder = entry.find?.(dir);
  if (json) emit({ name, summary, folder: folder ?? null });
  else console.log(`${name.padEnd(14)} ${summary.padEnd(62)} ${entry.find ? (folder ?? "not found") : ""}`.trimEnd());
}

async function fetchSet({ name, sources }: DatasetEntry, { base, json }: DataOptions): Promise<void> {
  const { fetchFile } = await import("../../data/fetch.ts");
  const { folderToFetchInto } = await import("../../data/files.ts");
  if (sources === undefined) {
    say(`${name} needs no download`);
    return;
  }
  const folder = folderToFetchInto(name);
  const line = progressLine();
  for (const file of sources) {
    const path = await fetchFile(file, folder, {
      base,
      progress: (of, done, total) =>
        line(() => [
          { rank: 2, text: of },
          { rank: 1, text: `${grouped(done / 2 ** 20)} MiB` },
          ...(total === undefined ? [] : [{ rank: 0, fraction: done / total }]),
        ]),
    });
    status();
    if (json) emit({ path });
    else console.log(path);
  }
}

async function verifySet(entry: DatasetEntry, { dir, json }: DataOptions): Promise<void> {
  const { join } = await import("node:path");
  const { existsSync } = await import("node:fs");
  const { verifyFile } = await import("../../data/fetch.ts");
  const { name, sources = [] } = entry;
  const folder = entry.find?.(dir);
  const { DEBIAN_FOLDER } = await import("../../data/fashion.ts");
  const checked = folder === undefined || folder === DEBIAN_FOLDER ? [] : sources;
  const published = checked.filter((file) => existsSync(join(folder!, file.name)));
  for (const file of published) await verifyFile(join(folder!, file.name), file);
  const { train, test, targets, inputShape: imageShape } = await entry.load({ dir });
  const counts = { train: countOf(train), test: countOf(test) };
  const classes = targets.kind === "labels" ? { classes: targets.classes } : {};
  if (json) emit({ name, folder: folder ?? null, checksums: published.length, ...counts, ...classes, imageShape });
  else {
    const what = imageShape.length === 3 ? "images" : "examples";
    const told = targets.kind === "labels" ? `${targets.classes} classes` : `targets [${targets.shape.join(", ")}]`;
    console.log(
      `${name}: ${grouped(counts.train)} + ${grouped(counts.test)} ${what} [${imageShape.join(", ")}], ${told}; ${published.length} checksums correct`,
    );
  }
}

const countOf = (examples: Dataset["train"] | undefined): number =>
  examples === undefined ? 0 : isSplit(examples) ? examples.count : examples.stepsPerEpoch * examples.batch;
