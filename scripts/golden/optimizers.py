"""Ten steps of PyTorch's optimizers on f(x) = sum(a x^2)/2 + sum(x^3)/6 in float64, with and without clipping."""
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
N = 6
STEPS = 10

CASES = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01), 0),
    "sgd-nesterov": (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.01, nesterov=True), 0),
    "sgd-plain": (lambda p: torch.optim.SGD(p, lr=0.05), 0),
    "sgd-clip": (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), 0.3),
    "adamw": (lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.1), 0),
    "adamw-clip": (lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.01), 0.3),
}


def run(make, clip):
    x = torch.linspace(-0.9, 1.1, N, dtype=torch.float64).requires_grad_()
    a = torch.arange(1, N + 1, dtype=torch.float64)
    optimizer = make([x])
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (0.5 * (a * x * x).sum() + (x**3).sum() / 6).backward()
        if clip > 0:
            torch.nn.utils.clip_grad_norm_([x], clip)
        optimizer.step()
        path.append(x.detach().tolist())
    return path


def main():
    out = {name: run(*case) for name, case in CASES.items()}
    with open(os.path.join(HERE, "../../test/golden/optimizers.json"), "w") as f:
        json.dump(out, f, indent=0)
        f.write("\n")


if __name__ == "__main__":
    main()
