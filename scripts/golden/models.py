"""models.json: every model of the registry, small, in float64: names, logits, gradient and Hessian-vector product."""
import torch
from torch import nn
from torch.nn import functional as F

from files import write_json
from fill import filled
from torch_models import Cnn6, Mlp, SmoothCnn, WideResNet
from torch_resnet import ResNet, silu

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "silu": silu}
NETWORKS = {
    "mlp": lambda shape, o: Mlp(shape[1] * shape[2] * shape[3], **o),
    "cnn6": lambda shape, o: Cnn6(channels=shape[1], **o),
    "smooth-cnn": lambda shape, o: SmoothCnn(channels=shape[1], size=shape[2:], **o),
    "wide-resnet": lambda shape, o: WideResNet(channels=shape[1], **o),
    "resnet18": lambda shape, o: ResNet("resnet18", channels=shape[1], **o),
    "resnet34": lambda shape, o: ResNet("resnet34", channels=shape[1], **o),
    "resnet50": lambda shape, o: ResNet("resnet50", channels=shape[1], **o),
}
CASES = [
    ("mlp", {"classes": 4, "width": 6}, (3, 2, 3, 4)),
    ("mlp", {"classes": 4, "width": 5, "depth": 3, "activation": "tanh"}, (3, 2, 3, 4)),
    ("cnn6", {"classes": 10, "width": 4}, (3, 3, 16, 16)),
    ("cnn6", {"classes": 10, "width": 2, "activation": "tanh"}, (3, 1, 14, 14)),
    ("cnn6", {"classes": 3, "width": 2, "activation": "silu"}, (2, 2, 9, 13)),
    ("smooth-cnn", {"classes": 5, "width": 3, "activation": "tanh"}, (3, 2, 9, 12)),
    ("smooth-cnn", {"classes": 4, "width": 2, "activation": "silu"}, (2, 1, 8, 8)),
    ("wide-resnet", {"classes": 10, "width": 1, "depth": 10}, (4, 3, 16, 16)),
    ("wide-resnet", {"classes": 5, "width": 2, "depth": 16, "activation": "silu"}, (4, 1, 10, 9)),
    ("resnet18", {"classes": 10, "width": 2}, (4, 3, 16, 16)),
    ("resnet18", {"classes": 5, "width": 2, "activation": "silu"}, (4, 1, 14, 13)),
    ("resnet34", {"classes": 10, "width": 2}, (4, 3, 16, 16)),
    ("resnet34", {"classes": 4, "width": 1, "activation": "silu"}, (4, 1, 8, 12)),
    ("resnet50", {"classes": 10, "width": 1}, (4, 3, 16, 16)),
    ("resnet50", {"classes": 4, "width": 1, "activation": "silu"}, (4, 1, 12, 8)),
]
SAMPLES = 8


def initialize(net):
    """Parameter k takes fill(100 + k), buffer k fill(500 + k), in the ranges that README.md lists."""
    for k, (name, parameter) in enumerate(net.named_parameters()):
        if parameter.dim() > 1:
            parameter.data.copy_(filled(100 + k, parameter.shape, 2 / parameter[0].numel() ** 0.5))
        else:
            is_scale = name.endswith("weight")
            parameter.data.copy_(filled(100 + k, parameter.shape, 0.3, 1.0 if is_scale else 0.0))
    for k, (name, buffer) in enumerate(statistics(net)):
        buffer.copy_(filled(500 + k, buffer.shape, 0.3, 1.0 if name.endswith("var") else 0.0))


def statistics(net):
    """The buffers that are numbers to us; PyTorch also counts batches."""
    return [(name, buffer) for name, buffer in net.named_buffers() if not name.endswith("num_batches_tracked")]


def sample(k, tensor):
    """Every m-th element from k mod m on, m = ceil(n / SAMPLES)."""
    values = tensor.flatten()
    every = -(-values.numel() // SAMPLES)
    return values[k % every::every].tolist()


def summary(parts, seed):
    """Of each parameter's part: a few elements, its norm, and its product with fill(seed + k), which sees all of them."""
    return {
        "samples": [sample(k, part) for k, part in enumerate(parts)],
        "norms": [part.norm().item() for part in parts],
        "products": [(part * filled(seed + k, part.shape)).sum().item() for k, part in enumerate(parts)],
    }


def evaluate(name, options, shape):
    activation = ACTIVATIONS[options.get("activation", "relu")]
    net = NETWORKS[name](shape, options | {"activation": activation}).double()
    initialize(net)
    x = filled(7, shape, 1.7)
    y = torch.tensor([(3 * i + 1) % options["classes"] for i in range(shape[0])])
    parameters = list(net.parameters())
    with torch.no_grad():
        inference = net.eval()(x)
    logits = net.train()(x)
    loss = F.cross_entropy(logits, y)
    g = torch.autograd.grad(loss, parameters, create_graph=True)
    hvp = torch.autograd.grad(g, parameters, grad_outputs=[filled(1000 + k, p.shape) for k, p in enumerate(parameters)])
    return {
        "model": name, "options": options, "inputShape": list(shape),
        "parameters": [[n, list(p.shape)] for n, p in net.named_parameters()],
        "buffers": [[n, list(b.shape)] for n, b in statistics(net)],
        "logits": logits.flatten().tolist(),
        "inference": inference.flatten().tolist(),
        "running": [b.norm().item() for _, b in statistics(net)],
        "loss": loss.item(),
        "grad": summary([t.detach() for t in g], 2000),
        "hvp": summary(hvp, 3000),
    }


def main():
    torch.set_num_threads(1)
    write_json("models.json", {"cases": [evaluate(*case) for case in CASES]}, rows="cases")


if __name__ == "__main__":
    main()
