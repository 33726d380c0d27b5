import type { Value } from "./values.ts";
import type { Fail } from "./zip.ts";

/** As many as forty thousand tensors need; these keep a hostile pickle from taking time and memory. */
const MOST_OBJECTS = 500_000;
const DEEPEST = 100_000;
const LONGEST_NAME = 1000;

/** Stack, marks and memo of a pickle that is being read. */
export class Machine {
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
