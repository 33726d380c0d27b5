/** Many runs from code: every method with three radii and seeds, ranked by validation accuracy, and a report of them all. */
import { runSweep } from "eigensam/node";

const { trials, report } = await runSweep(
  {
    name: "radius",
    settings: {
      "model.name": "mlp",
      "model.width": 16,
      "data.name": "fashion-mini",
      "data.examples": 1000,
      "train.epochs": 2,
    },
    vary: { "method.name": ["sgd", "sam"] },
    when: [{ if: { "method.name": "sam" }, vary: { "method.rho": [0.05, 0.1] } }],
    seeds: 2,
  },
  { dir: "runs/radius" },
);
for (const { point, n, mean, std } of trials) console.log(point, `${n} seeds: ${mean} ± ${std}`);
console.log((await report("report")).html);
