/**
 * The largest eigenvalues of one Hessian by `eigensam curvature`, curvlinops (SciPy's eigsh) and PyHessian, alternating:
 *
 *   peers/bin/pip install torch curvlinops-for-pytorch pyhessian scipy
 *   npx tsx scripts/compare-curvature.ts --python peers/bin/python --tolerance 0.01
 *
 * The network is a ResNet18 after two epochs of SGD on fashion-mini; the Hessian is that of 256 training images in mini-batches of 128,
 * with running statistics of batch norm, as PyHessian has it. Our seconds are those of the whole command, the start of Node and compilation
 * among them; a peer's begin when it has loaded its weights and images. A residual is ‖Hv − λv‖/|λ|, the largest of the eigenvalues asked
 * for. --exact computes the errors of the eigenvalues against float64 first; --ncv is the size of ARPACK's space, which SciPy makes 20 at
 * least. The build in `dist` is what runs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadDataset } from "../src/data/index.ts";
import { inPackage } from "../src/util/package.ts";
import { median } from "../src/util/statistics.ts";

const { values: given } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    width: { type: "string", default: "8" },
    top: { type: "string", default: "3" },
    tolerance: { type: "string", default: "0.01" },
    rounds: { type: "string", default: "3" },
    ncv: { type: "string", default: "0" },
    exact: { type: "boolean", default: false },
    tools: { type: "string", default: "eigensam,curvlinops,pyhessian" },
  },
});

const IMAGES = 256;
const folder = mkdtempSync(join(tmpdir(), "eigensam-curvature-"));
const at = (name: string) => join(folder, name);

/** A file of NumPy's format 1.0, whose header fills up 128 bytes. */
function writeNpy(path: string, array: Float32Array | Int32Array, shape: readonly number[]): void {
  const type = array instanceof Float32Array ? "<f4" : "<i4";
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117);
  const start = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0]);
  writeFileSync(path, Buffer.concat([start, Buffer.from(`${header}\n`), Buffer.from(array.buffer)]));
}

/** What a tool found, and what it took. */
interface Found {
  readonly seconds: number;
  readonly products: number;
  readonly values: readonly number[];
  readonly residuals: readonly number[];
}

const command = (...args: string[]) =>
  execFileSync(process.execPath, [inPackage("bin/eigensam.js"), ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

const files = [at("run/weights.safetensors"), at("x.npy"), at("y.npy")] as const;

function ours(tolerance: string, ...more: string[]): Found {
  const start = performance.now();
  const [weights, images, labels] = files;
  const text = command(
    ...[
      "curvature",
      "--weights",
      weights,
      "--model",
      "resnet18",
      "--set",
      `model.width=${given.width}`,
      "--set",
      "data.batch=128",
    ],
    ...["--images", images, "--labels", labels, "--bn", "running", "--top", given.top, "--no-copies", "--no-cross-fit"],
    ...["--tolerance", tolerance, "--json", ...more],
  );
  const seconds = (performance.now() - start) / 1000;
  const { eigenvalues, residuals, products } = JSON.parse(text) as {
    readonly eigenvalues: readonly number[];
    readonly residuals: readonly number[];
    readonly products: number;
  };
  return { seconds, products, values: eigenvalues, residuals };
}

function peer(tool: string): Found {
  const text = execFileSync(
    given.python,
    [
      ...[inPackage("bench/curvature_peer.py"), "--tool", tool, "--width", given.width, "--top", given.top],
      ...["--tolerance", given.tolerance, "--ncv", given.ncv, ...files],
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  return JSON.parse(text.trim().split("\n").at(-1)!) as Found;
}

try {
  command(
    ...["train", "--run-dir", at("run"), "model.name=resnet18", `model.width=${given.width}`, "data.name=fashion-mini"],
    ...["method.name=sgd", "train.epochs=2"],
  );
  const { train, mean, std, inputShape } = await loadDataset("fashion-mini");
  const pixels = Float32Array.from(train.x.subarray(0, IMAGES * 784), (value) => (value / 255 - mean[0]!) / std[0]!);
  writeNpy(files[1], pixels, [IMAGES, ...inputShape]);
  writeNpy(files[2], Int32Array.from(train.y.subarray(0, IMAGES)), [IMAGES]);

  const exact = given.exact ? ours("1e-6", "--dtype", "f64", "--max-products", "300").values : undefined;
  if (exact) console.log(`float64: ${exact.map((value) => value.toFixed(4)).join(", ")}`);
  const tools = given.tools.split(",");
  const found = new Map<string, Found[]>(tools.map((tool) => [tool, []]));
  for (let round = 0; round < Number(given.rounds); round++)
    for (const tool of tools) found.get(tool)!.push(tool === "eigensam" ? ours(given.tolerance) : peer(tool));
  for (const [tool, all] of found) {
    const { products, residuals, values } = all[0]!;
    const error = exact && Math.max(...values.map((value, i) => Math.abs(value / exact[i]! - 1)));
    const seconds = all.map((one) => one.seconds);
    console.log(
      `${tool.padEnd(12)} ${median(seconds).toFixed(1)} s (${seconds.map((s) => s.toFixed(1)).join(", ")}), ${products} products, largest residual ${Math.max(...residuals).toExponential(1)}${error === undefined ? "" : `, largest error ${error.toExponential(1)}`}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
