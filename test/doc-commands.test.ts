import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { rng } from "../src/util/rng.ts";
import { inPackage } from "../src/util/package.ts";
import { npyBytes } from "./support/npy.ts";
import { packedProject } from "./support/packed.ts";

/** The pages in the order in which a reader pastes their commands into one folder; a page may use what an earlier one made. */
const first = ["README.md", "docs/guide/getting-started.md"];
const pages = [
  ...first,
  ...readdirSync(inPackage("docs"), { recursive: true, encoding: "utf8" })
    .map((file) => `docs/${file}`)
    .filter((file) => file.endsWith(".md") && !first.includes(file))
    .sort(),
];

const commandsOf = (page: string): string[] =>
  [...readFileSync(inPackage(page), "utf8").matchAll(/^```(?:sh|bash|console)\n(.*?)^```$/gms)]
    .flatMap(([, block]) => block!.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/\s+#\s.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

/** What is done elsewhere: CI installs and tests with the README's commands, and the project below has the package installed. */
const isElsewhere = (command: string) => /^npm (ci|install)\b/.test(command);
/** Data that is not shipped: the commands must say how to get it where they cannot. */
const needsDownload = (command: string) => /cifar|svhn|fetch/.test(command);

const all = pages.flatMap((page) => commandsOf(page).map((command) => ({ page, command })));
const pasted = all.filter(({ command }) => !isElsewhere(command));

it("are commands of this tool, all of them", () => {
  expect(pasted.length).toBeGreaterThan(20);
  expect(pasted.filter(({ command }) => !/^(npx )?eigensam /.test(command))).toEqual([]);
});

const savesWhenStopped = (command: string) =>
  /^eigensam (train|sde|sweep run) /.test(command) && !command.includes("--dry-run");

const SECONDS = 1000;
/**
 * Longer commands are interrupted, and what trains must save: after the step at hand, which takes a minute and more for the default
 * network where other tests have the cores.
 */
const PATIENCE = 25 * SECONDS;

describe.runIf(process.env.EIGENSAM_SLOW === "1")("pasted into an empty project that has the package", () => {
  const { project } = packedProject();

  beforeAll(() => {
    const random = rng(1, "doc-commands");
    for (const [suffix, count] of [
      ["", 400],
      ["t", 60],
    ] as const) {
      const images = Float32Array.from({ length: count * 784 }, () => random.uniform());
      writeFileSync(join(project, `x${suffix}.npy`), npyBytes(images, [count, 1, 28, 28]));
      writeFileSync(
        join(project, `y${suffix}.npy`),
        npyBytes(
          Int32Array.from({ length: count }, (_, i) => i % 10),
          [count],
        ),
      );
    }
    copyFileSync(join(project, "xt.npy"), join(project, "new.npy"));
    const [head, ...rows] = readFileSync(inPackage("datasets/penguins/penguins.csv"), "utf8").trim().split("\n");
    const complete = rows.filter((row) => !row.includes("NA"));
    const table = (some: readonly string[]) => `${[head, ...some].join("\n")}\n`;
    writeFileSync(join(project, "train.csv"), table(complete.filter((_, i) => i % 4 > 0)));
    writeFileSync(join(project, "test.csv"), table(complete.filter((_, i) => i % 4 === 0)));
    writeFileSync(join(project, "my.toml"), '[model]\nname = "mlp"\n');
    const sweep = /^```toml\n(.*?)^```$/ms.exec(readFileSync(inPackage("docs/guide/sweep.md"), "utf8"))![1]!;
    writeFileSync(join(project, "radius.toml"), sweep);
  });

  it.each(pasted)("$page: $command", { timeout: 300 * SECONDS }, async ({ command }) => {
    const { status, output, interrupted } = await paste(command);
    expect(output).not.toMatch(/this is a bug|\n {4}at |NaN/);
    if (needsDownload(command) && status === 1) expect(output).toMatch(/^eigensam: .*\n {2}hint: /m);
    // Asked to stop while it ended anyway, it has nothing to save.
    else if (interrupted && status !== 0) {
      expect(status).toBe(130);
      if (savesWhenStopped(command)) expect(output).toMatch(/resume|saved|same command/);
    } else expect({ status, output }).toEqual({ status: 0, output: expect.any(String) });
  });

  function paste(command: string): Promise<{ status: number | null; output: string; interrupted: boolean }> {
    const PATH = [join(project, "node_modules/.bin"), process.env.PATH].join(delimiter);
    const EIGENSAM_DATA = join(project, "no-data");
    const child = spawn("sh", ["-c", `exec ${command}`], {
      cwd: project,
      env: { ...process.env, PATH, EIGENSAM_DATA, _: undefined },
      detached: true,
    });
    let [output, interrupted] = ["", false];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        output += data;
      });
    const timer = setTimeout(() => {
      interrupted = true;
      process.kill(-child.pid!, "SIGINT");
    }, PATIENCE);
    return new Promise((resolve) => {
      child.once("close", (status) => {
        clearTimeout(timer);
        resolve({ status, output, interrupted });
      });
    });
  }
});
