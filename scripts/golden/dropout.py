"""dropout.json: a vision transformer in float64 whose dropout and stochastic depth take their masks from given random numbers."""
import numpy as np
import torch
from torch.nn import functional as F

from files import write_json
from fill import fill, filled
from models import initialize
from torch_vit import TorchvisionViT
from vit import derivatives

OPTIONS = {"classes": 4, "width": 12, "depth": 3, "heads": 2, "patch": 4}
RATES = {"dropout": 0.3, "attentionDropout": 0.2, "dropPath": 0.4}
SHAPE = (3, 2, 8, 8)


class Given:
    """Stands in for PyTorch's dropout: number by number, in the order of its calls, what is drawn is fill(60), moved to [0, 1)."""

    def __init__(self):
        self.taken = 0

    def mask(self, shape, rate):
        count = int(np.prod(shape))
        drawn = (fill(60, self.taken + count).astype(np.float64)[self.taken:] + 1) / 2
        self.taken += count
        return torch.from_numpy((drawn >= rate) / (1 - rate)).reshape(shape)

    def dropout(self, x, p=0.5, training=True, inplace=False):
        return x * self.mask(x.shape, p) if training and p > 0 else x

    def stochastic_depth(self, x, rate, training):
        return x * self.mask((len(x), 1, 1), rate) if training and rate > 0 else x


class DroppingViT(TorchvisionViT):
    """torchvision's places of dropout (its Encoder, EncoderBlock and MLPBlock), timm's of stochastic depth (its Block, rates linspace(0, rate, depth))."""

    def __init__(self, given, dropout, attentionDropout, dropPath, **options):
        super().__init__(SHAPE[2:], channels=SHAPE[1], **options)
        self.given, self.rate = given, dropout
        self.paths = torch.linspace(0, dropPath, options["depth"], dtype=torch.float64).tolist()
        for block in self.encoder.layers.children():
            block.self_attention.dropout = attentionDropout
            block.mlp[2].p = dropout

    def forward(self, images):
        patches = self.conv_proj(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(images), 1, -1), patches], 1) + self.encoder.pos_embedding
        x = F.dropout(x, self.rate, self.training)
        for block, path in zip(self.encoder.layers.children(), self.paths):
            y = block.ln_1(x)
            y = block.self_attention(y, y, y, need_weights=True)[0]
            x = x + self.given.stochastic_depth(F.dropout(y, self.rate, self.training), path, self.training)
            y = F.dropout(block.mlp(block.ln_2(x)), self.rate, self.training)
            x = x + self.given.stochastic_depth(y, path, self.training)
        return self.heads.head(self.encoder.ln(x)[:, 0])


def main():
    torch.set_num_threads(1)
    given = Given()
    net = DroppingViT(given, **RATES, **OPTIONS).double()
    initialize(net)
    x, y = filled(7, SHAPE, 1.7), torch.tensor([(3 * i + 1) % 4 for i in range(SHAPE[0])])
    own, F.dropout = F.dropout, given.dropout
    try:
        found = derivatives(net.train(), x, y, OPTIONS | RATES)
        draws = given.taken
        with torch.no_grad():
            inference = net.eval()(x).flatten().tolist()
    finally:
        F.dropout = own
    assert given.taken == draws
    write_json("dropout.json", {"cases": [{"model": "vit"} | found | {"inference": inference, "draws": draws}]}, rows="cases")


if __name__ == "__main__":
    main()
