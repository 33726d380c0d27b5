import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Commands of Slurm that write down how they were called, and print what a test says. */
export interface FakeSlurm {
  /** A search path that has them first. */
  readonly path: string;
  /** What squeue or scontrol prints from now on; undefined is a controller that does not answer. */
  readonly says: (command: "squeue" | "scontrol", text: string | undefined) => void;
  /** How commands were called, in order: "scancel 41". squeue, and questions to scontrol, leave no trace. */
  readonly calls: () => string[];
}

/** sbatch gives numbers from 41 on. */
export function fakeSlurm(folder: string): FakeSlurm {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const log = join(folder, "calls");
  writeFileSync(log, "");
  const command = (name: string, body: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\nfolder="$(dirname "$0")/.."\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const note = (name: string) => `echo "${name} $*" >> "$folder/calls"`;
  const answer = (name: string) =>
    `cat "$folder/${name}" 2>/dev/null || { echo "${name}: error: no answer" >&2; exit 1; }`;
  command("sbatch", `${note("sbatch")}\necho $((40 + $(grep -c ^sbatch "$folder/calls")))`);
  command("scancel", note("scancel"));
  command("squeue", answer("squeue"));
  command("scontrol", `case "$1" in show) ${answer("scontrol")};; *) ${note("scontrol")};; esac`);
  return {
    path: `${bin}:${process.env.PATH}`,
    says: (name, text) => {
      if (text === undefined) rmSync(join(folder, name), { force: true });
      else writeFileSync(join(folder, name), text);
    },
    calls: () => readFileSync(log, "utf8").split("\n").slice(0, -1),
  };
}
