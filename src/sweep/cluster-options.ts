import { z } from "zod";

const line = z.string().regex(/^[^\r\n]+$/, "expected one line of text");

/** Where a sweep runs on a cluster that has Slurm. */
const slurm = z
  .strictObject({
    partition: line.optional().describe("partition to submit to; left out, the cluster's default"),
    account: line.optional().describe("account that is charged"),
    time: line
      .optional()
      .describe("limit of one start, as Slurm writes it (`04:00:00`); a run that needs longer is requeued and goes on"),
    cpus: z
      .int()
      .min(1)
      .optional()
      .describe("cores of a run, and its threads; left out, `threads` of the sweep, or else 1"),
    memory: line.optional().describe("memory of a run: `4G`"),
    gpus: z
      .union([z.int().min(0), line])
      .optional()
      .describe("GPUs of a run, or their type and number: `a100:1`"),
    signalSeconds: z
      .int()
      .min(10)
      .max(65535)
      .default(120)
      .describe("a run is told to save this long before its limit; a step and a checkpoint must fit in"),
    maxRestarts: z.int().min(0).default(20).describe("how often a run is requeued before its job fails"),
    lines: z.array(line).default([]).describe("more options of `sbatch`: `--qos=long`"),
    setup: z.array(line).default([]).describe("shell commands before the run: `module load nodejs`"),
    command: line
      .optional()
      .describe(
        "how nodes start eigensam, as the shell reads it: `apptainer exec sweep.sif eigensam`; left out, by the Node.js and the package that submit",
      ),
  })
  .prefault({});

/** Where a sweep runs on Kubernetes. */
const kubernetes = z
  .strictObject({
    image: line.optional().describe("name of the image, with its registry; left out, `eigensam-NAME`"),
    base: line.default("node:20-bookworm-slim").describe("image that it is built from; it needs Node.js and npm"),
    namespace: line.optional().describe("namespace of the job; left out, that of `kubectl`"),
    claim: line
      .default("eigensam-runs")
      .describe("PersistentVolumeClaim that keeps the runs; several nodes must be able to write to it"),
    cpus: z
      .int()
      .min(1)
      .optional()
      .describe("cores of a run, and its threads; left out, `threads` of the sweep, or else 1"),
    memory: line.default("2Gi").describe("memory of a run"),
    gpus: z.int().min(0).default(0).describe("NVIDIA GPUs of a run"),
    graceSeconds: z
      .int()
      .min(1)
      .default(120)
      .describe("time to save after SIGTERM; a step and a checkpoint must fit in"),
    retries: z
      .int()
      .min(0)
      .default(3)
      .describe("how often a run that failed is tried again; preemptions and drained nodes do not count"),
  })
  .prefault({});

/** The tables of a sweep file that say what a cluster needs to know. */
export const clusterOptions = { slurm, kubernetes } as const;

export type SlurmOptions = z.output<typeof slurm>;
export type KubernetesOptions = z.output<typeof kubernetes>;
