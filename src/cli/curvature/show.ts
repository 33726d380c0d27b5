import type { Progress } from "../../curvature/measure.ts";
import type { CurvatureResult } from "../../curvature/result.ts";
import { partTitles } from "../../report/curvature/missing.ts";
import { imagesOf } from "../../report/curvature/tables.ts";
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
): string[] {
  const { missing = [], residuals, bottomResiduals, layers = [] } = result;
  const measured = [...residuals, ...bottomResiduals];
  const products = Math.min(maxProducts, result.parameters);
  const doubtful = layers.filter(({ converged }) => !converged).map(({ name }) => name);
  return [
    ...(missing.length > 0
      ? [`warning: stopped; not measured, or not wholly: ${missing.map((part) => partTitles[part]).join(", ")}`]
      : []),
    ...(result.converged || measured.length === 0
      ? []
      : [
          `warning: not converged after ${products} products: the largest residual is ${short(Math.max(...measured))}, the tolerance ${short(tolerance)}\n  hint: raise --max-products, ask for fewer eigenvalues, or measure with --dtype f64; the residual of an eigenvalue near zero cannot be small`,
        ]),
    ...(result.complete === false && !missing.includes("copies")
      ? [
          `warning: the search for copies of multiple eigenvalues did not end within ${products} products\n  hint: raise --max-products, or leave it out with --no-copies`,
        ]
      : []),
    ...(doubtful.length > 0
      ? [
          `warning: the eigenvalue of ${doubtful.length} of ${layers.length} layers has not converged: ${listed(doubtful)}`,
        ]
      : []),
  ];
}

const listed = (names: readonly string[]): string =>
  [...names.slice(0, 3), ...(names.length > 3 ? ["…"] : [])].join(", ");

const columns: readonly Column[] = [
  { title: "", width: 6, align: "left" },
  { title: "eigenvalue", width: 11, align: "right" },
  { title: "residual", width: 9, align: "right" },
  { title: "other half", width: 20, align: "right" },
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
  const { eigenvalues, bottom, residuals, bottomResiduals, heldOut, gradientCosines } = result;
  const residual = (x: number | undefined) => x?.toExponential(1) ?? "";
  const print = (line: string) => console.log(line);
  print(
    `${result.model} (${grouped(result.parameters)} parameters) on ${result.data}: ${imagesOf(result)}, in ${result.batches} mini-batch${result.batches === 1 ? "" : "es"}${result.bn === null ? "" : `, batch norm by ${result.bn} statistics`}, ${result.dtype}`,
  );
  print(`loss ${short(result.loss)}   gradient norm ${short(result.gradNorm)}`);
  if (eigenvalues.length + bottom.length > 0) print(tableHead(columns));
  for (const [i, value] of eigenvalues.entries())
    print(
      tableRow(columns, [
        `λ${i + 1}`,
        short(value),
        residual(residuals[i]),
        heldOut[i] === undefined ? "" : plusMinus(heldOut[i]),
        gradientCosines[i]!.toFixed(3),
      ]),
    );
  for (const [i, value] of bottom.entries())
    print(tableRow(columns, [i === 0 ? "λd" : `λd-${i}`, short(value), residual(bottomResiduals[i])]));
  if (result.trace) print(`trace          ${plusMinus(result.trace)}`);
  if (result.frobenius) print(`Frobenius norm ${plusMinus(result.frobenius)}`);
  if (result.renyi) print(`Rényi sharpness ${plusMinus(result.renyi)}`);
  if (result.layers) {
    const width = Math.max(...result.layers.map(({ name }) => name.length));
    print(colors.dim(`${"layer".padEnd(width)}  ${"λ1".padStart(9)}  residual  trace`));
    for (const { name, eigenvalue, residual, converged, trace, renyi } of result.layers)
      print(
        `${name.padEnd(width)}  ${short(eigenvalue).padStart(9)}  ${residual.toExponential(1).padStart(8)}  ${plusMinus(trace)}${renyi ? `  Rényi ${plusMinus(renyi)}` : ""}${converged ? "" : "  not converged"}`,
      );
  }
  print(`${grouped(result.products)} Hessian-vector products in ${duration(result.seconds)}`);
  if (out !== undefined) print(`figures, page and numbers: ${out}`);
  else if (result.density || result.slices) print("density and slices are drawn with --out, and printed with --json");
}
