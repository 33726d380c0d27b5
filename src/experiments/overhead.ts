import { stepCost } from "../report/cost.ts";
import { cellsOf, type Table } from "../report/table.ts";
import { groupBy } from "../util/group-by.ts";
import { median } from "../util/statistics.ts";
import { atEveryScale, type Experiment, type Scale } from "./experiment.ts";
import { writeComparison } from "./study/comparison.ts";
import { type CostRow, overSgd } from "./overhead-figure.ts";
import { type Arm, crossed } from "./study/crossed.ts";
import { runOfRecord } from "./study/run-of-record.ts";
import type { StudyRecord } from "./study/record.ts";

const arms: readonly Arm[] = [
  { arm: "sgd", settings: { method: { name: "sgd" } } },
  { arm: "sam", settings: { method: { name: "sam" } } },
  { arm: "eigen-sam free", settings: { method: { name: "eigen-sam", solver: "free" } } },
  { arm: "eigen-sam power", settings: { method: { name: "eigen-sam", solver: "power" } } },
];

interface OverheadScale {
  readonly networks: readonly { readonly name: string; readonly width?: number; readonly depth?: number }[];
  readonly seeds: readonly number[];
  readonly data: object;
}

const scales: Readonly<Record<Scale, OverheadScale>> = {
  smoke: {
    networks: [{ name: "mlp", width: 64 }],
    seeds: [1, 2],
    data: { name: "fashion-mini", examples: 1280 },
  },
  laptop: {
    networks: [
      { name: "mlp", width: 256 },
      { name: "cnn6", width: 32 },
      { name: "resnet18", width: 16 },
    ],
    seeds: [1, 2, 3],
    data: { name: "fashion-mini" },
  },
  full: {
    networks: [{ name: "resnet18" }, { name: "resnet50" }, { name: "wide-resnet", depth: 28, width: 10 }],
    seeds: [1, 2, 3],
    data: { name: "cifar10", batch: 256 },
  },
};

/** An epoch of every method on every network: enough for medians over steps, and for estimates of v̂ at their usual distance. */
const runsOf = (scale: Scale) => {
  const { networks, seeds, data } = scales[scale];
  return networks.flatMap((model) =>
    crossed({
      network: labelOf(model),
      prefix: `${labelOf(model).replaceAll(/\W+/g, "-")}-`,
      ...{ seeds, arms },
      settings: { model, data: { ...data, validation: 0 }, train: { epochs: scale === "smoke" ? 2 : 1 }, threads: 0 },
    }),
  );
};

const labelOf = ({ name, width }: OverheadScale["networks"][number]): string =>
  width === undefined ? name : `${name} width ${width}`;

export function rowsOf(records: readonly StudyRecord[]): CostRow[] {
  const kinds = groupBy(records, ({ network, arm }) => `${network} ${arm}`);
  return [...kinds.values()].flatMap((alike) => {
    const costs = alike.flatMap((record) => {
      const run = runOfRecord(record);
      return (run && stepCost(run)) ?? [];
    });
    if (costs.length === 0) return [];
    return {
      ...{ network: alike[0]!.network, arm: alike[0]!.arm },
      seconds: median(costs.map(({ total }) => total)),
      refreshShare: median(costs.map(({ refresh, total }) => refresh / total)),
      memoryMiB: median(alike.flatMap(({ memoryMiB }) => memoryMiB ?? [])),
      bySeed: costs.map(({ total }) => total),
    };
  });
}

function costTable(rows: readonly CostRow[]): Table {
  const cells = rows.map(({ network, arm, seconds, refreshShare, memoryMiB }) => {
    const sgd = rows.find((row) => row.network === network && row.arm === "sgd");
    return { network, arm, seconds, over: sgd ? seconds / sgd.seconds : Number.NaN, refreshShare, memoryMiB };
  });
  return {
    name: "cost",
    title: "Cost of a step",
    head: ["network", "method", "ms per step", "over SGD", "share of estimates of v̂", "peak memory, MiB"],
    rows: cells.map(({ network, arm, seconds, over, refreshShare, memoryMiB }) =>
      cellsOf([
        ...[network, arm, (1000 * seconds).toPrecision(3), Number.isFinite(over) ? over.toFixed(2) : "–"],
        ...[`${(100 * refreshShare).toFixed(1)} %`, Number.isFinite(memoryMiB) ? memoryMiB.toFixed(0) : "–"],
      ]),
    ),
    note: "Medians over seeds of medians over steps, estimates of v̂ spread over the steps between them. Memory is the most that the whole process took, data and scoring included.",
    csv: [
      ["network", "method", "stepSeconds", "overSgd", "refreshShare", "memoryMiB"],
      ...cells.map((row) => Object.values(row)),
    ],
  };
}

/** What sharpness-aware steps cost: seconds, the share of the estimates of v̂, and memory. */
export const experiment: Experiment = {
  plans: atEveryScale(runsOf),
  timed: true,
  write: (made) =>
    writeComparison(made, {
      title: "Cost of sharpness-aware steps",
      tables: [costTable(rowsOf(made.records))],
      figures: overSgd(rowsOf(made.records)),
      only: [],
      // Scores after one epoch, of different networks, are not what is compared.
      results: false,
    }),
};
