import { join } from "node:path";
import { fakeRun, temporary } from "./fake-runs.ts";
import { fakeSdeRun } from "./fake-sde-runs.ts";

/** A folder with six runs of training, one folder down, and one of the SDEs, two down. */
export function runFolders(): string {
  const folder = temporary();
  const probed = { probe: { every: 15 } };
  for (const seed of [1, 2, 10])
    for (const method of ["sgd", "sam"])
      fakeRun(join(folder, "compare", `${method}-seed${seed}`), {
        method,
        seed,
        better: seed / 100,
        settings: { ...probed, optimizer: { lr: seed === 1 ? 0.1 : 0.05 }, schedule: { milestones: [seed, 30] } },
      });
  fakeSdeRun(join(folder, "sde", "deep", "rho0.1"), {
    seed: 4,
    value: (path, _, step) => (path === "discrete" ? step : -1),
  });
  return folder;
}
