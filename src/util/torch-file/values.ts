import { excerpt } from "../excerpt.ts";
import type { Fail } from "./zip.ts";

/** A name that a pickle refers to. It stays a name: nothing is looked up or called. */
export interface Global {
  readonly kind: "global";
  readonly name: string;
}

/** A dictionary in the order it was written; a key that comes again replaces the one before. */
export interface Dict {
  readonly kind: "dict";
  readonly entries: [Value, Value][];
}

export interface Tuple {
  readonly kind: "tuple";
  readonly items: readonly Value[];
}

export interface List {
  readonly kind: "list";
  readonly items: Value[];
}

/** Numbers in an entry of the archive. */
export interface Storage {
  readonly kind: "storage";
  readonly type: string;
  readonly key: string;
  readonly count: number;
}

/** A view of a storage, by PyTorch's offset, sizes and strides in elements. */
export interface TensorView {
  readonly kind: "tensor";
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export type Value = null | boolean | number | string | Global | Dict | Tuple | List | Storage | TensorView;

export const isKind = <K extends Exclude<Value, null | boolean | number | string>["kind"]>(
  value: Value | undefined,
  kind: K,
): value is Extract<Value, { readonly kind: K }> => typeof value === "object" && value?.kind === kind;

/** The types of storages that are read, by the name that a pickle has for them. */
const STORAGE = /^torch\.(Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage$/;

const STATE_DICT = "save the state_dict alone: torch.save(model.state_dict(), 'net.pth')";

const ORDERED_DICT = "collections.OrderedDict";
const TENSOR = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";

/** A name in a pickle, if it is one of the few that state dicts need; everything else could stand for code. */
export function globalOf(name: string, fail: Fail): Global {
  if (name === ORDERED_DICT || name === TENSOR || name === PARAMETER || STORAGE.test(name))
    return { kind: "global", name };
  if (/^torch\.\w+Storage$|^torch\.storage\./.test(name))
    return fail(`numbers of type ${excerpt(name)}, which are not read`, "turn them into float32 first: tensor.float()");
  return fail(`refers to ${excerpt(name)}, which is not read: only tensors are, and no code is run`, STATE_DICT);
}

/** What a pickle asks for by calling one of those names. */
export function reduced(callee: Value, args: Value, fail: Fail): Value {
  if (!isKind(callee, "global") || !isKind(args, "tuple")) return fail("the pickle calls what is no name");
  const { items } = args;
  if (callee.name === ORDERED_DICT && items.length === 0) return { kind: "dict", entries: [] };
  if (callee.name === PARAMETER && items.length === 3 && isKind(items[0], "tensor")) return items[0];
  if (callee.name === TENSOR && (items.length === 6 || items.length === 7)) return tensorOf(items, fail);
  return fail(`the pickle calls ${callee.name} with other arguments than torch.save writes`);
}

function tensorOf([storage, offset, shape, strides]: readonly Value[], fail: Fail): TensorView {
  const [sizes, steps] = [countsOf(shape), countsOf(strides)];
  if (!isKind(storage, "storage") || !isCount(offset) || sizes === undefined || sizes.length !== steps?.length)
    return fail("the pickle has a tensor without a valid storage, offset, shape or strides");
  return { kind: "tensor", storage, offset, shape: sizes, strides: steps };
}

/** A reference to numbers beside the pickle: ("storage", type, key, device, count). The device has no part in reading. */
export function storageOf(id: Value, fail: Fail): Storage {
  const [tag, type, key, device, count, ...more] = isKind(id, "tuple") ? id.items : [];
  if (
    tag !== "storage" ||
    !isKind(type, "global") ||
    !STORAGE.test(type.name) ||
    typeof key !== "string" ||
    typeof device !== "string" ||
    !isCount(count) ||
    more.length > 0
  )
    return fail("the pickle refers to something beside it that is no storage of numbers");
  return { kind: "storage", type: type.name.slice("torch.".length, -"Storage".length), key, count };
}

const isCount = (value: Value | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** PyTorch's own limit of axes. */
const MOST_AXES = 64;

const countsOf = (value: Value | undefined): number[] | undefined =>
  isKind(value, "tuple") && value.items.length <= MOST_AXES && value.items.every(isCount)
    ? (value.items as number[])
    : undefined;
