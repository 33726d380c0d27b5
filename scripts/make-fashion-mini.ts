/** Writes datasets/fashion-mini: the first 10,000 training and 2,000 test images of Fashion-MNIST, as IDX files. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

const SOURCE = "/usr/share/datasets/fashion-mnist";
const TARGET = "datasets/fashion-mini";

for (const [part, count] of [
  ["train", 10_000],
  ["t10k", 2_000],
] as const)
  for (const [file, header, size] of [
    [`${part}-images-idx3-ubyte.gz`, 16, 784],
    [`${part}-labels-idx1-ubyte.gz`, 8, 1],
  ] as const) {
    const all = gunzipSync(readFileSync(join(SOURCE, file)));
    const kept = Buffer.from(all.subarray(0, header + count * size));
    kept.writeUInt32BE(count, 4);
    const packed = gzipSync(kept, { level: 9 });
    writeFileSync(join(TARGET, file), packed);
    console.log(`${createHash("sha256").update(packed).digest("hex")}  ${file}`);
  }
