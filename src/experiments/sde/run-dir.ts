import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../train/run-dir.ts";
import { settingsToml } from "../../train/schema-settings.ts";
import { ConfigError, InputError } from "../../util/errors.ts";
import { writeAtomic } from "../../util/files.ts";
import { packageVersion } from "../../util/package.ts";
import { type SdeRunConfig, sdeSettings } from "./config.ts";

export type SdeStatus = "running" | "done" | "stopped" | "failed";

/** run.json: what was run, and how it ended. */
export interface SdeRecord {
  readonly kind: "sde";
  readonly version: 1;
  readonly config: SdeRunConfig;
  readonly versions: Readonly<Record<"eigensam" | "node", string>>;
  readonly status: SdeStatus;
  /** The process at work, while the status is "running". */
  readonly pid: number;
  readonly step: number;
  /** Time spent so far. */
  readonly seconds: number;
  readonly error?: string;
}

export const sdeFiles = (run: string) => ({
  config: join(run, "config.toml"),
  record: join(run, "run.json"),
  metrics: join(run, "metrics.jsonl"),
  checkpoint: join(run, "checkpoint.safetensors"),
});

/** A run directory with its settings; one that is there with the same settings is gone on with. */
export function ensureRun(run: string, config: SdeRunConfig): void {
  const toml = settingsToml(config);
  const files = sdeFiles(run);
  if (existsSync(files.config)) {
    if (readFileSync(files.config, "utf8") !== toml)
      throw new ConfigError(`${run} was made with other settings`, { run }, "choose another --out, or remove it");
    return;
  }
  if (existsSync(run) && readdirSync(run).length > 0)
    throw new ConfigError(`${run} is not empty and no run`, { run }, "choose another --out");
  mkdirSync(run, { recursive: true });
  writeAtomic(files.config, toml);
}

export function readSdeConfig(run: string): SdeRunConfig {
  const { config } = sdeFiles(run);
  if (!existsSync(config))
    throw new InputError(`${run} is no run directory: it has no config.toml`, { run }, "eigensam sde makes some");
  const settings = sdeSettings.resolve(readFileSync(config, "utf8"), [], config);
  const { rho } = settings.method;
  if (typeof rho !== "number")
    throw new InputError(`${config}: method.rho is a list, but a run has one radius`, { run });
  return { ...settings, method: { ...settings.method, rho } };
}

export const writeSdeRecord = (run: string, record: Omit<SdeRecord, "kind" | "version" | "versions" | "pid">): void => {
  const versions = { eigensam: packageVersion, node: process.versions.node };
  const whole: SdeRecord = { kind: "sde", version: 1, versions, pid: process.pid, ...record };
  writeAtomic(sdeFiles(run).record, `${JSON.stringify(whole, null, 2)}\n`);
};

/** run.json, or undefined where a run was killed before it could write one. */
export function readSdeRecord(run: string): SdeRecord | undefined {
  const { record } = sdeFiles(run);
  return existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as SdeRecord) : undefined;
}

/** Throws where another process is still at work in the directory, or the run is complete. */
export function assertUnfinished(run: string): void {
  const record = readSdeRecord(run);
  if (record?.status === "done") throw new ConfigError(`${run} is complete`, { run }, "eigensam sde draws its figure");
  if (record?.status === "running" && record.pid !== process.pid && isAlive(record.pid))
    throw new ConfigError(`${run} is being run by process ${record.pid}`, { run, pid: record.pid }, "stop it first");
}
