import { expect, it } from "vitest";
import { input } from "../src/graph/ops/source.ts";
import { arc, arccos, sine } from "../src/optim/arc.ts";
import { unit } from "./support/hand-session.ts";
import { along, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { F64 } from "./tolerances.ts";

const x = input("x", [], "f64");

it("arccos is that of a library over [−1, 1], ends included", async () => {
  for (const c of [-1, -1 + 1e-9, -0.7, 0, 1e-8, 0.5, 1 - 1e-9, 1]) {
    const { y } = await runOn({ y: arccos(x) }, { x: [c] });
    expect(y[0], `${c}`).toBeCloseTo(Math.acos(c), 13);
  }
});

it("sine is that of a library over two turns", async () => {
  for (let i = -8; i <= 8; i++) {
    const { y } = await runOn({ y: sine(x) }, { x: [(i / 4) * Math.PI] });
    expect(y[0], `${i}π/4`).toBeCloseTo(Math.sin((i / 4) * Math.PI), 13);
  }
});

it("an arc goes from u through v and as far beyond it, at unit length; of one direction it is that direction", async () => {
  const [u, v] = [input("u", [3], "f64"), input("v", [3], "f64")];
  const places = [0, 0.5, 1, 2];
  const on = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    const slerp = arc(u, v);
    return runOn(Object.fromEntries(places.map((place) => [place, slerp(place)])), { u: a, v: b });
  };
  const [one, other] = [unit([1, 2, -2]), unit([2, 1, 1])];
  const found = await on(one, other);
  const cosine = one.reduce((sum, value, i) => sum + value * other[i]!, 0);
  const expected = {
    0: one,
    0.5: unit(along(one, other, 1)),
    1: other,
    2: along(one, other, -2 * cosine).map((z) => -z),
  };
  for (const place of places)
    expect(relativeError(found[place]!, expected[place as keyof typeof expected]), `${place}`).toBeLessThan(F64);
  for (const same of Object.values(await on(one, one))) expect(relativeError(same, one)).toBeLessThan(1e-7);
});
