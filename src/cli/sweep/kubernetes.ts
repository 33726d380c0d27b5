import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dockerfile, entrypoint, inRegistry, jobManifest, jobNameOf } from "../../sweep/kubernetes.ts";
import { shellWord } from "../../sweep/slurm-script.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { runsInOrder } from "../../sweep/units.ts";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder, writeAtomic } from "../../util/files.ts";
import { packageVersion as version } from "../../util/package.ts";
import { pluginArguments } from "../plugins.ts";
import { say } from "../ui.ts";
import { type ClusterArgs, withBegun } from "./on-cluster.ts";

/** Writes what Kubernetes needs for a sweep, and prints the commands that hand it over. */
export async function runOnKubernetes(asked: Sweep, { jobs, wait }: ClusterArgs): Promise<void> {
  if (wait)
    throw new ConfigError(
      "--wait cannot wait for Kubernetes",
      {},
      "kubectl wait --for=condition=complete does, with the name of the job that this command prints",
    );
  if (pluginArguments().length > 0)
    throw new ConfigError(
      "--plugin is not in the image of a sweep on Kubernetes",
      {},
      "build a package that has the plugin into an image of your own, or use Slurm",
    );
  const { kubernetes, threads } = asked.definition;
  const lines = await withBegun(asked, kubernetes.cpus ?? threads, (sweep) => written(sweep, jobs));
  say(`to begin it, where docker and kubectl are, and the claim ${kubernetes.claim} exists:`);
  for (const line of lines) console.log(line);
}

/** Writes the files. Returns the commands. */
function written(sweep: Sweep & { readonly threads: number }, jobs: number | undefined): string[] {
  const { out, threads, definition } = sweep;
  const { name, kubernetes: options } = definition;
  const folder = join(out, "kubernetes");
  const image = options.image ?? jobNameOf(name);
  const runs = runsInOrder(sweep).length;
  const cpus = options.cpus ?? threads;
  makeFolder(folder);
  const manifest = join(folder, "job.yaml");
  writeAtomic(manifest, jobManifest({ name, version, runs, jobs: jobs ?? runs, cpus, image, options }));
  writeAtomic(join(folder, "Dockerfile"), dockerfile({ version, options }));
  writeAtomic(join(folder, "entrypoint.sh"), entrypoint);
  writeAtomic(join(folder, "plan.json"), readFileSync(join(out, "plan.json")));
  return [
    ["docker", "build", "--tag", image, folder],
    ...(inRegistry(image) ? [["docker", "push", image]] : []),
    ["kubectl", "apply", "--filename", manifest],
  ].map((words) => words.map(shellWord).join(" "));
}
