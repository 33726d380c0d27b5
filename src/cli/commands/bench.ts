import { Option } from "commander";
import { type Convolution, defaultThreads } from "../../runtime/device.ts";
import { type Measurement, type MeasureOptions, measure } from "../bench/measure.ts";
import { benchMethods } from "../bench/methods.ts";
import { sayHead, sayProfile, sayRow, timePerOp } from "../bench/table.ts";
import { namesOf } from "../../util/names.ts";
import { registry } from "../plugins.ts";
import { emit, status } from "../ui.ts";
import { oneOf, positiveInteger, someOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

type Fixed = Omit<MeasureOptions, "method">;

/** As commander gives them: a flag that was not set is not there. */
interface BenchOptions extends Omit<Fixed, "peer" | "profile"> {
  readonly method: readonly string[];
  readonly peer?: true;
  readonly profile?: true;
  readonly json?: true;
}

const convolutions: readonly Convolution[] = ["winograd", "direct", "native"];
const defaultMethods: readonly string[] = ["grad", "sam", "hvp"];

const SLOWEST_NODES = 10;

export const bench: CliCommand<BenchOptions> = {
  configure: (command) => {
    const [modelNames, methodNames] = [namesOf(registry().models), namesOf(benchMethods(registry()))];
    const integer = (flags: string, about: string, value: number, shown?: string) =>
      command.addOption(new Option(flags, about).argParser(positiveInteger).default(value, shown));
    command
      .option("--model <name>", `network: ${modelNames.join(", ")}`, oneOf(modelNames), "resnet18")
      .addOption(
        new Option("--method <list>", `what to time, separated by commas: ${methodNames.join(", ")}`)
          .argParser(someOf(methodNames))
          .default(defaultMethods, defaultMethods.join(",")),
      );
    integer("--width <n>", "channels of the first stage, or hidden units", 64);
    integer("--batch <n>", "images in a batch", 128);
    integer("--size <n>", "height and width of the images", 32);
    integer("--channels <n>", "channels of the images", 3);
    integer("--classes <n>", "classes", 10);
    integer("--steps <n>", "timed steps per method, after one to warm up", 5);
    integer("--threads <n>", "threads", defaultThreads(), `one per core: ${defaultThreads()}`);
    command
      .option(
        "--convolution <kind>",
        `algorithm of convolutions: ${convolutions.join(", ")}`,
        oneOf(convolutions),
        "winograd",
      )
      .option("--peer", "also time PyTorch in both memory layouts, alternating, and compare with the faster")
      .option("--python <path>", "interpreter that has PyTorch, for --peer", "/usr/bin/python3")
      .option("--profile", "time per operator and the slowest nodes of our side")
      .option("--json", "one JSON line per method on stdout");
  },
  run: async ({ json, method: chosen, peer = false, profile: profiled = false, ...rest }) => {
    const options: Fixed = { ...rest, peer, profile: profiled };
    for (const [i, method] of chosen.entries()) {
      status(`${method} (${i + 1}/${chosen.length}) …`);
      const measured = await measure({ ...options, method }).finally(() => status());
      if (i === 0) {
        const { model, width, batch, size, threads, steps } = options;
        sayHead(
          `${model} · width ${width} · batch ${batch} · ${size}×${size} · ${threads} threads · ${steps} steps`,
          measured,
        );
      }
      sayRow(method, measured);
      const profile = profileOf(measured);
      if (profile) sayProfile(profile.ops, profile.slowest);
      if (json) emit({ ...resultOf(method, options, measured), ...(profile ? { profile } : {}) });
    }
  },
};

const profileOf = ({ nodes }: Measurement) =>
  nodes && {
    ops: timePerOp(nodes),
    slowest: nodes.toSorted((a, b) => b.medianMs - a.medianMs).slice(0, SLOWEST_NODES),
  };

function resultOf(method: string, options: Fixed, { ours, peer }: Measurement) {
  const { model, width, batch, threads } = options;
  return {
    method,
    ...{ model, width, batch, threads },
    ours,
    ...(peer && { peer, ratio: ours.medianS / peer.medianS, memoryRatio: ours.peakMiB / peer.peakMiB }),
  };
}
