#!/usr/bin/env python3
"""PyTorch side of the interleaved benchmark: one training step at a time, on request.

    /usr/bin/python3 bench/torch_peer.py --model resnet18 --batch 128 --method sam --threads 2

After building the network and one warm-up step it prints {"ready": true, "side", "layout", "peakMiB"}. Each line
"step" on standard input then runs one step and prints {"seconds", "peakMiB"}; "quit" or end of input ends it. With
--steps N it reads nothing, runs N steps and prints one summary. A step is one of

  grad       forward and backward alone
  sgd        that, and SGD with momentum and weight decay
  sam        two gradients, the ascent step between them, the same SGD
  eigen-sam  as sam, the ascent direction mixed with a given top eigenvector (no refresh in the timed step)
  hvp        one Hessian-vector product by double backward, the first backward included
  power5     five power-iteration steps on one retained graph (one Eigen-SAM refresh)
"""
import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "golden"))
from torch_resnet import ARCHITECTURES, ResNet  # noqa: E402

RHO, ALPHA = 0.1, 0.2


def unit(vectors):
    norm = torch.sqrt(sum((v * v).sum() for v in vectors))
    return [v / norm for v in vectors]


class Workload:
    """A network, one fixed random batch, and the steps that can be timed on them."""

    def __init__(self, options):
        torch.manual_seed(0)
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        net = ResNet(options.model, options.width, options.classes, options.channels)
        self.net = net.to(memory_format=layout)
        images = torch.randn(options.batch, options.channels, options.size, options.size)
        self.images = images.to(memory_format=layout)
        self.labels = torch.randint(options.classes, (options.batch,))
        self.parameters = list(self.net.parameters())
        self.optimizer = torch.optim.SGD(self.parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)
        self.eigenvector = unit([torch.randn_like(p) for p in self.parameters])

    def grad(self, create_graph=False):
        loss = F.cross_entropy(self.net(self.images), self.labels)
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

    def sam(self, direction=lambda u: u):
        epsilon = direction(unit(self.grad()))
        with torch.no_grad():
            before = [p.clone() for p in self.parameters]
            for p, e in zip(self.parameters, epsilon):
                p.add_(e, alpha=RHO)
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


METHODS = {
    "sgd": Workload.sgd, "sam": Workload.sam, "eigen-sam": Workload.eigen_sam,
    "grad": Workload.grad, "hvp": Workload.hvp, "power5": Workload.power5,
}


def parse():
    parser = argparse.ArgumentParser(description="PyTorch side of the interleaved benchmark")
    parser.add_argument("--model", choices=ARCHITECTURES, default="resnet18")
    parser.add_argument("--method", choices=METHODS, default="sgd")
    parser.add_argument("--channels-last", action="store_true", help="NHWC memory layout")
    parser.add_argument("--steps", type=int, help="run this many steps, print a summary, read no input")
    defaults = {"width": 64, "batch": 128, "size": 32, "channels": 3, "classes": 10, "threads": 2}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


def peak_mib():
    """Peak resident memory of this process; the system counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def say(**message):
    print(json.dumps(message), flush=True)


def serve(run, about):
    """The line protocol of the interleaved benchmark."""
    say(ready=True, **about, peakMiB=peak_mib())
    for line in sys.stdin:
        request = line.strip()
        if request == "quit":
            return
        if request != "step":
            sys.exit(f'torch_peer: got "{request}", expected "step" or "quit"')
        say(seconds=seconds_of(run), peakMiB=peak_mib())


def summarize(run, steps, about, options):
    times = [seconds_of(run) for _ in range(steps)]
    kept = {key: getattr(options, key) for key in ("model", "width", "batch", "method", "threads")}
    say(**about, **kept, medianSeconds=statistics.median(times), minSeconds=min(times), peakMiB=peak_mib())


def main():
    options = parse()
    if options.steps is not None and options.steps < 1:
        sys.exit(f"torch_peer: got --steps {options.steps}, expected at least 1")
    torch.set_num_threads(options.threads)
    work = Workload(options)
    run = lambda: METHODS[options.method](work)
    run()
    about = {"side": f"torch {torch.__version__}", "layout": "nhwc" if options.channels_last else "nchw"}
    if options.steps is None:
        serve(run, about)
    else:
        summarize(run, options.steps, about, options)


if __name__ == "__main__":
    main()
