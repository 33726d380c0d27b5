import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constant, DeclarationError, defineMethod, defineMetric, zeros } from "eigensam";
import { beforeAll, describe, expect, it } from "vitest";
import { type ModelEntry, networkOf } from "../src/models/entry.ts";
import { modelEntries } from "../src/models/index.ts";
import { solvers } from "../src/optim/eigenvector.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { schedules } from "../src/optim/schedules.ts";
import { declare } from "../src/nn/scope.ts";
import { runFiles } from "../src/run/files.ts";
import { sdeVariants } from "../src/sde/variants.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { builtIn, datasetOf, extended, type Registry } from "../src/train/registry.ts";
import { trainRunOf } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { firstState, problemOf } from "../src/train/session.ts";
import { trainSettings } from "../src/train/settings.ts";
import { readCheckpoint } from "../src/train/checkpoint.ts";
import { inPackage } from "../src/util/package.ts";
import { meanSam, scaledSam } from "./fixtures/plugins/methods.ts";
import { huber, quadratic, saddle, thetaNorm } from "./fixtures/plugins/parts.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { compileInto, emptyProject } from "./support/compiled.ts";
import { runHere, smallRun, smallSde } from "./support/sde-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-extending-"));
const project = emptyProject();
await compileInto(project, inPackage("test/fixtures/plugins"), "plugins");
const fixture = (name: string) => join(project, "plugins", `${name}.js`);
const [methods, parts] = [
  ["--plugin", fixture("methods")],
  ["--plugin", fixture("parts")],
];
const metricsOf = (run: string) => readFileSync(runFiles(run).metrics, "utf8");

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

interface Points {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly count: number;
}

interface Descent {
  readonly rho: number;
  readonly lambda: number;
  readonly lr: number;
  readonly momentum: number;
}

/** Steps of Mean-SAM on the quadratic model and all points of the saddle, in float64 without the engine. */
async function meanSamByHand(start: Float64Array, { rho, lambda, lr, momentum }: Descent, count: number) {
  const { train } = await saddle.load({});
  if (!("count" in train)) throw new Error("the points are in memory");
  const rows = Array.from({ length: train.count }, (_, i) => {
    const [a, b] = [train.x[2 * i]!, train.x[2 * i + 1]!];
    return { features: [a, b, a * a, b * b, 1], y: train.y[i]! };
  });
  const lossAt = (theta: readonly number[]) => {
    const errors = rows.map(({ features, y }) => features.reduce((sum, x, k) => sum + x * theta[k]!, -y));
    return {
      loss: errors.reduce((sum, error) => sum + error ** 2 / rows.length, 0),
      gradient: theta.map((_, k) =>
        errors.reduce((sum, error, i) => sum + (2 * error * rows[i]!.features[k]!) / rows.length, 0),
      ),
    };
  };
  let theta = [...start];
  let [m, velocity] = [theta.map(() => 0), theta.map(() => 0)];
  const steps: { loss: number; norm: number }[] = [];
  for (let step = 0; step < count; step++) {
    const { loss, gradient } = lossAt(theta);
    steps.push({ loss, norm: Math.hypot(...theta) });
    const fresh = gradient.map((x, k) => x - m[k]!);
    const radius = rho / Math.hypot(...fresh);
    const direction = lossAt(theta.map((x, k) => x + radius * fresh[k]!)).gradient;
    m = m.map((x, k) => lambda * x + (1 - lambda) * gradient[k]!);
    velocity = velocity.map((x, k) => momentum * x + direction[k]!);
    theta = theta.map((x, k) => x - lr * velocity[k]!);
  }
  return { theta, m, steps };
}

function expectClose(actual: Float32Array, expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

describe("a method, a model, a data set and a step metric from files of one's own", () => {
  const run = join(folder, "run");
  const own = ["method.name=mean-sam", "method.lambda=0.8", "model.name=quadratic", "data.name=saddle"];
  const settings = [...own, "data.batch=8", "threads=1", "train.epochs=40"];
  const train = (...args: readonly string[]) => eigensam(["train", ...args, ...methods, ...parts]);
  let outcome: Awaited<ReturnType<typeof eigensam>>;
  beforeAll(async () => {
    outcome = await train("--run-dir", run, "--json", ...settings);
  });

  it("train", () => {
    expect(outcome.status, outcome.stderr).toBe(0);
    const done = jsonLines(outcome.stdout).at(-1);
    // y is a quadratic function, which the model can be to the last bit.
    expect(done).toMatchObject({ event: "done", train: { loss: expect.closeTo(0, 2) } });
    const record = JSON.parse(readFileSync(runFiles(run).record, "utf8"));
    expect(record.method).toMatchObject({ name: "mean-sam", title: "Mean-SAM", colour: "#8c564b" });
    expect(jsonLines(metricsOf(run))[0]).toMatchObject({ kind: "step", thetaNorm: expect.any(Number) });
  });

  it("resume to the same bytes after a stop", async () => {
    const stopped = join(folder, "stopped");
    const kill = { signal: "SIGINT", after: /"event":"epoch","epoch":1,/ } as const;
    const args = ["train", "--run-dir", stopped, "--json", ...settings, ...methods, ...parts];
    const { status, stderr } = await eigensam(args, { kill });
    expect([status, stderr]).toEqual([
      130,
      expect.stringContaining(`--resume ${stopped} ${[...methods, ...parts].join(" ")}`),
    ]);
    const without = await eigensam(["train", "--resume", stopped]);
    expect([without.status, without.stderr]).toEqual([2, expect.stringContaining("--plugin FILE adds others")]);
    expect(await train("--resume", stopped)).toMatchObject({ status: 0 });
    expect(metricsOf(stopped)).toBe(metricsOf(run));
  });

  it.each([
    ["eval", [], { loss: expect.closeTo(0, 2), n: 25 }],
    ["export", ["--out", join(folder, "model.onnx")], { bytes: expect.any(Number) }],
    ["curvature", ["--batches", "2"], { model: "quadratic", parameters: 5 }],
  ] as const)("serve %s", async (command, more, expected) => {
    const { status, stdout, stderr } = await eigensam([command, run, ...more, "--json", ...methods, ...parts]);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject(expected);
  });

  it("stand in the report, which needs no plugin", async () => {
    const out = join(folder, "report");
    const { status, stderr } = await eigensam(["report", run, "--out", out]);
    expect(status, stderr).toBe(0);
    const svg = readFileSync(join(out, "figures/theta-norm.svg"), "utf8");
    expect(svg).toContain(">Mean-SAM</text>");
    expect(svg).toContain(meanSam.colour);
    const [head, , row] = readFileSync(join(out, "tables/results.md"), "utf8").split("\n");
    expect(head).toContain("| ‖θ‖ |");
    expect(row).toMatch(/^\| Mean-SAM \|/);
  });

  it("are listed by --help and data list", async () => {
    const help = await train("--help");
    for (const { name, summary } of [meanSam, scaledSam, quadratic, saddle])
      expect(help.stdout).toMatch(new RegExp(`^  ${name} +${escaped(summary)}$`, "m"));
    expect(help.stdout).toContain("memory of the mean; read by f-sam, vasso, mean-sam");
    expect(help.stdout).toMatch(/^ {2}thetaNorm +norm of the weights, ‖θ‖$/m);
    const list = await eigensam(["data", "list", "--json", ...parts]);
    expect(jsonLines(list.stdout).at(-1)).toEqual({ name: "saddle", summary: saddle.summary, folder: null });
  });

  it("have a dry run, with a note of a number that the method does not read", async () => {
    const { status, stderr, stdout } = await train("--dry-run", "--json", ...settings, "method.gamma=1");
    expect([status, stderr]).toEqual([0, "note: mean-sam does not read method.gamma\n"]);
    const { config } = JSON.parse(stdout);
    expect(config.method).toMatchObject({ rho: 0.05, lambda: 0.8 });
    expect(config.method).not.toHaveProperty("gamma");
  });

  it("are timed by bench, where the method has no state", async () => {
    const small = ["--model", "quadratic", "--batch", "4", "--size", "2", "--steps", "1", "--threads", "1"];
    const bench = (method: string) => eigensam(["bench", "--json", "--method", method, ...small, ...methods, ...parts]);
    const { status, stdout, stderr } = await bench("scaled-sam");
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ method: "scaled-sam", model: "quadratic" });
    expect(await bench("mean-sam")).toMatchObject({ status: 2 });
  });
});

describe("a method of one's own and its SDEs", () => {
  it("have the path of SAM where the method is SAM under another name, in child processes", async () => {
    const out = join(folder, "sde");
    const some = [...smallSde, "sde.steps=20", 'sde.processes=["discrete","third"]'];
    const args = ["method.name=scaled-sam", "method.rho=0.2", "method.gamma=0.5", ...some];
    const { status, stderr } = await eigensam(["sde", ...args, "--seeds", "1", "--out", out, ...methods]);
    expect(status, stderr).toBe(0);
    const sam = join(folder, "sde-sam");
    await runHere(sam, smallRun(some));
    const discrete = (run: string) => jsonLines(metricsOf(run)).filter(({ process }) => process === "discrete");
    // Half of 0.2 is 0.1 to the last bit.
    expect(discrete(join(out, "rho0.2-seed1"))).toEqual(discrete(sam));
    expect(readFileSync(join(out, "tables/sde-distances.md"), "utf8")).toContain("Scaled SAM");
  });

  it("do not exist where the method keeps state", async () => {
    const { status, stderr } = await eigensam(["sde", "method.name=mean-sam", ...methods]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("method mean-sam has no SDE")]);
  });
});

describe("a plugin that cannot be used ends a command with 2", () => {
  it.each([
    ["that is not there", "nowhere.ts", "there is no such file"],
    ["that declares nothing", inPackage("src/util/names.ts"), "exports nothing that is declared\n  hint: export what"],
    ["that no one can read", inPackage("README.md"), "Node ≥ 22.18 reads TypeScript; give a .js or .mjs file"],
    ["with a reserved name", fixture("reserved"), "method wrong: the name f is reserved"],
    ["with a name that is taken", fixture("taken"), "there is a method sam already"],
  ])("one %s", async (_, file, message) => {
    const { status, stdout, stderr } = await eigensam(["data", "list", `--plugin=${file}`]);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});

describe("what is brought in by value", () => {
  const registry = extended(builtIn, [meanSam, quadratic, saddle, thetaNorm]);

  it("is computed as its formula says", async () => {
    const hyper = { rho: 0.3, lambda: 0.6 };
    const config = trainSettings(registry).check({
      threads: 1,
      model: { name: "quadratic" },
      // One step per epoch, on all points.
      data: { name: "saddle", batch: 64, validation: 0 },
      method: { name: "mean-sam", ...hyper },
      optimizer: { lr: 0.1, momentum: 0.5, weightDecay: 0 },
      schedule: { name: "constant" },
      train: { epochs: 3 },
    });
    const dataset = await datasetOf(config, registry);
    const problem = problemOf(config, dataset, registry);
    const run = join(folder, "by-value");
    trainRunOf(registry).create(run, config);
    const steps: TrainEvent[] = [];
    const listen = (event: TrainEvent) => event.event === "step" && steps.push(event);
    const stop = new AbortController().signal;
    await runTraining({ config, dataset, run, resume: false, listen, stop, registry });

    const start = firstState(problem).theta;
    const expected = await meanSamByHand(Float64Array.from(start), { ...hyper, lr: 0.1, momentum: 0.5 }, 3);
    const { state } = readCheckpoint(run, problem)!;
    expectClose(state.theta, expected.theta);
    expectClose(state.method.m!, expected.m);
    expect(steps).toHaveLength(3);
    for (const [i, { loss, norm }] of expected.steps.entries()) {
      expect(steps[i]).toMatchObject({ loss: expect.closeTo(loss, 5), extra: {} });
      expect(steps[i]).toMatchObject({ extra: { "‖θ‖": expect.closeTo(norm, 5) } });
    }
  });

  it("is a loss of single examples, whose mean is descended", async () => {
    const dir = join(folder, "huber");
    const settings = [
      "data.name=saddle",
      "model.name=quadratic",
      "train.loss=huber",
      "data.batch=64",
      "data.validation=0",
    ];
    const flat = ["method.name=sgd", "optimizer.lr=0.5", "optimizer.momentum=0", "optimizer.weightDecay=0"];
    const more = ["schedule.name=constant", "train.epochs=2", "threads=1", "--run-dir", dir, "--json"];
    const { status, stdout, stderr } = await eigensam(["train", ...settings, ...flat, ...more, ...parts]);
    expect(status, stderr).toBe(0);
    const steps = jsonLines(metricsOf(dir)).filter(({ kind }) => kind === "step");

    const both = extended(builtIn, [quadratic, saddle, huber]);
    const config = trainSettings(both).check({
      model: { name: "quadratic" },
      data: { name: "saddle", batch: 64, validation: 0 },
      train: { loss: "huber" },
    });
    const { theta } = firstState(problemOf(config, await datasetOf(config, both), both));
    const { train, test } = await saddle.load({});
    const at = (weights: readonly number[], { x, y, count }: Points) => {
      let loss = 0;
      const gradient = weights.map(() => 0);
      for (let i = 0; i < count; i++) {
        const [a, b] = [x[2 * i]!, x[2 * i + 1]!];
        const features = [a, b, a * a, b * b, 1];
        const error = features.reduce((sum, f, k) => sum + f * weights[k]!, -y[i]!);
        const near = Math.min(Math.abs(error), 0.25);
        loss += (near * (Math.abs(error) - near / 2)) / count;
        for (const [k, f] of features.entries()) gradient[k]! += (Math.sign(error) * near * f) / count;
      }
      return { loss, gradient };
    };
    let weights = [...theta];
    for (const step of steps) {
      const { loss, gradient } = at(weights, train as Points);
      expect(step.loss).toBeCloseTo(loss, 5);
      weights = weights.map((w, k) => w - 0.5 * gradient[k]!);
    }
    expect(steps).toHaveLength(2);
    const done = jsonLines(stdout).at(-1) as { test: { loss: number } };
    expect(done.test.loss).toBeCloseTo(at(weights, test as Points).loss, 5);
  });

  it("is refused where a name is reserved or taken", () => {
    const named = (name: string, key: string) => () =>
      defineMethod({ name, title: "", summary: "", hyper: { [key]: { default: 1, about: "" } }, ascent: ({ g }) => g });
    expect(named("own", "step")).toThrow(DeclarationError);
    expect(named("own", "every")).toThrow("method own: the name every is reserved");
    expect(named("Own", "rho")).toThrow('method name "Own", expected lower case with dashes');
    expect(() => defineMetric({ ...thetaNorm, name: "loss" })).toThrow(DeclarationError);
    expect(() => extended(registry, [quadratic])).toThrow("there is a model quadratic already");
  });

  it("is refused where a method does not return all of its state", () => {
    const forgetful = defineMethod({
      name: "forgetful",
      title: "Forgetful",
      summary: "∇f(θ)",
      state: { m: zeros },
      // @ts-expect-error the types say so as well
      descend: ({ g }) => ({ direction: g }),
    });
    const g = constant(1, [2], "f32");
    const at = { f: () => g, theta: g, g, v: g, mask: g, step: g };
    expect(() => forgetful.descend(at, {})).toThrow(DeclarationError);
    expect(() => forgetful.descend(at, {})).toThrow("method forgetful: descend returns no m");
  });
});

describe("every entry of a registry", () => {
  const { metrics, ...named } = builtIn;
  const others = { solvers, optimizers, schedules, sdeVariants };

  it.each(Object.entries({ ...named, metrics } satisfies Registry))("of %s stands under its name", (_, entries) => {
    for (const [key, { name }] of Object.entries<{ readonly name: string }>(entries)) expect(name).toBe(key);
  });

  it.each(Object.entries({ ...named, ...others }))("of %s has a summary for help texts", (_, entries) => {
    for (const { summary } of Object.values<{ readonly summary: string }>(entries)) expect(summary.trim()).not.toBe("");
  });

  it("of metrics says what it is", () => {
    for (const { about } of Object.values(metrics)) expect(about.trim()).not.toBe("");
  });

  it.each(Object.values<ModelEntry>(modelEntries))("of models has a sample: $name", (entry) => {
    const { options, inputShape } = entry.sample!;
    const { parameters } = declare(networkOf(entry, options), inputShape);
    expect(parameters.size).toBeGreaterThan(0);
  });
});
