import type { SlurmOptions } from "./cluster-options.ts";

/** A job script that makes runs of a sweep by their numbers. */
export interface SlurmScript {
  readonly name: string;
  readonly version: string;
  /** The folder of the sweep, the folder to work in, and that of the logs, from the root. */
  readonly out: string;
  readonly folder: string;
  readonly logs: string;
  readonly cpus: number;
  /** How a node starts eigensam, as the shell reads it. */
  readonly command: string;
  /** Further words of the command. */
  readonly args: readonly string[];
  readonly options: SlurmOptions;
}

/**
 * The script of an array whose elements each make one run. `exec` leaves no shell behind: the signal that B: sends goes to the script's
 * own process, and a shell would die of it. Its argument is what the number of an element lacks to the number of its run.
 */
export function slurmScript({ name, version, out, folder, logs, cpus, command, args, options }: SlurmScript): string {
  const { partition, account, time, memory, gpus, signalSeconds, maxRestarts, lines, setup } = options;
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ["job-name", `eigensam-${name}`],
    ["output", `${logs.replaceAll("%", "%%")}/%A_%a.log`],
    // A requeued element would otherwise begin its log anew.
    ["open-mode", "append"],
    ["chdir", folder],
    ["signal", `B:USR2@${signalSeconds}`],
    ["ntasks", 1],
    ["cpus-per-task", cpus],
    ["mem", memory],
    ["gres", gpus === undefined || gpus === 0 ? undefined : `gpu:${gpus}`],
    ["time", time],
    ["partition", partition],
    ["account", account],
  ];
  const words = ["sweep", "task", '"$((SLURM_ARRAY_TASK_ID + OFFSET))"', "--out", shellWord(out)];
  return `${[
    "#!/bin/bash",
    `# Written by eigensam ${version}. eigensam sweep run submits it with the runs that are missing: sbatch --array=…`,
    "#SBATCH --requeue",
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [`#SBATCH --${flag}=${sbatchValue(value)}`])),
    ...lines.map((line) => `#SBATCH ${line}`),
    "",
    'OFFSET="$1"',
    ...setup,
    ["exec", command, ...words, "--requeue", maxRestarts, ...args.map(shellWord)].join(" "),
  ].join("\n")}\n`;
}

/** sbatch splits the lines of a script at spaces that are not quoted. */
const sbatchValue = (value: string | number): string => {
  const text = String(value);
  return /^[\w@%+=:,./-]*$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
};

/** A word that a shell reads as it is. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The elements of one array job: their numbers, and what these lack to the numbers of their runs. */
export interface ArrayPart {
  readonly offset: number;
  /** As sbatch writes them: "0-3,7". */
  readonly array: string;
}

/** Slurm refuses numbers from MaxArraySize on, which is 1001 unless a cluster says otherwise. */
const LONGEST_ARRAY = 1000;

/** The arrays that hold some runs, given by number: one, unless numbers are higher than Slurm takes. */
export function arraysOf(indices: readonly number[]): ArrayPart[] {
  const offsetOf = (index: number) => index - (index % LONGEST_ARRAY);
  return [...new Set(indices.map(offsetOf))].map((offset) => {
    const some = indices.filter((index) => offsetOf(index) === offset);
    return { offset, array: rangesOf(some.map((index) => index - offset)) };
  });
}

function rangesOf(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === number - 1) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}
