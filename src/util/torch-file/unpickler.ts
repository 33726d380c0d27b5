import { Machine } from "./machine.ts";
import { globalOf, isKind, reduced, storageOf, type Value } from "./values.ts";
import type { Fail } from "./zip.ts";

/** A pickle of ten thousand tensors has 2 MB; a hostile one must not take time and memory. */
const LONGEST = 2 ** 24;

const PROTOCOL = 2;
const NOT_WRITTEN = "save it with torch.save's own pickle_protocol and pickle_module";

/**
 * The value of a pickle in the part of protocol 2 (Python's pickletools has its definition) in which torch.save writes dictionaries of tensors,
 * numbers and texts. Names are compared with a list and become no more than names, so nothing can run.
 */
export function unpickle(bytes: Uint8Array, fail: Fail): Value {
  if (bytes.length > LONGEST) fail(`a pickle of ${bytes.length} bytes, expected ${LONGEST} at most`);
  if (bytes[0] !== 0x80) fail("data.pkl is no pickle of protocol 2");
  const machine = new Machine(bytes, fail);
  for (;;) {
    const op = String.fromCharCode(machine.byte());
    if (op === ".") return machine.result();
    const run = operations[op];
    if (run === undefined) fail(`the pickle has an operation ${hex(op)} that torch.save does not write`, NOT_WRITTEN);
    else run(machine);
  }
}

const hex = (op: string): string => `0x${op.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** Adds keys and values in turn to the dictionary on top. */
function setItems(machine: Machine, items: readonly Value[]): void {
  const dict = machine.top();
  if (!isKind(dict, "dict") || items.length % 2 !== 0) machine.fail("the pickle sets items of no dictionary");
  else for (let i = 0; i < items.length; i += 2) dict.entries.push([items[i]!, items[i + 1]!]);
}

function append(machine: Machine, items: readonly Value[]): void {
  const list = machine.top();
  if (!isKind(list, "list")) machine.fail("the pickle appends to no list");
  else for (const item of items) list.items.push(item);
}

const popped = (machine: Machine, count: number): Value[] =>
  Array.from({ length: count }, () => machine.pop()).reverse();

const tuple = (machine: Machine, items: readonly Value[]): void => machine.make({ kind: "tuple", items });

const operations: Readonly<Record<string, (machine: Machine) => void>> = {
  "\x80": (m) => {
    const version = m.byte();
    if (version !== PROTOCOL) m.fail(`a pickle of protocol ${version}, expected ${PROTOCOL}`, NOT_WRITTEN);
  },
  N: (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),
  J: (m) => m.push(m.int32()),
  K: (m) => m.push(m.byte()),
  M: (m) => m.push(m.uint16()),
  G: (m) => m.push(m.float()),
  "\x8a": (m) => m.push(m.long(m.byte())),
  X: (m) => m.make(m.text(m.uint32())),
  "}": (m) => m.make({ kind: "dict", entries: [] }),
  "]": (m) => m.make({ kind: "list", items: [] }),
  ")": (m) => tuple(m, []),
  "\x85": (m) => tuple(m, popped(m, 1)),
  "\x86": (m) => tuple(m, popped(m, 2)),
  "\x87": (m) => tuple(m, popped(m, 3)),
  t: (m) => tuple(m, m.popToMark()),
  "(": (m) => m.mark(),
  q: (m) => m.save(m.byte()),
  r: (m) => m.save(m.uint32()),
  h: (m) => m.recall(m.byte()),
  j: (m) => m.recall(m.uint32()),
  s: (m) => setItems(m, popped(m, 2)),
  u: (m) => setItems(m, m.popToMark()),
  a: (m) => append(m, popped(m, 1)),
  e: (m) => append(m, m.popToMark()),
  c: (m) => {
    const [module, name] = [m.line(), m.line()];
    m.make(globalOf(`${module}.${name}`, m.fail));
  },
  Q: (m) => m.make(storageOf(m.pop(), m.fail)),
  R: (m) => {
    const args = m.pop();
    m.make(reduced(m.pop(), args, m.fail));
  },
  // The attributes of an OrderedDict: versions of modules, of no use here.
  b: (m) => {
    const state = m.pop();
    if (!isKind(state, "dict") || !isKind(m.top(), "dict")) m.fail("the pickle gives attributes to no dictionary");
  },
};
