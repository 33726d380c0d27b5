"""ops.json: network-level operations with their first and second derivatives in float64."""
import torch
from torch.nn import functional as F

from files import write_json
from fill import filled

EPS = 1e-5


def normalize_with(x, weight, bias, mean, variance, eps):
    """Batch norm in evaluation mode, written out so that the statistics have derivatives too."""
    per_channel = lambda t: t.reshape(1, -1, *[1] * (x.dim() - 2))
    return (x - per_channel(mean)) / per_channel(variance + eps).sqrt() * per_channel(weight) + per_channel(bias)


# Operation name: function of (attrs, *inputs).
OPS = {
    "conv2d": lambda a, x, w: F.conv2d(x, w, stride=a["stride"], padding=a["padding"]),
    "max_pool2d": lambda a, x: F.max_pool2d(x, a["kernel"], a["stride"], a["padding"]),
    "avg_pool2d": lambda a, x: F.avg_pool2d(x, a["kernel"], a["stride"], a["padding"], count_include_pad=True),
    "batch_norm": lambda a, x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=a["eps"]),
    "batch_norm_eval": lambda a, x, w, b, mean, var: normalize_with(x, w, b, mean, var, a["eps"]),
    "layer_norm": lambda a, x, w, b: F.layer_norm(x, x.shape[-1:], w, b, a["eps"]),
    "cross_entropy": lambda a, z: F.cross_entropy(z, torch.tensor(a["labels"]), label_smoothing=a["labelSmoothing"]),
    "log_softmax": lambda a, z: F.log_softmax(z, -1),
    "gelu": lambda a, x: F.gelu(x),
    "silu": lambda a, x: F.silu(x),
    "matmul": lambda a, x, y: torch.matmul(x, y),
}


def given(seed, *shape, scale=1.0, offset=0.0):
    """One input: fill(seed) of this shape and scale, `offset` added."""
    return {"shape": list(shape), "seed": seed, "scale": scale, "offset": offset}


def convolution(label, x, w, stride=1, padding=(0, 0)):
    attrs = {"stride": [stride, stride], "padding": list(padding)}
    return f"conv2d {label}", "conv2d", attrs, [given(1, *x), given(2, *w)]


def pool(kind, kernel, stride, padding, *shape):
    pair = lambda n: [n, n]
    label = f"{kind}_pool2d {kernel}, stride {stride}, pad {padding}, on {shape[2]}x{shape[3]}"
    attrs = {"kernel": pair(kernel), "stride": pair(stride), "padding": pair(padding)}
    return label, f"{kind}_pool2d", attrs, [given(1, *shape)]


def cross_entropy(smoothing):
    attrs = {"labelSmoothing": smoothing, "labels": [3, 0, 2, 4, 0, 1]}
    return f"cross_entropy, label smoothing {smoothing}", "cross_entropy", attrs, [given(1, 6, 5, scale=2.0)]


SAME, NONE = (1, 1), (0, 0)
NORM = [given(1, 3, 2, 3, 4, scale=2.0), given(2, 2, offset=1.0, scale=0.5), given(3, 2)]
STATISTICS = [given(4, 2, scale=0.5), given(5, 2, offset=1.0, scale=0.5)]

CASES = [
    convolution("3x3, pad 1, on 5x7", (2, 3, 5, 7), (4, 3, 3, 3), 1, SAME),
    convolution("3x3, stride 2, pad 1, on 5x5", (2, 3, 5, 5), (2, 3, 3, 3), 2, SAME),
    convolution("3x3, stride 2, pad 1, on 7x6", (2, 2, 7, 6), (3, 2, 3, 3), 2, SAME),
    convolution("3x3, stride 2, pad 1, on 8x8", (2, 2, 8, 8), (3, 2, 3, 3), 2, SAME),
    convolution("1x1, on 4x5", (2, 3, 4, 5), (4, 3, 1, 1)),
    convolution("1x1, stride 2, on 5x6", (2, 3, 5, 6), (4, 3, 1, 1), 2),
    convolution("5x5, pad 2, on 6x5", (2, 2, 6, 5), (3, 2, 5, 5), 1, (2, 2)),
    convolution("3x3, pad 0, on 5x6", (2, 2, 5, 6), (3, 2, 3, 3)),
    convolution("1x3, pad 0 and 1, on 4x5", (2, 3, 4, 5), (2, 3, 1, 3), 1, (0, 1)),
    convolution("2x2, stride 2, on 6x7", (2, 2, 6, 7), (3, 2, 2, 2), 2),
    convolution("3x3, pad 1, on 1x1", (3, 2, 1, 1), (4, 2, 3, 3), 1, SAME),
    convolution("3x3, pad 1, one image, on 4x4", (1, 3, 4, 4), (2, 3, 3, 3), 1, SAME),
    pool("max", 2, 2, 0, 2, 3, 4, 6),
    pool("max", 2, 2, 0, 2, 2, 5, 7),
    pool("max", 3, 2, 1, 2, 3, 6, 4),
    pool("max", 3, 2, 1, 2, 2, 5, 7),
    pool("avg", 2, 2, 0, 2, 3, 4, 6),
    pool("avg", 2, 2, 0, 2, 2, 5, 7),
    pool("avg", 3, 2, 1, 2, 3, 6, 4),
    pool("avg", 3, 2, 1, 2, 2, 5, 7),
    ("batch_norm, training", "batch_norm", {"eps": EPS}, NORM),
    ("batch_norm, evaluation", "batch_norm_eval", {"eps": EPS}, NORM + STATISTICS),
    ("layer_norm, last axis", "layer_norm", {"eps": EPS}, [given(1, 2, 3, 5, scale=2.0), given(2, 5), given(3, 5)]),
    cross_entropy(0.0),
    cross_entropy(0.1),
    ("log_softmax, last axis", "log_softmax", {}, [given(1, 4, 5, scale=3.0)]),
    ("gelu, exact", "gelu", {}, [given(1, 4, 6, scale=4.0)]),
    ("silu", "silu", {}, [given(1, 4, 6, scale=6.0)]),
    ("matmul, batch axes broadcast", "matmul", {}, [given(1, 2, 1, 3, 4), given(2, 5, 4, 2)]),
]


def derivative(value, inputs):
    """Gradient by input; zeros where the value does not depend on it."""
    if not value.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    parts = torch.autograd.grad(value, inputs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if part is None else part for x, part in zip(inputs, parts)]


def evaluate(name, op, attrs, specs):
    """Output, gradient of s = sum(output * fill(99)), and its Hessian times the tangents fill(200 + j)."""
    inputs = [filled(s["seed"], s["shape"], s["scale"], s["offset"]).requires_grad_() for s in specs]
    output = OPS[op](attrs, *inputs)
    grads = derivative((output * filled(99, output.shape)).sum(), inputs)
    along = sum((g * filled(200 + j, g.shape)).sum() for j, g in enumerate(grads))
    flat = lambda tensors: [t.flatten().tolist() for t in tensors]
    return {
        "name": name, "op": op, "attrs": attrs, "inputs": specs, "outputShape": list(output.shape),
        "output": output.flatten().tolist(), "grads": flat(grads), "second": flat(derivative(along, inputs)),
    }


def main():
    write_json("ops.json", {"cases": [evaluate(*case) for case in CASES]}, rows="cases")


if __name__ == "__main__":
    main()
