"""Writes test/golden/geometry.json: images moved, turned and slanted by Pillow, with the matrices and centres of torchvision's RandAugment,
which calls Pillow so. Needs Pillow: python scripts/golden/geometry.py"""
import base64
import json
import math
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parent.parent.parent / "test/golden/geometry.json"
MOST = 30
FILL = 77
FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}


def moved(image, operation, magnitude, resample):
    w, h = image.size
    if operation == "rotate":
        return image.rotate(30.0 * magnitude / MOST, resample, fillcolor=FILL)
    shear, far = 0.3 * magnitude / MOST, 150 / 331 * magnitude / MOST
    matrix = {
        "shearX": (1, shear, 0, 0, 1, 0),
        "shearY": (1, 0, 0, shear, 1, 0),
        "translateX": (1, 0, -int(far * w), 0, 1, 0),
        "translateY": (1, 0, 0, 0, 1, -int(far * h)),
    }[operation]
    return image.transform(image.size, Image.Transform.AFFINE, matrix, resample, fillcolor=FILL)


def main():
    golden = {"fill": FILL, "images": [], "cases": []}
    for w, h in [(13, 9), (28, 28)]:
        values = [int(127 + 120 * math.sin(x / 2 + y) * math.cos(y / 3)) for y in range(h) for x in range(w)]
        image = Image.new("L", (w, h))
        image.putdata(values)
        at = len(golden["images"])
        golden["images"].append({"width": w, "height": h, "pixels": base64.b64encode(image.tobytes()).decode()})
        for operation in ["shearX", "shearY", "translateX", "translateY", "rotate"]:
            for magnitude in [-30, -9, 4, 17]:
                for name, resample in FILTERS.items():
                    pixels = base64.b64encode(moved(image, operation, magnitude, resample).tobytes()).decode()
                    golden["cases"].append({"image": at, "operation": operation, "magnitude": magnitude, "interpolation": name, "pixels": pixels})
    head = {key: value for key, value in golden.items() if key != "cases"}
    cases = ",\n".join(json.dumps(case) for case in golden["cases"])
    OUT.write_text(json.dumps(head)[:-1] + ', "cases": [\n' + cases + "\n]}\n")


if __name__ == "__main__":
    main()
