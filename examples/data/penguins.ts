/** The Palmer penguins, to predict body mass; every column standardized by the training birds' mean and deviation. */
import { readFileSync } from "node:fs";

const table = readFileSync(new URL("../../datasets/penguins/penguins.csv", import.meta.url), "utf8");
const [, ...complete] = table.split("\n").filter((line) => line !== "" && !line.includes("NA"));
const birds = complete.map((line) => {
  const [species = "", island = "", length, depth, flipper, mass, sex] = line.split(",");
  return {
    species,
    island,
    length: Number(length),
    depth: Number(depth),
    flipper: Number(flipper),
    mass: Number(mass),
    sex,
  };
});
type Bird = (typeof birds)[number];

const features: Record<string, (bird: Bird) => number> = {
  "bill length": (bird) => bird.length,
  "bill depth": (bird) => bird.depth,
  "flipper length": (bird) => bird.flipper,
  male: (bird) => Number(bird.sex === "male"),
};
for (const name of ["Adelie", "Chinstrap", "Gentoo"]) features[name] = (bird) => Number(bird.species === name);
for (const name of ["Biscoe", "Dream", "Torgersen"]) features[name] = (bird) => Number(bird.island === name);

/** Every fifth bird tests; the table is sorted by species, so both parts hold all three. */
const [training, testing] = [birds.filter((_, i) => i % 5 !== 0), birds.filter((_, i) => i % 5 === 0)];

function scale(feature: (bird: Bird) => number) {
  const mean = training.reduce((sum, bird) => sum + feature(bird), 0) / training.length;
  const std = Math.hypot(...training.map((bird) => feature(bird) - mean)) / Math.sqrt(training.length);
  return { mean, std, of: (bird: Bird): number => (feature(bird) - mean) / std };
}

/** 266 birds to train on and 67 to test: `x` [n, 10] and `y` [n, 1]; a mass in grams is `grams.mean + y · grams.std`. */
export function loadPenguins() {
  const columns = Object.values(features).map(scale);
  const grams = scale((bird) => bird.mass);
  const part = (chosen: readonly Bird[]) => ({
    x: chosen.map((bird) => columns.map((column) => column.of(bird))),
    y: chosen.map((bird) => [grams.of(bird)]),
  });
  return { train: part(training), test: part(testing), names: Object.keys(features), grams };
}
