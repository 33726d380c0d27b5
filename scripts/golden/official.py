"""official-{sam,eigen-sam}.json: 100 steps of the authors' training loop, on a small network and data set that everyone has.

Written here from its description (paper.md, section 2, items 1 to 3), independent of the TypeScript. The authors' loop:

  step        counted within the epoch, from 0; these 100 steps are one epoch
  refresh     where step % freq == 0 and step > 0, on the batch at hand, before its ascent: five times v <- Hv / |Hv|, from
              the last v, the network in eval mode, so H is the Hessian with running statistics in batch norm
  ascent      until the first refresh eps = rho g, not normalized: the loop starts as USAM;
              then eps = rho (u + alpha sign<g, v> (v - <v, u> u)) with u = g / |g|
  SAM         eps = rho u from the first step, the same otherwise
  descent     the gradient at theta + eps goes to SGD with momentum and coupled weight decay at theta; the second pass
              normalizes by its batch, too, but moves no running statistics

README.md says how the inputs are made and what is recorded.
"""
import gzip
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from files import write_json
from fill import filled
from torch_resnet import ResNet

SOURCE = "/usr/share/datasets/fashion-mnist"
WIDTH, BATCH, STEPS, EVERY, POWER = 16, 64, 100, 20, 5
LR, MOMENTUM, DECAY, RHO, ALPHA = 0.01, 0.9, 5e-4, 0.1, 0.2
MEAN, STD = 0.2860, 0.3530
START_SEED, V_SEED = 2000, 3000
# From PyTorch's own small weights training is chaotic: float32 and float64 part by 2e-1 within 30 steps. Batch norm makes the
# network blind to the size of a convolution's weights, but curvature falls with its square.
CONV_SCALE, STEPS_64 = 16, 40
SETTINGS = {
    "model": "resnet18", "width": WIDTH, "batch": BATCH, "steps": STEPS, "lr": LR, "momentum": MOMENTUM, "weightDecay": DECAY,
    "rho": RHO, "alpha": ALPHA, "every": EVERY, "iterations": POWER, "mean": MEAN, "std": STD, "startSeed": START_SEED,
    "vSeed": V_SEED, "convScale": CONV_SCALE,
}


def read_idx(name, header, *shape):
    """The first bytes after the header of a gzipped IDX file."""
    with gzip.open(f"{SOURCE}/{name}") as file:
        file.read(header)
        return np.frombuffer(file.read(math.prod(shape)), np.uint8).reshape(shape).copy()


def pixels():
    return read_idx("train-images-idx3-ubyte.gz", 16, STEPS, BATCH, 1, 28, 28)


def labels():
    return read_idx("train-labels-idx1-ubyte.gz", 8, STEPS, BATCH)


def initialize(net):
    """Parameter k takes fill(START_SEED + k) within PyTorch's default bounds 1/sqrt(fan_in), for convolutions times
    CONV_SCALE; batch norm stays at 1 and 0."""
    modules = dict(net.named_modules())
    for k, (name, parameter) in enumerate(net.named_parameters()):
        layer = modules[name.rpartition(".")[0]]
        if not isinstance(layer, nn.BatchNorm2d):
            fan_in = layer.weight[0].numel()
            scale = CONV_SCALE if parameter.dim() == 4 else 1
            parameter.data.copy_(filled(START_SEED + k, parameter.shape, scale / math.sqrt(fan_in)))


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b))


def norm(a):
    return dot(a, a).sqrt()


def unit(a):
    length = norm(a)
    return [x / length for x in a]


def first_vector(parameters):
    """Where the power iteration starts; float64, rounded only after its length is 1."""
    return unit([filled(V_SEED + k, p.shape) for k, p in enumerate(parameters)])


def track_statistics(net, on):
    """PyTorch's momentum is the share of the new value: at 0 the running statistics stay."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1 if on else 0.0


def gradient(net, x, y, create_graph=False):
    loss = F.cross_entropy(net(x), y)
    return loss, torch.autograd.grad(loss, list(net.parameters()), create_graph=create_graph)


def power_iteration(net, x, y, v):
    """The next v, and the Rayleigh quotient <v, Hv> of the last v that was multiplied."""
    net.eval()
    _, g = gradient(net, x, y, create_graph=True)
    for _ in range(POWER):
        hv = torch.autograd.grad(g, list(net.parameters()), grad_outputs=v, retain_graph=True)
        eigenvalue = dot(v, hv).item()
        v = unit(hv)
    net.train()
    return v, eigenvalue


def perturbation(method, g, v):
    """v is None until it has been estimated."""
    u = unit(g)
    if method == "sam":
        return [RHO * a for a in u]
    if v is None:
        return [RHO * a for a in g]
    sign, along = torch.sign(dot(g, v)), dot(v, u)
    return [RHO * (a + ALPHA * sign * (b - along * a)) for a, b in zip(u, v)]


def descent_gradient(net, x, y, eps):
    """The gradient at theta + eps; theta and the running statistics are as before afterwards."""
    parameters = list(net.parameters())
    start = [p.detach().clone() for p in parameters]
    track_statistics(net, False)
    with torch.no_grad():
        for p, e in zip(parameters, eps):
            p.add_(e)
    _, g = gradient(net, x, y)
    with torch.no_grad():
        for p, value in zip(parameters, start):
            p.copy_(value)
    track_statistics(net, True)
    return g


def buffers(net, *kinds):
    return torch.cat([b.double() for name, b in net.named_buffers() if name.endswith(kinds)])


def run(method, dtype, steps=STEPS):
    net = ResNet("resnet18", width=WIDTH, channels=1).to(dtype)
    initialize(net)
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    images = (torch.from_numpy(pixels()).to(dtype) / 255 - MEAN) / STD
    targets = torch.from_numpy(labels().astype(np.int64))
    v = None
    losses, norms, eigenvalues = [], [], []
    for step, (x, y) in enumerate(zip(images[:steps], targets)):
        if method == "eigen-sam" and step % EVERY == 0 and step > 0:
            last = v if v is not None else [t.to(dtype) for t in first_vector(parameters)]
            v, eigenvalue = power_iteration(net, x, y, last)
            eigenvalues.append(eigenvalue)
        loss, g = gradient(net, x, y)
        losses.append(loss.item())
        norms.append(norm(g).item())
        for p, d in zip(parameters, descent_gradient(net, x, y, perturbation(method, g, v))):
            p.grad = d
        optimizer.step()
    return {
        "losses": losses,
        "gradNorms": norms,
        "eigenvalues": eigenvalues,
        "runningNorm": buffers(net, "running_mean", "running_var").norm().item(),
        "runningMeanNorm": buffers(net, "running_mean").norm().item(),
        "thetaNorm": norm([p.detach().double() for p in parameters]).item(),
    }


def inputs():
    """Checksums of what the steps are given, in float64."""
    net = ResNet("resnet18", width=WIDTH, channels=1).double()
    initialize(net)
    parameters = list(net.parameters())
    theta, v = [p.detach() for p in parameters], first_vector(parameters)
    return {
        "names": [name for name, _ in net.named_parameters()],
        "thetaNorm": norm(theta).item(),
        "thetaDotV": dot(theta, v).item(),
        "pixelSums": pixels().sum((1, 2, 3, 4), dtype=np.int64).tolist(),
        "labels": labels()[0].tolist(),
    }


def main():
    torch.set_num_threads(2)
    for method in ("sam", "eigen-sam"):
        single, double = run(method, torch.float32), run(method, torch.float64, STEPS_64)
        value = {"method": method, "settings": SETTINGS, "inputs": inputs(), "float32": single, "float64": double}
        write_json(f"official-{method}.json", value)


if __name__ == "__main__":
    main()
