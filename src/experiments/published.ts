import { cellsOf, type Table } from "../report/table.ts";
import { settingOf } from "../sweep/names.ts";
import { groupBy } from "../util/group-by.ts";
import { type Summary, summarize } from "../util/statistics.ts";
import type { StudyRecord } from "./study/record.ts";

interface Published {
  readonly data: string;
  readonly network: string;
  /** Test accuracy in percent, as printed. */
  readonly sgd?: number;
  readonly sam?: number;
  readonly eigenSam?: number;
  readonly source: keyof typeof sources;
}

/** Where the numbers were found. */
const sources = {
  logs: "the authors' published logs: one seed, 200 epochs, batch 256, learning rate 0.1, ρ 0.1, α 0.2",
  later: "a later paper of the same group (arXiv 2509.18001), read second-hand; its recipe may differ",
} as const;

/** Every published number that we know. The paper's own table is not among them: cells that nobody here has read stay empty. */
export const published: readonly Published[] = [
  { data: "cifar100", network: "resnet18", sam: 78.07, eigenSam: 78.51, source: "logs" },
  { data: "cifar10", network: "resnet18", sgd: 95.62, sam: 95.99, source: "later" },
  { data: "cifar100", network: "resnet18", sgd: 78.91, sam: 78.9, source: "later" },
  { data: "cifar10", network: "resnet50", sgd: 95.64, sam: 96.06, source: "later" },
  { data: "cifar100", network: "resnet50", sgd: 79.55, sam: 80.31, source: "later" },
  { data: "cifar10", network: "WRN-28-10", sgd: 96.47, sam: 96.91, source: "later" },
  { data: "cifar100", network: "WRN-28-10", sgd: 81.55, sam: 83.25, source: "later" },
];

/** Our own means of a data set and network, as a row of the same table; the width is ours where it is not the network's usual one. */
function oursOf(records: readonly StudyRecord[]): (readonly [string, string, ...(Summary | undefined)[]])[] {
  const tasks = groupBy(records, ({ config, network }) => {
    const width = settingOf(config, "model.width");
    return JSON.stringify([
      settingOf(config, "data.name"),
      width === undefined || /^WRN/.test(network) ? network : `${network} (width ${width})`,
    ]);
  });
  return [...tasks].map(([key, alike]) => {
    const [data, network] = JSON.parse(key) as [string, string];
    const of = (name: string): Summary | undefined => {
      const own = alike.filter(({ config }) => settingOf(config, "method.name") === name);
      const values = own.flatMap(({ test }) => (test?.accuracy === undefined ? [] : [100 * test.accuracy]));
      return values.length === 0 ? undefined : summarize(values);
    };
    return [data, network, of("sgd"), of("sam"), of("eigen-sam")];
  });
}

/** Our test accuracies, and all published ones that we know, in one table. */
export function publishedTable(records: readonly StudyRecord[]): Table {
  const ours = oursOf(records);
  const shown = (value: number | undefined) => value?.toFixed(2) ?? "";
  const mean = (summary: Summary | undefined) =>
    summary === undefined
      ? ""
      : `${summary.mean.toFixed(2)}${summary.std === undefined ? "" : ` ± ${summary.std.toFixed(2)}`} (n = ${summary.n})`;
  return {
    name: "published",
    title: "Beside published test accuracy, %",
    head: ["data", "network", "SGD", "SAM", "Eigen-SAM", "source"],
    rows: [
      ...ours.map(([data, network, ...values]) =>
        cellsOf([data, network, ...(values as (Summary | undefined)[]).map(mean), "these runs"]),
      ),
      ...published.map(({ data, network, sgd, sam, eigenSam, source }) =>
        cellsOf([data, network, shown(sgd), shown(sam), shown(eigenSam), source]),
      ),
    ],
    note: `Ours are means ± standard deviations over seeds. ${Object.entries(sources)
      .map(([name, about]) => `${name}: ${about}`)
      .join(". ")}. An empty cell is a number that we do not know.`,
    csv: [
      ["data", "network", "sgd", "sam", "eigenSam", "source"],
      ...ours.map(([data, network, ...values]) => [
        ...[data, network, ...(values as (Summary | undefined)[]).map((value) => value?.mean ?? "")],
        "these runs",
      ]),
      ...published.map(({ data, network, sgd, sam, eigenSam, source }) => [
        ...[data, network, sgd ?? "", sam ?? "", eigenSam ?? "", sources[source]],
      ]),
    ],
  };
}
