import type { Progress } from "../../curvature/measure.ts";
import type { CurvatureResult } from "../../curvature/result.ts";
import { colorsFor } from "../colors.ts";
import { duration, grouped, short } from "../format.ts";
import { progressLine } from "../progress-line.ts";
import { type Column, say, tableHead, tableRow } from "../ui.ts";

const colors = colorsFor(process.stdout);

/** A part that takes longer is announced before it begins. */
const ANNOUNCED_SECONDS = 30;

/** Which part of the measurement is running, and how long it takes at most: before it begins, by the products until then. */
export function progressOf(): (progress: Progress) => void {
  const line = progressLine();
  let [part, begun, products, spent, last] = ["", 0, 0, 0, 0];
  return ({ part: now, done, of }) => {
    if (now !== part) [part, begun] = [now, performance.now()];
    if (done === 0) {
      last = performance.now();
      const most = (of * spent) / products;
      if (most > ANNOUNCED_SECONDS)
        say(`${now}: at most ${grouped(of)} products, ${duration(most)}; Ctrl-C keeps what is measured`);
      return;
    }
    [products, spent] = [products + 1, spent + (performance.now() - last) / 1000];
    last = performance.now();
    const left = ((performance.now() - begun) / 1000 / done) * (of - done);
    line(() => [
      { rank: 2, text: `${now} ${done}/${of}` },
      { rank: 0, fraction: done / of },
      ...(done > 1 ? [{ rank: 1, text: `at most ${duration(left)} left` }] : []),
    ]);
  };
}

/** What the numbers must not be read without. */
export function warnings(
  result: CurvatureResult,
  { tolerance, maxProducts }: { tolerance: number; maxProducts: number },
) {
  const worst = Math.max(0, ...result.residuals, ...result.bottomResiduals);
  const stopped = result.stopped ? ["warning: stopped; what is missing here was not measured"] : [];
  return result.converged
    ? stopped
    : [
        ...stopped,
        `warning: not converged after ${Math.min(maxProducts, result.parameters)} products: the largest residual is ${short(worst)}, the tolerance ${short(tolerance)}\n  hint: raise --max-products, ask for fewer eigenvalues, or measure with --dtype f64`,
      ];
}

const columns: readonly Column[] = [
  { title: "", width: 6, align: "left" },
  { title: "eigenvalue", width: 11, align: "right" },
  { title: "residual", width: 9, align: "right" },
  { title: "± batches", width: 10, align: "right" },
  { title: "|cos ∇f|", width: 9, align: "right" },
];

const plusMinus = ({ mean, stderr }: { readonly mean: number; readonly stderr: number }): string =>
  stderr === 0
    ? `${short(mean)} (exact)`
    : Number.isNaN(stderr)
      ? `${short(mean)} (one probe)`
      : `${short(mean)} ± ${short(stderr)}`;

/** The numbers for people, on stdout. */
export function sayCurvature(result: CurvatureResult, out: string | undefined): void {
  const { eigenvalues, bottom, residuals, bottomResiduals, samplingErrors, gradientCosines } = result;
  const print = (line: string) => console.log(line);
  print(
    `${result.model} (${grouped(result.parameters)} parameters) on ${result.data}: ${result.batches} mini-batch${result.batches === 1 ? "" : "es"}${result.bn === null ? "" : `, batch norm by ${result.bn} statistics`}, ${result.dtype}`,
  );
  print(`loss ${short(result.loss)}   gradient norm ${short(result.gradNorm)}`);
  if (eigenvalues.length + bottom.length > 0) print(tableHead(columns));
  for (const [i, value] of eigenvalues.entries())
    print(
      tableRow(columns, [
        `λ${i + 1}`,
        short(value),
        residuals[i]!.toExponential(1),
        samplingErrors[i] === undefined ? "" : short(samplingErrors[i]),
        gradientCosines[i]!.toFixed(3),
      ]),
    );
  for (const [i, value] of bottom.entries())
    print(tableRow(columns, [i === 0 ? "λd" : `λd-${i}`, short(value), bottomResiduals[i]!.toExponential(1)]));
  if (result.trace) print(`trace          ${plusMinus(result.trace)}`);
  if (result.frobenius) print(`Frobenius norm ${plusMinus(result.frobenius)}`);
  if (result.layers) {
    const width = Math.max(...result.layers.map(({ name }) => name.length));
    print(colors.dim(`${"layer".padEnd(width)}  ${"λ1".padStart(9)}  residual  trace`));
    for (const { name, eigenvalue, residual, trace } of result.layers)
      print(
        `${name.padEnd(width)}  ${short(eigenvalue).padStart(9)}  ${residual.toExponential(1).padStart(8)}  ${plusMinus(trace)}`,
      );
  }
  print(`${grouped(result.products)} Hessian-vector products in ${duration(result.seconds)}`);
  if (out !== undefined) print(`figures, page and numbers: ${out}`);
  else if (result.density || result.slices) print("density and slices are drawn with --out, and printed with --json");
}
