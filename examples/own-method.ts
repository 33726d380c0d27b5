/** Trains with a method by value; the types know which numbers it reads. */
import { train } from "eigensam/node";
import { friendlySam } from "./friendly-sam.ts";

const { test, train: fit } = await train({
  data: "fashion-mini",
  model: { name: "mlp", width: 16 },
  method: { use: friendlySam, sigma: 0.8 },
  optimizer: { lr: 0.05 },
  epochs: 2,
}).done;
console.log(`training loss ${fit?.loss}, test accuracy ${test?.accuracy}`);
