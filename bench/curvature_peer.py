#!/usr/bin/env python3
"""The largest eigenvalues of a Hessian by PyTorch's tools, for scripts/compare-curvature.ts: one line of JSON.

    python bench/curvature_peer.py --tool curvlinops --model resnet18 --width 16 --channels 1 --top 3 --tolerance 0.001 \
        weights.safetensors images.npy labels.npy

The loss is the mean over mini-batches of --batch images, with running statistics of batch norm, which is what PyHessian measures.
  curvlinops  its Hessian as a linear operator, and SciPy's eigsh (ARPACK's restarted Lanczos) to --tolerance
  pyhessian   its power iteration with deflation, until an eigenvalue changes by less than --tolerance
Residuals are measured afterwards, by further products that are not timed.
"""
import argparse
import json
import time

import numpy as np
import torch
from torch import nn

from torch_peer import NETWORKS

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("files", nargs=3, metavar="FILE", help="weights.safetensors, images.npy [N, C, H, W], labels.npy [N]")
parser.add_argument("--tool", choices=("curvlinops", "pyhessian"), required=True)
parser.add_argument("--model", choices=sorted(NETWORKS), default="resnet18")
for name, value in {"width": 16, "depth": 0, "channels": 1, "classes": 10, "size": 28, "batch": 128, "top": 3, "threads": 2}.items():
    parser.add_argument(f"--{name}", type=int, default=value)
parser.add_argument("--tolerance", type=float, default=1e-3)
parser.add_argument("--ncv", type=int, default=0, help="vectors that eigsh keeps; 0 is SciPy's own number, 20 at least")
parser.add_argument("--max-products", type=int, default=1000)


def weights_of(path):
    """The tensors of a safetensors file: a length, a header of names, types and places, and the numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: torch.from_numpy(np.frombuffer(data[slice(*at["data_offsets"])], np.float32).reshape(at["shape"]).copy())
        for name, at in header.items()
    }


def problem(options):
    weights, images, labels = options.files
    net = NETWORKS[options.model](options)
    missing, unexpected = net.load_state_dict(weights_of(weights), strict=False)
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise SystemExit(f"{weights} does not fit: missing {missing}, unexpected {unexpected}")
    x, y = torch.from_numpy(np.load(images)), torch.from_numpy(np.load(labels).astype(np.int64))
    return net.eval(), list(zip(x.split(options.batch), y.split(options.batch)))


def hessian_of(net, batches):
    from curvlinops import HessianLinearOperator

    parameters = [p for p in net.parameters() if p.requires_grad]
    return HessianLinearOperator(net, nn.CrossEntropyLoss(), parameters, batches, check_deterministic=False).to_scipy()


def by_curvlinops(net, batches, options):
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator, products = hessian_of(net, batches), 0

    def product(v):
        nonlocal products
        products += 1
        return operator @ v

    start = np.random.default_rng(0).standard_normal(operator.shape[0])
    counted = LinearOperator(operator.shape, matvec=product, dtype=np.float32)
    settings = {"which": "LA", "tol": options.tolerance, "ncv": options.ncv or None, "v0": start.astype(np.float32)}
    values, vectors = eigsh(counted, k=options.top, **settings)
    return values[::-1], vectors[:, ::-1].T, products


def by_pyhessian(net, batches, options):
    from pyhessian import hessian

    tool, products = hessian(net, nn.CrossEntropyLoss(), dataloader=batches, cuda=False), 0
    plain = tool.dataloader_hv_product

    def counted(v):
        nonlocal products
        products += 1
        return plain(v)

    tool.dataloader_hv_product = counted
    values, vectors = tool.eigenvalues(maxIter=options.max_products // options.top, tol=options.tolerance, top_n=options.top)
    return values, [torch.cat([part.flatten() for part in v]).numpy() for v in vectors], products


def main():
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    net, batches = problem(options)
    start = time.perf_counter()
    values, vectors, products = (by_curvlinops if options.tool == "curvlinops" else by_pyhessian)(net, batches, options)
    seconds = time.perf_counter() - start
    operator = hessian_of(net, batches)
    residuals = [float(np.linalg.norm(operator @ v - value * v) / abs(value)) for value, v in zip(values, vectors)]
    print(json.dumps({"seconds": seconds, "products": products, "values": [float(v) for v in values], "residuals": residuals}))


main()
