"""CIFAR ResNet-18 and ResNet-50 (He et al. 2015, 3x3 stem) in PyTorch, with the usual parameter names:
conv1, bn1, layer1.0.conv1, layer1.0.shortcut.0, linear. Shared by the golden files and the benchmark peer."""
import torch
from torch import nn


def silu(x):
    return x * torch.sigmoid(x)


def conv(cin, cout, kernel, stride=1):
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)


class Residual(nn.Module):
    """A chain of (in, out, kernel, stride) convolutions, each batch-normalized, added to a shortcut and activated."""

    def __init__(self, chain, activation):
        super().__init__()
        self.depth, self.activation = len(chain), activation
        for i, spec in enumerate(chain, 1):
            setattr(self, f"conv{i}", conv(*spec))
            setattr(self, f"bn{i}", nn.BatchNorm2d(spec[1]))
        cin, cout, stride = chain[0][0], chain[-1][1], max(spec[3] for spec in chain)
        same = cin == cout and stride == 1
        self.shortcut = nn.Sequential(*([] if same else [conv(cin, cout, 1, stride), nn.BatchNorm2d(cout)]))

    def forward(self, x):
        y = x
        for i in range(1, self.depth + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.depth:
                y = self.activation(y)
        return self.activation(y + self.shortcut(x))


def basic(cin, planes, stride):
    return [(cin, planes, 3, stride), (planes, planes, 3, 1)]


def bottleneck(cin, planes, stride):
    return [(cin, planes, 1, 1), (planes, planes, 3, stride), (planes, 4 * planes, 1, 1)]


ARCHITECTURES = {"resnet18": (basic, (2, 2, 2, 2)), "resnet50": (bottleneck, (3, 4, 6, 3))}


class ResNet(nn.Module):
    """Stem, four stages of `width`, 2, 4 and 8 `width` planes, global average pool, linear classifier."""

    def __init__(self, name, width=64, classes=10, channels=3, activation=torch.relu):
        super().__init__()
        chain_of, depths = ARCHITECTURES[name]
        self.activation = activation
        self.conv1, self.bn1 = conv(channels, width, 3), nn.BatchNorm2d(width)
        cin = width
        for stage, depth in enumerate(depths):
            blocks = []
            for i in range(depth):
                chain = chain_of(cin, width << stage, 2 if stage and not i else 1)
                blocks.append(Residual(chain, activation))
                cin = chain[-1][1]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.activation(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(x.mean((2, 3)))
