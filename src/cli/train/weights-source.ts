import { existsSync } from "node:fs";
import type { Command } from "commander";
import { type SplitName, splitNames } from "../../data/digest.ts";
import type { SavedWeights } from "../../train/examples.ts";
import { ConfigError, InputError } from "../../util/errors.ts";
import { isWeightsFile } from "../../util/files.ts";
import { namesOf } from "../../util/names.ts";
import { registry } from "../plugins.ts";
import { oneOf } from "../values.ts";

export interface WeightsOptions {
  readonly weights?: string;
  readonly model?: string;
  readonly best?: true;
  readonly images?: string;
  readonly labels?: string;
  readonly split?: SplitName;
  readonly set?: readonly string[];
}

/** The settings of a run that say what its weights are, and which examples it kept aside. */
interface Kept {
  readonly seed: number;
  readonly model: object;
  readonly data: Readonly<Record<string, unknown>>;
}

const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];

/** The arguments of commands that work on trained weights. `usual` is the part of the data set that a command uses, where it uses one. */
export function weightsArguments(command: Command, usual?: SplitName): Command {
  command
    .argument("[run]", "a run directory, or weights as safetensors or .pth (with --model)")
    .option("--weights <file>", "weights as safetensors or .pth with PyTorch's names, instead of a run")
    .option("--model <name>", "network of --weights", oneOf(namesOf(registry().models)))
    .option("--best", "the run's weights of best validation accuracy, not the last ones")
    .option("--images <x.npy>", "images of your own: float32 NCHW as they are, uint8 normalized")
    .option("--labels <y.npy>", "their labels, whole numbers of any type");
  if (usual !== undefined)
    command.option(
      "--split <name>",
      `part of the data set, without augmentation: ${splitNames.join(", ")}; val is what the run kept aside (default: "${usual}")`,
      oneOf(splitNames),
    );
  return command.option(
    "--set <key=value>",
    "a setting, as in train: --set data.name=cifar10 --set model.width=16",
    collect,
  );
}

/** The file of weights that the arguments stand for, its settings, what its run recorded of its data, and the data to use it on. */
export async function weightsSource(options: WeightsOptions, [source]: readonly string[]): Promise<SavedWeights> {
  const { model, best, images, labels, set = [] } = options;
  const isFile = source !== undefined && options.weights === undefined && isWeightsFile(source);
  const [run, weights] = isFile ? [undefined, source] : [source, options.weights];
  const { configToml, trainSettings } = await import("../../train/settings.ts");
  const { ownArrays } = await import("../../train/examples.ts");
  const { resolve } = trainSettings(registry());
  if (run !== undefined && weights === undefined) {
    const { trainRunOf } = await import("../../train/run-dir.ts");
    const { weightsOfRun } = await import("../../train/restore.ts");
    const { changes } = await import("../../train/identity.ts");
    const kind = trainRunOf(registry());
    const written = kind.readConfig(run);
    const config = resolve(configToml(written), set, `${run}/config.toml`);
    assertRead(options, run);
    const record = kind.readRecord(run);
    const { format, digests } = record?.data ?? {};
    const kept = ({ seed, model, data: { validation } }: Kept) => ({ seed, model, data: { validation } });
    const edited = record ? changes(kept(record.config), kept(written)) : [];
    if (edited.length > 0)
      throw new ConfigError(
        `${run}/config.toml was edited: ${edited.join("; ")}`,
        { run, edited },
        "put it back as it was: the weights are of the network that was trained",
      );
    const others = set.some((setting) => setting.startsWith("data.") && !setting.startsWith("data.batch="));
    const arrays = ownArrays(images, labels, true);
    return { config, path: weightsOfRun(run, best), run, format, digests, others, arrays };
  }
  if (weights === undefined || run !== undefined)
    throw new ConfigError(
      run === undefined ? "neither a run nor --weights was given" : "both a run and --weights were given",
      { run, weights },
      "give a run directory, or --weights FILE --model NAME",
    );
  if (!existsSync(weights))
    throw new InputError(`${weights} is not there`, { weights }, "give weights as safetensors or .pth");
  if (model === undefined && !set.some((setting) => setting.startsWith("model.name=")))
    throw new ConfigError(
      isFile ? `${weights} needs --model` : "--weights needs --model",
      { weights },
      `models: ${Object.keys(registry().models).join(", ")}`,
    );
  const config = resolve("", [...(model ? [`model.name=${model}`] : []), ...set]);
  assertRead(options, undefined);
  const named = set.some((setting) => setting.startsWith("data.name="));
  return { config, path: weights, arrays: ownArrays(images, labels, named) };
}

/** What trained weights are used with: nothing else of the settings has a part in it. */
const READ =
  /^(model\.(?!(init|weights|newHead|strict)=)\w+|data\.(name|dir|normalization|batch|layout|images|labels|testImages|testLabels|file|testFile|target|columns|classes|path|size)|train\.(loss|labelSmoothing)|device|threads)=/;

/** Throws where an option was given that would change nothing. */
function assertRead({ model, best, images, labels, split, set = [] }: WeightsOptions, run: string | undefined): void {
  const refuse = (given: string, why: string, hint = "leave it out"): never => {
    throw new ConfigError(`${given} changes nothing: ${why}`, { given, run }, hint);
  };
  const key = (setting: string) => `--set ${setting.split("=", 1)[0]}`;
  const unread = set.find((setting) => !READ.test(setting));
  if (unread !== undefined)
    refuse(
      key(unread),
      "the weights are trained already",
      "settings that are read: model.*, data.*, device, threads, train.loss",
    );
  if (run !== undefined && model !== undefined) refuse("--model", `${run} knows its network`);
  if (run === undefined && best === true) refuse("--best", "only a run has several weights");
  if (images === undefined && labels === undefined) return;
  if (split !== undefined)
    refuse("--split", "--images and --labels are used whole", "leave one of them out: --split is a part of a data set");
  const overruled = set.find((setting) => /^data\.(?!batch=|layout=)/.test(setting));
  if (run !== undefined && overruled !== undefined)
    refuse(key(overruled), "--images and --labels are the data", "leave one of them out");
}
