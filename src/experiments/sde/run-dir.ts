import { z } from "zod";
import { runKind } from "../../run/directory.ts";
import { builtIn, type Registry } from "../../train/registry.ts";
import { InputError } from "../../util/errors.ts";
import { type SdeRunConfig, sdeSettingsOf } from "./config.ts";
import { sdeLine, sdeProgress, sdeRecord } from "./records.ts";

const EDITED = "was it edited? eigensam sde makes a run of each seed and radius";

/** Run directories of the SDE experiment, one seed and one radius each, with settings that the entries of a registry allow. */
export const sdeRunOf = (registry: Registry) =>
  runKind({
    kind: "sde",
    command: "eigensam sde",
    settings: (toml, source): SdeRunConfig => {
      const settings = sdeSettingsOf(registry).resolve(toml, [], source);
      const { seed, method } = settings;
      const { rho } = method;
      if (typeof rho !== "number")
        throw new InputError(`${source}: method.rho is a list, but a run has one radius`, {}, EDITED);
      if (seed === undefined) throw new InputError(`${source}: there is no seed, but a run has one`, {}, EDITED);
      return { ...settings, seed, method: { ...method, rho } };
    },
    record: sdeRecord,
    metrics: sdeLine,
    timings: z.never(),
    progress: sdeProgress,
  });

/** Run directories of the experiment without plugins. */
export const sdeRun = sdeRunOf(builtIn);
