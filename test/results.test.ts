import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";
import { eigensam } from "./support/cli.ts";

const page = readFileSync(inPackage("docs/results.md"), "utf8");
const [verdicts, ...sections] = page.split(/^## /m) as [string, ...string[]];

interface Section {
  readonly title: string;
  readonly text: string;
  /** What is printed beside its numbers. */
  readonly command: string;
}

const commanded = sections.map((text): Section => {
  const [title] = text.split("\n");
  const command = /^```text\neigensam (.*)\n```$/m.exec(text)?.[1];
  if (title === undefined || command === undefined) throw new Error(`no command beside ${title}`);
  return { title, text, command };
});

/** What a command wrote and printed. */
interface Redrawn {
  /** Everything in words. */
  readonly text: string;
  /** The numbers of its tables, unrounded, by row. */
  readonly rows: readonly (readonly number[])[];
  readonly pictures: readonly Buffer[];
}

async function redraw(command: string): Promise<Redrawn> {
  const out = mkdtempSync(join(tmpdir(), "eigensam-results-"));
  const args = command.split(" ").map((word) => (word === "report" ? out : word));
  // The name of the other command is the same word.
  if (command.startsWith("report ")) args[0] = "report";
  const { status, stdout, stderr } = await eigensam(args, { cwd: inPackage(".") });
  expect(status, stderr).toBe(0);
  const filesOf = (folder: string, ending: string) =>
    readdirSync(join(out, folder))
      .filter((name) => name.endsWith(ending))
      .map((name) => readFileSync(join(out, folder, name)));
  return {
    text: [stdout, ...filesOf("tables", ".md")].join("\n").replaceAll("**", ""),
    rows: filesOf("tables", ".csv").flatMap((csv) =>
      csv
        .toString()
        .split("\n")
        .map((line) =>
          line
            .split(",")
            .filter((cell) => cell !== "")
            .map(Number)
            .filter(Number.isFinite),
        ),
    ),
    pictures: filesOf("figures", ".png"),
  };
}

/** "−1.20 ± 0.30" wherever it stands. */
const intervals = (text: string): string[] =>
  [...text.matchAll(/[−+]?\d+(?:\.\d+)? ± \d+(?:\.\d+)?/g)].map(([all]) => all);

/** Cells of tables that are one number, or a number and its interval in brackets; the first cell names the row. */
const cells = (text: string): string[] =>
  [...text.matchAll(/^\|(.*)\|$/gm)].flatMap(([, row]) =>
    row!
      .split("|")
      .slice(1)
      .map((cell) => cell.replaceAll("**", "").replace(/ %$/, "").trim())
      .filter((cell) => /^[−+]?\d+(\.\d+)?( \[.*\])?$/.test(cell)),
  );

/** Whether all numbers of a text are those of one row, rounded to as many places; shares and seconds may be in parts of one there. */
function isIn(text: string, rows: Redrawn["rows"]): boolean {
  const given = text.match(/[−+]?\d+(?:\.\d+)?/g)!.map((number) => ({
    value: Number(number.replace("−", "-")),
    step: 10 ** -(number.split(".")[1] ?? "").length,
  }));
  return [1, 100, 1000].some((factor) =>
    rows.some((row) =>
      given.every(({ value, step }) => row.some((each) => Math.abs(each * factor - value) <= 0.5001 * step)),
    ),
  );
}

const missingIn = (parts: readonly string[], { text, rows }: Pick<Redrawn, "text" | "rows">): string[] =>
  parts.filter((part) => !text.includes(part) && !isIn(part, rows));

describe.runIf(process.env.EIGENSAM_SLOW === "1")("docs/results.md", () => {
  const redrawn = new Map<string, Redrawn>();
  beforeAll(async () => {
    for (const { title, command } of commanded) redrawn.set(title, await redraw(command));
  }, 600_000);

  it.each(commanded)("has the numbers and pictures of its command: $title", ({ title, text }) => {
    const found = redrawn.get(title)!;
    expect(missingIn([...intervals(text), ...cells(text)], found)).toEqual([]);
    const shown = [...text.matchAll(/!\[[^\]]+\]\((results\/[\w.-]+)\)/g)].map(([, path]) => path!);
    expect(shown.length).toBeGreaterThan(0);
    const differ = shown.filter((path) => {
      const bytes = readFileSync(inPackage(`docs/${path}`));
      return !found.pictures.some((picture) => picture.equals(bytes));
    });
    expect(differ).toEqual([]);
  });

  it("has no number in its verdicts that no section has", () => {
    const all = [...redrawn.values()];
    const given = intervals(verdicts);
    expect(given.length).toBeGreaterThan(5);
    const text = all.map((each) => each.text).join("\n");
    expect(missingIn(given, { text, rows: all.flatMap(({ rows }) => rows) })).toEqual([]);
  });
});
