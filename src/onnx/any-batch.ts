import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { LoweringError } from "../util/errors.ts";
import { type GraphProto, ModelProtoSchema, type NodeProto, type TensorProto, type ValueInfoProto } from "./onnx_pb.ts";

/**
 * One model for batches of any size, from the same graph emitted for two sizes: what differs between them is the batch. An
 * axis of an input or output becomes a named one, and a size given to Reshape becomes −1, "what is left".
 *
 * @throws LoweringError where anything else depends on the number of examples
 */
export function anyBatch(first: Uint8Array, second: Uint8Array): Uint8Array {
  const [model, other] = [fromBinary(ModelProtoSchema, first), fromBinary(ModelProtoSchema, second)];
  const [graph, twin] = [model.graph!, other.graph!];
  if (graph.node.length !== twin.node.length || graph.initializer.length !== twin.initializer.length)
    throw dependent("its number of operations");
  const odd = graph.node.find((node, i) => !sameNode(node, twin.node[i]!));
  if (odd !== undefined) throw dependent(`a ${odd.opType}`);
  for (const [i, tensor] of graph.initializer.entries()) free(tensor, twin.initializer[i]!, graph);
  for (const part of ["input", "output"] as const)
    for (const [i, info] of graph[part].entries()) nameAxes(info, twin[part][i]!);
  return toBinary(ModelProtoSchema, model);
}

const dependent = (what: string) =>
  new LoweringError(
    `the network cannot be exported for batches of any size: ${what} depends on the number of examples`,
    { what },
    "export it for one size: --batch 1, or export(path, { batch: 1 })",
  );

const sameNode = (a: NodeProto, b: NodeProto): boolean =>
  a.opType === b.opType && a.domain === b.domain && a.input.join() === b.input.join() && text(a) === text(b);

/** Attributes as text. */
const text = ({ attribute }: NodeProto): string =>
  JSON.stringify(attribute, (_, value) => (typeof value === "bigint" ? String(value) : value));

/** Where a constant differs, it must be the shape of a Reshape, in one place. */
function free(tensor: TensorProto, twin: TensorProto, { node }: GraphProto): void {
  const same = tensor.dims.join() === twin.dims.join();
  if (same && Buffer.compare(tensor.rawData, twin.rawData) === 0) return;
  const users = node.filter(({ input }) => input.includes(tensor.name));
  const other = users.find(({ opType, input }) => opType !== "Reshape" || input[0] === tensor.name);
  if (other !== undefined || !same) throw dependent(`a constant of ${other?.opType ?? "Reshape"}`);
  const [sizes, twins] = [sizesOf(tensor), sizesOf(twin)];
  const places = [...sizes.keys()].filter((i) => sizes[i] !== twins[i]);
  if (places.length !== 1) throw dependent("more than one size of a Reshape");
  sizes[places[0]!] = -1n;
  tensor.rawData = new Uint8Array(sizes.buffer);
}

const sizesOf = ({ rawData }: TensorProto): BigInt64Array<ArrayBuffer> =>
  new BigInt64Array(new Uint8Array(rawData).buffer);

function nameAxes(info: ValueInfoProto, twin: ValueInfoProto): void {
  for (const [i, axis] of axesOf(info).entries())
    if (axis.value.value !== axesOf(twin)[i]!.value.value) axis.value = { case: "dimParam", value: "batch" };
}

const axesOf = ({ type }: ValueInfoProto) =>
  type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
