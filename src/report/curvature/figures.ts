import type { CurvatureResult, LossSlice } from "../../curvature/result.ts";
import type { Drawn, NamedFigure } from "../figures/figure.ts";
import { density } from "./density.ts";
import { directionOf } from "./directions.ts";
import { layers } from "./layers.ts";
import { partTitles } from "./missing.ts";
import { slice1d } from "./slice-1d.ts";
import { slice2d } from "./slice-2d.ts";
import { spectrum } from "./spectrum.ts";

interface Kind {
  readonly name: string;
  readonly title: string;
  draw(result: CurvatureResult): Drawn | null;
}

/** Figures that are drawn once at most. */
const kinds: readonly Kind[] = [
  { name: "spectrum", title: partTitles.eigenvalues, draw: spectrum },
  { name: "density", title: partTitles.density, draw: density },
  { name: "layers", title: partTitles.layers, draw: layers },
];

/** Slices, of which there may be many. */
const SLICES = { name: "slice", title: partTitles.slices };

/** The figures of what was measured, and the titles of those of what was not. */
export function curvatureFigures(result: CurvatureResult): {
  readonly figures: readonly NamedFigure[];
  readonly missing: readonly string[];
} {
  const drawn = kinds.map(({ name, title, draw }) => ({ name, title, figure: draw(result) }));
  const slices = slicesOf(result);
  return {
    figures: [
      ...drawn.flatMap(({ name, title, figure }) => (figure === null ? [] : [{ name, title, ...figure }])),
      ...slices,
    ],
    missing: [
      ...drawn.filter(({ figure }) => figure === null).map(({ title }) => title),
      ...(slices.length === 0 ? [SLICES.title] : []),
    ],
  };
}

/** slice-v1, slice-v1-v2, …; a second one in the same directions is slice-v1-v2.2. */
function slicesOf(result: CurvatureResult): NamedFigure[] {
  const seen = new Map<string, number>();
  return (result.slices ?? []).flatMap((slice) => {
    const figure = drawSlice(result, slice);
    if (figure === null) return [];
    const name = [SLICES.name, ...slice.directions].join("-");
    const nth = 1 + (seen.get(name) ?? 0);
    seen.set(name, nth);
    const title = `Loss along ${slice.directions.map((name) => directionOf(name).text).join(" and ")}`;
    return [{ name: nth === 1 ? name : `${name}.${nth}`, title, ...figure }];
  });
}

const drawSlice = (result: CurvatureResult, slice: LossSlice): Drawn | null =>
  slice.directions.length === 1 ? slice1d(result, slice) : slice2d(result, slice);
