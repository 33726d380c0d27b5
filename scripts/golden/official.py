"""official.safetensors: three epochs of the authors' training loop, with Eigen-SAM the state before every step included.

Written here from its description (paper.md, section 2, items 1 to 3, and section "compat"), independent of the TypeScript:

  rate        PyTorch's CosineAnnealingLR over the epochs, stepped after each one
  refresh     where step % freq == 0 and step > 0, step counted within the epoch from 0, on the batch at hand, before its ascent: five
              times v <- Hv / |Hv|, from the last v, the network in eval mode, so H is the Hessian with running statistics in batch norm
  ascent      until the first refresh eps = rho g, not normalized: the loop starts as USAM;
              then eps = rho (u + alpha sign<g, v> (v - <v, u> u)) with u = g / |g|
  SAM         no refresh, eps = rho u from the first step, the same otherwise
  descent     the gradient at theta + eps goes to SGD with momentum and coupled weight decay at theta; the second pass normalizes by
              its batch, too, but moves no running statistics
  pixels      normalized by the authors' constants for CIFAR-10; all images are trained on, none are kept

README.md says how the inputs are made and what is recorded.
"""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from files import write_safetensors
from fill import fill, filled

BATCH, STEPS, EPOCHS, EVERY, POWER = 16, 30, 3, 8, 5
LR, MOMENTUM, DECAY, RHO, ALPHA = 0.1, 0.9, 5e-4, 0.1, 0.2
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
PIXEL_SEED, START_SEED, V_SEED = 1000, 2000, 3000
CHANNELS, CLASSES, SIDE = (3, 2, 3), 10, 32


class Net(nn.Module):
    """Two convolutions with batch norm and a linear layer; SiLU, which is smooth, so that rounding stays rounding."""

    def __init__(self):
        super().__init__()
        for n in (1, 2):
            setattr(self, f"conv{n}", nn.Conv2d(CHANNELS[n - 1], CHANNELS[n], 3, stride=2, padding=1, bias=False))
            setattr(self, f"bn{n}", nn.BatchNorm2d(CHANNELS[n]))
        self.linear = nn.Linear(CHANNELS[-1], CLASSES)

    def forward(self, x):
        x = F.silu(self.bn1(self.conv1(x)))
        x = F.silu(self.bn2(self.conv2(x)))
        return self.linear(x.mean((2, 3)))


def initialize(net):
    """Parameter k takes fill(START_SEED + k) within 1/sqrt(fan_in) of its layer; batch norm stays at 1 and 0."""
    modules = dict(net.named_modules())
    for k, (name, parameter) in enumerate(net.named_parameters()):
        layer = modules[name.rpartition(".")[0]]
        if not isinstance(layer, nn.BatchNorm2d):
            parameter.data.copy_(filled(START_SEED + k, parameter.shape, 1 / math.sqrt(layer.weight[0].numel())))


def examples():
    """As many images as an epoch has: noise of 0 ... 128 per pixel, and a shift per label and channel, so that they can be learnt."""
    count = BATCH * STEPS
    labels = (7 * np.arange(count) + 3) % CLASSES
    noise = np.floor((fill(PIXEL_SEED, count * 3 * SIDE * SIDE).astype(np.float64) + 1) * 64)
    shift = 12 * ((labels[:, None] + 3 * np.arange(3)) % CLASSES)
    pixels = noise.reshape(count, 3, SIDE, SIDE) + shift[:, :, None, None]
    return torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b))


def unit(a):
    length = dot(a, a).sqrt()
    return [x / length for x in a]


def gradient(net, x, y, create_graph=False):
    loss = F.cross_entropy(net(x), y)
    return loss, torch.autograd.grad(loss, list(net.parameters()), create_graph=create_graph)


def power_iteration(net, x, y, v):
    net.eval()
    _, g = gradient(net, x, y, create_graph=True)
    for _ in range(POWER):
        v = unit(torch.autograd.grad(g, list(net.parameters()), grad_outputs=v, retain_graph=True))
    net.train()
    return v


def perturbation(method, g, v):
    """v is None until it has been estimated."""
    u = unit(g)
    if method == "sam":
        return [RHO * a for a in u]
    if v is None:
        return [RHO * a for a in g]
    sign, along = torch.sign(dot(g, v)), dot(v, u)
    return [RHO * (a + ALPHA * sign * (b - along * a)) for a, b in zip(u, v)]


def track_statistics(net, on):
    """PyTorch's momentum is the share of the new value: at 0 the running statistics stay."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1 if on else 0.0


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


def flat(tensors):
    return torch.cat([t.detach().flatten() for t in tensors])


def run(method, order=lambda batch: batch):
    """Losses and rates of every step, states before each and after the last, and every v with its step; `order` turns each batch."""
    net = Net()
    initialize(net)
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
    pixels, labels = examples()
    mean, std = (torch.tensor(c, dtype=torch.float64).reshape(1, 3, 1, 1) for c in (MEAN, STD))
    images = ((pixels / 255 - mean) / std).float()
    v = None
    first = [t.float() for t in unit([filled(V_SEED + k, p.shape) for k, p in enumerate(parameters)])]
    losses, rates, refreshes = [], [], []
    states = {"theta": [], "momentum": [], "buffers": [], "v": []}

    def keep_state():
        momenta = [optimizer.state[p].get("momentum_buffer") for p in parameters]
        states["theta"].append(flat(parameters))
        states["momentum"].append(flat([torch.zeros_like(p) if m is None else m for p, m in zip(parameters, momenta)]))
        states["buffers"].append(flat([b for b in net.buffers() if b.dim() > 0]))

    for epoch in range(EPOCHS):
        for step in range(STEPS):
            rows = order(torch.arange(BATCH)) + BATCH * ((step + 10 * epoch) % STEPS)
            x, y = images[rows], labels[rows]
            keep_state()
            if method == "eigen-sam" and step % EVERY == 0 and step > 0:
                v = power_iteration(net, x, y, first if v is None else v)
                states["v"].append(flat(v))
                refreshes.append(epoch * STEPS + step)
            loss, g = gradient(net, x, y)
            losses.append(loss.item())
            rates.append(optimizer.param_groups[0]["lr"])
            for p, d in zip(parameters, descent_gradient(net, x, y, perturbation(method, g, v))):
                p.grad = d
            optimizer.step()
        scheduler.step()
    keep_state()
    return losses, rates, refreshes, {key: torch.stack(rows).numpy() for key, rows in states.items() if rows}


def main():
    torch.set_num_threads(1)
    losses, rates, refreshes, states = run("eigen-sam")
    numbers = {"rates": rates, "refreshes": refreshes, "eigen-sam.losses": losses, "sam.losses": run("sam")[0]}
    # What another order of summation does to PyTorch itself.
    for method in ("eigen-sam", "sam"):
        numbers[f"{method}.reversed"] = run(method, order=lambda rows: rows.flip(0))[0]
    names = ",".join(name for name, _ in Net().named_parameters())
    write_safetensors(
        "official.safetensors",
        {**states, **{key: np.array(values, np.float64) for key, values in numbers.items()}},
        {"names": names, "pixelSum": str(int(examples()[0].sum().item()))},
    )


if __name__ == "__main__":
    main()
