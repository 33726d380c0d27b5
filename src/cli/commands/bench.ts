import { Option } from "commander";
import { type Convolution, defaultThreads } from "../../runtime/device.ts";
import { type MeasureOptions, measure } from "../bench/measure.ts";
import { benchMethods } from "../bench/methods.ts";
import { type PeerName, peerNames, peers, peerTakes } from "../bench/peers.ts";
import { entryLabel, suite, type SuiteEntry, suiteMeans, type SuiteResult } from "../bench/suite.ts";
import { sayProfile, summaryOf } from "../bench/profile-table.ts";
import { benchTable, sayHead, sayMeans, sayPeers, sayRow } from "../bench/table.ts";
import { ConfigError } from "../../util/errors.ts";
import { namesOf } from "../../util/names.ts";
import { registry } from "../plugins.ts";
import { emit, status } from "../ui.ts";
import { oneOf, positiveInteger, someOf } from "../values.ts";
import type { CliCommand } from "./command.ts";

type Fixed = Omit<MeasureOptions, "method">;

/** As commander gives them: a flag that was not set is not there. */
interface BenchOptions extends Omit<Fixed, "peer" | "profile" | "width"> {
  readonly width?: number;
  readonly method: readonly string[];
  readonly peer?: true | readonly PeerName[];
  readonly suite?: true;
  readonly profile?: true;
  readonly json?: true;
}

const convolutions: readonly Convolution[] = ["winograd", "direct", "native"];
const defaultMethods: readonly string[] = ["grad", "sam", "hvp"];

export const bench: CliCommand<BenchOptions> = {
  configure: (command) => {
    const [modelNames, methodNames] = [namesOf(registry().models), namesOf(benchMethods(registry()))];
    const integer = (flags: string, about: string, value?: number, shown?: string) =>
      command.addOption(new Option(flags, about).argParser(positiveInteger).default(value, shown));
    command
      .option("--model <name>", `network: ${modelNames.join(", ")}`, oneOf(modelNames), "resnet18")
      .addOption(
        new Option("--method <list>", `what to time, separated by commas: ${methodNames.join(", ")}`)
          .argParser(someOf(methodNames))
          .default(defaultMethods, defaultMethods.join(",")),
      );
    integer("--width <n>", "channels of the first stage, or hidden units (default: the model's)");
    integer("--depth <n>", "layers, where the model has a choice (default: the model's)");
    integer("--batch <n>", "images in a batch", 128);
    integer("--size <n>", "height and width of the images", 32);
    integer("--channels <n>", "channels of the images", 3);
    integer("--classes <n>", "classes", 10);
    integer("--steps <n>", "timed steps per method, after one to warm up; more of short ones, up to 3 s or 100", 5);
    integer("--threads <n>", "threads", defaultThreads(), "one per core");
    command
      .option(
        "--convolution <kind>",
        `algorithm of convolutions: ${convolutions.join(", ")}`,
        oneOf(convolutions),
        "winograd",
      )
      .addOption(
        new Option("--suite", "time a fixed list of networks, from small to large, in batches of 32 and 128").conflicts(
          ["model", "width", "depth", "batch", "profile"],
        ),
      )
      .option(
        "--peer [list]",
        `also time others, alternating, each in its faster memory layout: ${peerNames.join(", ")}; torch where none is named`,
        someOf(peerNames),
      )
      .option("--python <path>", "interpreter that has the packages of the peers", "/usr/bin/python3")
      .option(
        "--profile",
        "time per operator and of the slowest nodes of our side, beside the least that the machine allows",
      )
      .option("--json", "one JSON line per method on stdout");
  },
  run: async ({ json, method: methods, suite: isSuite, peer = [], profile: profiled = false, ...rest }) => {
    const { width: asked = registry().models[rest.model]!.defaultWidth ?? 1 } = rest;
    const options: Fixed = { ...rest, width: asked, peer: peer === true ? ["torch"] : peer, profile: profiled };
    const { model, width, depth, batch } = options;
    const entries: readonly SuiteEntry[] = isSuite
      ? suite
      : [{ model, width, batch, ...(depth === undefined ? {} : { depth }) }];
    const lines = entries.flatMap((entry) => methods.map((method) => ({ entry, method })));
    assertTaken(options, lines);
    const table = benchTable(options.peer, isSuite ? suite.map(entryLabel) : []);
    const results: SuiteResult[] = [];
    for (const { entry, method } of lines) {
      status(`${isSuite ? `${entryLabel(entry)} ` : ""}${method} (${results.length + 1}/${lines.length}) …`);
      const measured = await measure({ ...options, ...entry, method }).finally(() => status());
      const { size, threads, steps } = options;
      const what = isSuite ? "suite" : `${model} · width ${width} · batch ${batch}`;
      if (results.length === 0) sayHead(`${what} · ${size}×${size} · ${threads} threads · ${steps} steps`, table);
      results.push({ entry, method, measured });
      sayRow(table, method, measured, entryLabel(entry));
      const { side: _, profile: nodes, ...numbers } = measured;
      const profile = nodes && summaryOf(nodes);
      if (profile) sayProfile(profile);
      if (json) emit({ method, ...entry, threads, ...numbers, ...(profile ? { profile } : {}) });
    }
    sayPeers(results.map(({ measured }) => measured));
    if (!isSuite || options.peer.length === 0) return;
    const means = suiteMeans(results);
    sayMeans(means);
    if (json) emit({ means });
  },
};

/** A peer that takes none of the steps was asked for by mistake. */
function assertTaken({ peer }: Fixed, lines: readonly { entry: SuiteEntry; method: string }[]): void {
  for (const name of peer)
    if (!lines.some(({ entry, method }) => peerTakes(name, { model: entry.model, method })))
      throw new ConfigError(
        `--peer ${name} takes none of these steps`,
        { peer: name },
        `it knows the methods ${peers[name].methods.join(", ")} and the models ${peers[name].models.join(", ")}`,
      );
}
