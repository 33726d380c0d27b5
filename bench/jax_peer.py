#!/usr/bin/env python3
"""JAX side of the interleaved benchmark: one jitted step at a time, on request (see peer_protocol.py).

    python3 bench/jax_peer.py --model resnet18 --batch 128 --method sam --threads 2 --steps 5

Steps are those of torch_peer.py: grad, sgd, sam, hvp (jvp of the gradient) and power5. Networks are the registry's, images are NHWC,
batch norm uses the statistics of the batch. Running statistics are not updated: they are no part of a derivative.
"""
import os
import sys

from peer_protocol import parser_of, serve

METHODS = ["grad", "sgd", "sam", "hvp", "power5"]
MODELS = ["mlp", "cnn6", "resnet18", "resnet34", "wide-resnet"]
RHO, LR, MOMENTUM, DECAY = 0.1, 0.01, 0.9, 5e-4

options = parser_of("JAX side of the interleaved benchmark", MODELS, METHODS, ["nhwc"]).parse_args()
# XLA sizes its pool by the cores that the process may use.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

tree_map, leaves = jax.tree_util.tree_map, jax.tree_util.tree_leaves
random = np.random.default_rng(0)


class Scope:
    """Parameters by name: made where they are first asked for, read from `values` in a trace."""

    def __init__(self, values=None):
        self.values, self.made = values, {}

    def get(self, name, shape, fill=None):
        if self.values is not None:
            return self.values[name]
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        drawn = random.normal(size=shape, scale=scale) if fill is None else np.full(shape, fill)
        return self.made.setdefault(name, jnp.asarray(drawn, jnp.float32))


def conv(scope, name, x, out, stride=1, kernel=3, bias=False):
    w = scope.get(name, (kernel, kernel, x.shape[-1], out))
    pad = [(kernel // 2, kernel // 2)] * 2
    y = lax.conv_general_dilated(x, w, (stride, stride), pad, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + scope.get(name + ".bias", (out,), 0.0) if bias else y


def norm(scope, name, x):
    mean = x.mean((0, 1, 2))
    variance = ((x - mean) ** 2).mean((0, 1, 2))
    weight, bias = scope.get(name + ".weight", (x.shape[-1],), 1.0), scope.get(name + ".bias", (x.shape[-1],), 0.0)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * weight + bias


def linear(scope, name, x, out):
    return x @ scope.get(name, (x.shape[-1], out)) + scope.get(name + ".bias", (out,), 0.0)


relu = jax.nn.relu
pool = lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def mlp(scope, x):
    x = x.reshape(x.shape[0], -1)
    for i in range(options.depth or 2):
        x = relu(linear(scope, f"layers.{i}", x, options.width))
    return linear(scope, "out", x, options.classes)


def cnn6(scope, x):
    layer = lambda x, n, out: relu(conv(scope, f"conv{n}", x, out, bias=True))
    w = options.width
    x = pool(layer(layer(x, 1, w), 2, w))
    x = pool(layer(layer(x, 3, 2 * w), 4, 2 * w))
    return linear(scope, "out", layer(x, 5, 4 * w).mean((1, 2)), options.classes)


def resnet(depths):
    def network(scope, x):
        x = relu(norm(scope, "bn1", conv(scope, "conv1", x, options.width)))
        for stage, depth in enumerate(depths):
            for i in range(depth):
                at, stride, out = f"layer{stage}.{i}.", 2 if stage and not i else 1, options.width << stage
                y = relu(norm(scope, at + "bn1", conv(scope, at + "conv1", x, out, stride)))
                y = norm(scope, at + "bn2", conv(scope, at + "conv2", y, out))
                same = x.shape == y.shape
                x = relu(y + (x if same else norm(scope, at + "sn", conv(scope, at + "s", x, out, stride, 1))))
        return linear(scope, "out", x.mean((1, 2)), options.classes)

    return network


def wide_resnet(scope, x):
    x = conv(scope, "conv1", x, 16)
    for stage in range(3):
        for i in range(((options.depth or 28) - 4) // 6):
            at, stride, out = f"block{stage}.{i}.", 2 if stage and not i else 1, (16 << stage) * options.width
            y = relu(norm(scope, at + "bn1", x))
            z = conv(scope, at + "conv2", relu(norm(scope, at + "bn2", conv(scope, at + "conv1", y, out, stride))), out)
            x = z + (x if x.shape[-1] == out else conv(scope, at + "s", y, out, stride, 1))
    return linear(scope, "out", relu(norm(scope, "bn1", x)).mean((1, 2)), options.classes)


NETWORKS = {"mlp": mlp, "cnn6": cnn6, "resnet18": resnet((2, 2, 2, 2)), "resnet34": resnet((3, 4, 6, 3)),
            "wide-resnet": wide_resnet}
network = NETWORKS[options.model]

images = jnp.asarray(random.normal(size=(options.batch, options.size, options.size, options.channels)), jnp.float32)
labels = jnp.asarray(random.integers(options.classes, size=options.batch))
first = Scope()
network(first, images)
parameters = first.made
momentum = tree_map(jnp.zeros_like, parameters)
eigenvector = tree_map(lambda p: jnp.asarray(random.normal(size=p.shape), jnp.float32), parameters)


def loss(p, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(network(Scope(p), x)), y[:, None], 1))


gradient = jax.grad(loss)


def norm_of(t):
    return jnp.sqrt(sum(jnp.vdot(e, e) for e in leaves(t)))


def descend(p, m, g):
    m = tree_map(lambda m, g, p: MOMENTUM * m + g + DECAY * p, m, g, p)
    return tree_map(lambda p, m: p - LR * m, p, m), m


def sgd(p, m, v, x, y):
    return descend(p, m, gradient(p, x, y))


def sam(p, m, v, x, y):
    g = gradient(p, x, y)
    scale = RHO / norm_of(g)
    return descend(p, m, gradient(tree_map(lambda p, g: p + scale * g, p, g), x, y))


def power(times):
    def run(p, m, v, x, y):
        for _ in range(times):
            length = norm_of(v)
            v = tree_map(lambda e: e / length, v)
            v = jax.jvp(lambda q: gradient(q, x, y), (p,), (v,))[1]
        return v

    return run


STEPS = {"grad": lambda p, m, v, x, y: gradient(p, x, y), "sgd": sgd, "sam": sam, "hvp": power(1), "power5": power(5)}
step = jax.jit(STEPS[options.method])

if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    serve(lambda: jax.block_until_ready(step(parameters, momentum, eigenvector, images, labels)),
          f"jax {jax.__version__}", options)
