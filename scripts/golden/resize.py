"""resize.json: images resized by PyTorch's interpolate without corner alignment, in float64."""
from torch.nn.functional import interpolate

from files import write_json
from fill import filled

CASES = [
    ("bilinear", (2, 3, 5, 7), (12, 9)),
    ("bilinear", (1, 2, 8, 9), (3, 4)),
    ("bilinear", (1, 1, 1, 4), (2, 4)),
    ("bicubic", (1, 4, 3, 3), (5, 4)),
    ("bicubic", (1, 2, 6, 6), (2, 3)),
    ("bicubic", (1, 1, 1, 2), (4, 3)),
]


def resized(mode, shape, size):
    y = interpolate(filled(11, shape), size=size, mode=mode, align_corners=False)
    return {"mode": mode, "shape": list(shape), "size": list(size), "output": y.flatten().tolist()}


def main():
    write_json("resize.json", {"cases": [resized(*case) for case in CASES]}, rows="cases")


if __name__ == "__main__":
    main()
