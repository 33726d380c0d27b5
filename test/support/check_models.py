"""onnx.checker on every model of a folder; prints a JSON object: file name to the error, or to null."""
import json
import sys
from pathlib import Path

import onnx


def error_of(path):
    try:
        onnx.checker.check_model(onnx.load(str(path)), full_check=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


print(json.dumps({path.name: error_of(path) for path in sorted(Path(sys.argv[1]).glob("*.onnx"))}))
