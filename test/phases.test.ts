import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { compileStep } from "../src/api/step.ts";
import { train } from "../src/api/train.ts";
import { costOf } from "../src/cli/train/cost.ts";
import { linear } from "../src/nn/layers.ts";
import { add } from "../src/graph/ops/elementwise.ts";
import { defineMethod, gradAt, type Method, zeros } from "../src/optim/method.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { nodeSessions } from "../src/runtime/node-session.ts";
import type { SessionFactory } from "../src/runtime/session.ts";
import { lossGraphs } from "../src/train/loss-graphs.ts";
import { methodOfPhase } from "../src/optim/phases.ts";
import { runFiles } from "../src/run/files.ts";
import { compileStepGraph } from "../src/train/graphs.ts";
import { notesOf } from "../src/train/notes.ts";
import { builtIn } from "../src/train/registry.ts";
import { resolveConfig, trainSettings } from "../src/train/settings.ts";
import { numbersOf, stepperSettings } from "../src/train/session.ts";
import { createStepper } from "../src/train/stepper.ts";
import { BAD, batch, GOOD, LR, open, releaseAll, sessions } from "./support/hand-session.ts";
import { regressionData } from "./support/linear.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-phases-"));
afterAll(async () => {
  await releaseAll();
  rmSync(folder, { recursive: true });
});

/** A session of three steps per epoch, with momentum, in which the mini-batch is always the same. */
async function opened(method: object) {
  const session = await open(method, { optimizer: { lr: LR, momentum: 0.9, weightDecay: 0.01 } });
  sessions.push(session);
  return session;
}
type Opened = Awaited<ReturnType<typeof opened>>;

async function take({ stepper, state }: Opened, steps: number, from?: Opened["state"]) {
  const moving = from ?? state;
  const metrics: object[] = [];
  for (let i = 0; i < steps; i++) metrics.push((await stepper.step(moving, batch, { lr: LR })).metrics);
  return { state: structuredClone(moving), metrics };
}

describe("a method that begins at an epoch", () => {
  it("is its base optimizer before, and then itself with the momentum of that", async () => {
    const [late, sgd, sam] = [
      await opened({ name: "sam", from: 4 / 3 }),
      await opened({ name: "sgd", rho: undefined }),
      await opened({ name: "sam" }),
    ];
    const [before, plain] = [await take(late, 4), await take(sgd, 4)];
    expect([before.state.theta, before.state.slots]).toEqual([plain.state.theta, plain.state.slots]);
    const after = await take(late, 2);
    const expected = await take(sam, 2, plain.state);
    expect([after.state.theta, after.state.slots]).toEqual([expected.state.theta, expected.state.slots]);
    const still = await take(sgd, 2);
    expect(after.state.theta).not.toEqual(still.state.theta);
  });

  it("keeps vectors from then on: those that start as θ as θ of then", async () => {
    const [late, sgd, whole] = [
      await opened({ name: "keeper", from: 1 }),
      await opened({ name: "sgd", rho: undefined }),
      await opened({ name: "keeper" }),
    ];
    const before = await take(late, 3);
    expect(before.state.method).toEqual(late.state.method);
    const { state } = await take(sgd, 3);
    const begun = {
      ...whole.state,
      ...{ theta: state.theta, slots: state.slots, buffers: state.buffers, quality: GOOD },
      method: { slow: state.theta.slice(), fast: new Float32Array(state.theta.length) },
    };
    late.state.quality = GOOD;
    const u = new Float32Array(state.theta.length).fill(1 / Math.sqrt(state.theta.length));
    const looks = [
      await late.stepper.look(late.state, batch, { lr: LR }, u),
      await whole.stepper.look(begun, batch, { lr: LR }, u),
    ];
    expect(looks[0]).toEqual(looks[1]);
    const [after, expected] = [await take(late, 2), await take(whole, 2, begun)];
    expect([after.state.theta, after.state.method]).toEqual([expected.state.theta, expected.state.method]);
  });

  it("counts its own steps from there: F-SAM's mean begins with its first gradient", async () => {
    const [late, whole] = [await opened({ name: "f-sam", from: 1 }), await opened({ name: "f-sam" })];
    await take(late, 3);
    const begun = { ...structuredClone(late.state), step: 0 };
    const [after, expected] = [await take(late, 3), await take(whole, 3, begun)];
    expect(after.state.theta).toEqual(expected.state.theta);
    expect(after.state.method).toEqual(expected.state.method);
  });

  it("estimates v from there on, and by its solver's schedule counted from there", async () => {
    const { stepper, state } = await opened({ name: "eigen-sam", from: 4 / 3, solver: "lanczos", every: 3 });
    const due = (step: number, quality = GOOD) => {
      Object.assign(state, { step, quality });
      return stepper.refreshDue(state, step % 3);
    };
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((step) => due(step))).toEqual([
      ...[false, false, false, false],
      ...[true, false, false, true],
    ]);
    expect([5, 6].map((step) => due(step, { ...BAD, at: 0 }))).toEqual([true, true]);
    expect([3, 4].map((step) => stepper.usesV({ step, quality: GOOD }))).toEqual([false, true]);
    Object.assign(state, { step: 4, quality: { ...BAD, made: false } });
    await stepper.refresh(state, batch);
    expect(state.quality.at).toBe(0);
  });

  it("is seen as its base optimizer by looks before", async () => {
    const { stepper, state } = await opened({ name: "sam", from: 1 });
    const u = state.v;
    expect(Object.keys(await stepper.look(state, batch, { lr: LR }, u))).toEqual(["cosGrad"]);
    state.step = 3;
    expect(Object.keys(await stepper.look(state, batch, { lr: LR }, u))).toEqual(["cosGrad", "cosEps"]);
    expect([2, 3].map((step) => stepper.phase({ step, quality: GOOD }))).toEqual(["before", "own"]);
  });

  it("lets ρ grow from there on", () => {
    const config = resolveConfig("", ["method.name=sam", "method.rho=0.6", "method.from=1", "method.rhoWarmup=1.5"]);
    const radii = [0, 3, 4, 5, 6, 9, 10].map((step) => numbersOf(config, step, 4).hyper?.rho);
    expect(radii).toEqual([0, 0, 0, ...[0.1, 0.2, 0.5].map((rho) => expect.closeTo(rho, 12)), undefined]);
  });

  it("has one graph at a time: its own is compiled when it begins, and the one before is freed", async () => {
    const problem = await opened({ name: "sam", from: 1 });
    let compiled = 0;
    const loaded = new Set<object>();
    const sessions: SessionFactory = async (...args) => {
      const session = await nodeSessions("cpu")(...args);
      compiled++;
      loaded.add(session);
      const release = async () => {
        loaded.delete(session);
        await session.release();
      };
      return { ...session, release };
    };
    const { config, method, state } = problem;
    const compile = { threads: 1, sessions };
    const stepper = await createStepper({ ...problem, ...stepperSettings(config, method), compile, start: 1 });
    const counts: number[][] = [[compiled, loaded.size]];
    for (let i = 0; i < 3; i++) {
      await stepper.step(state, batch, { lr: LR });
      counts.push([compiled, loaded.size]);
    }
    await stepper.release();
    expect([...counts, [compiled, loaded.size]]).toEqual([
      ...[
        [1, 1],
        [1, 1],
        [2, 1],
        [2, 1],
      ],
      [2, 0],
    ]);
  });

  it("says a mistake in its rule before the training", async () => {
    const broken = defineMethod({
      name: "broken",
      title: "Broken",
      summary: "∇f(θ + g)",
      needs: { v: true },
      descend: ({ f, theta, g }) => ({ direction: gradAt(f, add(theta, g)) }),
    });
    const run = train({ ...tiny, method: { use: broken, from: 1 } });
    await expect(run.done).rejects.toThrow("method broken returns no epsilon");
  });

  it("says a mistake in the rule between its steps before the training", async () => {
    const forgetful = defineMethod({
      name: "forgetful",
      title: "Forgetful",
      summary: "g",
      state: { u: zeros },
      descend: ({ g, u }) => ({ direction: g, u }),
      between: { when: (step) => step > 5, descend: ({ g }) => ({ direction: g }) as never },
    });
    await expect(train({ ...tiny, method: { use: forgetful } }).done).rejects.toThrow(
      "method forgetful: between.descend returns no u",
    );
  });

  it("that never begins is told", async () => {
    const at = async (from: number) => notesOf(await opened({ name: "sam", from })).join();
    expect(await at(9.5)).toBe("");
    expect(await at(10)).toBe(
      "method.from is 10 and the run has 10 epochs: sam never begins, and all steps are the base optimizer's",
    );
  });

  it("is refused where it means nothing", async () => {
    await expect(opened({ name: "eigen-sam", from: 2, compat: "official", solver: undefined })).rejects.toThrow(
      "method.from is 2, but method.compat is official",
    );
    const given = ["method.name=sgd", "method.from=1"];
    expect(resolveConfig("", given).method).not.toHaveProperty("from");
    expect(trainSettings(builtIn).unread("", given)).toEqual(["method.from"]);
    expect(() => resolveConfig("", ["method.from=-1"])).toThrow("method.from");
    const inputs = { x: [2, 1], y: [2, 1] } as const;
    await expect(
      compileStep({ network: (scope, x) => linear(scope, x, 1), inputs, method: { name: "sam", from: 1 } }),
    ).rejects.toThrow("compileStep: method.from is 1, but a step alone knows no epochs");
  });
});

const { x, y } = regressionData(16, 2);
const tiny = {
  data: { train: { x, y } },
  model: { name: "mlp", width: 4, depth: 1 },
  optimizer: { lr: 0.01 },
  ...{ batch: 4, epochs: 3, threads: 1 },
} as const;

describe("a run that changes its rule", () => {
  it.each<[string, NamedMethod]>([
    ["SAM to begin late", { name: "sam", from: 0.75 }],
    ["Eigen-SAM to begin late", { name: "eigen-sam", from: 1.25, solver: "lanczos", every: 2 }],
    ["F-SAM to begin late", { name: "f-sam", from: 0.5 }],
    ["LookSAM", { name: "look-sam", k: 3 }],
  ])("resumes to the same bytes from every step: %s", async (_, method) => {
    const bytes = (run: string) => (["metrics", "weights"] as const).map((file) => readFileSync(runFiles(run)[file]));
    const whole = join(folder, `whole-${method.name}`);
    await (await train({ ...tiny, method, dir: whole }).done).release();
    const halves = join(folder, `halves-${method.name}`);
    for (let done = false; !done; ) {
      const controller = new AbortController();
      let steps = 0;
      const onEvent = ({ event }: { readonly event: string }) => {
        if (event === "step" && ++steps === 2) controller.abort();
      };
      const trained = await train({ ...tiny, method, dir: halves }, { onEvent, signal: controller.signal }).done;
      done = trained.status === "done";
      await trained.release();
    }
    expect(bytes(halves)).toEqual(bytes(whole));
  });
});

describe("LookSAM", () => {
  it("takes one gradient in the steps between, and no more", async () => {
    const { task, model, stepper, state } = await opened({ name: "look-sam", k: 3 });
    let bytes = 0;
    const sessions: SessionFactory = (onnx, ...rest) => {
      bytes = onnx.length;
      return nodeSessions("cpu")(onnx, ...rest);
    };
    const graphs = lossGraphs(task, model, { count: 1, functions: 1 }, { compile: { sessions, threads: 1 } });
    const sizeOf = async (method: Method) => {
      const optimizer = { optimizer: optimizers.sgd, settings: builtInSettings, clip: 0, follow: 0, metrics: [] };
      await (await compileStepGraph(graphs, model, { method, ...optimizer })).release();
      return bytes;
    };
    const { "look-sam": lookSam, sgd, sam } = builtIn.methods;
    const [between, own] = [methodOfPhase(lookSam!, "between"), methodOfPhase(lookSam!, "own")];
    const [base, full] = [await sizeOf(sgd!), await sizeOf(sam!)];
    expect(full).toBeGreaterThan(1.5 * base);
    expect(await sizeOf(between)).toBeLessThan(1.2 * base);
    expect(await sizeOf(own)).toBeGreaterThan(full);
    const phases = [0, 1, 2, 3, 4].map((step) => stepper.phase({ step, quality: state.quality }));
    expect(phases).toEqual(["own", "between", "between", "own", "between"]);
    expect(stepper.phase({ step: 2, quality: state.quality }, { hyper: { k: 2 } })).toBe("own");
  });

  it("is timed by its rules and how often each is taken", async () => {
    const session = await opened({ name: "look-sam", k: 4, from: 2 });
    const { rules, stepSeconds, epochSeconds, totalSeconds } = await costOf(session);
    expect(rules.map(({ rule, steps }) => [rule, steps])).toEqual([
      ["before", 6],
      ["own", 6],
      ["between", 18],
    ]);
    const whole = rules.reduce((sum, { steps, seconds }) => sum + steps * seconds, 0);
    expect(totalSeconds).toBeCloseTo(whole, 12);
    expect([30 * stepSeconds, 10 * epochSeconds]).toEqual([whole, whole].map((x) => expect.closeTo(x, 12)));
  });
});

const builtInSettings = { momentum: 0.9, nesterov: false, weightDecay: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
