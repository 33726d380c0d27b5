import { LAYER_TOLERANCE } from "../../curvature/layers.ts";
import type { CurvatureResult, LayerCurvature } from "../../curvature/result.ts";
import type { Estimate } from "../../spectrum/trace.ts";
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
    ["images", imagesOf(result)],
    ["mini-batches", count(result.batches)],
    ...(norm === undefined ? [] : [["batch norm", norm] as const]),
    ["precision", result.dtype],
    ["Hessian-vector products", count(result.products)],
    ["seconds", number(result.seconds)],
  ];
};

/** How many images, and which. */
export const imagesOf = ({ n, order, seed }: CurvatureResult): string =>
  order === "random" ? `${count(n)}, in random order (seed ${seed})` : `${count(n)}, from the first`;

interface Row {
  readonly name: string;
  readonly sub?: string;
  readonly value: number;
  readonly stderr?: number | undefined;
  readonly residual?: number | undefined;
  readonly heldOut?: Estimate | undefined;
  readonly cosine?: number | undefined;
  /** Whether nothing was estimated: the standard error is 0 then. */
  readonly exact?: boolean;
}

/** A number of a CSV file: empty where there is none. */
const cell = (x: number | undefined): number | "" => (x !== undefined && Number.isFinite(x) ? x : "");

const shown = (x: number | undefined): string => number(x ?? Number.NaN);

/** Loss, gradient, eigenvalues, trace, Frobenius norm and Rényi sharpness, as far as they were measured. */
export function numbersTable(result: CurvatureResult): Table {
  const { eigenvalues, residuals, heldOut, gradientCosines, bottom, bottomResiduals } = result;
  const { trace, frobenius, renyi } = result;
  const estimate = (name: string, of: Estimate | undefined): Row[] =>
    of === undefined ? [] : [{ name, value: of.mean, stderr: of.stderr, exact: of.stderr === 0 }];
  const rows: readonly Row[] = [
    { name: "loss f", value: result.loss },
    { name: "gradient norm ‖∇f‖", value: result.gradNorm },
    ...eigenvalues.map((value, i) => ({
      name: "λ",
      sub: String(i + 1),
      value,
      residual: residuals[i],
      heldOut: heldOut[i],
      cosine: gradientCosines[i],
    })),
    ...bottom.map((value, i) => ({ name: "λ", sub: fromBottom(i), value, residual: bottomResiduals[i] })).reverse(),
    ...estimate("trace", trace),
    ...estimate("Frobenius norm", frobenius),
    ...estimate("Rényi sharpness", renyi),
  ];
  return {
    name: "numbers",
    title: "Numbers",
    head: ["quantity", "value", "standard error", "residual", "on the other half", "|cos(∇f, v)|"],
    rows: rows.map(({ name, sub, value, stderr, exact, residual, heldOut, cosine }) => [
      { text: name, ...(sub === undefined ? {} : { sub }) },
      { text: number(value) },
      { text: exact ? "exact" : shown(stderr) },
      { text: shown(residual) },
      { text: heldOut ? withError(heldOut.mean, heldOut.stderr) : shown(undefined) },
      { text: shown(cosine) },
    ]),
    note: notesOf(result).join(" "),
    csv: [
      ["quantity", "value", "standardError", "residual", "heldOut", "heldOutStandardError", "gradientCosine"],
      ...rows.map(({ name, sub = "", value, stderr, residual, heldOut, cosine }) => [
        name + sub,
        ...[value, stderr, residual, heldOut?.mean, heldOut?.stderr, cosine].map(cell),
      ]),
    ],
  };
}

function notesOf({ residuals, bottomResiduals, eigenvalues, heldOut, converged, complete, ...rest }: CurvatureResult) {
  const measured = residuals.length + bottomResiduals.length > 0;
  return [
    ...(rest.trace || rest.frobenius || rest.renyi ? ["Standard errors are over random probes."] : []),
    ...(measured ? ["The residual is ‖Hv − λv‖/|λ|, measured."] : []),
    ...(heldOut.length > 0
      ? [
          "The value on the other half is vᵀHv on mini-batches that did not choose v, both ways, ± its standard error over mini-batches. λ₁ itself is biased upwards, because the same images choose v₁; this value is biased downwards.",
        ]
      : []),
    ...(converged || !measured
      ? []
      : ["Some residuals are above the tolerance: there the true eigenvalue may lie further from zero."]),
    ...(measured || eigenvalues.length === 0
      ? []
      : ["The iteration was stopped: the true eigenvalues lie further out than these values."]),
    ...(complete === false ? ["The search for copies of multiple eigenvalues did not end: some may be missing."] : []),
  ];
}

const yes = (is: boolean): string => (is ? "yes" : "no");

/** One row per layer. */
export function layersTable(layers: readonly LayerCurvature[]): Table {
  const spectra = layers.some(({ renyi }) => renyi !== undefined);
  const sharp = (of: LayerCurvature["renyi"]) => (of ? withError(of.mean, of.stderr) : shown(undefined));
  return {
    name: "layers",
    title: `${layers.length} layers`,
    head: [
      ...["layer", "parameters", "top eigenvalue", "residual", "converged", "trace", "trace per parameter"],
      ...(spectra ? ["Rényi sharpness"] : []),
    ],
    rows: layers.map(({ name, parameters, eigenvalue, residual, converged, trace, renyi }) =>
      [
        name,
        count(parameters),
        number(eigenvalue),
        number(residual),
        yes(converged),
        withError(trace.mean, trace.stderr),
        withError(trace.mean / parameters, trace.stderr / parameters),
        ...(spectra ? [sharp(renyi)] : []),
      ].map((text) => ({ text })),
    ),
    note: `Each layer's diagonal block of the Hessian. The residual is measured; an eigenvalue is converged where it is at most ${LAYER_TOLERANCE}. ${spectra ? "Standard errors are" : "The trace has its standard error"} over random probes.`,
    csv: [
      ["layer", "parameters", "eigenvalue", "residual", "converged", "trace", "traceStandardError"].concat(
        spectra ? ["renyi", "renyiStandardError"] : [],
      ),
      ...layers.map(({ name, parameters, eigenvalue, residual, converged, trace, renyi }) => [
        name,
        parameters,
        cell(eigenvalue),
        cell(residual),
        yes(converged),
        ...[trace.mean, trace.stderr, ...(spectra ? [renyi?.mean, renyi?.stderr] : [])].map(cell),
      ]),
    ],
  };
}
