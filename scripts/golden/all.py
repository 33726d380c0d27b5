"""Writes every golden file under test/golden but search.json, which needs Optuna, images.json and geometry.json, which need Pillow, and those of PyTorch 2.4."""
import base_optimizers
import curvature
import data
import dropout
import iqm
import mlp
import models
import official
import ops
import optimizers
import resize
import resnet
import sam_family
import torch_files
import training_steps
import vit

if __name__ == "__main__":
    for script in (data, base_optimizers, mlp, models, ops, optimizers, sam_family, training_steps, resnet, curvature, official, iqm, torch_files, vit, dropout, resize):
        script.main()
