"""sam-family.json: five steps of SAM and its relatives with SGD and momentum, each as its authors' code takes them, in float64."""
import torch
from torch.nn import functional as F

from files import write_json
from fill import filled

INPUTS, HIDDEN, CLASSES, BATCH, STEPS = 4, 5, 3, 7, 5
LR, MOMENTUM, DECAY = 0.1, 0.9, 0.01


def parameters():
    """Linear, batch norm, tanh, linear: parameters by PyTorch's name."""
    shapes = {
        "in.weight": (HIDDEN, INPUTS), "in.bias": (HIDDEN,), "bn.weight": (HIDDEN,), "bn.bias": (HIDDEN,),
        "out.weight": (CLASSES, HIDDEN), "out.bias": (CLASSES,),
    }
    return {
        name: filled(10 + k, shape, 0.8 if len(shape) > 1 else 0.3, 1.0 if name == "bn.weight" else 0.0)
        for k, (name, shape) in enumerate(shapes.items())
    }


def loss_of(p, t, rows=slice(None), reduction="mean"):
    """The cross-entropy of mini-batch t at p, or of some of its examples alone."""
    x, y = filled(50 + t, (BATCH, INPUTS), 1.5), torch.tensor([(2 * i + t + 1) % CLASSES for i in range(BATCH)])
    x, y = x[rows], y[rows]
    h = F.linear(x, p["in.weight"], p["in.bias"])
    h = torch.tanh(F.batch_norm(h, None, None, p["bn.weight"], p["bn.bias"], training=True))
    return F.cross_entropy(F.linear(h, p["out.weight"], p["out.bias"]), y, reduction=reduction)


def gradients_of(p, t, rows=slice(None)):
    """Its gradient, by name."""
    leaves = {name: value.clone().requires_grad_() for name, value in p.items()}
    loss_of(leaves, t, rows).backward()
    return {name: leaf.grad for name, leaf in leaves.items()}


def norm(x):
    return torch.norm(torch.stack([value.norm(p=2) for value in x.values()]), p=2)


def moved(p, x, by):
    return {name: p[name] + by * x[name] if name in x else p[name] for name in p}


class Sgd:
    """PyTorch's SGD, which every method here steps with."""
    decay = DECAY

    def __init__(self, **hyper):
        self.__dict__.update(hyper)
        self.buffer = None

    def descend(self, p, g):
        d = {name: g[name] + self.decay * p[name] for name in p}
        self.buffer = d if self.buffer is None else {name: MOMENTUM * self.buffer[name] + d[name] for name in p}
        return moved(p, self.buffer, -LR)

    def step(self, p, t):
        return self.descend(p, gradients_of(p, t))


class Sam(Sgd):
    def along(self, p, g):
        """What the perturbation is parallel to, by name, and its norm."""
        return g, norm(g)

    def step(self, p, t):
        direction, length = self.along(p, gradients_of(p, t))
        return self.descend(p, gradients_of(moved(p, direction, self.rho / length), t))


class Asam(Sam):
    """T = |w| + eta where the name has "weight"; the perturbation is rho T^2 g / |T g|."""

    def along(self, p, g):
        scale = {name: p[name].abs() + self.eta if "weight" in name else torch.ones_like(p[name]) for name in p}
        scaled = {name: scale[name] * g[name] for name in p}
        return {name: scale[name] * scaled[name] for name in p}, norm(scaled)


class SamOn(Sam):
    def along(self, p, g):
        some = {name: g[name] for name in p if "norm" in name or "bn" in name}
        return some, norm(some)


class FriendlySam(Sam):
    mean = None

    def along(self, p, g):
        if self.mean is None:
            self.mean = g
            return g, norm(g)
        left = {name: g[name] - self.sigma * self.mean[name] for name in p}
        self.mean = {name: self.mean[name] * self.lmbda + g[name] * (1 - self.lmbda) for name in p}
        return left, norm(left)


class Vasso(Sam):
    ema = None

    def along(self, p, g):
        old = self.ema
        self.ema = g if old is None else {name: (1 - self.theta) * old[name] + self.theta * g[name] for name in p}
        return self.ema, norm(self.ema)


class Gsam(Sgd):
    def step(self, p, t):
        old = gradients_of(p, t)
        new = gradients_of(moved(p, old, self.rho / norm(old)), t)
        inner = sum((old[name] * new[name]).sum() for name in p)
        cosine = inner / (norm(new) * norm(old))
        vertical = {name: old[name] - cosine * norm(old) * new[name] / norm(new) for name in p}
        return self.descend(p, moved(new, vertical, -self.alpha))


class Wsam(Sgd):
    """decouple=True: the base step, with its momentum, on g; then one along the sharpness."""

    def step(self, p, t):
        g = gradients_of(p, t)
        ahead = gradients_of(moved(p, g, self.rho / norm(g)), t)
        sharpness = {name: ahead[name] - g[name] for name in p}
        return moved(self.descend(p, g), sharpness, -LR * self.gamma / (1 - self.gamma))


class WsamCoupled(Wsam):
    """decouple=False."""

    def step(self, p, t):
        g = gradients_of(p, t)
        ahead = gradients_of(moved(p, g, self.rho / norm(g)), t)
        alpha = self.gamma / (1 - self.gamma)
        return self.descend(p, {name: alpha * ahead[name] + (1 - alpha) * g[name] for name in p})


class CrSam(Sgd):
    def step(self, p, t):
        original = gradients_of(p, t)
        up = moved(p, original, self.rho / norm(original))
        worst = gradients_of(up, t)
        best = gradients_of(moved(up, original, -2 * self.rho / norm(original)), t)
        return self.descend(p, {
            name: worst[name] + self.gamma * (worst[name] + best[name] - 2 * original[name])
            + self.beta * (worst[name] - best[name])
            for name in p
        })


class LookSam(Sgd):
    count = 0

    def step(self, p, t):
        g = gradients_of(p, t)
        due = self.count % self.k == 0
        self.count += 1
        if not due:
            return self.descend(p, moved(g, self.across, self.alpha * norm(g)))
        ahead = gradients_of(moved(p, g, self.rho / norm(g)), t)
        inner = sum((ahead[name] * g[name]).sum() for name in p)
        across = moved(ahead, g, -inner / norm(g) ** 2)
        self.across = {name: across[name] / norm(across) for name in p}
        return self.descend(p, ahead)


class Msam(Sgd):
    """The weights lie at the perturbed point between steps, as in the authors' code; what is returned is without it. No weight decay."""
    decay = 0.0
    held = None

    def step(self, p, t):
        held = p if self.held is None else self.held
        g = gradients_of(held, t)
        back = held if self.buffer is None else moved(held, self.buffer, self.rho / norm(self.buffer))
        there = self.descend(back, g)
        self.held = moved(there, self.buffer, -self.rho / norm(self.buffer))
        return there


class AeSam(Sgd):
    """SAM where the squared norm of the gradient is large for its running mean and deviation; else the base step."""
    mean = variance = 0.0
    count = 0

    def step(self, p, t):
        g = gradients_of(p, t)
        square = norm(g) ** 2
        self.mean = self.delta * self.mean + (1 - self.delta) * square
        self.variance = self.delta * self.variance + (1 - self.delta) * (square - self.mean) ** 2
        part = min(self.count / self.span, 1)
        self.count += 1
        if square < self.mean + (part * self.lambda1 + (1 - part) * self.lambda2) * self.variance**0.5:
            return self.descend(p, g)
        return self.descend(p, gradients_of(moved(p, g, self.rho / norm(g)), t))


class Esam(Sgd):
    """Tensor k takes part in step t > 0 with probability beta: number (f + 1)/2, f of seed 400 + 10 t + k, is beta at most."""

    def step(self, p, t):
        g = gradients_of(p, t)
        kept = {
            name: g[name] for k, name in enumerate(p)
            if t == 0 or (filled(400 + 10 * t + k, (1,)).item() + 1) / 2 <= self.beta
        }
        up = moved(p, kept, self.rho / norm(kept) / self.beta)
        with torch.no_grad():
            rise = loss_of(up, t, reduction="none") - loss_of(p, t, reduction="none")
        cutoff = torch.topk(rise, int(BATCH * self.gamma))[0][-1]
        return self.descend(p, gradients_of(up, t, rise > cutoff))


class BayesianSam(Sgd):
    """It has momentum and decay of its own; noise of step t and parameter k: seed 300 + 10 t + k."""

    def step(self, p, t):
        if t == 0:
            self.m = {name: torch.zeros_like(value) for name, value in p.items()}
            self.s = {name: torch.ones_like(value) for name, value in p.items()}
        s = self.s
        noise = {name: filled(300 + 10 * t + k, value.shape) for k, (name, value) in enumerate(p.items())}
        h = gradients_of({name: p[name] + noise[name] / torch.sqrt(self.examples * s[name]) for name in p}, t)
        d = gradients_of({name: p[name] + self.rho * h[name] / s[name] for name in p}, t)
        b1, b2 = self.beta1, self.beta2
        self.m = {name: b1 * self.m[name] + (1 - b1) * (d[name] + self.delta * p[name]) for name in p}
        after = {name: p[name] - LR * self.m[name] / s[name] for name in p}
        self.s = {
            name: b2 * s[name] + (1 - b2) * (torch.sqrt(s[name]) * h[name].abs() + self.damping + self.delta) for name in p
        }
        return after


class Xsam(Sgd):
    """With one ascent: the place on the arc through the unit vectors of the perturbation and of the gradient there, chosen at every k-th step."""
    count = 0

    def step(self, p, t):
        g = gradients_of(p, t)
        ahead = gradients_of(moved(p, g, self.rho / norm(g)), t)
        one, other = ({name: x[name] / norm(x) for name in p} for x in (g, ahead))
        angle = torch.arccos(sum((one[name] * other[name]).sum() for name in p))

        def place(a):
            weights = torch.sin((1 - a) * angle) / torch.sin(angle), torch.sin(a * angle) / torch.sin(angle)
            return {name: weights[0] * one[name] + weights[1] * other[name] for name in p}

        if self.count % self.k == 0:
            losses = [loss_of(moved(p, place(i / 10), self.rho_max), t).item() for i in range(21)]
            self.chosen = losses.index(max(losses)) / 10
        self.count += 1
        direction = place(self.chosen)
        return self.descend(p, {name: norm(ahead) * direction[name] for name in p})


class Sampa(Sgd):
    """Of each mini-batch the gradient at the point ahead is used in the step on the next one; the first step has no such point."""
    before, along = None, None

    def step(self, p, t):
        if self.before is None:
            y, self.before = p, (p, t)
        else:
            momentum = {name: MOMENTUM * self.buffer[name] + self.decay * p[name] for name in p}
            y = {name: p[name] - LR * (self.along[name] + momentum[name]) for name in p}
        there, batch = self.before
        ahead, self.along = gradients_of(there, batch), gradients_of(y, t)
        after = self.descend(p, {name: (1 - self.lmbda) * ahead[name] + self.lmbda * self.along[name] for name in p})
        self.before = (moved(after, self.along, self.rho / norm(self.along)), t)
        return after


def sharp(p):
    """The unit vector that stands for the top eigenvector."""
    v = {name: filled(90 + k, value.shape) for k, (name, value) in enumerate(p.items())}
    return {name: value / norm(v) for name, value in v.items()}


def turned(x, alpha):
    """x over its norm, with alpha times the part of v across it, on the side of v that it is on."""
    unit = {name: value / norm(x) for name, value in x.items()}
    v = sharp(x)
    inner = sum((unit[name] * v[name]).sum() for name in x)
    return {name: unit[name] + alpha * torch.sign(inner) * (v[name] - inner * unit[name]) for name in x}


def aligned(rule):
    """The rule's perturbation turned towards v, its part along the rule's own as long as that."""

    class Aligned(rule):
        def along(self, p, g):
            direction, length = super().along(p, g)
            return turned(direction, self.align), length / norm(direction)

    return Aligned


class AlignedGsam(Sgd):
    def step(self, p, t):
        old = gradients_of(p, t)
        new = gradients_of(moved(p, turned(old, self.align), self.rho), t)
        inner = sum((old[name] * new[name]).sum() for name in p)
        vertical = {name: old[name] - inner * new[name] / norm(new) ** 2 for name in p}
        return self.descend(p, moved(new, vertical, -self.alpha))


METHODS = {
    "sgd": Sgd(),
    "sam": Sam(rho=0.3),
    "f-sam": FriendlySam(rho=0.3, sigma=0.8, lmbda=0.7),
    "vasso": Vasso(rho=0.3, theta=0.6),
    "gsam": Gsam(rho=0.3, alpha=0.4),
    "msam": Msam(rho=0.3),
    "sam-on": SamOn(rho=0.3),
    "wsam": Wsam(rho=0.3, gamma=0.6),
    "wsam, coupled": WsamCoupled(rho=0.3, gamma=0.6),
    "asam-eta": Asam(rho=0.3, eta=0.05),
    "cr-sam": CrSam(rho=0.3, gamma=0.4, beta=0.2),
    "look-sam": LookSam(rho=0.3, alpha=0.5, k=3),
    "ae-sam": AeSam(rho=0.3, delta=0.6, lambda1=-1, lambda2=1.5, span=4),
    "bsam": BayesianSam(rho=0.3, beta1=0.7, beta2=0.8, examples=20, delta=0.01, damping=0.1),
    "sampa": Sampa(rho=0.3, lmbda=0.3),
    "xsam": Xsam(rho=0.3, rho_max=0.5, k=3),
    "esam": Esam(rho=0.3, beta=0.6, gamma=0.8),
    "sam, aligned": aligned(Sam)(rho=0.3, align=0.7),
    "asam-eta, aligned": aligned(Asam)(rho=0.3, eta=0.05, align=0.7),
    "f-sam, aligned": aligned(FriendlySam)(rho=0.3, sigma=0.8, lmbda=0.7, align=0.7),
    "gsam, aligned": AlignedGsam(rho=0.3, alpha=0.4, align=0.7),
}


def path(method):
    p, steps = parameters(), []
    for t in range(STEPS):
        p = method.step(p, t)
        steps.append(torch.cat([value.flatten() for value in p.values()]).tolist())
    return steps


def main():
    named = parameters()
    write_json("sam-family.json", {
        "names": list(named),
        "shapes": [list(value.shape) for value in named.values()],
        **{name: path(method) for name, method in METHODS.items()},
    })


if __name__ == "__main__":
    main()
