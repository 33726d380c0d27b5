import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { runFiles } from "../src/run/files.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { checkConfig } from "../src/train/settings.ts";
import { InputError } from "../src/util/errors.ts";
import { smallRun } from "./support/sde-runs.ts";

const parts = Object.keys(runFiles("")) as (keyof ReturnType<typeof runFiles>)[];

/** Works on a run of each kind. */
const kinds = {
  train: (run: string) => trainRun.alone(run, checkConfig({}), () => undefined, unreachable),
  sde: (run: string) => sdeRun.alone(run, smallRun(), () => undefined, unreachable),
};
const unreachable = async () => expect.unreachable("it was worked on");

it.each(Object.entries(kinds).flatMap(([name, alone]) => parts.map((part) => ({ alone, name, part }))))(
  "a directory of kind $name whose $part is a link is not worked on, and nothing behind it changes",
  async ({ alone, part }) => {
    const folder = mkdtempSync(join(tmpdir(), "eigensam-links-"));
    const [run, outside] = [join(folder, "run"), join(folder, "outside")];
    mkdirSync(dirname(runFiles(run)[part]), { recursive: true });
    if (["claims", "checkpoints", "tensorboard"].includes(part)) mkdirSync(outside);
    else writeFileSync(outside, "precious");
    symlinkSync(outside, runFiles(run)[part]);
    const work = alone(run);
    await expect(work).rejects.toThrow(InputError);
    await expect(work).rejects.toThrow(`${runFiles(run)[part]} is a link`);
    expect(readdirSync(run)).toHaveLength(1);
    if (statSync(outside).isDirectory()) expect(readdirSync(outside)).toEqual([]);
    else expect(readFileSync(outside, "utf8")).toBe("precious");
  },
);
