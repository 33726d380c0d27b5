import type { DatasetEntry } from "../../data/entry.ts";
import { ConfigError } from "../../util/errors.ts";
import { grouped } from "../format.ts";
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
  name: "data",
  summary: "list, fetch and verify data sets",
  computes: false,
  configure: (command) => {
    command
      .argument("<action>", "list, fetch or verify", oneOf(actions))
      .argument("[name]", "the data set to fetch or verify")
      .option("--dir <dir>", "folder to look in first (default: the cache, or EIGENSAM_DATA)")
      .option("--base <url>", "fetch from a mirror that has the files side by side")
      .option("--json", "JSON lines on stdout");
  },
  run: async (options, [action, name]) => {
    const { datasetNames, datasets } = await import("../../data/index.ts");
    if (action === "list") {
      for (const each of datasetNames) await list(each, options);
      return;
    }
    if (name === undefined || !(name in datasets))
      throw new ConfigError(
        name === undefined ? `data ${action} needs a name` : `there is no data set ${name}`,
        { name },
        `data sets: ${datasetNames.join(", ")}`,
      );
    if (action === "fetch") await fetchSet(name as keyof typeof datasets, options);
    else await verifySet(name as keyof typeof datasets, options);
  },
};

type Name = keyof typeof import("../../data/index.ts").datasets;

async function list(name: Name, { dir, json }: DataOptions): Promise<void> {
  const { datasets } = await import("../../data/index.ts");
  const folder = (datasets[name] as DatasetEntry).find?.(dir);
  if (json) emit({ name, summary: datasets[name].summary, folder: folder ?? null });
  else
    console.log(
      `${name.padEnd(14)} ${datasets[name].summary.padEnd(62)} ${(datasets[name] as DatasetEntry).find ? (folder ?? "not found") : ""}`.trimEnd(),
    );
}

async function fetchSet(name: Name, { base, json }: DataOptions): Promise<void> {
  const { fetchFile } = await import("../../data/fetch.ts");
  const { folderToFetchInto } = await import("../../data/files.ts");
  const { datasets } = await import("../../data/index.ts");
  const files = (datasets[name] as DatasetEntry).sources;
  if (files === undefined) {
    say(`${name} needs no download`);
    return;
  }
  const folder = folderToFetchInto(name);
  const line = progressLine();
  for (const file of files) {
    const path = await fetchFile(file, folder, {
      base,
      progress: (of, done, total) =>
        line(() => [
          { rank: 2, text: of },
          { rank: 1, text: `${grouped(done / 2 ** 20)} MiB` },
          ...(total === undefined ? [] : [{ rank: 0, fraction: done / total }]),
        ]),
    });
    status("");
    if (json) emit({ path });
    else console.log(path);
  }
}

async function verifySet(name: Name, { dir, json }: DataOptions): Promise<void> {
  const { join } = await import("node:path");
  const { existsSync } = await import("node:fs");
  const { datasets, loadDataset } = await import("../../data/index.ts");
  const { verifyFile } = await import("../../data/fetch.ts");
  const entry: DatasetEntry = datasets[name];
  const folder = entry.find?.(dir);
  const { DEBIAN_FOLDER } = await import("../../data/fashion.ts");
  const checked = folder === undefined || folder === DEBIAN_FOLDER ? [] : (entry.sources ?? []);
  const published = checked.filter((file) => existsSync(join(folder!, file.name)));
  for (const file of published) await verifyFile(join(folder!, file.name), file);
  const { train, test, targets, inputShape: imageShape } = await loadDataset(name, { dir });
  const { classes } = targets;
  const facts = {
    name,
    folder: folder ?? null,
    checksums: published.length,
    train: train.count,
    test: test.count,
    classes,
    imageShape,
  };
  if (json) emit(facts);
  else
    console.log(
      `${name}: ${grouped(train.count)} + ${grouped(test.count)} images [${imageShape.join(", ")}], ${classes} classes; ${published.length} checksums correct`,
    );
}
