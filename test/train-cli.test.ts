import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { ModelProtoSchema } from "../src/onnx/onnx_pb.ts";
import type { ClassScores } from "../src/train/class-scores.ts";
import type { Score } from "../src/train/records.ts";
import { decodeSafetensors, encodeSafetensors } from "../src/util/safetensors.ts";
import { eigensam, jsonLines } from "./support/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-cli-"));
const run = join(folder, "run");
const small = [
  "model.width=2",
  "threads=1",
  "data.batch=512",
  "train.epochs=1",
  "method.every=10",
  "method.iterations=2",
];

let outcome: Awaited<ReturnType<typeof eigensam>>;
beforeAll(async () => {
  outcome = await eigensam(["train", "--json", "--run-dir", run, ...small]);
}, 120_000);

describe("eigensam train", () => {
  it("prints events as JSON lines, and what people read to stderr", () => {
    expect(outcome.status, outcome.stderr).toBe(0);
    const events = jsonLines(outcome.stdout);
    expect([...new Set(events.map(({ event }) => event))]).toEqual(["start", "refresh", "epoch", "done"]);
    expect(events.at(-1)).toMatchObject({
      event: "done",
      run,
      epochs: 1,
      train: { loss: expect.any(Number), accuracy: expect.any(Number) },
      val: { loss: expect.any(Number), accuracy: expect.any(Number) },
      test: { loss: expect.any(Number), accuracy: expect.any(Number) },
      seconds: expect.any(Number),
    });
    expect(outcome.stderr).toContain("eigen-sam · resnet18 · fashion-mini · seed 1 · cpu");
    expect(outcome.stderr).not.toMatch(/Warning|hint/);
  });

  it("refuses a directory in use, and a complete run", async () => {
    const again = await eigensam(["train", "--run-dir", run, ...small]);
    expect(again).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`eigensam train --resume ${run} resumes it`),
    });
    const resumed = await eigensam(["train", "--resume", run]);
    expect(resumed).toMatchObject({ status: 2, stderr: expect.stringContaining(`${run} is complete`) });
  });

  it.each<[string, readonly string[], string]>([
    ["an unknown key", ["method.roh=1"], "did you mean method.rho?"],
    ["a file that is not there", ["nowhere.toml"], "nowhere.toml cannot be read"],
    ["settings beside --resume", ["--resume", run, "seed=2"], "--resume takes the settings of the run"],
    ["options of several runs", ["--fail-fast", "-j", "3"], "--jobs and --fail-fast: there is one run, and no other"],
    ["options of several runs beside --resume", ["--resume", run, "-j", "2"], "--resume takes the settings"],
    ["a depth the model does not have", ["model.depth=3"], "has no choice of depths"],
  ])("ends with 2 for %s", async (_, args, message) => {
    const { status, stdout, stderr } = await eigensam(["train", "--run-dir", join(folder, "never"), ...args]);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it("--dry-run says what a run would be, and writes nothing", async () => {
    const { status, stdout } = await eigensam(
      ["train", "--dry-run", "--json", ...small, "model.name=mlp", "model.width=16", "method.solver=power"],
      {
        cwd: folder,
      },
    );
    expect(status).toBe(0);
    const facts = jsonLines(stdout)[0]!;
    expect(facts).toMatchObject({ event: "dry-run", images: 9000, stepsPerEpoch: 17, steps: 17 });
    expect(facts.parameters).toBeGreaterThan(10_000);
    for (const key of ["memoryMiB", "stepSeconds", "refreshSeconds", "epochSeconds"])
      expect(facts[key]).toBeGreaterThan(0);
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });
});

describe("eigensam eval", () => {
  it("scores a run as its training did, and weights the same", async () => {
    const { test } = jsonLines(outcome.stdout).at(-1) as { test: { loss: number; accuracy: number } };
    const ofRun = await eigensam(["eval", run, "--json"]);
    expect(jsonLines(ofRun.stdout)).toEqual([{ ...test, n: 2000 }]);
    const file = join(run, "weights.safetensors");
    const settings = ["model.width=2", "data.batch=512", "threads=1"].flatMap((setting) => ["--set", setting]);
    const ofWeights = await eigensam(["eval", "--weights", file, "--model", "resnet18", ...settings, "--json"]);
    expect(ofWeights.stdout).toBe(ofRun.stdout);
  });

  it.each<[string, readonly string[], string]>([
    [
      "another width",
      ["--weights", join(run, "weights.safetensors"), "--model", "resnet18", "--set", "model.width=4"],
      "has shape",
    ],
    ["no file", ["--weights", join(folder, "none"), "--model", "resnet18"], "none"],
    ["neither run nor weights", [], "neither a run nor --weights was given"],
    ["no run", [folder], "is no run directory"],
  ])("says what is wrong with %s", async (_, args, message) => {
    const { status, stderr } = await eigensam(["eval", ...args]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("this is a bug");
    expect(status).not.toBe(0);
  });

  it("refuses weights that are not numbers", async () => {
    const { tensors } = decodeSafetensors(readFileSync(join(run, "weights.safetensors")), "weights");
    const bias = tensors["linear.bias"]!;
    const file = join(folder, "nan.safetensors");
    writeFileSync(
      file,
      encodeSafetensors({
        ...tensors,
        "linear.bias": { ...bias, data: Float32Array.from(bias.data as Float32Array, () => Number.NaN) },
      }),
    );
    const { status, stderr } = await eigensam([
      "eval",
      "--weights",
      file,
      "--model",
      "resnet18",
      "--set",
      "model.width=2",
    ]);
    expect(stderr).toContain("linear.bias holds NaN");
    expect(status).toBe(1);
  });
});

describe("eigensam export", () => {
  it("writes a network whose answers are those of eval", async () => {
    const out = join(folder, "net.onnx");
    const { status } = await eigensam(["export", run, "--out", out, "--batch", "100"]);
    expect(status).toBe(0);
    const ort = await import("onnxruntime-node");
    const { loadDataset } = await import("../src/data/index.ts");
    const { test, classNames } = await loadDataset("fashion-mini");
    const session = await ort.InferenceSession.create(out);
    const { graph } = fromBinary(ModelProtoSchema, readFileSync(out));
    expect(graph!.input.map(({ name }) => name)).toEqual(["images"]);
    let correct = 0;
    for (let from = 0; from < test.count; from += 100) {
      const pixels = Uint8Array.from(test.x.subarray(from * 784, (from + 100) * 784));
      const { probabilities } = await session.run({ images: new ort.Tensor("uint8", pixels, [100, 1, 28, 28]) });
      const values = probabilities!.data as Float32Array;
      for (let i = 0; i < 100; i++) {
        const row = Array.from(values.subarray(10 * i, 10 * i + 10));
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
        correct += Number(row.indexOf(Math.max(...row)) === test.y[from + i]);
      }
    }
    const tables = join(folder, "scores");
    const scored = await eigensam(["eval", run, "--json", "--classes", "--top-k", "10", "--out", tables]);
    const score = jsonLines<Score & ClassScores>(scored.stdout)[0]!;
    const accuracy = score.accuracy!;
    // Other convolutions round otherwise: a picture or two between equal logits may change sides.
    expect(Math.abs(correct / test.count - accuracy)).toBeLessThan(0.002);
    const right = score.confusion!.reduce((sum, row, label) => sum + row[label]!, 0);
    expect(right / test.count).toBeCloseTo(accuracy, 12);
    expect(score.topK).toEqual({ k: 10, accuracy: 1 });
    expect(score.classes!.map(({ name }) => name)).toEqual(classNames);
    expect(readdirSync(tables)).toEqual(["classes.csv", "classes.md", "confusion.csv", "confusion.md"]);
  });
});
