import { InputError } from "../../util/errors.ts";
import { percent } from "../format.ts";
import { registry } from "../plugins.ts";
import { weightsSource, type WeightsOptions, weightsArguments } from "../train/weights-source.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface EvalOptions extends WeightsOptions {
  readonly json?: true;
}

export const evaluate: CliCommand<EvalOptions> = {
  configure: (command) => {
    weightsArguments(command, "test").option("--json", "{loss, accuracy, n} on stdout");
  },
  run: async (options, args) => {
    const saved = await weightsSource(options, args);
    const { path } = saved;
    const { scoreWeights } = await import("../../train/restore.ts");
    const { name, ...score } = await scoreWeights(saved, options.split ?? "test", registry());
    if (!Number.isFinite(score.loss))
      throw new InputError(`${path}: the loss is ${score.loss} on ${name}`, { path }, "is it of this data?");
    if (options.json) emit(score);
    else
      console.log(
        `${path} on ${name}: ${score.accuracy === undefined ? "" : `accuracy ${percent(score.accuracy, 2)}, `}loss ${score.loss.toFixed(4)}, n ${score.n}`,
      );
  },
};
