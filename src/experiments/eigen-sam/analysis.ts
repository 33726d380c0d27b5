import { holm, type PairedDifference, pairedDifference } from "../../util/statistics.ts";
import type { StudyRecord } from "../study/record.ts";
import type { StudyRun } from "../study/run.ts";
import { leftPlateau, qualityOf } from "./endpoints.ts";
import { matchedSharpness } from "./matched-loss.ts";
import type { ArmName } from "./plan.ts";

export type FamilyName = "A" | "B" | "C";

interface Family {
  readonly name: FamilyName;
  readonly endpoint: "sharpness" | "quality";
  readonly pairs: readonly (readonly [ArmName, ArmName])[];
}

/** The registered tests: minuend and subtrahend, on each network. Holm's correction is over the tests of a family. */
export const families: readonly Family[] = [
  {
    name: "A",
    endpoint: "sharpness",
    pairs: [
      ["oracle", "sam"],
      ["oracle", "random"],
    ],
  },
  {
    name: "B",
    endpoint: "quality",
    pairs: [
      ["spread", "power"],
      ["free", "power"],
      ["free", "spread"],
    ],
  },
  {
    name: "C",
    endpoint: "sharpness",
    pairs: [
      ["power", "sam"],
      ["spread", "sam"],
      ["free", "sam"],
    ],
  },
];

/** Below so many pairs a test decides nothing. */
export const FEWEST = 6;

export const LEVEL = 0.05;

/** A registered test. */
export interface TestResult {
  readonly family: FamilyName;
  readonly endpoint: Family["endpoint"];
  readonly network: string;
  readonly minuend: ArmName;
  readonly subtrahend: ArmName;
  /** Undefined for fewer than two pairs. */
  readonly difference: PairedDifference | undefined;
  /** p corrected for the family; 1 where there is no test. */
  readonly corrected: number;
  /** The same difference with runs that stayed on their plateau, where there are some. */
  readonly sensitivity: PairedDifference | undefined;
  readonly excluded: Readonly<Record<Exclusion, number>>;
}

/** Why a pair does not count. */
type Exclusion = "missing" | "diverged" | "plateau" | "unmatched";

/** Every registered test on the records there are; seeds and networks are those of the plan. */
export function testsOf(records: readonly StudyRecord[], planned: readonly StudyRun[]): TestResult[] {
  const networks = [...new Set(planned.map(({ network }) => network))];
  const seeds = [...new Set(planned.map(({ config }) => config.seed))];
  return families.flatMap(({ name: family, endpoint, pairs }) => {
    const tests = networks.flatMap((network) =>
      pairs.map(([minuend, subtrahend]) => {
        const find = (arm: ArmName, seed: number) =>
          records.find((record) => record.network === network && record.arm === arm && record.seed === seed);
        const found = seeds.map((seed) => compared(endpoint, find(minuend, seed), find(subtrahend, seed)));
        return { family, endpoint, network, minuend, subtrahend, ...gathered(found) };
      }),
    );
    const corrected = holm(tests.map(({ difference }) => difference?.p ?? 1));
    return tests.map((test, i) => ({ ...test, corrected: corrected[i]! }));
  });
}

interface Compared {
  /** Undefined where the two cannot be compared. */
  readonly value?: number;
  readonly exclusion?: Exclusion;
}

function compared(endpoint: Family["endpoint"], one?: StudyRecord, other?: StudyRecord): Compared {
  if (one === undefined || other === undefined) return { exclusion: "missing" };
  if (one.status === "diverged" || other.status === "diverged") return { exclusion: "diverged" };
  if (endpoint === "quality") {
    const [a, b] = [qualityOf(one), qualityOf(other)];
    return a === undefined || b === undefined ? { exclusion: "unmatched" } : { value: a - b };
  }
  const matched = matchedSharpness(one.probes, other.probes);
  const value = matched && matched.logs[0] - matched.logs[1];
  const exclusion =
    !leftPlateau(one) || !leftPlateau(other) ? "plateau" : value === undefined ? "unmatched" : undefined;
  return { ...(value === undefined ? {} : { value }), ...(exclusion === undefined ? {} : { exclusion }) };
}

function gathered(found: readonly Compared[]) {
  const values = (some: readonly Compared[]) => some.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const counted = (why: Exclusion) => found.filter(({ exclusion }) => exclusion === why).length;
  const stuck = found.some(({ value, exclusion }) => exclusion === "plateau" && value !== undefined);
  return {
    difference: pairedDifference(values(found.filter(({ exclusion }) => exclusion === undefined))),
    sensitivity: stuck ? pairedDifference(values(found)) : undefined,
    excluded: {
      missing: counted("missing"),
      diverged: counted("diverged"),
      plateau: counted("plateau"),
      unmatched: counted("unmatched"),
    },
  };
}

/** Whether a test finds a difference, and in which direction: −1, 1, or 0 where it finds none or has too few pairs. */
export const directionOf = ({ difference, corrected }: Pick<TestResult, "difference" | "corrected">): -1 | 0 | 1 =>
  difference === undefined || difference.n < FEWEST || corrected >= LEVEL ? 0 : difference.mean < 0 ? -1 : 1;
