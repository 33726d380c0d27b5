import { expect, it } from "vitest";
import type { Group } from "../src/report/groups.ts";
import { type Compared, comparisonOf, type Pair, winnersOf } from "../src/report/pairs.ts";

interface Given {
  readonly settings?: Readonly<Record<string, string>>;
  readonly data?: object;
  readonly model?: string;
  readonly accuracies?: readonly (number | undefined)[];
  readonly tested?: boolean;
}

/** A group of runs with the seeds 0, 1, …, as far as comparisons read one. */
const groupOf = ({ settings = {}, data = {}, model = "mlp", accuracies = [0.5, 0.6], tested = true }: Given = {}) =>
  ({
    settings: new Map(Object.entries(settings)),
    runs: accuracies.map((accuracy, seed) => ({
      record: {
        data: { name: "penguins", test: 100, ...data },
        config: { model: { name: model }, seed },
        result: { train: { loss: 0.25 }, ...(tested ? { test: { loss: 1, accuracy } } : {}) },
      },
    })),
  }) as unknown as Group;

const [a, b, c] = [groupOf(), groupOf(), groupOf()];
/** The places of the winners where the differences have these means and corrected p-values. */
const winners = (
  groups: readonly Group[],
  found: readonly (readonly [Group, Group, number, number])[],
  more = true,
) => {
  const pairs = found.map(([minuend, subtrahend, mean, corrected]) => ({
    ...{ minuend, subtrahend, differences: [{ mean, corrected }] },
  })) as unknown as Pair[];
  const result = winnersOf(groups, { measures: [{ more } as Compared], pairs });
  return groups.flatMap((group, i) => (result.has(group) ? [i] : []));
};

it("a winner is found better than every other group of its task", () => {
  expect(
    winners(
      [a, b, c],
      [
        [b, a, 1, 0.01],
        [c, a, 2, 0.01],
        [c, b, 1, 0.01],
      ],
    ),
  ).toEqual([2]);
  expect(
    winners(
      [a, b, c],
      [
        [b, a, -1, 0.01],
        [c, a, -1, 0.01],
        [c, b, 1, 0.5],
      ],
    ),
  ).toEqual([0]);
  expect(winners([a, b], [[b, a, -1, 0.01]], false)).toEqual([1]);
  for (const [mean, corrected] of [
    [1, 0.05],
    [1, 0.06],
    [0, 0],
    [-0, 0],
  ] as const)
    expect(winners([a, b], [[b, a, mean, corrected]])).toEqual([]);
  // Each is better than its neighbour, but nothing is known of the outer two.
  expect(
    winners(
      [a, b, c],
      [
        [b, a, 1, 0.01],
        [c, b, 1, 0.01],
      ],
    ),
  ).toEqual([]);
  expect(
    winners(
      [a, b, c],
      [
        [b, a, -1, 0.01],
        [c, b, -1, 0.01],
      ],
    ),
  ).toEqual([]);
  const elsewhere = groupOf({ model: "cnn" });
  expect(winners([a, b, elsewhere], [[b, a, 1, 0.01]])).toEqual([1]);
});

it("tasks differ in data, test examples, model and wrong labels", () => {
  const compared = (...groups: readonly Given[]) => comparisonOf(groups.map(groupOf)).pairs.length;
  expect(compared({}, {})).toBe(1);
  expect(compared({}, { settings: { "data.labelNoise": "0" } })).toBe(1);
  const digests = { test: "one" };
  expect(compared({ data: { digests } }, { data: { digests }, settings: { "data.images": "other" } })).toBe(1);
  for (const key of ["data.images", "data.labels", "data.testImages", "data.testLabels", "data.labelNoise"])
    expect(compared({}, { settings: { [key]: "0.2" } }), key).toBe(0);
  for (const other of [{ data: { name: "iris" } }, { data: { test: 9 } }, { model: "cnn" }, { data: { digests } }])
    expect(compared({}, other)).toBe(0);
  expect(compared({}, {}, {}, {}, {})).toBe(10);
  expect(compared({}, {}, {}, {}, {}, {})).toBe(5);
});

it("measures are those that any run has, and Holm counts the differences there are", () => {
  const { measures, pairs } = comparisonOf([
    groupOf({ accuracies: [0.5, 0.6] }),
    groupOf({ accuracies: [0.7, 0.9] }),
    groupOf({ accuracies: [0.8] }),
    groupOf({ tested: false }),
  ]);
  expect(measures.map(({ key, column, more }) => [key, column, more])).toEqual([
    ["testAccuracyPoints", "testAccuracyPercent", true],
    ["testLoss", "testLoss", false],
    ["generalizationGap", "generalizationGap", false],
  ]);
  const tested = pairs.flatMap(({ differences }) => differences[0] ?? []);
  expect(tested).toHaveLength(1);
  expect(tested[0]!.corrected).toBe(tested[0]!.p);
  expect(comparisonOf([groupOf({ tested: false })]).measures).toEqual([]);
});
