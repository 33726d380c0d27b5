import type { CurvatureResult, LayerCurvature } from "../../curvature/result.ts";
import type { Fact } from "../html.ts";
import type { Table } from "../table.ts";
import { batchNorm } from "./frame.ts";
import { count, fromBottom, number, withError } from "./numbers.ts";

/** What was measured, and at what cost. */
export const factsOf = (result: CurvatureResult): Fact[] => {
  const norm = batchNorm(result);
  return [
    ["model", `${result.model} (${count(result.parameters)} parameters)`],
    ["data", result.data],
    ["images", count(result.n)],
    ["mini-batches", count(result.batches)],
    ...(norm === undefined ? [] : [["batch norm", norm] as const]),
    ["precision", result.dtype],
    ["Hessian-vector products", count(result.products)],
    ["seconds", number(result.seconds)],
  ];
};

interface Row {
  readonly name: string;
  readonly sub?: string;
  readonly value: number;
  readonly stderr?: number | undefined;
  readonly residual?: number | undefined;
  readonly cosine?: number | undefined;
  /** Whether nothing was estimated: the standard error is 0 then. */
  readonly exact?: boolean;
}

/** A number of a CSV file: empty where there is none. */
const cell = (x: number | undefined): number | "" => (x !== undefined && Number.isFinite(x) ? x : "");

const shown = (x: number | undefined): string => number(x ?? Number.NaN);

/** Loss, gradient, eigenvalues, trace and Frobenius norm, as far as they were measured. */
export function numbersTable(result: CurvatureResult): Table {
  const { eigenvalues, residuals, samplingErrors, gradientCosines, bottom, bottomResiduals } = result;
  const { trace, frobenius, converged } = result;
  const estimate = (name: string, of: CurvatureResult["trace"]): Row[] =>
    of === undefined ? [] : [{ name, value: of.mean, stderr: of.stderr, exact: of.stderr === 0 }];
  const rows: readonly Row[] = [
    { name: "loss f", value: result.loss },
    { name: "gradient norm ‖∇f‖", value: result.gradNorm },
    ...eigenvalues.map((value, i) => ({
      name: "λ",
      sub: String(i + 1),
      value,
      stderr: samplingErrors[i],
      residual: residuals[i],
      cosine: gradientCosines[i],
    })),
    ...bottom.map((value, i) => ({ name: "λ", sub: fromBottom(i), value, residual: bottomResiduals[i] })).reverse(),
    ...estimate("trace", trace),
    ...estimate("Frobenius norm", frobenius),
  ];
  const doubt = converged
    ? ""
    : " Some residuals are above the tolerance: there the true eigenvalue may lie further from zero.";
  return {
    name: "numbers",
    title: "Numbers",
    head: ["quantity", "value", "standard error", "residual", "|cos(∇f, v)|"],
    rows: rows.map(({ name, sub, value, stderr, exact, residual, cosine }) => [
      { text: name, ...(sub === undefined ? {} : { sub }) },
      { text: number(value) },
      { text: exact ? "exact" : shown(stderr) },
      { text: shown(residual) },
      { text: shown(cosine) },
    ]),
    note: `Standard errors are over mini-batches for eigenvalues, and over random probes for the trace and the Frobenius norm. The residual is ‖Hv − λv‖/|λ|.${doubt}`,
    csv: [
      ["quantity", "value", "standardError", "residual", "gradientCosine"],
      ...rows.map(({ name, sub = "", value, stderr, residual, cosine }) => [
        name + sub,
        ...[value, stderr, residual, cosine].map(cell),
      ]),
    ],
  };
}

/** One row per layer. */
export const layersTable = (layers: readonly LayerCurvature[]): Table => ({
  name: "layers",
  title: `${layers.length} layers`,
  head: ["layer", "parameters", "top eigenvalue", "residual", "trace", "trace per parameter"],
  rows: layers.map(({ name, parameters, eigenvalue, residual, trace }) =>
    [
      name,
      count(parameters),
      number(eigenvalue),
      number(residual),
      withError(trace.mean, trace.stderr),
      withError(trace.mean / parameters, trace.stderr / parameters),
    ].map((text) => ({ text })),
  ),
  note: "Each layer's diagonal block of the Hessian; the trace with its standard error over random probes.",
  csv: [
    ["layer", "parameters", "eigenvalue", "residual", "trace", "traceStandardError"],
    ...layers.map(({ name, parameters, eigenvalue, residual, trace }) => [
      name,
      parameters,
      ...[eigenvalue, residual, trace.mean, trace.stderr].map(cell),
    ]),
  ],
});
