import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { sdeRun } from "../src/experiments/sde/run-dir.ts";
import { runFiles } from "../src/run/files.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { InputError } from "../src/util/errors.ts";

const parts = Object.keys(runFiles("")) as (keyof ReturnType<typeof runFiles>)[];

it.each([trainRun, sdeRun].flatMap((kind) => parts.map((part) => ({ kind, name: kind.kind, part }))))(
  "a directory of kind $name whose $part is a link is not worked on, and nothing behind it changes",
  async ({ kind, part }) => {
    const folder = mkdtempSync(join(tmpdir(), "eigensam-links-"));
    const [run, outside] = [join(folder, "run"), join(folder, "outside")];
    mkdirSync(dirname(runFiles(run)[part]), { recursive: true });
    if (["claims", "checkpoints", "tensorboard"].includes(part)) mkdirSync(outside);
    else writeFileSync(outside, "precious");
    symlinkSync(outside, runFiles(run)[part]);
    const work = kind.alone(
      run,
      () => undefined,
      async () => expect.unreachable("it was worked on"),
    );
    await expect(work).rejects.toThrow(InputError);
    await expect(work).rejects.toThrow(`${runFiles(run)[part]} is a link`);
    expect(readdirSync(run)).toHaveLength(1);
    if (statSync(outside).isDirectory()) expect(readdirSync(outside)).toEqual([]);
    else expect(readFileSync(outside, "utf8")).toBe("precious");
  },
);
