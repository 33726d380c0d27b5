import { z } from "zod";
import { runKind } from "../../run/directory.ts";
import { InputError } from "../../util/errors.ts";
import { type SdeRunConfig, sdeSettings } from "./config.ts";
import { sdeLine, sdeProgress, sdeRecord } from "./records.ts";

/** Run directories of the SDE experiment: one seed and one radius each. */
export const sdeRun = runKind({
  kind: "sde",
  command: "eigensam sde",
  settings: (toml, source): SdeRunConfig => {
    const settings = sdeSettings.resolve(toml, [], source);
    const { rho } = settings.method;
    if (typeof rho !== "number") throw new InputError(`${source}: method.rho is a list, but a run has one radius`);
    return { ...settings, method: { ...settings.method, rho } };
  },
  record: sdeRecord,
  metrics: sdeLine,
  timings: z.never(),
  progress: sdeProgress,
});
