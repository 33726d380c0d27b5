/** A small language model: a causal transformer learns a rhyme character by character, and goes on from its beginning. Under a minute. */
import { decoder } from "eigensam";
import { train } from "eigensam/node";

const deeds = ["the malt that lay in", "the rat that ate", "the cat that killed", "the dog that worried"];
const verse = (_: string, i: number) =>
  `This is ${deeds
    .slice(0, i + 1)
    .toReversed()
    .join(" ")} the house that Jack built. `;
const text = deeds.map(verse).join("");

const alphabet = [...new Set(text)];
const tokens = (part: string) => Int32Array.from(part, (character) => alphabet.indexOf(character));
const length = 24;
const count = text.length - length;
const windows = (shift: number) => ({
  data: tokens(Array.from({ length: count }, (_, i) => text.slice(i + shift, i + shift + length)).join("")),
  shape: [count, length],
});

const trained = await train({
  data: { train: { x: windows(0), y: windows(1) }, classes: alphabet.length },
  model: decoder({ vocabulary: alphabet.length, width: 48, depth: 2 }),
  loss: "cross-entropy",
  method: { name: "sam", rho: 0.05 },
  optimizer: { name: "adamw", lr: 0.005 },
  batch: 16,
  epochs: 30,
}).done;

let said = text.slice(0, length);
while (said.length < 120) {
  const { data } = await trained.predict({ data: tokens(said.slice(-length)), shape: [1, length] });
  const next = data.subarray(-alphabet.length);
  said += alphabet[next.indexOf(Math.max(...next))];
}
console.log(`loss ${trained.train?.loss}, accuracy ${trained.train?.accuracy}\n${said}`);
await trained.release();
