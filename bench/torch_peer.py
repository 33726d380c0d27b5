#!/usr/bin/env python3
"""PyTorch side of the interleaved benchmark: one training step at a time, on request (see peer_protocol.py).

    /usr/bin/python3 bench/torch_peer.py --model resnet18 --batch 128 --method sam --threads 2 --steps 5

A step is one of

  grad       forward and backward alone
  sgd        that, and SGD with momentum and weight decay
  sam        two gradients, the ascent step between them, the same SGD
  eigen-sam  as sam, the ascent direction mixed with a given top eigenvector (no refresh in the timed step)
  hvp        one Hessian-vector product, the first backward included: double backward, or with --mode func jvp of grad
  power5     five power-iteration steps (one Eigen-SAM refresh): on one retained graph, or with --mode func five products

--mode eager is PyTorch as it is; compile passes the network through torch.compile, which knows no second derivatives;
func is torch.func, for Hessian-vector products alone.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from peer_protocol import parser_of, serve

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "golden"))
from torch_models import Cnn6, Mlp, WideResNet  # noqa: E402
from torch_resnet import ARCHITECTURES, ResNet  # noqa: E402
from torch_vit import TorchvisionViT  # noqa: E402

RHO, ALPHA = 0.1, 0.2


def depth_of(options, default):
    return {"depth": options.depth or default}


def vit(options, depth, heads, patch):
    size = (options.size, options.size)
    settings = {"heads": heads, "patch": patch, "norm": nn.LayerNorm, **depth_of(options, depth)}
    return TorchvisionViT(size, options.channels, options.classes, options.width, **settings)


NETWORKS = {
    "vit": lambda o: vit(o, 6, 4, 4),
    "vit-b16": lambda o: vit(o, 12, 12, 16),
    "mlp": lambda o: Mlp(o.channels * o.size * o.size, o.classes, o.width, **depth_of(o, 2)),
    "cnn6": lambda o: Cnn6(o.classes, o.width, o.channels),
    "wide-resnet": lambda o: WideResNet(o.classes, o.width, channels=o.channels, **depth_of(o, 28)),
    **{name: lambda o: ResNet(o.model, o.width, o.classes, o.channels) for name in ARCHITECTURES},
}


def norm_of(vectors):
    return torch.sqrt(sum((v * v).sum() for v in vectors))


def unit(vectors):
    norm = norm_of(vectors)
    return [v / norm for v in vectors]


class Workload:
    """A network, one fixed random batch, and the steps that can be timed on them."""

    def __init__(self, options):
        torch.manual_seed(0)
        layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
        net = NETWORKS[options.model](options)
        self.net = net.to(memory_format=layout)
        self.call = torch.compile(self.net) if options.mode == "compile" else self.net
        images = torch.randn(options.batch, options.channels, options.size, options.size)
        self.images = images.to(memory_format=layout)
        self.labels = torch.randint(options.classes, (options.batch,))
        self.parameters = list(self.net.parameters())
        self.optimizer = torch.optim.SGD(self.parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)
        self.eigenvector = unit([torch.randn_like(p) for p in self.parameters])

    def grad(self, create_graph=False):
        loss = F.cross_entropy(self.call(self.images), self.labels)
        return torch.autograd.grad(loss, self.parameters, create_graph=create_graph)

    def descend(self, gradient):
        for p, g in zip(self.parameters, gradient):
            p.grad = g
        self.optimizer.step()

    def sgd(self):
        self.descend(self.grad())

    def mixed(self, u):
        """u + alpha sign<u, v> (v - <u, v> u) for the eigenvector v."""
        c = sum((a * v).sum() for a, v in zip(u, self.eigenvector))
        return [a + ALPHA * torch.sign(c) * (v - c * a) for a, v in zip(u, self.eigenvector)]

    def sam(self, direction=None):
        gradient = self.grad()
        with torch.no_grad():
            before = [p.clone() for p in self.parameters]
            # SAM itself needs one number of the gradient; today's PyTorch adds all tensors in one call.
            epsilon, scale = (gradient, RHO / float(norm_of(gradient))) if direction is None else (direction(unit(gradient)), RHO)
            torch._foreach_add_(self.parameters, epsilon, alpha=scale)
        gradient = self.grad()
        with torch.no_grad():
            for p, old in zip(self.parameters, before):
                p.copy_(old)
        self.descend(gradient)

    def eigen_sam(self):
        self.sam(self.mixed)

    def power(self, iterations):
        gradient, v = self.grad(create_graph=True), self.eigenvector
        for left in reversed(range(iterations)):
            v = unit(torch.autograd.grad(gradient, self.parameters, grad_outputs=v, retain_graph=left > 0))

    def hvp(self):
        self.power(1)

    def power5(self):
        self.power(5)


class Functional(Workload):
    """torch.func: jvp of grad. Running statistics are not updated, since functions have no state."""

    def __init__(self, options):
        super().__init__(options)
        for module in self.net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.track_running_stats, module.running_mean, module.running_var = False, None, None

    def power(self, iterations):
        from torch.func import functional_call, grad, jvp

        parameters = {name: p.detach() for name, p in self.net.named_parameters()}
        loss = lambda p: F.cross_entropy(functional_call(self.net, p, (self.images,)), self.labels)
        v = self.eigenvector
        for _ in range(iterations):
            product = jvp(grad(loss), (parameters,), (dict(zip(parameters, v)),))[1]
            v = unit(list(product.values()))


METHODS = {
    "sgd": Workload.sgd, "sam": Workload.sam, "eigen-sam": Workload.eigen_sam,
    "grad": Workload.grad, "hvp": Workload.hvp, "power5": Workload.power5,
}


def main():
    parser = parser_of("PyTorch side of the interleaved benchmark", NETWORKS, METHODS, ["nchw", "nhwc"])
    parser.add_argument("--mode", choices=["eager", "compile", "func"], default="eager")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    work = (Functional if options.mode == "func" else Workload)(options)
    serve(lambda: METHODS[options.method](work), f"torch {torch.__version__}", options)


if __name__ == "__main__":
    main()
