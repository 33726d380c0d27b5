import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { SavedWeights } from "../../train/restore.ts";
import { ConfigError, InputError } from "../../util/errors.ts";
import { isWeightsFile } from "../../util/files.ts";
import { namesOf } from "../../util/names.ts";
import { registry } from "../plugins.ts";
import { oneOf } from "../values.ts";

export interface WeightsOptions {
  readonly weights?: string;
  readonly model?: string;
  readonly best?: true;
  readonly set?: readonly string[];
}

const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];

/** The arguments of commands that work on trained weights. */
export const weightsArguments = (command: Command): Command =>
  command
    .argument("[run]", "a run directory, or weights as safetensors (with --model)")
    .option("--weights <file>", "weights as safetensors with PyTorch's names, instead of a run")
    .option("--model <name>", "network of --weights", oneOf(namesOf(registry().models)))
    .option("--best", "the run's weights of best validation accuracy, not the last ones")
    .option("--set <key=value>", "a setting, as in train: --set data.name=cifar10 --set model.width=16", collect);

/** The file of weights that the arguments stand for, its settings, and what its run recorded of its data. */
export async function weightsSource(options: WeightsOptions, [source]: readonly string[]): Promise<SavedWeights> {
  const { model, best, set = [] } = options;
  const isFile = source !== undefined && options.weights === undefined && isWeightsFile(source);
  const [run, weights] = isFile ? [undefined, source] : [source, options.weights];
  const { configToml, trainSettings } = await import("../../train/settings.ts");
  const { resolve } = trainSettings(registry());
  if (run !== undefined && weights === undefined) {
    const { trainRunOf } = await import("../../train/run-dir.ts");
    const { weightsOfRun } = await import("../../train/restore.ts");
    const { changes } = await import("../../train/identity.ts");
    const kind = trainRunOf(registry());
    const config = resolve(configToml(kind.readConfig(run)), set, `${run}/config.toml`);
    const record = kind.readRecord(run);
    const { format, digests } = record?.data ?? {};
    const edited = record ? changes(record.config.model, kind.readConfig(run).model, "model") : [];
    if (edited.length > 0)
      throw new ConfigError(
        `${run}/config.toml was edited: ${edited.join("; ")}`,
        { run, edited },
        "put it back as it was: the weights are of the network that was trained",
      );
    const others = set.some((setting) => setting.startsWith("data.") && !setting.startsWith("data.batch="));
    return { config, path: weightsOfRun(run, best), format, digests: others ? undefined : digests };
  }
  if (weights === undefined || run !== undefined)
    throw new ConfigError(
      run === undefined ? "neither a run nor --weights was given" : "both a run and --weights were given",
      { run, weights },
      "give a run directory, or --weights FILE --model NAME",
    );
  if (!existsSync(weights)) throw new InputError(`${weights} is not there`, { weights }, "give weights as safetensors");
  if (model === undefined && !set.some((setting) => setting.startsWith("model.name=")))
    throw new ConfigError(
      isFile ? `${weights} needs --model` : "--weights needs --model",
      { weights },
      `models: ${Object.keys(registry().models).join(", ")}`,
    );
  return { config: resolve("", [...(model ? [`model.name=${model}`] : []), ...set]), path: weights };
}
