"""The registry's other networks in PyTorch: a multilayer perceptron, the six-layer CNN, ResNet-34 and Wide ResNet."""
import torch
from torch import nn
from torch.nn import functional as F

from torch_resnet import ARCHITECTURES, basic, conv

ARCHITECTURES["resnet34"] = (basic, (3, 4, 6, 3))


class Mlp(nn.Module):
    """`depth` hidden layers of `width` units on the flattened image."""

    def __init__(self, features, classes=10, width=128, depth=2, activation=torch.relu):
        super().__init__()
        sizes = [features] + depth * [width] + [classes]
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class Cnn6(nn.Module):
    """3x3 convolutions with biases, w-w-pool-2w-2w-pool-4w, global average pool, linear classifier; no batch norm."""

    def __init__(self, classes=10, width=32, channels=3, activation=torch.relu):
        super().__init__()
        self.activation = activation
        for n, (cin, cout) in enumerate([(channels, width), (width, width), (width, 2 * width), (2 * width, 2 * width),
                                         (2 * width, 4 * width)], 1):
            setattr(self, f"conv{n}", nn.Conv2d(cin, cout, 3, padding=1))
        self.linear = nn.Linear(4 * width, classes)

    def forward(self, x):
        act = self.activation
        x = F.max_pool2d(act(self.conv2(act(self.conv1(x)))), 2)
        x = F.max_pool2d(act(self.conv4(act(self.conv3(x)))), 2)
        return self.linear(act(self.conv5(x)).mean((2, 3)))


class SmoothCnn(nn.Module):
    """Two 3x3 convolutions with biases, each followed by the activation and average pooling; linear classifier."""

    def __init__(self, classes=10, width=8, channels=3, size=(8, 8), activation=torch.tanh):
        super().__init__()
        self.activation = activation
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.linear = nn.Linear(2 * width * (size[0] // 4) * (size[1] // 4), classes)

    def forward(self, x):
        for layer in (self.conv1, self.conv2):
            x = F.avg_pool2d(self.activation(layer(x)), 2)
        return self.linear(x.flatten(1))


class PreActivation(nn.Module):
    """Norm, activation and convolution, twice; where the channels change, the shortcut starts after the first activation."""

    def __init__(self, cin, cout, stride, activation):
        super().__init__()
        self.activation = activation
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), conv(cin, cout, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), conv(cout, cout, 3)
        self.convShortcut = None if cin == cout else conv(cin, cout, 1, stride)

    def forward(self, x):
        y = self.activation(self.bn1(x))
        z = self.conv2(self.activation(self.bn2(self.conv1(y))))
        return z + (x if self.convShortcut is None else self.convShortcut(y))


class Stage(nn.Module):
    """Blocks under the name `layer`, as in the PyTorch code of Wide ResNet in common use (xternalz/WideResNet-pytorch)."""

    def __init__(self, blocks, cin, cout, stride, activation):
        super().__init__()
        self.layer = nn.Sequential(*(PreActivation(cout if i else cin, cout, 1 if i else stride, activation)
                                     for i in range(blocks)))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """Zagoruyko & Komodakis 2016: depth 6n + 4, widening factor `width`, no dropout; names as in the code above."""

    def __init__(self, classes=10, width=10, depth=28, channels=3, activation=torch.relu):
        super().__init__()
        self.activation = activation
        sizes = [16, 16 * width, 32 * width, 64 * width]
        self.conv1 = conv(channels, sizes[0], 3)
        for n in (1, 2, 3):
            setattr(self, f"block{n}", Stage((depth - 4) // 6, *sizes[n - 1:n + 1], 1 if n == 1 else 2, activation))
        self.bn1 = nn.BatchNorm2d(sizes[3])
        self.fc = nn.Linear(sizes[3], classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(self.activation(self.bn1(x)).mean((2, 3)))
