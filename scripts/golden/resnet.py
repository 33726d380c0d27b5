"""resnet18-w8-{silu,relu}.safetensors: gradient and Hessian-vector product of a small ResNet-18 in float64."""
import json
import math

import torch
from torch import nn
from torch.nn import functional as F

from files import write_safetensors
from fill import filled
from torch_resnet import ResNet, silu

BATCH, STRIDE, WHOLE = 8, 7, 64
RUNNING = ["bn1.running_mean", "bn1.running_var", "layer4.1.bn2.running_mean", "layer4.1.bn2.running_var"]


def scale_and_offset(name, parameter, module):
    """The range of a parameter's values, by the kind of layer that owns it."""
    if isinstance(module, nn.Conv2d):
        return 2 / math.sqrt(parameter[0].numel()), 0
    if isinstance(module, nn.BatchNorm2d):
        return 0.3, 1 if name.endswith("weight") else 0
    return (1 / math.sqrt(parameter.shape[1]) if name.endswith("weight") else 0.1), 0


def initialize(net):
    """Parameter k takes fill(100 + k); batch norm weights are 1 + fill."""
    modules = dict(net.named_modules())
    for k, (name, parameter) in enumerate(net.named_parameters()):
        scale, offset = scale_and_offset(name, parameter, modules[name.rpartition(".")[0]])
        parameter.data.copy_(filled(100 + k, parameter.shape, scale, offset))


def derivatives(activation, dtype):
    """The network after one training-mode pass, its loss, its gradient g and H v, each a list by parameter."""
    net = ResNet("resnet18", width=8, activation=activation).to(dtype)
    initialize(net)
    x = filled(7, (BATCH, 3, 32, 32), 1.7).to(dtype)
    y = torch.tensor([(3 * i + 1) % 10 for i in range(BATCH)])
    parameters = list(net.parameters())
    loss = F.cross_entropy(net(x), y)
    g = torch.autograd.grad(loss, parameters, create_graph=True)
    hv = torch.autograd.grad(g, parameters, grad_outputs=[v.to(dtype) for v in tangents(parameters)])
    return net, loss.item(), [t.detach() for t in g], hv


def tangents(parameters):
    return [filled(1000 + k, p.shape) for k, p in enumerate(parameters)]


def flat(tensors):
    return torch.cat([t.double().flatten() for t in tensors])


def sample(k, tensor):
    """Elements k mod 7, k mod 7 + 7, ... in PyTorch's order, or all of a small tensor."""
    values = tensor.flatten()
    return (values if values.numel() <= WHOLE else values[k % STRIDE::STRIDE]).numpy()


def write(kind, activation):
    net, loss, g, hv = derivatives(activation, torch.float64)
    _, _, g32, hv32 = derivatives(activation, torch.float32)
    names = [name for name, _ in net.named_parameters()]
    state = net.state_dict()
    tensors = {f"running.{name}": state[name].numpy() for name in RUNNING}
    for prefix, parts in (("grad", g), ("hvp", hv)):
        tensors.update({f"{prefix}.{name}": sample(k, part) for k, (name, part) in enumerate(zip(names, parts))})
    error = lambda got, exact: ((flat(got) - flat(exact)).norm() / flat(exact).norm()).item()
    scalars = {
        "loss": loss,
        "gradNorm": flat(g).norm().item(),
        "hvpNorm": flat(hv).norm().item(),
        "gradDotV": (flat(g) @ flat(tangents(g))).item(),
        "torchF32GradError": error(g32, g),
        "torchF32HvpError": error(hv32, hv),
    }
    metadata = {key: repr(value) for key, value in scalars.items()}
    write_safetensors(f"resnet18-w8-{kind}.safetensors", tensors, metadata | {"names": json.dumps(names)})


def main():
    torch.set_num_threads(1)
    write("silu", silu)
    write("relu", torch.relu)


if __name__ == "__main__":
    main()
