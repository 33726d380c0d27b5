import type { PairedDifference } from "../util/statistics.ts";
import { type Compared, type Comparison, LEVEL, type Pair } from "./pairs.ts";
import { type Cell, cellsOf, type Table } from "./table.ts";

const nameOf = ({ minuend, subtrahend }: Pair): string => `${minuend.label} − ${subtrahend.label}`;

const signed = (x: number, digits: number): string => {
  const text = Math.abs(x).toFixed(digits);
  return Number(text) === 0 ? text : `${x < 0 ? "−" : "+"}${text}`;
};

const amount = ({ mean, ci95 }: PairedDifference, { digits, unit }: Compared): string =>
  `${signed(mean, digits)} ± ${ci95!.toFixed(digits)}${unit}`;

const pValue = (p: number): string => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

/** What was found of each pair, a line each: "SAM − SGD (5 pairs): test accuracy +1.20 ± 0.40 points (p = 0.003), test loss −0.010 ± 0.030". */
export function findingsOf({ measures, pairs }: Comparison): string[] {
  return pairs.map((pair) => {
    const name = nameOf(pair);
    const { seeds, differences } = pair;
    if (differences[0] === undefined) {
      const shared = seeds.length === 1 ? "one complete seed" : "no complete seed";
      return `${name}: not compared, for they share ${shared} and two are needed`;
    }
    const numbers = differences.flatMap((difference, i) => {
      const found = difference !== undefined && difference.corrected < LEVEL;
      const p = found ? ` (${pValue(difference.corrected)})` : "";
      return difference === undefined ? [] : [`${measures[i]!.name} ${amount(difference, measures[i]!)}${p}`];
    });
    const any = differences.some((difference) => difference !== undefined && difference.corrected < LEVEL);
    return `${name} (${seeds.length} pairs): ${any ? "" : "no difference found: "}${numbers.join(", ")}`;
  });
}

/** A row per pair, with the difference of each measure. */
export function pairsTable(comparison: Comparison): Table {
  const { measures, pairs } = comparison;
  const cells = ({ differences }: Pair): Cell[] =>
    differences.flatMap((tested, i) =>
      tested === undefined
        ? cellsOf(["–", "–"])
        : [
            { text: amount(tested, measures[i]!).replace(" points", ""), bold: tested.corrected < LEVEL },
            { text: pValue(tested.corrected).replace("p = ", "").replace("p < ", "< ") },
          ],
    );
  const alone = pairs.some((pair) => pair.alone.length > 0)
    ? " A seed without a partner (last column) does not count."
    : "";
  const tests = pairs.filter(({ differences }) => differences[0] !== undefined).length;
  const several = tests > 1 ? `, corrected by Holm for ${tests} comparisons` : "";
  return {
    name: "pairs",
    title: "Differences, paired by seed",
    head: [
      "difference",
      "pairs",
      ...measures.flatMap(({ name, unit }) => [unit === "" ? name : `${name},${unit}`, "p"]),
      ...(alone === "" ? [] : ["seeds alone"]),
    ],
    rows: pairs.map((pair) => [
      { text: nameOf(pair) },
      { text: String(pair.seeds.length) },
      ...cells(pair),
      ...(alone === "" ? [] : cellsOf([pair.alone.join(", ") || "–"])),
    ]),
    note:
      "Mean difference between runs of one seed ± its 95 % confidence interval by Student's t. " +
      `p is of the paired t-test${several}; bold is below ${LEVEL}. A difference that is not found may still be there: more seeds would tell.${alone}`,
    csv: [
      [
        "minuend",
        "subtrahend",
        "pairs",
        ...measures.flatMap(({ key }) => [`${key}Mean`, `${key}Ci95`, `${key}P`, `${key}PHolm`]),
      ],
      ...pairs.map(({ minuend, subtrahend, seeds, differences }) => [
        minuend.label,
        subtrahend.label,
        seeds.length,
        ...differences.flatMap((d): (string | number)[] =>
          d === undefined ? ["", "", "", ""] : [d.mean, d.ci95!, d.p, d.corrected],
        ),
      ]),
    ],
  };
}
