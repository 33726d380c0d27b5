"""resnet18-w{16,4}-lanczos.json: outer eigenvalues of the Hessian over real images in one batch, by Lanczos in float64."""
import gzip
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from files import GOLDEN, write_json
from fill import fill, filled
from torch_resnet import ResNet

START, DIRECTION = 2000, 4000
MEAN, STD = 0.286, 0.353
TOP, BOTTOM, TOLERANCE, STEPS = 3, 1, 1e-5, 90
DATA = GOLDEN.parents[1] / "datasets" / "fashion-mini"


def bytes_of(name, header):
    with gzip.open(DATA / name) as file:
        return np.frombuffer(file.read()[header:], np.uint8)


def network(width):
    """PyTorch's default ranges: convolutions and the linear layer take fill(START + k), scale 1/sqrt(fan_in)."""
    net = ResNet("resnet18", width=width, channels=1).double()
    modules = dict(net.named_modules())
    for k, (name, parameter) in enumerate(net.named_parameters()):
        module = modules[name.rpartition(".")[0]]
        if not isinstance(module, nn.BatchNorm2d):
            parameter.data.copy_(filled(START + k, parameter.shape, 1 / math.sqrt(module.weight[0].numel())))
    return net


def gradient(net, images):
    """Loss and gradient over the images in one training-mode batch, with the graph that its products need."""
    pixels = bytes_of("train-images-idx3-ubyte.gz", 16)[: images * 784].astype(np.float64)
    x = torch.from_numpy((pixels / 255 - MEAN) / STD).reshape(images, 1, 28, 28)
    y = torch.from_numpy(bytes_of("train-labels-idx1-ubyte.gz", 8)[:images].astype(np.int64))
    parameters = list(net.parameters())
    loss = F.cross_entropy(net(x), y)
    return loss, torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters, create_graph=True)])


def product(net, g, v):
    parts = torch.autograd.grad(g, list(net.parameters()), grad_outputs=v, retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def lanczos(net, g):
    """Outer Ritz values and residuals, with full reorthogonalization, until all residuals are below the tolerance."""
    q = torch.from_numpy(fill(DIRECTION, g.numel()).astype(np.float64))
    q /= q.norm()
    basis, alpha, beta = [], [], []
    for step in range(STEPS):
        basis.append(q)
        r = product(net, g, q)
        alpha.append((q @ r).item())
        for _ in range(2):
            for b in basis:
                r -= (b @ r) * b
        beta.append(r.norm().item())
        q = r / beta[-1]
        values, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1))
        residuals = np.abs(beta[-1] * vectors[-1] / values)
        wanted = list(range(-1, -1 - TOP, -1)) + list(range(BOTTOM))
        if step > 2 * (TOP + BOTTOM) and max(residuals[wanted]) < TOLERANCE:
            break
    return [float(values[i]) for i in wanted], [float(residuals[i]) for i in wanted], len(basis)


def write(width, images):
    net = network(width)
    loss, g = gradient(net, images)
    values, residuals, products = lanczos(net, g)
    write_json(
        f"resnet18-w{width}-lanczos.json",
        {
            "settings": {"images": images, "width": width, "startSeed": START},
            "loss": loss.item(),
            "gradNorm": g.norm().item(),
            "eigenvalues": values[:TOP],
            "bottom": values[TOP:],
            "residuals": residuals,
            "products": products,
        },
    )


def main():
    write(4, 64)
    write(16, 256)


if __name__ == "__main__":
    main()
