import { InputError } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import type { SafeTensor } from "../safetensors.ts";
import { materialize } from "./tensors.ts";
import { unpickle } from "./unpickler.ts";
import { type Dict, isKind, type TensorView, type Value } from "./values.ts";
import { type Fail, storedEntries } from "./zip.ts";

/** Under what name training scripts keep the state_dict in a checkpoint, beside epochs and optimizers. */
const PARTS = ["state_dict", "model_state_dict", "model", "net"];

const CONVERT =
  "save it again with PyTorch 1.6 or later: python -c \"import torch; torch.save(torch.load('old.pth', map_location='cpu', weights_only=True), 'new.pth')\"";

const WHOLE = "is it a complete file of torch.save(model.state_dict(), path)?";

/** Whether a file is a zip archive or a pickle, the two forms of torch.save; a header of safetensors begins with a brace. */
export const isTorchFile = (bytes: Uint8Array): boolean => bytes[8] !== 0x7b && (isZip(bytes) || isPickle(bytes));

const isZip = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "PK\x03\x04";
const isPickle = (bytes: Uint8Array): boolean => bytes[0] === 0x80 && bytes[1]! <= 5;

/**
 * The tensors of a file that torch.save wrote (PyTorch 1.6 and later): those of a state_dict, or of the state_dict in a checkpoint. Nothing in it is
 * executed. `source` is what errors call it.
 */
export function decodeTorchFile(bytes: Uint8Array, source: string): Readonly<Record<string, SafeTensor>> {
  const fail: Fail = (message, hint = WHOLE) => {
    throw new InputError(`${source}: ${message}`, { source }, hint);
  };
  if (!isZip(bytes))
    fail("a pickle, as torch.save wrote before PyTorch 1.6; zip archives of torch.save are read", CONVERT);
  const entries = storedEntries(bytes, fail);
  const names = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (names.length !== 1)
    fail(`a zip archive that torch.save did not write: it has ${names.length === 0 ? "no" : "more than one"} data.pkl`);
  const folder = names[0]!.slice(0, -"data.pkl".length);
  const order = entries.get(`${folder}byteorder`);
  const byteOrder = order === undefined ? "little" : Buffer.from(order).toString("latin1", 0, 10);
  if (byteOrder !== "little" && byteOrder !== "big") fail(`byte order ${excerpt(byteOrder)}, expected little or big`);
  const archive = {
    storage: (key: string) => entries.get(`${folder}data/${key}`),
    bigEndian: byteOrder === "big",
    length: bytes.length,
  };
  return materialize(stateDict(unpickle(entries.get(names[0]!)!, fail), fail), archive, fail);
}

/** The named tensors of a state_dict, or of the one part of a checkpoint that is one. */
function stateDict(value: Value, fail: Fail): ReadonlyMap<string, TensorView> {
  if (!isKind(value, "dict")) return fail("no dictionary of tensors", WHOLE);
  const own = tensorsOf(value);
  if (own.size > 0) return own;
  const parts = PARTS.flatMap((name) => {
    const part = value.entries.findLast(([key]) => key === name)?.[1];
    const tensors = isKind(part, "dict") ? tensorsOf(part) : own;
    return tensors.size > 0 ? [{ name, tensors }] : [];
  });
  if (parts.length === 1) return parts[0]!.tensors;
  if (parts.length > 1)
    fail(`the checkpoint has tensors in ${parts.map(({ name }) => name).join(" and in ")}`, "save one of them alone");
  const keys = value.entries.slice(0, 8).map(([key]) => (typeof key === "string" ? excerpt(key, 40) : "…"));
  return fail(
    `no tensors in the dictionary${keys.length > 0 ? ` of ${keys.join(", ")}` : ""}, nor in its ${PARTS.join(", ")}`,
    "save the state_dict alone: torch.save(model.state_dict(), 'net.pth')",
  );
}

function tensorsOf({ entries }: Dict): Map<string, TensorView> {
  const last = new Map<string, Value>();
  for (const [key, value] of entries) if (typeof key === "string") last.set(key, value);
  return new Map([...last].filter((entry): entry is [string, TensorView] => isKind(entry[1], "tensor")));
}
