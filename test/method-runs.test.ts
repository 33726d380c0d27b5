import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { batchNorm, linear, type Network, tanh } from "../src/index.ts";
import { train, type TrainEvent } from "../src/node.ts";
import type { Method } from "../src/optim/method.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { decodeSafetensors } from "../src/util/safetensors.ts";
import { regressionData } from "./support/linear.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-methods-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [COUNT, CLASSES] = [16, 3];
const { x } = regressionData(COUNT, 2);
const y = { data: Int32Array.from({ length: COUNT }, (_, i) => i % CLASSES), shape: [COUNT] };
const model: Network = (scope, inputs) =>
  linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), inputs, 4))), CLASSES);
const options = { data: { train: { x, y } }, model, epochs: 2, batch: 4, threads: 1 } as const;
const methods = Object.values<Method>(trainingMethods);
/** ESAM's default share of four examples is one, which has no spread for batch norm. */
const shareOf = (name: string, gamma: number) => (name === "esam" ? { gamma } : {});
const named = ({ name }: Method, rho?: number) =>
  ({ name, ...shareOf(name, rho === 0 ? 1 : 0.8), ...(rho === undefined ? {} : { rho }) }) as NamedMethod;

describe("a method without a radius is its optimizer", async () => {
  const sgd = await train({ ...options, method: "sgd" }).done;
  // bSAM has momentum, precision and noise of its own; SAMPa's gradients are of two points and two mini-batches.
  const others = ["bsam", "sampa"];
  const claims = methods.filter(({ name, hyper }) => "rho" in hyper && !others.includes(name));
  it.each(claims)("to the last bit: $name", async (method) => {
    const trained = await train({ ...options, method: named(method, 0) }).done;
    expect(trained.weights()).toEqual(sgd.weights());
  });

  it.each(methods.filter(({ hyper }) => "rho" in hyper))("and is not with one: $name", async (method) => {
    const trained = await train({ ...options, method: named(method) }).done;
    expect(trained.weights()).not.toEqual(sgd.weights());
  });
});

it("the probe looks at steps that ask where the optimizer would go", async () => {
  const looks: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => void (event.event === "probe" && looks.push(event));
  const probe = { every: 4, batches: 1, top: 1, products: 5 };
  const looked = await train({ ...options, method: "sampa", probe }, { onEvent }).done;
  expect(looks.length).toBe(3);
  expect(looked.weights()).toEqual((await train({ ...options, method: "sampa" }).done).weights());
});

it.each([
  [{ momentum: 0.9 }, "sgd with momentum 0.9 and weight decay 0"],
  [{ weightDecay: 0.1 }, "sgd with momentum 0 and weight decay 0.1"],
  [{ name: "adamw" } as const, "the optimizer is adamw"],
])("bSAM, which has momentum and decay of its own, refuses those of the optimizer: %j", async (optimizer, why) => {
  await expect(train({ ...options, method: "bsam", optimizer }).done).rejects.toThrow(why);
});

describe("ESAM", () => {
  const run = (method: object, more: object = {}) =>
    train({ ...options, ...more, method: { name: "esam", ...method } as NamedMethod }).done;

  it("with all tensors and all examples is SAM", async () => {
    const sam = await train({ ...options, method: "sam" }).done;
    expect((await run({ beta: 1, gamma: 1 })).weights()).toEqual(sam.weights());
    expect((await run({ beta: 0.5, gamma: 1 })).weights()).not.toEqual(sam.weights());
    expect((await run({ beta: 1, gamma: 0.8 })).weights()).not.toEqual(sam.weights());
  });

  it.each<[string, Readonly<Record<string, unknown>> & { readonly method?: object }]>([
    ["micro-batches", { accumulate: 2 }],
    ["mixed examples", { mixup: 0.2 }],
    ["micro-batches, also where it begins later", { accumulate: 2, method: { from: 1 } }],
  ])("refuses to choose among %s", async (_, { method, ...more }) => {
    await expect(run({ gamma: 0.8, ...method }, more)).rejects.toThrow(/chooses examples by their losses/);
    await run({ gamma: 1, ...method }, more);
  });

  it("chooses among examples whose labels are smoothed by their smoothed losses", async () => {
    const smooth = { labelSmoothing: 0.1 };
    const [sam, all] = [train({ ...options, ...smooth, method: "sam" }), run({ beta: 1, gamma: 1 }, smooth)];
    expect((await all).weights()).toEqual((await sam.done).weights());
    const chosen = await run({ beta: 1, gamma: 0.8 }, smooth);
    expect(chosen.weights()).not.toEqual((await run({ beta: 1, gamma: 0.8 })).weights());
    expect(chosen.weights()).not.toEqual((await all).weights());
  });

  it("refuses a share that leaves no example, and begins later where it is asked to", async () => {
    await expect(run({ gamma: 0.3 })).rejects.toThrow(
      "esam takes ⌊γn⌋ − 1 of n examples: none of 4 at method.gamma=0.3",
    );
    expect((await run({ gamma: 0.8, from: 1 })).steps).toBe(8);
  });
});

describe("a method with vectors of its own, or with a mask,", () => {
  const some = methods.filter(({ state, needs }) => Object.keys(state).length > 0 || needs.mask || needs.lots);
  it.each(some)("resumes to the same bytes: $name", async (method) => {
    const [whole, halves] = ["whole", "halves"].map((kind) => join(folder, `${kind}-${method.name}`)) as [
      string,
      string,
    ];
    const own = { ...options, method: named(method), checkpointEvery: 1 };
    await train({ ...own, dir: whole }).done;
    const controller = new AbortController();
    let steps = 0;
    const onEvent = ({ event }: TrainEvent) => {
      if (event === "step" && ++steps === 3) controller.abort();
    };
    const stopped = await train({ ...own, dir: halves }, { onEvent, signal: controller.signal }).done;
    expect(stopped.status).toBe("stopped");
    const at = decodeSafetensors(readFileSync(checkpointsOf(halves).at(-1)!), "checkpoint");
    for (const vector of Object.keys(method.state)) expect(Object.keys(at.tensors).join()).toContain(vector);
    await train({ ...own, dir: halves }).done;
    const bytes = (run: string) => [runFiles(run).metrics, runFiles(run).weights].map((file) => readFileSync(file));
    expect(bytes(halves)).toEqual(bytes(whole));
  });
});
