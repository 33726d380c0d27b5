import type { CurvatureResult, LayerCurvature } from "../../curvature/result.ts";
import type { Fact } from "../summary.ts";
import type { Cell, Table } from "../tables.ts";
import { batchNorm } from "./frame.ts";
import { count, fromBottom, number, withError } from "./numbers.ts";

/** Without files of its own: `eigensam curvature --json` is for programs. */
type PageTable = Omit<Table, "title" | "csv">;

/** What was measured, and at what cost. */
export const factsOf = (result: CurvatureResult): Fact[] => [
  ["model", `${result.model} (${count(result.parameters)} parameters)`],
  ["data", result.data],
  ["images", count(result.n)],
  ["mini-batches", count(result.batches)],
  ["batch norm", batchNorm(result)],
  ["precision", result.dtype],
  ["Hessian-vector products", count(result.products)],
  ["seconds", number(result.seconds)],
];

const NONE = "–";

const row = (name: string | Cell, value: string, ...rest: readonly string[]): Cell[] => [
  typeof name === "string" ? { text: name } : name,
  { text: value },
  ...[0, 1, 2].map((i) => ({ text: rest[i] ?? NONE })),
];

const shown = (x: number | undefined): string => number(x ?? Number.NaN);

/** Loss, gradient, eigenvalues, trace and Frobenius norm, as far as they were measured. */
export function numbersTable(result: CurvatureResult): PageTable {
  const { eigenvalues, residuals, samplingErrors, gradientCosines, bottom, bottomResiduals } = result;
  const { trace, frobenius, converged } = result;
  const top = eigenvalues.map((value, i) =>
    row(
      { text: "λ", sub: String(i + 1) },
      number(value),
      shown(samplingErrors[i]),
      shown(residuals[i]),
      shown(gradientCosines[i]),
    ),
  );
  const least = bottom.map((value, i) =>
    row({ text: "λ", sub: fromBottom(i) }, number(value), NONE, shown(bottomResiduals[i])),
  );
  const estimate = (name: string, of: CurvatureResult["trace"]) =>
    of === undefined ? [] : [row(name, number(of.mean), of.stderr === 0 ? "exact" : number(of.stderr))];
  const doubt = converged
    ? ""
    : " Some residuals are above the tolerance: there the true eigenvalue may lie further from zero.";
  return {
    name: "numbers",
    head: ["quantity", "value", "standard error", "residual", "|cos(∇f, v)|"],
    rows: [
      row("loss f", number(result.loss)),
      row("gradient norm ‖∇f‖", number(result.gradNorm)),
      ...top,
      ...least.reverse(),
      ...estimate("trace", trace),
      ...estimate("Frobenius norm", frobenius),
    ],
    note: `Standard errors are over mini-batches for eigenvalues, and over random probes for the trace and the Frobenius norm. The residual is ‖Hv − λv‖/|λ|.${doubt}`,
  };
}

/** One row per layer. */
export const layersTable = (layers: readonly LayerCurvature[]): PageTable => ({
  name: "layers",
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
  note: "Of each layer's diagonal block of the Hessian; the trace with its standard error over random probes.",
});
