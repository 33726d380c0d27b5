import type { SafeTensor, Safetensors } from "../util/safetensors.ts";

type Tensors = Safetensors["tensors"];

/** Names of other libraries, and what ours are; `$n` is the n-th part in brackets. The first rule that gives a name of the model holds. */
const RULES: readonly (readonly [theirs: RegExp, ours: string])[] = [
  // torchvision's and timm's ResNets.
  [/(^|\.)fc\./, "$1linear."],
  [/(^|\.)downsample\./, "$1shortcut."],
  // torchvision's transformers before 0.14.
  [/\.mlp\.linear_1\./, ".mlp.0."],
  [/\.mlp\.linear_2\./, ".mlp.3."],
  // Hugging Face's ViTForImageClassification, and ViTModel without the prefix.
  [/^(?:vit\.)?embeddings\.cls_token$/, "class_token"],
  [/^(?:vit\.)?embeddings\.position_embeddings$/, "encoder.pos_embedding"],
  [/^(?:vit\.)?embeddings\.patch_embeddings\.projection\./, "conv_proj."],
  [/^(?:vit\.)?encoder\.layer\.(\d+)\.layernorm_before\./, "encoder.layers.encoder_layer_$1.ln_1."],
  [/^(?:vit\.)?encoder\.layer\.(\d+)\.layernorm_after\./, "encoder.layers.encoder_layer_$1.ln_2."],
  [
    /^(?:vit\.)?encoder\.layer\.(\d+)\.attention\.output\.dense\./,
    "encoder.layers.encoder_layer_$1.self_attention.out_proj.",
  ],
  [/^(?:vit\.)?encoder\.layer\.(\d+)\.intermediate\.dense\./, "encoder.layers.encoder_layer_$1.mlp.0."],
  [/^(?:vit\.)?encoder\.layer\.(\d+)\.output\.dense\./, "encoder.layers.encoder_layer_$1.mlp.3."],
  [/^(?:vit\.)?layernorm\./, "encoder.ln."],
  [/^classifier\./, "heads.head."],
  // timm's VisionTransformer.
  [/^cls_token$/, "class_token"],
  [/^pos_embed$/, "encoder.pos_embedding"],
  [/^patch_embed\.proj\./, "conv_proj."],
  [/^blocks\.(\d+)\.norm([12])\./, "encoder.layers.encoder_layer_$1.ln_$2."],
  [/^blocks\.(\d+)\.attn\.qkv\./, "encoder.layers.encoder_layer_$1.self_attention.in_proj_"],
  [/^blocks\.(\d+)\.attn\.proj\./, "encoder.layers.encoder_layer_$1.self_attention.out_proj."],
  [/^blocks\.(\d+)\.mlp\.fc1\./, "encoder.layers.encoder_layer_$1.mlp.0."],
  [/^blocks\.(\d+)\.mlp\.fc2\./, "encoder.layers.encoder_layer_$1.mlp.3."],
  [/^norm\./, "encoder.ln."],
  [/^head\./, "heads.head."],
];

/** Hugging Face's queries, keys and values apart, whose rows follow one another in ours. */
const QUERY = /^(?:vit\.)?encoder\.layer\.(\d+)\.attention\.attention\.query\.(weight|bias)$/;

/**
 * Tensors under this model's names where they have those of torchvision, Hugging Face's transformers or timm; others as they are, and one of which the
 * file has ours too.
 */
export function withOwnNames(tensors: Tensors, known: ReadonlySet<string>): Tensors {
  const joined = withJoinedHeads(tensors, known);
  const named = new Map<string, SafeTensor>();
  for (const [name, tensor] of Object.entries(joined)) {
    const own = ownName(name, known);
    named.set(own in joined || named.has(own) ? name : own, tensor);
  }
  return Object.fromEntries(named);
}

/** All rules that fit are tried together first, because a ResNet's name may have two parts of theirs. */
function ownName(name: string, known: ReadonlySet<string>): string {
  if (known.has(name)) return name;
  const fitting = RULES.filter(([theirs]) => theirs.test(name));
  const all = fitting.reduce((text, [theirs, ours]) => text.replace(theirs, ours), name);
  const each = fitting.map(([theirs, ours]) => name.replace(theirs, ours));
  return [all, ...each].find((candidate) => known.has(candidate)) ?? name;
}

/** With the rows of queries, keys and values below one another, where the file has all three of them, alike. */
function withJoinedHeads(tensors: Tensors, known: ReadonlySet<string>): Tensors {
  const result: Record<string, SafeTensor> = { ...tensors };
  for (const name of Object.keys(tensors)) {
    const [, layer, kind] = QUERY.exec(name) ?? [];
    const own = `encoder.layers.encoder_layer_${layer}.self_attention.in_proj_${kind}`;
    if (kind === undefined || !known.has(own) || own in tensors) continue;
    const names = ["query", "key", "value"].map((part) => name.replace(".query.", `.${part}.`));
    const parts = names.map((part) => tensors[part]);
    const whole = joinedRows(parts);
    if (whole === undefined) continue;
    for (const part of names) delete result[part];
    result[own] = whole;
  }
  return result;
}

function joinedRows(parts: readonly (SafeTensor | undefined)[]): SafeTensor | undefined {
  const [first] = parts;
  const alike = parts.filter((part) => part?.shape.join() === first?.shape.join());
  const rows = alike.flatMap((part) =>
    part?.data instanceof Float32Array || part?.data instanceof Float64Array ? [part.data] : [],
  );
  if (first === undefined || rows.length < parts.length) return undefined;
  const size = first.data.length;
  const data = new Float32Array(parts.length * size);
  for (const [i, row] of rows.entries()) data.set(row, i * size);
  const [height = 1, ...rest] = first.shape;
  return { dtype: "F32", shape: [parts.length * height, ...rest], data };
}
