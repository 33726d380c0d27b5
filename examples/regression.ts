/** Real data: the body mass of penguins from bill, flipper, species, island and sex, with SGD, SAM and Eigen-SAM. */
import { linear, type Network, tanh } from "eigensam";
import { type NamedMethod, train } from "eigensam/node";
import { loadPenguins } from "./data/penguins.ts";

const { train: training, test, grams } = loadPenguins();
const network: Network = (scope, x) => linear(scope.at("out"), tanh(linear(scope.at("hidden"), x, 64)), 1);

const methods: readonly NamedMethod[] = [{ name: "sgd" }, { name: "sam", rho: 0.2 }, { name: "eigen-sam", rho: 0.2 }];
for (const method of methods) {
  const losses = [];
  for (const seed of [1, 2, 3, 4, 5]) {
    const trained = await train({
      data: { train: training, test },
      model: network,
      method,
      optimizer: { lr: 0.05, weightDecay: 0 },
      epochs: 150,
      batch: 38,
      seed,
      threads: 1,
    }).done;
    losses.push(trained.test?.loss ?? Number.NaN);
  }
  const mean = losses.reduce((a, b) => a + b) / losses.length;
  const std = Math.sqrt(losses.reduce((total, loss) => total + (loss - mean) ** 2, 0) / (losses.length - 1));
  const error = grams.std * Math.sqrt(mean);
  console.log(
    `${method.name}: test loss ${mean.toFixed(3)} ± ${std.toFixed(3)} over 5 seeds, about ${error.toFixed(0)} g`,
  );
}
