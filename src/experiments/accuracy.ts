import { cellsOf, type Table } from "../report/table.ts";
import { merged } from "../util/merge.ts";
import { summarize } from "../util/statistics.ts";
import { atEveryScale, type Experiment, type Scale } from "./experiment.ts";
import { publishedTable } from "./published.ts";
import { writeComparison } from "./study/comparison.ts";
import { type Arm, crossed } from "./study/crossed.ts";
import { paperEstimates, paperRecipe, SVHN_RATE } from "./study/paper-recipe.ts";
import type { StudyRecord } from "./study/record.ts";
import type { StudyRun } from "./study/run.ts";

interface Task {
  readonly network: string;
  readonly settings: { readonly model: object; readonly data: { readonly name: string }; readonly optimizer?: object };
}

interface AccuracyScale {
  readonly tasks: readonly Task[];
  /** Seeds of the runs that choose ρ and α on validation images, and of those that are reported. */
  readonly choosing: readonly number[];
  readonly seeds: readonly number[];
  readonly rhos: readonly number[];
  readonly alphas: readonly number[];
  /** How Eigen-SAM estimates v; left out, as it does by default. */
  readonly estimates?: Readonly<Record<string, string | number>>;
  readonly settings: object;
}

const small = (name: string, data: object): Task => ({
  network: "resnet18",
  settings: { model: { name: "resnet18", width: 4 }, data: { name, ...data } },
});

const networks = [
  { network: "resnet18", model: { name: "resnet18" } },
  { network: "resnet50", model: { name: "resnet50" } },
  { network: "WRN-28-10", model: { name: "wide-resnet", depth: 28, width: 10 } },
] as const;

const scales: Readonly<Record<Scale, AccuracyScale>> = {
  smoke: {
    tasks: [small("fashion-mini", { examples: 600 })],
    choosing: [1],
    seeds: [2, 3],
    rhos: [0.05, 0.1],
    alphas: [0.1, 0.2],
    settings: { data: { batch: 60 }, train: { epochs: 2, testEvery: 1 } },
  },
  laptop: {
    tasks: [small("fashion-mnist", { examples: 10_000 })],
    choosing: [311],
    seeds: [301, 302, 303, 304, 305],
    rhos: [0.05, 0.1, 0.2],
    alphas: [0.05, 0.1, 0.2],
    settings: { data: { batch: 128 }, train: { epochs: 10, testEvery: 1 } },
  },
  full: {
    tasks: ["cifar10", "cifar100", "fashion-mnist", "svhn"].flatMap((name) =>
      networks.map(({ network, model }) => ({
        network,
        settings: { model, data: { name }, ...(name === "svhn" ? { optimizer: { lr: SVHN_RATE } } : {}) },
      })),
    ),
    choosing: [1],
    seeds: [2, 3, 4, 5, 6],
    rhos: [0.05, 0.1, 0.2],
    alphas: [0.05, 0.1, 0.2],
    estimates: paperEstimates,
    settings: paperRecipe,
  },
};

type MethodSettings = Readonly<Record<string, string | number>> & { readonly name: string };

const FREE = ["sam", "eigen-sam"] as const;

/** The settings of a method among which its own are chosen. */
const candidatesOf = (name: (typeof FREE)[number], { rhos, alphas }: AccuracyScale): MethodSettings[] =>
  rhos.flatMap((rho): MethodSettings[] =>
    name === "sam" ? [{ name, rho }] : alphas.map((alpha) => ({ name, rho, alpha })),
  );

/** "sam rho 0.1": names of runs keep letters of ASCII alone. */
const armOf = ({ name, ...rest }: MethodSettings): string =>
  [name, ...Object.entries(rest).map((entry) => entry.join(" "))].join(" ");

const SYMBOLS: Readonly<Record<string, string>> = { rho: "ρ", alpha: "α" };

/** The settings of a run: what is chosen of the method, and how it estimates v. */
const settingsOf = (method: MethodSettings, { estimates = {} }: AccuracyScale): Arm["settings"] => ({
  method: method.name === "eigen-sam" ? { ...method, ...estimates } : method,
});

const inWords = ({ name: _, ...rest }: MethodSettings): string =>
  Object.entries(rest)
    .map(([key, value]) => `${SYMBOLS[key] ?? key} = ${value}`)
    .join(", ");

const prefixOf = ({ network, settings }: Task): string => `${settings.data.name}-${network}-`;

const CHOOSING = "choose-";

/** Runs that choose: every candidate, scored on a tenth of the training images. */
const choosingRuns = (task: Task, scale: AccuracyScale): StudyRun[] =>
  crossed({
    network: task.network,
    prefix: CHOOSING + prefixOf(task),
    seeds: scale.choosing,
    arms: FREE.flatMap((name) => candidatesOf(name, scale)).map((method) => ({
      arm: armOf(method),
      settings: settingsOf(method, scale),
    })),
    settings: merged(scale.settings, task.settings, { data: { validation: 0.1 } }),
  });

/** The candidate of a method with the highest mean validation accuracy after the last epoch; undefined until all are scored. */
function chosenFor(
  name: (typeof FREE)[number],
  task: Task,
  scale: AccuracyScale,
  records: readonly StudyRecord[],
): { readonly method: MethodSettings; readonly accuracy: number } | undefined {
  const scored = candidatesOf(name, scale).map((method) => {
    const runs = choosingRuns(task, scale).filter(({ arm }) => arm === armOf(method));
    const values = runs.flatMap((run) => {
      const record = records.find((each) => each.name === run.name);
      // One that diverged is not chosen.
      return record === undefined ? [] : [record.status === "done" ? (record.epochs.at(-1)?.val?.accuracy ?? -1) : -1];
    });
    return { method, accuracy: values.length === runs.length ? summarize(values).mean : undefined };
  });
  return scored.reduce<{ method: MethodSettings; accuracy: number } | undefined>((best, { method, accuracy }, i) => {
    if (accuracy === undefined || (i > 0 && best === undefined)) return undefined;
    return best === undefined || accuracy > best.accuracy ? { method, accuracy } : best;
  }, undefined);
}

/**
 * Runs that are reported: every method with what was chosen, on all training images. None until it is chosen, unless they are only
 * to be counted.
 */
function reportedRuns(task: Task, scale: AccuracyScale, records: readonly StudyRecord[], counted = false): StudyRun[] {
  const chosen = FREE.map(
    (name) => chosenFor(name, task, scale, records)?.method ?? (counted ? candidatesOf(name, scale)[0] : undefined),
  );
  if (chosen.some((method) => method === undefined)) return [];
  return crossed({
    network: task.network,
    prefix: prefixOf(task),
    seeds: scale.seeds,
    arms: [{ name: "sgd" }, ...(chosen as MethodSettings[])].map((method) => ({
      arm: method.name,
      settings: settingsOf(method, scale),
    })),
    settings: merged(scale.settings, task.settings, { data: { validation: 0 } }),
  });
}

function runsOf(name: Scale, records: readonly StudyRecord[], counted = false): StudyRun[] {
  const scale = scales[name];
  return [
    ...scale.tasks.flatMap((task) => choosingRuns(task, scale)),
    ...scale.tasks.flatMap((task) => reportedRuns(task, scale, records, counted)),
  ];
}

/** What captions say of runs whose settings were chosen. */
const SELECTION =
  "ρ of SAM, and ρ and α of Eigen-SAM, were chosen on validation images, a tenth of the training images, with other seeds.";

/** What was chosen, and by what. */
function choicesTable(records: readonly StudyRecord[], scale: AccuracyScale): Table {
  const rows = scale.tasks.flatMap((task) =>
    FREE.map((name) => ({ task, name, found: chosenFor(name, task, scale, records) })),
  );
  return {
    name: "chosen",
    title: "Chosen on validation images",
    head: ["data", "network", "method", "chosen", "validation accuracy"],
    rows: rows.map(({ task, name, found }) =>
      cellsOf([
        ...[task.settings.data.name, task.network, name],
        ...(found ? [inWords(found.method), `${(100 * found.accuracy).toFixed(2)} %`] : ["–", "–"]),
      ]),
    ),
    note: `Of ρ ∈ {${scale.rhos.join(", ")}} and, for Eigen-SAM, α ∈ {${scale.alphas.join(", ")}}: the highest accuracy on a tenth of the training images after the last epoch, with seed ${scale.choosing.join(", ")}, which no reported run has. The runs below train on all training images.`,
    csv: [
      ["data", "network", "method", "rho", "alpha", "validationAccuracy"],
      ...rows.map(({ task, name, found }) => [
        ...[task.settings.data.name, task.network, name],
        ...[found?.method.rho ?? "", found?.method.alpha ?? "", found?.accuracy ?? ""],
      ]),
    ],
  };
}

/** The paper's table of test accuracies: four data sets, three networks, three methods; ρ and α chosen on validation images first. */
export const experiment: Experiment = {
  plans: atEveryScale((scale, records) => runsOf(scale, records)),
  forecast: (scale, records) => runsOf(scale, records, true),
  write: (made) => {
    const isReported = ({ name }: { readonly name: string }) => !name.startsWith(CHOOSING);
    const records = made.records.filter(isReported);
    // Until something is chosen, what is there to choose from is shown.
    const shown = records.length > 0 ? { ...made, records, planned: made.planned.filter(isReported) } : made;
    return writeComparison(shown, {
      title: "Test accuracy",
      tables: [choicesTable(made.records, scales[made.scale]), publishedTable(records)],
      only: ["train-loss", "test-accuracy"],
      ...(records.length > 0 ? { selection: SELECTION } : {}),
    });
  },
};
