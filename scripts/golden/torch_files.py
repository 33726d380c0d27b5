"""torch-VERSION.pth and torch-checkpoint-VERSION.pth, as the PyTorch that runs this writes them; with 1.13 also what they hold."""
from collections import OrderedDict

import torch
from torch import nn

from files import GOLDEN, write_json, write_safetensors
from fill import filled
from torch_resnet import ResNet, silu

VERSION = ".".join(torch.__version__.split(".")[:2])


def tensors():
    """Every type, and every way in which a tensor can lie in its storage."""
    shared = filled(1, (8,)).float()
    return OrderedDict(
        float32=filled(2, (2, 3)).float(),
        float64=filled(3, (2, 2)).double() / 3,
        float16=torch.tensor([0.1, -0.0, 65504, 2**-24, 1.5]).half(),
        bfloat16=torch.tensor([0.1, -0.0, 1e38, 1e-38, 1.5]).bfloat16(),
        int64=torch.tensor([2**60 + 1, -1]),
        int32=torch.tensor([2**31 - 1, -(2**31)], dtype=torch.int32),
        int16=torch.tensor([2**15 - 1, -(2**15)], dtype=torch.int16),
        int8=torch.tensor([127, -128], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False]),
        transposed=filled(4, (2, 3)).float().t(),
        permuted=filled(5, (2, 3, 4)).half().permute(2, 0, 1)[1:3],
        every_second=filled(6, (9,)).double()[1::2],
        expanded=torch.tensor([[1.5], [2.5]]).expand(2, 3),
        shared_whole=shared,
        shared_part=shared[2:6].view(2, 2),
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        parameter=nn.Parameter(filled(7, (3,)).float()),
        frozen=nn.Parameter(filled(8, (3,)).float(), requires_grad=False),
    )


def network():
    net = ResNet("resnet18", width=1, activation=silu)
    for k, parameter in enumerate(net.parameters()):
        matrix = parameter.dim() > 1
        scale = 2 / parameter[0].numel() ** 0.5 if matrix else 0.3
        parameter.data.copy_(filled(100 + k, parameter.shape, scale, 0.0 if matrix else 1.0))
    for k, (name, buffer) in enumerate(net.named_buffers()):
        if name.endswith(("mean", "var")):
            buffer.copy_(filled(500 + k, buffer.shape, 0.3, float(name.endswith("var"))))
    return net.eval()


def torchvision(name):
    return "module." + name.replace("linear.", "fc.").replace(".shortcut.", ".downsample.")


def main():
    net = network()
    state = net.state_dict()
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    checkpoint = {
        "epoch": 3,
        "arch": "resnet18",
        "state_dict": OrderedDict((torchvision(name), tensor) for name, tensor in state.items()),
        "optimizer": optimizer.state_dict(),
        "best": (0.5, None, [1, -2, 300, 2**40, True]),
    }
    torch.save({**tensors(), "epoch": 3, "note": "é", "rate": 0.1}, GOLDEN / f"torch-{VERSION}.pth")
    torch.save(checkpoint, GOLDEN / f"torch-checkpoint-{VERSION}.pth")
    if VERSION != "1.13":
        return
    # Whole numbers as text: JSON's readers round them.
    written = lambda v: [str(int(x)) for x in v] if not v.is_floating_point() else [float(x) for x in v.double()]
    values = {
        name: {"dtype": str(t.dtype), "shape": list(t.shape), "values": written(t.detach().contiguous().flatten())}
        for name, t in tensors().items()
    }
    logits = net.double()(filled(7, (2, 3, 16, 16), 1.7)).detach()
    write_json("torch-files.json", {"tensors": values, "logits": logits.flatten().tolist()})
    arrays = {name: t.numpy() for name, t in state.items() if t.is_floating_point()}
    write_safetensors("torch-checkpoint.safetensors", arrays, {})


if __name__ == "__main__":
    main()
