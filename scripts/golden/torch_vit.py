"""One vision transformer three times over, each under the parameter names of another library: torchvision, Hugging Face, timm."""
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F


class LayerNorm(nn.LayerNorm):
    """By its formula: the third derivative of PyTorch 1.13's own is wrong, 17 % of the whole beside a second difference of gradients."""

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + self.eps) * self.weight + self.bias


def block_of(width, heads, norm=LayerNorm):
    """A pre-norm block under torchvision's names; the attention is PyTorch's own module."""
    block = nn.Module()
    block.ln_1 = norm(width, eps=1e-6)
    block.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
    block.ln_2 = norm(width, eps=1e-6)
    block.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(0.0), nn.Linear(4 * width, width))
    return block


class TorchvisionViT(nn.Module):
    """Dosovitskiy et al. 2021; images may be of any height and width that the patch divides."""

    def __init__(self, size, channels=3, classes=10, width=48, depth=2, heads=3, patch=4, norm=LayerNorm):
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.encoder = nn.Module()
        places = (size[0] // patch) * (size[1] // patch) + 1
        self.encoder.pos_embedding = nn.Parameter(torch.zeros(1, places, width))
        self.encoder.layers = nn.Module()
        for i in range(depth):
            setattr(self.encoder.layers, f"encoder_layer_{i}", block_of(width, heads, norm))
        self.encoder.ln = norm(width, eps=1e-6)
        self.heads = nn.Module()
        self.heads.head = nn.Linear(width, classes)

    def forward(self, images):
        patches = self.conv_proj(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(images), 1, -1), patches], 1) + self.encoder.pos_embedding
        for block in self.encoder.layers.children():
            y = block.ln_1(x)
            x = x + block.self_attention(y, y, y, need_weights=False)[0]
            x = x + block.mlp(block.ln_2(x))
        return self.heads.head(self.encoder.ln(x)[:, 0])


class Decoder(nn.Module):
    """A causal transformer over tokens, of the same blocks: logits at every position."""

    def __init__(self, length, vocabulary, width, depth, heads):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.pos_embedding = nn.Parameter(torch.zeros(1, length, width))
        self.layers = nn.ModuleList(block_of(width, heads) for _ in range(depth))
        self.ln = LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        x = self.embedding(tokens) + self.pos_embedding
        # A mask of -inf would make the third derivative NaN.
        unseen = -1e30 * torch.ones(2 * tokens.shape[1:], dtype=x.dtype).triu(1)
        for block in self.layers:
            y = block.ln_1(x)
            x = x + block.self_attention(y, y, y, attn_mask=unseen, need_weights=True)[0]
            x = x + block.mlp(block.ln_2(x))
        return self.head(self.ln(x))


def heads_first(x, heads):
    """[N, S, D] to [N, heads, S, D/heads]."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def weighted(q, k, v):
    """softmax(q k^T / sqrt(d)) v of [N, heads, S, d], joined to [N, S, D]."""
    scores = (q @ k.transpose(-1, -2)) / q.shape[-1] ** 0.5
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def linear(state, name, x):
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def norm(state, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)


def hugging_face(state):
    """The state dict under the names of transformers' ViTForImageClassification: queries, keys and values apart."""
    width = state["class_token"].shape[-1]
    named = {
        "vit.embeddings.cls_token": state["class_token"],
        "vit.embeddings.position_embeddings": state["encoder.pos_embedding"],
    }
    pairs = [("conv_proj", "vit.embeddings.patch_embeddings.projection")]
    depth = 1 + max(int(name.split(".")[2].split("_")[-1]) for name in state if ".encoder_layer_" in name)
    for i in range(depth):
        ours, theirs = f"encoder.layers.encoder_layer_{i}", f"vit.encoder.layer.{i}"
        for k, part in enumerate(("query", "key", "value")):
            rows = slice(k * width, (k + 1) * width)
            for kind in ("weight", "bias"):
                named[f"{theirs}.attention.attention.{part}.{kind}"] = state[f"{ours}.self_attention.in_proj_{kind}"][rows]
        pairs += [
            (f"{ours}.self_attention.out_proj", f"{theirs}.attention.output.dense"),
            (f"{ours}.mlp.0", f"{theirs}.intermediate.dense"),
            (f"{ours}.mlp.3", f"{theirs}.output.dense"),
            (f"{ours}.ln_1", f"{theirs}.layernorm_before"),
            (f"{ours}.ln_2", f"{theirs}.layernorm_after"),
        ]
    pairs += [("encoder.ln", "vit.layernorm"), ("heads.head", "classifier")]
    return named | renamed(state, pairs)


def run_hugging_face(state, images, heads, patch, eps=1e-6):
    """Logits from those names alone. The released checkpoints have eps 1e-12; with 1e-6 the network is torchvision's."""
    at = "vit.embeddings."
    x = F.conv2d(images, *(state[f"{at}patch_embeddings.projection.{kind}"] for kind in ("weight", "bias")), stride=patch)
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([state[f"{at}cls_token"].expand(len(x), 1, -1), x], 1) + state[f"{at}position_embeddings"]
    depth = sum(name.endswith("layernorm_before.weight") for name in state)
    for i in range(depth):
        layer = f"vit.encoder.layer.{i}"
        y = norm(state, f"{layer}.layernorm_before", x, eps)
        parts = (linear(state, f"{layer}.attention.attention.{part}", y) for part in ("query", "key", "value"))
        x = x + linear(state, f"{layer}.attention.output.dense", weighted(*(heads_first(part, heads) for part in parts)))
        y = F.gelu(linear(state, f"{layer}.intermediate.dense", norm(state, f"{layer}.layernorm_after", x, eps)))
        x = x + linear(state, f"{layer}.output.dense", y)
    return linear(state, "classifier", norm(state, "vit.layernorm", x, eps)[:, 0])


def timm(state):
    """The state dict under the names of timm's VisionTransformer: queries, keys and values together."""
    named = {"cls_token": state["class_token"], "pos_embed": state["encoder.pos_embedding"]}
    pairs = [("conv_proj", "patch_embed.proj")]
    depth = 1 + max(int(name.split(".")[2].split("_")[-1]) for name in state if ".encoder_layer_" in name)
    for i in range(depth):
        ours, theirs = f"encoder.layers.encoder_layer_{i}", f"blocks.{i}"
        for kind in ("weight", "bias"):
            named[f"{theirs}.attn.qkv.{kind}"] = state[f"{ours}.self_attention.in_proj_{kind}"]
        pairs += [
            (f"{ours}.ln_1", f"{theirs}.norm1"),
            (f"{ours}.self_attention.out_proj", f"{theirs}.attn.proj"),
            (f"{ours}.ln_2", f"{theirs}.norm2"),
            (f"{ours}.mlp.0", f"{theirs}.mlp.fc1"),
            (f"{ours}.mlp.3", f"{theirs}.mlp.fc2"),
        ]
    pairs += [("encoder.ln", "norm"), ("heads.head", "head")]
    return named | renamed(state, pairs)


def run_timm(state, images, heads, patch, eps=1e-6):
    """Logits from those names alone."""
    x = F.conv2d(images, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=patch)
    x = torch.cat([state["cls_token"].expand(len(x), 1, -1), x.flatten(2).transpose(1, 2)], 1) + state["pos_embed"]
    depth = sum(name.endswith("norm1.weight") for name in state)
    for i in range(depth):
        block = f"blocks.{i}"
        qkv = linear(state, f"{block}.attn.qkv", norm(state, f"{block}.norm1", x, eps))
        q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        x = x + linear(state, f"{block}.attn.proj", weighted(q, k, v))
        y = F.gelu(linear(state, f"{block}.mlp.fc1", norm(state, f"{block}.norm2", x, eps)))
        x = x + linear(state, f"{block}.mlp.fc2", y)
    return linear(state, "head", norm(state, "norm", x, eps)[:, 0])


def renamed(state, pairs):
    """Weight and bias of each pair of module names."""
    return {f"{theirs}.{kind}": state[f"{ours}.{kind}"] for ours, theirs in pairs for kind in ("weight", "bias")}


LIBRARIES = {
    "hugging-face": SimpleNamespace(rename=hugging_face, run=run_hugging_face),
    "timm": SimpleNamespace(rename=timm, run=run_timm),
}
