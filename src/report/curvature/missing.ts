import type { CurvaturePart } from "../../curvature/result.ts";

/** What each part of a measurement is called where it was stopped. */
export const partTitles: Readonly<Record<CurvaturePart, string>> = {
  eigenvalues: "Extreme eigenvalues",
  copies: "Search for copies of multiple eigenvalues",
  residuals: "Residuals",
  heldOut: "Values on the other half",
  trace: "Trace",
  frobenius: "Frobenius norm",
  density: "Spectral density",
  layers: "Curvature by layer",
  slices: "Slices of the loss",
};

/** What a page does not show, or not whole: what was not asked for, and what was stopped before its end. */
export const missingTexts = (notDrawn: readonly string[], stopped: readonly CurvaturePart[] = []): string[] => {
  const titles = stopped.map((part) => partTitles[part]);
  return [
    ...titles.map((title) => `${title}: stopped before the end`),
    ...notDrawn.filter((title) => !titles.includes(title)).map((title) => `${title}: not measured`),
  ];
};
