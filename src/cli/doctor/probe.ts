/** Runs a tiny graph on the device named by its argument; a process of its own, because native code may crash. */
import { add } from "../../graph/ops/elementwise.ts";
import { compile } from "../../runtime/compile.ts";
import type { Device } from "../../runtime/device.ts";

try {
  const device = process.argv[2] as Device;
  const twice = await compile(({ x }) => ({ y: add(x, x) }), { x: { shape: [4] } }, { device });
  const { y } = await twice.run({ x: Float32Array.of(1, 2, 3, 4) });
  if (y[3] !== 8) throw new Error(`2·4 gave ${y[3]}`);
  console.log(JSON.stringify({ available: true }));
} catch (error) {
  console.log(JSON.stringify({ available: false, reason: error instanceof Error ? error.message : String(error) }));
}
process.exit(0);
