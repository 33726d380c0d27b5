"""Writes every golden file under test/golden."""
import mlp
import ops
import resnet

if __name__ == "__main__":
    for script in (mlp, ops, resnet):
        script.main()
