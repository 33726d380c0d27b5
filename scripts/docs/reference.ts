import type { Argument, Command, Option } from "commander";
import { z } from "zod";
import { commands, loadCommands } from "../../src/cli/commands/index.ts";
import { programOf } from "../../src/cli/program.ts";
import { datasets } from "../../src/data/index.ts";
import type { DatasetEntry } from "../../src/data/entry.ts";
import { sdeSchema } from "../../src/experiments/sde/config.ts";
import { modelEntries } from "../../src/models/index.ts";
import { solvers } from "../../src/optim/eigenvector.ts";
import { trainingMethods } from "../../src/optim/methods/index.ts";
import { stepMetrics } from "../../src/optim/metrics/index.ts";
import { losses } from "../../src/nn/losses.ts";
import { optimizers } from "../../src/optim/optimizers.ts";
import { initSchemes } from "../../src/nn/init.ts";
import { schedules } from "../../src/optim/schedules.ts";
import { sdeVariants } from "../../src/sde/variants.ts";
import { clusterOptions } from "../../src/sweep/cluster-options.ts";
import { trainSchema } from "../../src/train/config.ts";
import { builtIn } from "../../src/train/registry.ts";
import { exportsOf } from "./api.ts";
import { code, page, table } from "./markdown.ts";
import { settingsTables } from "./settings.ts";

interface Entry {
  readonly title?: string;
  readonly source?: string;
  readonly summary: string;
  /** Gradients per step. */
  readonly cost?: string;
  /** Vectors that it keeps from step to step. */
  readonly state?: Readonly<Record<string, unknown>>;
  readonly needs?: { readonly v?: boolean };
  /** Hyperparameters by name. */
  readonly hyper?: Readonly<Record<string, { readonly default?: unknown; readonly about?: string }>>;
}

type Registry = Readonly<Record<string, Entry>>;

const hyperparameters = ({ hyper = {} }: Entry): string =>
  Object.entries(hyper)
    .map(([name, { default: value, about }]) => [code(`${name}=${value}`), about].filter(Boolean).join(" "))
    .join("; ");

/** The vectors as long as θ that an entry keeps from step to step. */
const kept = ({ state = {}, needs = {} }: Entry): string =>
  [...Object.keys(state), ...(needs.v ? ["v"] : [])].join(", ");

/** A row per entry; titles and hyperparameters have a column where some entry has them. */
export function registryTable(registry: Registry): string {
  const entries = Object.entries(registry);
  const columns = [
    { head: "name", of: ([name]: [string, Entry]) => code(name) },
    { head: "title", of: ([, { title = "" }]: [string, Entry]) => title },
    { head: "summary", of: ([, { summary }]: [string, Entry]) => summary },
    { head: "source", of: ([, { source = "" }]: [string, Entry]) => source },
    { head: "gradients per step", of: ([, { cost = "" }]: [string, Entry]) => cost },
    { head: "keeps", of: ([, entry]: [string, Entry]) => kept(entry) },
    { head: "hyperparameters", of: ([, entry]: [string, Entry]) => hyperparameters(entry) },
  ].filter(({ of }) => entries.some((entry) => of(entry) !== ""));
  return table(
    columns.map(({ head }) => head),
    entries.map((entry) => columns.map(({ of }) => of(entry))),
  );
}

/** The tables that a guide can include by name. */
export const tables: Readonly<Record<string, () => string>> = {
  methods: () => registryTable(trainingMethods),
  optimizers: () => registryTable(optimizers),
  schedules: () => registryTable(schedules),
  solvers: () => registryTable(solvers),
  initializations: () => registryTable(initSchemes),
  losses: () => registryTable(losses),
  metrics: () =>
    table(
      ["field", "symbol", "what it is"],
      Object.values(stepMetrics).map(({ name, symbol, about }) => [code(name), symbol, about]),
    ),
  equations: () => registryTable(sdeVariants),
  models: () => registryTable(modelEntries),
  datasets: () => registryTable(datasets),
  clusters: () => settingsTables(z.strictObject(clusterOptions)),
  commands: () =>
    table(
      ["command", "summary"],
      commands.map(({ name, summary }) => [code(name), summary]),
    ),
};

const loadedCommands = await loadCommands(() => true);

/** The reference: file name → text; `read` gives a source text by its path from the root. */
export const referencePages = (read: (path: string) => string): ReadonlyMap<string, string> =>
  new Map([
    ["api.md", apiPage(read)],
    ["commands.md", page("Commands", ...programOf(loadedCommands).commands.map(commandSection))],
    ["settings.md", settingsPage()],
    ["methods.md", methodsPage()],
    [
      "models.md",
      page(
        "Models",
        "`model.name` names one.",
        modelsTable(),
        "## Initial weights: `model.init`",
        tables.initializations!(),
      ),
    ],
    ["datasets.md", page("Data sets", "`data.name` names one.", registryTable(datasets), filesTable())],
  ]);

const apiPage = (read: (path: string) => string): string =>
  page(
    "API",
    "What each entry point exports. `eigensam/node` exports all of `eigensam` as well.",
    ...["eigensam", "eigensam/node", "eigensam/internals"].flatMap((name) => [
      `## ${name}`,
      table(
        ["name", "", "summary"],
        exportsOf(`src/${name.split("/")[1] ?? "index"}.ts`, read).map(({ name, kind, summary }) => [
          code(name),
          kind,
          summary,
        ]),
      ),
    ]),
  );

const settingsPage = (): string =>
  page(
    "Settings",
    "Every setting has a dotted key: `key=value` on the command line, a table in a TOML file, nested objects in code.",
    "## Training",
    settingsTables(trainSchema(builtIn)),
    "## Stochastic differential equations",
    "`eigensam sde` has these.",
    settingsTables(sdeSchema(builtIn)),
  );

const methodsPage = (): string =>
  page(
    "Methods",
    "g = ∇f of the mini-batch, ĝ = g/‖g‖, H its Hessian, v the estimate of H's top eigenvector, v⊥ = v − ⟨v,ĝ⟩ĝ, T[u,u] = ∇(uᵀHu) with u held fixed.",
    "## Methods: `method.name`",
    tables.methods!(),
    "## Solvers for the eigenvector: `method.solver`",
    tables.solvers!(),
    "## Optimizers: `optimizer.name`",
    tables.optimizers!(),
    "## Schedules: `schedule.name`",
    tables.schedules!(),
    "## Losses: `train.loss`",
    tables.losses!(),
    "## Step metrics: fields of a step in `metrics.jsonl`",
    tables.metrics!(),
    "## Stochastic differential equations: `sde.processes`",
    "h of each equation dX = −E[h] dt + √η·Cov(h)^½ dW, for SAM.",
    tables.equations!(),
  );

interface ModelFacts {
  readonly summary: string;
  readonly defaultWidth?: number;
  readonly defaultDepth?: number;
  readonly defaultHeads?: number;
  readonly defaultPatch?: number;
  readonly activations?: readonly string[];
}

const modelsTable = (): string =>
  table(
    ["model", "summary", "width", "depth", "heads", "patch", "activations"],
    Object.entries<ModelFacts>(modelEntries).map(
      ([name, { summary, defaultWidth, defaultDepth, defaultHeads, defaultPatch, activations = [] }]) => [
        code(name),
        summary,
        ...[defaultWidth, defaultDepth, defaultHeads, defaultPatch].map((count) => `${count ?? ""}`),
        activations.map(code).join(", "),
      ],
    ),
  );

const filesTable = (): string =>
  table(
    ["data set", "file that `eigensam data fetch` downloads", "MD5"],
    Object.entries<DatasetEntry>(datasets).flatMap(([set, { sources = [] }]) =>
      sources.map(({ url, md5 }) => [code(set), url, code(md5)]),
    ),
  );

/** In words where it has them: some defaults are of the machine. */
const standardOf = ({ defaultValue, defaultValueDescription: words }: Option): string =>
  words ?? (`${defaultValue ?? ""}` === "" ? "" : code(`${defaultValue}`));

const argumentName = (argument: Argument): string => {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
};

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function commandSection(command: Command): string {
  const given = command.registeredArguments.map((argument: Argument) => [
    code(argumentName(argument)),
    "",
    argument.description,
  ]);
  const options = command.options.map((option: Option) => [code(option.flags), standardOf(option), option.description]);
  const usage = `    eigensam ${command.name()} ${command.usage()}`;
  const rows = [...given, ...options];
  return [`## ${command.name()}`, `${capitalized(command.description())}.`, usage]
    .concat(rows.length === 0 ? [] : [table(["argument or option", "default", "meaning"], rows)])
    .join("\n\n");
}
