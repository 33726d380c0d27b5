/** What each element type is to JavaScript, to ONNX (TensorProto.DataType) and to ONNX Runtime's JavaScript API. */
export const dtypes = {
  f32: dtype<Float32Array, "float32">(Float32Array, 1, "float32"),
  f64: dtype<Float64Array, "float64">(Float64Array, 11, "float64"),
  i32: dtype<Int32Array, "int32">(Int32Array, 6, "int32"),
  u8: dtype<Uint8Array, "uint8">(Uint8Array, 2, "uint8"),
  bool: dtype<Uint8Array, "bool">(Uint8Array, 9, "bool"),
} as const;

/** The part of a typed array's constructor that is the same for all of them. */
interface ArrayConstructor<T> {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  from(values: ArrayLike<number>): T;
}

function dtype<T, Ort>(array: ArrayConstructor<T>, onnx: number, ort: Ort) {
  return {
    arrayName: array.name,
    holds: (value: unknown): value is T => value instanceof array,
    bytes: array.BYTES_PER_ELEMENT,
    onnx,
    ort,
    /** Zeros. */
    allocate: (length: number): T => new array(length),
    from: (values: ArrayLike<number>): T => array.from(values),
  };
}
