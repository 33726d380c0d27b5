"""base-optimizers.json: five steps of every base optimizer by its authors' formula in float64, with all parameters alike and in groups."""
import torch
from torch.nn import functional as F

from files import write_json
from fill import filled

BATCH, CHANNELS, SIZE, CLASSES, STEPS = 7, 2, 5, 3, 5
SHAPES = {
    "conv1.weight": (3, CHANNELS, 3, 3), "conv1.bias": (3,), "conv2.weight": (4, 3, 3, 3),
    "bn.weight": (4,), "bn.bias": (4,), "mid.weight": (6, 4), "mid.bias": (6,), "out.weight": (CLASSES, 6), "out.bias": (CLASSES,),
}
HIDDEN = ("conv2.weight", "mid.weight")
LAYER = {"conv1": 0, "conv2": 1, "bn": 1, "mid": 2, "out": 3}
FROZEN, LAYER_DECAY = "conv1", 0.6


def parameters():
    return {
        name: filled(10 + k, shape, 0.8 if len(shape) > 1 else 0.3, 1.0 if name == "bn.weight" else 0.0)
        for k, (name, shape) in enumerate(SHAPES.items())
    }


def loss(p, t):
    """Mean cross-entropy of mini-batch t: two convolutions, batch norm, two linear layers."""
    x = filled(50 + t, (BATCH, CHANNELS, SIZE, SIZE), 1.5)
    y = torch.tensor([(2 * i + t + 1) % CLASSES for i in range(BATCH)])
    h = torch.tanh(F.conv2d(x, p["conv1.weight"], p["conv1.bias"], padding=1))
    h = F.conv2d(h, p["conv2.weight"], stride=2, padding=1)
    h = torch.tanh(F.batch_norm(h, None, None, p["bn.weight"], p["bn.bias"], training=True)).mean(dim=(2, 3))
    h = torch.tanh(F.linear(h, p["mid.weight"], p["mid.bias"]))
    return F.cross_entropy(F.linear(h, p["out.weight"], p["out.bias"]), y)


class Base(torch.optim.Optimizer):
    def __init__(self, groups, **defaults):
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, p.grad.clone(), group, self.state[p])


class Lion(Base):
    def move(self, p, g, group, state):
        m = state.setdefault("m", torch.zeros_like(p))
        b1, b2 = group["betas"]
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(torch.sign(m * b1 + g * (1 - b1)), alpha=-group["lr"])
        m.mul_(b2).add_(g, alpha=1 - b2)


class Lars(Base):
    def move(self, p, g, group, state):
        v = state.setdefault("v", torch.zeros_like(p))
        decay, local = group["weight_decay"], 1.0
        w_norm, g_norm = p.norm(), g.norm()
        if p.ndim > 1 and w_norm > 0 and g_norm > 0:
            local = group["trust"] * w_norm / (g_norm + decay * w_norm)
        v.mul_(group["momentum"]).add_(group["lr"] * local * (g + decay * p))
        p.sub_(v)


class Lamb(Base):
    def move(self, p, g, group, state):
        if not state:
            state.update(m=torch.zeros_like(p), v=torch.zeros_like(p), t=0)
        b1, b2 = group["betas"]
        state["t"] += 1
        state["m"] = b1 * state["m"] + (1 - b1) * g
        state["v"] = b2 * state["v"] + (1 - b2) * g**2
        m_hat, v_hat = state["m"] / (1 - b1 ** state["t"]), state["v"] / (1 - b2 ** state["t"])
        update = m_hat / (v_hat.sqrt() + group["eps"]) + group["weight_decay"] * p
        ratio = p.norm() / update.norm() if p.ndim > 1 and p.norm() > 0 and update.norm() > 0 else 1.0
        p.sub_(group["lr"] * ratio * update)


def newton_schulz(g):
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / (torch.linalg.matrix_norm(x) + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if g.shape[0] > g.shape[1] else x


class Muon(Base):
    """Hidden weights only; the rest goes to PyTorch's AdamW."""

    def move(self, p, g, group, state):
        buf = state.setdefault("buf", torch.zeros_like(p))
        buf.lerp_(g, 1 - group["momentum"])
        update = g.lerp(buf, group["momentum"]).reshape(len(p), -1)
        scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(newton_schulz(update).reshape(p.shape), alpha=-group["lr"] * scale)


class Several:
    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def step(self):
        for optimizer in self.optimizers:
            optimizer.step()


def muon(groups):
    def some(hidden, rate, **more):
        return [dict(g, lr=rate * g["lr"], **more) for g in groups if g["hidden"] == hidden]

    return Several(
        Muon(some(True, 1.0), momentum=0.9),
        torch.optim.AdamW(some(False, 0.3, betas=(0.8, 0.95), eps=1e-8), lr=1.0),
    )


OPTIMIZERS = {
    "sgd": (0.1, lambda groups: torch.optim.SGD(groups, lr=1.0, momentum=0.9)),
    "adamw": (0.05, lambda groups: torch.optim.AdamW(groups, lr=1.0, betas=(0.8, 0.95), eps=1e-8)),
    "lion": (0.02, lambda groups: Lion(groups, betas=(0.8, 0.95))),
    "lars": (0.5, lambda groups: Lars(groups, momentum=0.9, trust=0.05)),
    "lamb": (0.05, lambda groups: Lamb(groups, betas=(0.8, 0.95), eps=1e-6)),
    "muon": (0.1, muon),
}
DECAY = 0.1


def path(rate, make, grouped):
    p = {name: value.requires_grad_(not (grouped and name.startswith(FROZEN))) for name, value in parameters().items()}
    last = max(LAYER.values())
    optimizer = make([
        {
            "params": [value],
            "lr": rate * (LAYER_DECAY ** (last - LAYER[name.split(".")[0]]) if grouped else 1.0),
            "weight_decay": 0.0 if grouped and value.ndim == 1 else DECAY,
            "hidden": name in HIDDEN,
        }
        for name, value in p.items()
    ])
    steps = []
    for t in range(STEPS):
        for value in p.values():
            value.grad = None
        loss(p, t).backward()
        optimizer.step()
        steps.append(torch.cat([value.detach().flatten() for value in p.values()]).tolist())
    return steps


def main():
    write_json("base-optimizers.json", {
        "names": list(SHAPES),
        "shapes": [list(shape) for shape in SHAPES.values()],
        "alike": {name: path(*case, False) for name, case in OPTIMIZERS.items()},
        "grouped": {name: path(*case, True)[-1:] for name, case in OPTIMIZERS.items()},
    })


if __name__ == "__main__":
    main()
