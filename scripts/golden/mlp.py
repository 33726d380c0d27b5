"""mlp-tanh.json: first, second and third derivatives of a 6-5-4-3 tanh network in float64."""
import torch
from torch.nn import functional as F

from files import write_json
from fill import filled

WIDTHS, BATCH = (6, 5, 4, 3), 7


def parameters():
    """Weights [out, in] and biases by name, in PyTorch's order."""
    named = {}
    for l, (cin, cout) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        named[f"layers.{l}.weight"] = filled(10 + 2 * l, (cout, cin), 0.8)
        named[f"layers.{l}.bias"] = filled(11 + 2 * l, (cout,), 0.3)
    return named


def loss_of(theta, shapes, x, y):
    """Mean cross-entropy as a function of the flat parameter vector."""
    parts = [part.reshape(shape) for part, shape in zip(theta.split([s.numel() for s in shapes]), shapes)]
    layers = list(zip(parts[::2], parts[1::2]))
    for weight, bias in layers[:-1]:
        x = torch.tanh(F.linear(x, weight, bias))
    return F.cross_entropy(F.linear(x, *layers[-1]), y)


def main():
    named = parameters()
    theta = torch.cat([p.flatten() for p in named.values()]).requires_grad_()
    x = filled(1, (BATCH, WIDTHS[0]))
    y = torch.tensor([(2 * i + 1) % WIDTHS[-1] for i in range(BATCH)])
    loss = loss_of(theta, [p.shape for p in named.values()], x, y)
    derivative = lambda value: torch.autograd.grad(value, theta, create_graph=True)[0]
    g = derivative(loss)
    u, v = g.detach() / g.detach().norm(), filled(5, theta.shape)
    eigenvalues = torch.linalg.eigvalsh(torch.stack([derivative(gi) for gi in g]).detach())
    write_json("mlp-tanh.json", {
        "names": list(named),
        "shapes": [list(p.shape) for p in named.values()],
        "loss": loss.item(),
        "grad": g.tolist(),
        "hvp": derivative(g @ v).tolist(),
        "third": derivative(derivative(g @ u) @ u).tolist(),
        "topEigenvalue": eigenvalues[-1].item(),
        "eigenvalues": eigenvalues.tolist(),
    })


if __name__ == "__main__":
    main()
