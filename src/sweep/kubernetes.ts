import type { IJob } from "kubernetes-models/batch/v1";
import { stringify } from "yaml";
import type { KubernetesOptions } from "./cluster-options.ts";

/** A sweep on Kubernetes: one pod per run. */
export interface KubernetesSweep {
  readonly name: string;
  readonly version: string;
  /** How many runs there are, and how many at a time. */
  readonly runs: number;
  readonly jobs: number;
  readonly cpus: number;
  readonly image: string;
  readonly options: KubernetesOptions;
}

/** Where the volume with the runs is mounted. */
const RUNS = "/runs";

/** A name as Kubernetes allows it: it becomes a part of the names of pods, which have 63 letters. */
export const jobNameOf = (name: string): string =>
  `eigensam-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`.slice(0, 50).replace(/-+$/, "");

/** Whether an image can be pushed and pulled. One without a registry is what the nodes of a small cluster share with docker. */
export const inRegistry = (image: string): boolean => image.includes("/");

/** The folder of a sweep on the volume. */
export const folderOnVolume = (name: string): string => `${RUNS}/${name}`;

/**
 * The manifest of an Indexed Job. Its pods are never two for one run (podReplacementPolicy), each run has its own number of retries
 * (backoffLimitPerIndex, stable since Kubernetes 1.33), and a pod that had to go for reasons of the cluster does not count.
 */
export function jobManifest({ name, version, runs, jobs, cpus, image, options }: KubernetesSweep): string {
  const { namespace, claim, memory, gpus, graceSeconds, retries } = options;
  const labels = { "app.kubernetes.io/name": "eigensam", "app.kubernetes.io/version": version };
  const resources = { cpu: String(cpus), memory, ...(gpus > 0 ? { "nvidia.com/gpu": String(gpus) } : {}) };
  const job: IJob = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobNameOf(name), ...(namespace === undefined ? {} : { namespace }), labels },
    spec: {
      completionMode: "Indexed",
      completions: runs,
      parallelism: Math.min(jobs, runs),
      backoffLimitPerIndex: retries,
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: graceSeconds,
          containers: [
            {
              name: "run",
              image,
              ...(inRegistry(image) ? {} : { imagePullPolicy: "IfNotPresent" as const }),
              env: [
                { name: "EIGENSAM_OUT", value: folderOnVolume(name) },
                { name: "EIGENSAM_DATA", value: `${RUNS}/data` },
              ],
              resources: { requests: resources, limits: resources },
              volumeMounts: [{ name: "runs", mountPath: RUNS }],
            },
          ],
          volumes: [{ name: "runs", persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
  return stringify(job, { aliasDuplicateObjects: false });
}

/** The image of a sweep: eigensam and the plan. */
export const dockerfile = ({ version, options }: Pick<KubernetesSweep, "version" | "options">): string =>
  `${[
    `FROM ${options.base}`,
    // The install script of the engine only fetches what GPUs need.
    `RUN npm install --global --ignore-scripts eigensam@${version}`,
    ...(options.gpus > 0 ? ["RUN eigensam doctor --install-cuda"] : []),
    "COPY plan.json entrypoint.sh /sweep/",
    'ENTRYPOINT ["sh", "/sweep/entrypoint.sh"]',
  ].join("\n")}\n`;

/** What a pod does: it begins the sweep on the volume, unless another pod has, and makes the run that has the pod's number. */
export const entrypoint = `#!/bin/sh
set -eu
plan="$(dirname "$0")/plan.json"
mkdir -p "$EIGENSAM_OUT"
if [ ! -e "$EIGENSAM_OUT/plan.json" ]; then
  copy="$EIGENSAM_OUT/.plan.json.$JOB_COMPLETION_INDEX.tmp"
  cp "$plan" "$copy"
  mv "$copy" "$EIGENSAM_OUT/plan.json"
fi
if ! cmp -s "$plan" "$EIGENSAM_OUT/plan.json"; then
  echo "$EIGENSAM_OUT holds another sweep; give this one another name" >&2
  exit 2
fi
exec eigensam sweep task "$JOB_COMPLETION_INDEX" --out "$EIGENSAM_OUT"
`;
