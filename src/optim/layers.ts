import type { Declaration } from "../nn/layout.ts";

/** The name of a block: up to its first part that is a number or ends in one behind "_", as in layer1.0 and encoder.layers.encoder_layer_3. */
const block = (name: string): string | undefined => /^(?:[^.]+\.)*?(?:\d+|[^.]*_\d+)(?=\.)/.exec(name)?.[0];

interface Layer {
  readonly index: number;
  readonly block: string | undefined;
  readonly hasWeight: boolean;
}

/**
 * The layer of each parameter, counted from 0 in the order of declaration. Numbered blocks are a layer each. Outside of them a layer
 * begins with a `weight`, and with whatever follows a block; biases, norms and the like that follow belong to it. In a vision transformer these are
 * what comes before the blocks, each block, and the last norm with the head, as in BEiT.
 */
export function layersOf(declarations: readonly Pick<Declaration, "name" | "role">[]): number[] {
  let layer: Layer | undefined;
  return declarations.map(({ name, role }) => {
    const [own, isWeight] = [block(name), role === "weight"];
    const begins = layer === undefined || own !== layer.block || (own === undefined && isWeight && layer.hasWeight);
    const index = layer === undefined ? 0 : layer.index + Number(begins);
    layer = { index, block: own, hasWeight: isWeight || (!begins && layer!.hasWeight) };
    return index;
  });
}
