import { expect, it } from "vitest";
import { eigensam, jsonLines } from "./support/cli.ts";

/** Each process trains a ResNet for half a minute: `EIGENSAM_SLOW=1 npm test`, as CI does. */
const SLOW = process.env.EIGENSAM_SLOW === "1";

/** What is kept besides the activations of a part: sums of gradients, and fifteen more parts of examples. */
const AT_MOST = 1.2;

async function memoryOf(...settings: string[]): Promise<number> {
  const common = ["model.width=32", "threads=1", "train.epochs=1"];
  const { status, stdout, stderr } = await eigensam(["train", "--dry-run", "--json", ...common, ...settings]);
  expect(status, stderr).toBe(0);
  return jsonLines(stdout)[0]!.memoryMiB as number;
}

it.runIf(SLOW).each(["sam", "eigen-sam"])(
  "128 examples in 16 micro-batches take the memory of 8: %s",
  async (method) => {
    const own = [`method.name=${method}`, "method.solver=lanczos"];
    const whole = await memoryOf(...own, "data.batch=8");
    expect(await memoryOf(...own, "data.batch=128", "train.accumulate=16")).toBeLessThan(AT_MOST * whole);
  },
  600_000,
);
