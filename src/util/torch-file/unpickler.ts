import { globalOf, isKind, reduced, storageOf, type Value } from "./values.ts";
import type { Fail } from "./zip.ts";

/** A pickle of ten thousand tensors has 2 MB; these keep a hostile one from taking time and memory. */
const LONGEST = 2 ** 24;
const MOST_OBJECTS = 500_000;
const DEEPEST = 100_000;
const LONGEST_NAME = 1000;

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

/** Stack, marks and memo of a pickle that is being read. */
class Machine {
  readonly fail: Fail;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly stack: Value[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Value>();
  private objects = 0;
  private at = 0;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.fail = fail;
  }

  private take(length: number): number {
    const from = this.at;
    if (length > this.bytes.length - from) this.fail("the pickle ends too early: the file is damaged");
    this.at = from + length;
    return from;
  }

  byte = (): number => this.view.getUint8(this.take(1));
  uint16 = (): number => this.view.getUint16(this.take(2), true);
  uint32 = (): number => this.view.getUint32(this.take(4), true);
  int32 = (): number => this.view.getInt32(this.take(4), true);
  float = (): number => this.view.getFloat64(this.take(8));

  text(length: number): string {
    const from = this.take(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, length).toString("utf8");
  }

  line(): string {
    const end = this.bytes.subarray(this.at, this.at + LONGEST_NAME).indexOf(10);
    if (end < 0) this.fail("the pickle has a name without an end");
    const line = this.text(end);
    this.at++;
    return line;
  }

  /** A whole number of `length` bytes, in two's complement. */
  long(length: number): number {
    const from = this.take(length);
    let value = length > 0 && this.bytes[from + length - 1]! >= 128 ? -1 : 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + this.bytes[from + i]!;
    return value;
  }

  push(value: Value): void {
    if (this.stack.length >= DEEPEST) this.fail(`the pickle keeps more than ${DEEPEST} values waiting`);
    this.stack.push(value);
  }

  /** Pushes a value that takes memory of its own. */
  make(value: Value): void {
    if (++this.objects > MOST_OBJECTS) this.fail(`the pickle makes more than ${MOST_OBJECTS} objects`);
    this.push(value);
  }

  pop(): Value {
    const value = this.stack.length > (this.marks.at(-1) ?? 0) ? this.stack.pop() : undefined;
    return value === undefined ? this.fail("the pickle takes a value that is not there") : value;
  }

  top(): Value {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  mark(): void {
    if (this.marks.length >= DEEPEST) this.fail(`the pickle is nested more than ${DEEPEST} deep`);
    this.marks.push(this.stack.length);
  }

  popToMark(): Value[] {
    const mark = this.marks.pop();
    return mark === undefined ? this.fail("the pickle ends a group that did not begin") : this.stack.splice(mark);
  }

  save(index: number): void {
    if (this.memo.size >= MOST_OBJECTS) this.fail(`the pickle remembers more than ${MOST_OBJECTS} values`);
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) this.fail(`the pickle recalls value ${index}, which was never kept`);
    else this.push(value);
  }

  result(): Value {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) this.fail("the pickle leaves values over");
    return value;
  }
}

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
