/** What a user adds: a method with state of its own, and a small data set. */
import { add, defineDataset, defineMethod, fraction, gradAt, mix, mul, radius, sub, unit, zeros } from "eigensam";

export const meanSam = defineMethod({
  name: "mean-sam",
  title: "mean SAM",
  summary: "∇f(θ + ρ·unit(g − m)), m ← λm + (1 − λ)g",
  source: "the torture harness",
  colour: "#8c564b",
  hyper: { rho: radius(0.05), lambda: fraction(0.9, "memory of the mean") },
  state: { m: zeros },
  descend: ({ f, theta, g, rho, lambda, m }) => {
    const epsilon = mul(rho, unit(sub(g, m)));
    return { direction: gradAt(f, add(theta, epsilon)), epsilon, m: mix(m, g, lambda) };
  },
});

const [SIDE, CLASSES] = [6, 3];

/** Images of 6×6 pixels, brighter in a third that depends on the class. */
function speckles(count, offset) {
  const y = Int32Array.from({ length: count }, (_, i) => (i * 7 + offset) % CLASSES);
  const x = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => {
    const [image, pixel] = [Math.floor(i / SIDE ** 2), i % SIDE ** 2];
    return (Math.floor(pixel / 12) === y[image] ? 120 : 0) + (((i * 2654435761 + offset * 97) % 1009) % 128);
  });
  return { x, y, count };
}

export const speckled = defineDataset({
  name: "speckles",
  summary: "72 small images of 3 classes",
  load: () => ({
    ...{ name: "speckles", inputShape: [1, SIDE, SIDE], mean: [0.4], std: [0.3] },
    targets: { kind: "labels", classes: CLASSES },
    train: speckles(72, 1),
    test: speckles(24, 5),
  }),
});
