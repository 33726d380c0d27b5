import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { datasetOf } from "../src/train/registry.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runTraining } from "../src/train/run-training.ts";
import { checkConfig } from "../src/train/settings.ts";
import { checkpointsOf } from "../src/run/checkpoint.ts";
import { runFiles } from "../src/run/files.ts";
import { rng } from "../src/util/rng.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { npyBytes } from "./support/npy.ts";
import { runHere, smallRun } from "./support/sde-runs.ts";

const ROUNDS = process.env.EIGENSAM_SLOW === "1" ? 20 : 1;
const folder = mkdtempSync(join(tmpdir(), "eigensam-twice-"));

/** Starts a command twice at once, in run after run, and compares each with the run that nothing disturbed. */
async function twiceAtOnce(whole: string, prepare: (run: string) => void, command: (run: string) => readonly string[]) {
  const results = (run: string) => [readFileSync(runFiles(run).metrics), vectorsOf(checkpointsOf(run).at(-1)!)];
  for (let round = 0; round < ROUNDS; round++) {
    const run = mkdtempSync(join(folder, "run-"));
    prepare(run);
    const ended = await Promise.all([0, 1].map(() => eigensam([...command(run), "--json"])));
    const said = ended.map(({ stderr }) => stderr).join("\n");
    const trained = ended.filter(({ stdout }) => jsonLines(stdout).some(({ event }) => event === "start"));
    expect(
      trained.map(({ status }) => status),
      said,
    ).toEqual([0]);
    expect(ended.map(({ status }) => status).sort(), said).toEqual([0, 2]);
    expect(said).toMatch(/process \d+ is at work on|is complete|is not empty/);
    expect(existsSync(runFiles(run).config)).toBe(true);
    results(run).forEach((bytes, i) => {
      expect(bytes.equals(results(whole)[i]!)).toBe(true);
    });
    rmSync(run, { recursive: true });
  }
}

const resumedTwice = (command: string, stopped: string, whole: string) =>
  twiceAtOnce(
    whole,
    (run) => cpSync(stopped, run, { recursive: true }),
    (run) => [command, "--resume", run],
  );

/** What follows the header, which tells the time spent. */
const vectorsOf = (path: string) => {
  const bytes = readFileSync(path);
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
};

it(`a training resumed twice at once is trained by one, and so is a new one, ${ROUNDS} times`, {
  timeout: 400_000,
}, async () => {
  const random = rng(1, "twice");
  const file = (name: string, values: Float32Array | Int32Array, shape: readonly number[]) => {
    const path = join(folder, name);
    writeFileSync(path, npyBytes(values, shape));
    return path;
  };
  const [x, y] = [
    file(
      "x.npy",
      Float32Array.from({ length: 64 * 16 }, () => random.normal()),
      [64, 1, 4, 4],
    ),
    file(
      "y.npy",
      Int32Array.from({ length: 64 }, (_, i) => i % 3),
      [64],
    ),
  ];
  const config = checkConfig({
    threads: 1,
    model: { name: "mlp", width: 8 },
    method: { name: "sam" },
    optimizer: { lr: 0.01 },
    data: { name: "npy", images: x, labels: y, testImages: x, testLabels: y, batch: 8, crop: 0, flip: false },
    train: { epochs: 40 },
  });
  const dataset = await datasetOf(config);
  const trained = async (name: string, stopAfter: number) => {
    const run = join(folder, name);
    trainRun.create(run, config);
    const stop = new AbortController();
    const listen = (event: { readonly event: string }) => {
      if (event.event === "step" && "step" in event && event.step === stopAfter) stop.abort();
    };
    await runTraining({ config, dataset, run, resume: false, listen, stop: stop.signal });
    return run;
  };
  const whole = await trained("whole", -1);
  await resumedTwice("train", await trained("stopped", 20), whole);
  const nothing = () => undefined;
  await twiceAtOnce(whole, nothing, (run) => ["train", runFiles(whole).config, "--run-dir", run]);
});

/** By a command of one process, and by one that makes its runs in others, which takes longer. */
const starts = [
  [
    "a new training",
    (seed: number, run: string) => ["--run-dir", run, `seed=${seed}`],
    "config.toml",
    /^seed = (\d)$/m,
  ],
  ["a new plan", (seed: number, run: string) => ["--run-dir", run, "--seeds", `${seed}`], "plan.json", /"seed": (\d)/],
] as const;

it.each(starts.slice(0, ROUNDS))(
  `%s that is started with different settings is the one's that trains, ${ROUNDS} times`,
  {
    timeout: 400_000,
  },
  async (_, args, file, pattern) => {
    const settings = [
      "model.name=mlp",
      "model.width=4",
      "data.examples=200",
      "data.batch=50",
      "threads=1",
      "train.epochs=1",
    ];
    for (let round = 0; round < ROUNDS; round++) {
      const run = mkdtempSync(join(folder, "differ-"));
      const ended = await Promise.all(
        [1, 2].map((seed) => eigensam(["train", ...settings, ...args(seed, run), "--json"])),
      );
      const said = ended.map(({ stderr }) => stderr).join("\n");
      expect(ended.map(({ status }) => status).sort(), said).toEqual([0, 2]);
      expect(said).toMatch(/is not empty|is at work on|holds another plan|made with other settings/);
      const first = ended.findIndex(({ status }) => status === 0) + 1;
      expect(pattern.exec(readFileSync(join(run, file), "utf8"))?.[1], said).toBe(String(first));
    }
  },
);

it(`a run of the SDE experiment resumed twice at once is made by one, ${ROUNDS} times`, {
  timeout: 400_000,
}, async () => {
  const config = smallRun();
  const [whole, stopped] = [join(folder, "sde"), join(folder, "sde-stopped")];
  await runHere(whole, config);
  await runHere(stopped, config, (event, stop) => event.event === "measure" && event.step === 10 && stop());
  await resumedTwice("sde", stopped, whole);
});
