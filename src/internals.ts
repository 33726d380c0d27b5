/** What the package is made of, for those who build on its parts; it may change in any version. */
export { emitModel } from "./onnx/emit.ts";
export { lower } from "./onnx/lower/index.ts";
