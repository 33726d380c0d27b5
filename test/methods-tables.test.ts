import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Method } from "../src/optim/method.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";

const page = (path: string) => readFileSync(new URL(`../docs/${path}`, import.meta.url), "utf8");

/** Rows of the tables under a heading, by the names in their first column, which may be several. */
function rowsUnder(text: string, heading: string): Map<string, string[]> {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading))!;
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return new Map(
    rows.flatMap((line) => {
      const cells = line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [...cells[0]!.matchAll(/`([^`]+)`/g)].map(([, name]): [string, string[]] => [name!, cells]);
    }),
  );
}

const methods: readonly Method[] = Object.values(trainingMethods);
const reference = rowsUnder(page("reference/methods.md"), "Methods");
const seconds = rowsUnder(page("guide/methods.md"), "Time of a step");
const radii = rowsUnder(page("guide/methods.md"), "Radii in the literature");

it.each(methods.map((method) => [method.name, method] as const))(
  "%s has its formula, source, cost, state, defaults and seconds per step in the docs",
  (name, { summary, source, cost, state, hyper }) => {
    const [, , formula, from, gradients, keeps, numbers] = reference.get(name)!;
    expect(formula).toBe(summary.replaceAll("|", "\\|"));
    expect(from).toBe(source ?? "");
    // SGD is the one that needs none.
    if (name !== "sgd") expect(from).not.toBe("");
    expect(gradients).toBe(cost);
    expect(gradients).toMatch(/\d/);
    for (const vector of Object.keys(state)) expect(keeps!.split(", ")).toContain(vector);
    for (const [key, { default: standard }] of Object.entries(hyper))
      expect(numbers).toContain(`\`${key}=${standard}\``);
    const [, time, factor] = seconds.get(name)!;
    expect(Number.parseFloat(time!)).toBeGreaterThan(0);
    expect(Number.parseFloat(factor!)).toBeGreaterThanOrEqual(1);
    if ("rho" in hyper) expect(radii.has(name)).toBe(true);
  },
);

it("the tables hold nothing that is no method", () => {
  for (const table of [reference, seconds, radii])
    for (const name of table.keys()) expect(Object.keys(trainingMethods)).toContain(name);
});
