/** The Palmer penguins, to predict body mass; every column standardized by the training birds' mean and deviation. */
import { readFileSync } from "node:fs";

type Bird = readonly string[];
type Feature = (bird: Bird) => number;

const table = readFileSync(new URL("../../datasets/penguins/penguins.csv", import.meta.url), "utf8");
const [header = [], ...birds] = table
  .split("\n")
  .filter((line) => line !== "" && !line.includes("NA"))
  .map((line) => line.split(","));
const number =
  (column: string): Feature =>
  (bird) =>
    Number(bird[header.indexOf(column)]);
const indicators = (column: string, values: readonly string[]) =>
  values.map((value): [string, Feature] => [value, (bird) => Number(bird[header.indexOf(column)] === value)]);

const features = new Map<string, Feature>([
  ["bill length", number("bill_length_mm")],
  ["bill depth", number("bill_depth_mm")],
  ["flipper length", number("flipper_length_mm")],
  ...indicators("species", ["Adelie", "Chinstrap", "Gentoo"]),
  ...indicators("island", ["Biscoe", "Dream", "Torgersen"]),
  ...indicators("sex", ["female", "male"]),
]);

/** Every fifth bird tests; the table is sorted by species, so both parts hold all three. */
const [training, testing] = [birds.filter((_, i) => i % 5 !== 0), birds.filter((_, i) => i % 5 === 0)];

function scale(feature: Feature) {
  const mean = training.reduce((sum, bird) => sum + feature(bird), 0) / training.length;
  const std = Math.hypot(...training.map((bird) => feature(bird) - mean)) / Math.sqrt(training.length);
  return { mean, std, of: (bird: Bird): number => (feature(bird) - mean) / std };
}

/** 266 birds to train on and 67 to test: `x` [n, 11] and `y` [n, 1]; a mass in grams is `grams.mean + y · grams.std`. */
export function loadPenguins() {
  const columns = [...features.values()].map(scale);
  const grams = scale(number("body_mass_g"));
  const part = (chosen: readonly Bird[]) => ({
    x: chosen.map((bird) => columns.map((column) => column.of(bird))),
    y: chosen.map((bird) => [grams.of(bird)]),
  });
  return { train: part(training), test: part(testing), names: [...features.keys()], grams };
}
