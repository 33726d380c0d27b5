"""Deterministic numbers that a few lines of any language reproduce, so that golden files hold no inputs."""
import numpy as np
import torch


def fill(seed, n, scale=1.0, offset=0.0):
    """n float32 numbers in [offset - scale, offset + scale): the 32-bit finalizer of MurmurHash3 on a counter.

    h = i + seed * 0x9E3779B1 (mod 2^32), mixed; value = float32((h / 2^32 * 2 - 1) * scale), computed in float64.
    A non-zero offset is added to that float32 and the sum rounded to float32 again.
    """
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(n, dtype=np.uint64) + np.uint64(seed * 0x9E3779B1 % 2**32)) & mask
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(0x85EBCA6B)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(0xC2B2AE35)) & mask
    h ^= h >> np.uint64(16)
    value = ((h.astype(np.float64) / 2**32 * 2 - 1) * scale).astype(np.float32)
    return value if offset == 0 else value + np.float32(offset)


def filled(seed, shape, scale=1.0, offset=0.0):
    """`fill` as a float64 tensor of the given shape, row-major: float32 values held exactly."""
    values = fill(seed, int(np.prod(shape)), scale, offset)
    return torch.from_numpy(values.astype(np.float64)).reshape(tuple(shape))
