import { namesOf } from "../../util/names.ts";
import type { WorkloadOptions } from "./workload.ts";

export type Layout = "nchw" | "nhwc";

/** Another engine that takes the same step, in a Python script of bench/. */
export interface Peer {
  readonly title: string;
  readonly about: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Memory layouts of images that are tried; the faster one counts. */
  readonly layouts: readonly Layout[];
  readonly models: readonly string[];
  readonly methods: readonly string[];
  /** The packages of Python that it needs, as pip calls them. */
  readonly packages: readonly string[];
}

const models = ["mlp", "cnn6", "resnet18", "resnet34", "resnet50", "wide-resnet", "vit", "vit-b16"];
const steps = ["grad", "sgd", "sam", "eigen-sam"];
const products = ["hvp", "power5"];
const torch = { script: "torch_peer.py", packages: ["torch", "numpy"], models };

/** What `bench --peer` can compare with; a new one is one entry. */
export const peers = {
  torch: {
    ...torch,
    title: "PyTorch",
    about: "PyTorch as it is",
    args: [],
    layouts: ["nchw", "nhwc"],
    methods: [...steps, ...products],
  },
  "torch-compile": {
    ...torch,
    title: "torch.compile",
    about: "the network through torch.compile, which knows no second derivatives",
    args: ["--mode", "compile"],
    layouts: ["nchw", "nhwc"],
    methods: steps,
  },
  "torch-func": {
    ...torch,
    title: "torch.func",
    about: "Hessian-vector products by torch.func's jvp of grad",
    args: ["--mode", "func"],
    layouts: ["nchw", "nhwc"],
    methods: products,
  },
  jax: {
    title: "JAX",
    about: "JAX, jitted",
    script: "jax_peer.py",
    args: [],
    layouts: ["nhwc"],
    models: ["mlp", "cnn6", "resnet18", "resnet34", "wide-resnet"],
    methods: ["grad", "sgd", "sam", ...products],
    packages: ["jax", "numpy"],
  },
} as const satisfies Readonly<Record<string, Peer>>;

export type PeerName = keyof typeof peers;
export const peerNames = namesOf(peers);

/** Whether a peer can take this step. */
export const peerTakes = (name: PeerName, { model, method }: Pick<WorkloadOptions, "model" | "method">): boolean => {
  const peer: Peer = peers[name];
  return peer.models.includes(model) && peer.methods.includes(method);
};
