"""Writes test/golden/images.json: PNG and JPEG files by Pillow, their pixels as Pillow decodes them, and their squares by Pillow's resize
with the sizes and places of torchvision's Resize and CenterCrop. Needs Pillow: python scripts/golden/images.py"""

import base64
import io
import json
import math
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parent.parent.parent / "test/golden/images.json"
W, H = 21, 13


def text(data):
    return base64.b64encode(data).decode()


colour = Image.new("RGB", (W, H))
colour.putdata(
    [(int(127 + 120 * math.sin(x / 3) * math.cos(y / 4)), x * 12 % 256, (y * 19 + x * 3) % 256) for y in range(H) for x in range(W)]
)
grey = colour.convert("L")
alpha = colour.copy()
alpha.putalpha(grey)
deep = Image.new("I;16", (W, H))
deep.putdata([(x * 3119 + y * 977) % 65536 for y in range(H) for x in range(W)])

images = {
    "colour.png": (colour, {}),
    "grey.png": (grey, {}),
    "alpha.png": (alpha, {}),
    "grey-alpha.png": (alpha.convert("LA"), {}),
    "palette.png": (colour.quantize(200), {}),
    "palette-4.png": (colour.quantize(11), {"bits": 4}),
    "palette-2.png": (colour.quantize(4), {"bits": 2}),
    "one-bit.png": (grey.point(lambda v: 255 * (v > 100)).convert("1"), {}),
    "deep.png": (deep, {}),
    "420.jpg": (colour, {"quality": 85}),
    "444.jpg": (colour, {"quality": 95, "subsampling": 0}),
    "progressive.jpg": (colour, {"progressive": True}),
    "grey.jpg": (grey, {}),
    "tall.jpg": (colour.transpose(Image.Transpose.ROTATE_90), {}),
    "cmyk.jpg": (colour.convert("CMYK"), {}),
}


def square(image, size):
    w, h = image.size
    short = min(w, h)
    to = [size if side == short else int(size * side / short) for side in (w, h)]
    if to != [w, h]:
        image = image.resize(to, Image.Resampling.BILINEAR)
    left, top = int(round((to[0] - size) / 2.0)), int(round((to[1] - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


golden = {}
for name, (image, options) in images.items():
    file = io.BytesIO()
    image.save(file, name.split(".")[-1].replace("jpg", "jpeg"), **options)
    entry = {"file": text(file.getvalue())}
    if name != "cmyk.jpg":
        read = Image.open(io.BytesIO(file.getvalue()))
        one = read.mode in ("1", "L", "LA", "I;16", "I")
        if name == "deep.png":  # Pillow clips 16 bits; here the upper 8 are kept.
            values = bytes((x * 3119 + y * 977) % 65536 >> 8 for y in range(H) for x in range(W))
            read = Image.frombytes("L", (W, H), values)
        read = read.convert("L" if one else "RGB")
        entry |= {"width": read.size[0], "height": read.size[1], "channels": 1 if one else 3, "pixels": text(read.tobytes())}
        if name in ("colour.png", "tall.jpg", "grey.png"):
            entry["squares"] = {str(size): text(square(read, size).tobytes()) for size in (6, 7, 12, 13, 30)}
    golden[name] = entry
OUT.write_text(json.dumps(golden, indent=1) + "\n")
