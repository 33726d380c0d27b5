"""Small files of the published formats, written by the libraries that wrote the real ones: MAT v5 (SciPy, compressed and not),
.npy (NumPy), .tar.gz (tarfile). Pixels follow one formula: image i, channel c, row r, column k is (7 i + 50 c + 3 r + k) mod 256."""
import io
import os
import tarfile

import numpy as np
from scipy.io import savemat

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "../../test/golden")


def images(n, channels=3, height=32, width=32):
    i, c, r, k = np.ogrid[:n, :channels, :height, :width]
    return ((7 * i + 50 * c + 3 * r + k) % 256).astype(np.uint8)


def main():
    x, y = images(3), np.array([[1], [10], [9]], np.uint8)
    for name, packed in (("svhn", True), ("svhn-plain", False)):
        savemat(f"{OUT}/{name}.mat", {"X": x.transpose(2, 3, 1, 0), "y": y}, do_compression=packed)
    np.save(f"{OUT}/images-u1.npy", images(5, 1, 4, 6))
    np.save(f"{OUT}/images-f4.npy", images(5, 1, 4, 6).astype(np.float32) / 8)
    np.save(f"{OUT}/labels-i8.npy", np.array([0, 2, 1, 1, 0]))
    np.save(f"{OUT}/fortran.npy", np.asfortranarray(np.zeros((2, 3), np.float32)))
    with tarfile.open(f"{OUT}/cifar-10-binary.tar.gz", "w:gz", compresslevel=9) as tar:
        for b, name in enumerate([f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]):
            picture = images(b + 2)[b + 1 :]
            data = bytes([b]) + picture.tobytes()
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


if __name__ == "__main__":
    main()
