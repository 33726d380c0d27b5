import { create, toBinary } from "@bufbuild/protobuf";
import type { ConstantData, DType, Emitter, OnnxAttr, Target, Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { dtypes } from "../util/dtype.ts";
import { LoweringError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";

/** ONNX operator set 17 with IR version 8: what Debian's checker and every ONNX Runtime since 1.12 know. */
const OPSET = 17n;
const IR_VERSION = 8n;

/** A constant filled with one number is written out up to this size, and expanded at run time above it. */
const WRITTEN_OUT = 64;

export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  /** Inputs the outputs depend on. */
  readonly inputs: readonly NamedTensor[];
}

/** What a model computes, and what ONNX Runtime's planner is to know of it. */
export interface ModelPlan {
  /** Tensors that are lowered for the target. */
  readonly outputs: readonly NamedTensor[];
  /**
   * Whether the shapes handed to Reshape and Expand are listed as inputs of unknown length with a default value, so that ONNX
   * Runtime takes them for run-time values. Knowing all shapes, its CPU planner would assign buffers ahead of time and hold
   * each from its first use to its last re-use. A SAM step then takes 4.5 GB; it needs 1.8 GB when memory is taken and given
   * back as the run goes. Knowing only ranks, it would search all freed buffers for each new one, in time quadratic in the
   * nodes. By default a model's inputs are those of the graph alone, as a file for others must have them.
   */
  readonly shapesAtRunTime?: boolean;
  /** Intermediate values whose shapes are declared nevertheless. */
  readonly knownShapes?: ReadonlySet<Tensor>;
}

/** An ONNX model that computes the outputs of `plan` in their order and under their names. */
export function emitModel({ outputs, shapesAtRunTime = false, knownShapes }: ModelPlan, target: Target): OnnxModel {
  const builder = new Builder(target, shapesAtRunTime);
  const names = new Map<Tensor, string>();
  for (const node of topological(outputs.map(({ tensor }) => tensor))) {
    const inputs = node.inputs.map((x) => names.get(x)!);
    names.set(node, node.op.emit(builder, inputs, node, node.attrs));
    if (knownShapes?.has(node)) builder.declareShape(names.get(node)!, node);
  }
  for (const output of outputs) names.set(output.tensor, builder.output(output, names.get(output.tensor)!));
  return builder.finish();
}

class Builder implements Emitter {
  readonly target: Target;
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];
  private readonly constants = new Map<string, string>();
  /** A number for each array met so far. Comparing arrays by content would cost more than writing one twice. */
  private readonly arrays = new Map<ArrayLike<number>, number>();
  /** Names of the initializers that are shapes of a Reshape or Expand. */
  private readonly shapes = new Set<string>();
  private readonly shapesAtRunTime: boolean;
  private readonly declared = new Map<string, Tensor>();
  private readonly inputs: NamedTensor[] = [];
  private readonly outputs: NamedTensor[] = [];

  constructor(target: Target, shapesAtRunTime: boolean) {
    this.target = target;
    this.shapesAtRunTime = shapesAtRunTime;
  }

  node(type: string, inputs: readonly string[], attrs: Readonly<Record<string, OnnxAttr>> = {}, domain = ""): string {
    if (domain !== "" && !this.target.contrib)
      throw new LoweringError(`operator ${domain}.${type} is not among the standard ones the target allows`, { type });
    const output = `t${this.nodes.length}`;
    this.nodes.push(
      create(NodeProtoSchema, {
        opType: type,
        name: `${type}_${this.nodes.length}`,
        domain,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attrs).map(([key, value]) => attribute(key, value)),
      }),
    );
    return output;
  }

  ints(values: readonly number[]): string {
    return this.initializer(`i64:${values.join(",")}`, () => ({
      dims: [BigInt(values.length)],
      dataType: TensorProto_DataType.INT64,
      rawData: bytesOf(BigInt64Array.from(values, BigInt)),
    }));
  }

  shape(values: readonly number[]): string {
    const name = this.ints(values);
    this.shapes.add(name);
    return name;
  }

  constant(data: ConstantData, shape: readonly number[], dtype: DType): string {
    const write = (values: ArrayLike<number>, dims: readonly number[]) => ({
      dims: dims.map(BigInt),
      dataType: dtypes[dtype].onnx,
      rawData: bytesOf(dtypes[dtype].from(values)),
    });
    if (typeof data !== "number") {
      const number = this.arrays.get(data) ?? this.arrays.size;
      this.arrays.set(data, number);
      return this.initializer(`array ${number}:${dtype}:${shape}`, () => write(data, shape));
    }
    const size = sizeOf(shape);
    if (size > WRITTEN_OUT) return this.node("Expand", [this.constant(data, [], dtype), this.ints(shape)]);
    const text = Object.is(data, -0) ? "-0" : data;
    return this.initializer(`${dtype}:${shape.join(",")}:${text}`, () => write(new Array(size).fill(data), shape));
  }

  input(name: string, tensor: Tensor): string {
    this.inputs.push({ name, tensor });
    return name;
  }

  /** Declares the shape of an intermediate value to ONNX Runtime. */
  declareShape(name: string, tensor: Tensor): void {
    this.declared.set(name, tensor);
  }

  /** Makes the value called `from` an output; returns the name it has from now on. */
  output({ name, tensor }: NamedTensor, from: string): string {
    this.outputs.push({ name, tensor });
    const maker = this.nodes.find((node) => node.output[0] === from);
    // An output under the name its node gave it needs no copy; an input, a constant or a second name for one value does.
    if (maker === undefined || this.outputs.some((output) => output.name === from)) {
      this.nodes.push(
        create(NodeProtoSchema, { opType: "Identity", name: `Identity_${name}`, input: [from], output: [name] }),
      );
      return from;
    }
    maker.output = [name];
    this.declared.delete(from);
    for (const node of this.nodes) node.input = node.input.map((x) => (x === from ? name : x));
    return name;
  }

  finish(): OnnxModel {
    const runTimeShapes = this.shapesAtRunTime ? this.initializers.filter((t) => this.shapes.has(t.name)) : [];
    const graph = create(GraphProtoSchema, {
      name: "eigensam",
      node: this.nodes,
      initializer: this.initializers,
      input: [...this.inputs.map(valueInfo), ...runTimeShapes.map(shapeInfo)],
      output: this.outputs.map(valueInfo),
      valueInfo: [...this.declared].map(([name, tensor]) => valueInfo({ name, tensor })),
    });
    const domains = new Set(["", ...this.nodes.map((node) => node.domain)]);
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: "eigensam",
      graph,
      opsetImport: [...domains].map((domain) =>
        create(OperatorSetIdProtoSchema, { domain, version: domain === "" ? OPSET : 1n }),
      ),
    });
    return { bytes: toBinary(ModelProtoSchema, model), nodes: this.nodes.length, inputs: this.inputs };
  }

  private initializer(key: string, make: () => Pick<TensorProto, "dims" | "dataType" | "rawData">): string {
    let name = this.constants.get(key);
    if (name === undefined) {
      name = `c${this.constants.size}`;
      this.constants.set(key, name);
      this.initializers.push(create(TensorProtoSchema, { name, ...make() }));
    }
    return name;
  }
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);

const valueInfo = ({ name, tensor }: NamedTensor) =>
  info(
    name,
    dtypes[tensor.dtype].onnx,
    tensor.shape.map((d) => ({ case: "dimValue" as const, value: BigInt(d) })),
  );

const shapeInfo = ({ name }: TensorProto) =>
  info(name, TensorProto_DataType.INT64, [{ case: "dimParam" as const, value: `rank_${name}` }]);

type Dimension =
  | { readonly case: "dimValue"; readonly value: bigint }
  | { readonly case: "dimParam"; readonly value: string };

const info = (name: string, elemType: number, dims: readonly Dimension[]) =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: "tensorType",
        value: create(TypeProto_TensorSchema, {
          elemType,
          shape: create(TensorShapeProtoSchema, {
            dim: dims.map((value) => create(TensorShapeProto_DimensionSchema, { value })),
          }),
        }),
      },
    }),
  });

function attribute(name: string, value: OnnxAttr) {
  if (typeof value === "string")
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  if (typeof value === "number")
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  if ("float" in value)
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}
