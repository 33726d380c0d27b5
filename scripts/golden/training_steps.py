"""training-steps.json: what accumulation, m-SAM, a late start and averaged weights do to training in PyTorch's own loop, in float64."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from files import write_json
from fill import filled

INPUTS, HIDDEN, CLASSES, BATCH, STEPS = 4, 5, 3, 12, 5
LR, MOMENTUM, DECAY, RHO, EMA = 0.1, 0.9, 0.01, 0.3, 0.2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("in", nn.Linear(INPUTS, HIDDEN))
        self.bn = nn.BatchNorm1d(HIDDEN)
        self.out = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        return self.out(torch.tanh(self.bn(self.get_submodule("in")(x))))


def begun():
    net = Net().double()
    with torch.no_grad():
        for k, (name, p) in enumerate(net.named_parameters()):
            p.copy_(filled(10 + k, tuple(p.shape), 0.8 if p.dim() > 1 else 0.3, 1.0 if name == "bn.weight" else 0.0))
    return net


def examples(t, parts):
    x = filled(50 + t, (BATCH, INPUTS), 1.5)
    y = torch.tensor([(2 * i + t + 1) % CLASSES for i in range(BATCH)])
    return list(zip(x.chunk(parts), y.chunk(parts)))


def climb(net):
    """Moves the weights along their gradients to the radius; what was there is returned."""
    here = [p.detach().clone() for p in net.parameters()]
    length = torch.cat([p.grad.flatten() for p in net.parameters()]).norm()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(p.grad, alpha=RHO / length)
    return here


def put_back(net, here):
    with torch.no_grad():
        for p, value in zip(net.parameters(), here):
            p.copy_(value)


def accumulated(net, micro, momentum):
    """Gradients of the mean of the mean losses; batch norm's running statistics move with this momentum, per micro-batch."""
    net.bn.momentum = momentum
    net.zero_grad()
    for x, y in micro:
        (F.cross_entropy(net(x), y) / len(micro)).backward()


def sam(net, micro):
    accumulated(net, micro, 0.1)
    here = climb(net)
    accumulated(net, micro, 0.0)
    put_back(net, here)


def sgd(net, micro):
    accumulated(net, micro, 0.1)


def m_sam(net, micro):
    means = [torch.zeros_like(p) for p in net.parameters()]
    for one in micro:
        sam(net, [one])
        for mean, p in zip(means, net.parameters()):
            mean.add_(p.grad, alpha=1 / len(micro))
    for mean, p in zip(means, net.parameters()):
        p.grad.copy_(mean)


def m_sam_accumulated(net, micro):
    """Two perturbations, each of half of the micro-batches."""
    means, half = [torch.zeros_like(p) for p in net.parameters()], len(micro) // 2
    for some in (micro[:half], micro[half:]):
        sam(net, some)
        for mean, p in zip(means, net.parameters()):
            mean.add_(p.grad, alpha=0.5)
    for mean, p in zip(means, net.parameters()):
        p.grad.copy_(mean)


def run(parts, rule):
    net = begun()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)

    def mixed(mean, value, averaged):
        """TensorFlow's ExponentialMovingAverage with num_updates."""
        updates = averaged.item() - 1
        memory = min(EMA, (1 + updates) / (10 + updates))
        return memory * mean + (1 - memory) * value

    averaged = AveragedModel(net, avg_fn=mixed, use_buffers=True)
    # Its first update would copy; the mean begins at the first weights.
    averaged.n_averaged.fill_(1)
    rows = {"parameters": [], "statistics": [], "averaged": []}
    flat = lambda values: torch.cat([value.detach().flatten() for value in values]).tolist()
    for t in range(STEPS):
        rule(t)(net, examples(t, parts))
        optimizer.step()
        averaged.update_parameters(net)
        rows["parameters"].append(flat(net.parameters()))
        rows["statistics"].append(flat([net.bn.running_mean, net.bn.running_var]))
        rows["averaged"].append(flat([*averaged.module.parameters(), averaged.module.bn.running_mean, averaged.module.bn.running_var]))
    return rows


CASES = {
    "sgd": (1, lambda t: sgd),
    "sam from step 2": (1, lambda t: sgd if t < 2 else sam),
    "sgd, accumulated": (4, lambda t: sgd),
    "sam, accumulated": (4, lambda t: sam),
    "m-sam": (4, lambda t: m_sam),
    "m-sam, accumulated": (4, lambda t: m_sam_accumulated),
}


def main():
    net = begun()
    write_json("training-steps.json", {
        "names": [name for name, _ in net.named_parameters()],
        "shapes": [list(p.shape) for p in net.parameters()],
        **{name: run(*case) for name, case in CASES.items()},
    })


if __name__ == "__main__":
    main()
