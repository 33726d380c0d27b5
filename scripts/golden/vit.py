"""vit.json: vision transformers in float64: names, logits, gradient, Hessian-vector product and T[u, u]; vit-*.safetensors: their weights."""
import numpy as np
import torch
from torch.nn import functional as F

from files import write_json, write_safetensors
from fill import filled
from models import initialize, summary
from torch_vit import LIBRARIES, Decoder, TorchvisionViT

CASES = [
    ("vit", {"classes": 10, "width": 48, "depth": 2, "heads": 3, "patch": 4}, (3, 3, 12, 8)),
    ("vit-b16", {"classes": 4, "width": 12, "depth": 1, "heads": 2, "patch": 8}, (2, 1, 16, 16)),
]
#: Small, so that the files of the three libraries are.
WEIGHTS = ({"classes": 4, "width": 8, "depth": 2, "heads": 2, "patch": 4}, (2, 3, 12, 8))


def network(options, shape):
    net = TorchvisionViT(shape[2:], channels=shape[1], **options).double()
    initialize(net)
    return net


def evaluate(name, options, shape):
    y = torch.tensor([(3 * i + 1) % options["classes"] for i in range(shape[0])])
    return {"model": name} | derivatives(network(options, shape), filled(7, shape, 1.7), y, options)


def sequences():
    """A decoder on tokens (5i² + 3) mod 7, i counted over the whole batch; the label of token i is (3i + 1) mod 7."""
    shape, options = (3, 6), {"vocabulary": 7, "width": 12, "depth": 2, "heads": 2}
    at = torch.arange(18).reshape(shape)
    net = Decoder(shape[1], **options).double()
    initialize(net)
    return derivatives(net, (5 * at * at + 3) % 7, (3 * at + 1) % 7, options)


def derivatives(net, x, y, options):
    parameters = list(net.parameters())
    tangent = [filled(1000 + k, p.shape) for k, p in enumerate(parameters)]
    logits = net(x)
    loss = F.cross_entropy(logits.flatten(0, -2), y.flatten())
    g = torch.autograd.grad(loss, parameters, create_graph=True)
    hvp = torch.autograd.grad(g, parameters, grad_outputs=tangent, create_graph=True)
    third = torch.autograd.grad(hvp, parameters, grad_outputs=tangent)
    return {
        "options": options, "inputShape": list(x.shape),
        "parameters": [[n, list(p.shape)] for n, p in net.named_parameters()],
        "buffers": [],
        "logits": logits.flatten().tolist(),
        "loss": loss.item(),
        "grad": summary([t.detach() for t in g], 2000),
        "hvp": summary([t.detach() for t in hvp], 3000),
        "third": summary(third, 4000),
    }


def weights():
    """The same network under the names of each library, and its logits, which each computes from its own names."""
    options, shape = WEIGHTS
    net = network(options, shape)
    x = filled(7, shape, 1.7)
    with torch.no_grad():
        logits = net(x)
        states = {"torchvision": net.state_dict()}
        for library, kind in LIBRARIES.items():
            states[library] = kind.rename(states["torchvision"])
            error = (kind.run(states[library], x, options["heads"], options["patch"]) - logits).abs().max().item()
            assert error < 1e-12, (library, error)
    for library, state in states.items():
        arrays = {name: tensor.numpy().astype(np.float32) for name, tensor in state.items()}
        write_safetensors(f"vit-{library}.safetensors", arrays, {"format": "pt"})
    return {"options": options, "inputShape": list(shape), "logits": logits.flatten().tolist()}


def main():
    torch.set_num_threads(1)
    write_json("vit.json", {"cases": [evaluate(*case) for case in CASES], "weights": weights(), "sequences": sequences()}, rows="cases")


if __name__ == "__main__":
    main()
