/** Pretrains a small vision transformer on five kinds of clothing, and fine-tunes it on the other five, beside one from scratch. About a minute. */
import type { Split } from "eigensam";
import { type Examples, loadDataset, train } from "eigensam/node";

const { train: training, test } = await loadDataset("fashion-mini");
const pixels = 28 * 28;

/** The examples of classes from … from + 4, as labels 0 … 4. */
function five({ x, y, count }: Split, from: number): Examples {
  const chosen = Array.from({ length: count }, (_, i) => i).filter((i) => Math.floor((y[i] ?? 0) / 5) * 5 === from);
  const data = Uint8Array.from(chosen.flatMap((i) => [...x.subarray(i * pixels, (i + 1) * pixels)]));
  const labels = Int32Array.from(chosen, (i) => (y[i] ?? 0) - from);
  return { x: { data, shape: [chosen.length, 1, 28, 28] }, y: { data: labels, shape: [chosen.length] } };
}

const taskOf = (from: number) => ({ train: five(training, from), test: five(test, from), classes: 5 });
const model = { name: "vit", patch: 7, width: 32, depth: 2 } as const;
const settings = (lr: number) =>
  ({ method: { name: "sam", rho: 0.05 }, optimizer: { name: "adamw", lr, weightDecay: 0.05 }, batch: 32 }) as const;

const first = { data: taskOf(0), examples: 1920, epochs: 15 };
const pretrained = await train({ ...settings(0.002), ...first, model }).done;
const weights = await pretrained.save("pretrained.safetensors");
const second = { data: taskOf(5), examples: 640, epochs: 4 };
for (const seed of [1, 2]) {
  const scratch = await train({ ...settings(0.001), ...second, model, seed }).done;
  const tuned = await train({ ...settings(0.001), ...second, model: { ...model, weights, newHead: true }, seed }).done;
  console.log(
    `seed ${seed}, ${tuned.steps} steps: scratch ${scratch.test?.accuracy}, fine-tuned ${tuned.test?.accuracy}`,
  );
}
