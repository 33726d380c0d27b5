"""What TensorBoard reads in the folder given, as JSON: by tag, steps and values."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

folder, file = sys.argv[1:]
accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
accumulator.Reload()
tags = accumulator.Tags()
scalars = {}
# Recent versions of TensorBoard turn scalars into tensors as they load them.
for tag in tags["scalars"]:
    scalars[tag] = [[event.step, event.value] for event in accumulator.Scalars(tag)]
for tag in tags["tensors"]:
    scalars[tag] = [[event.step, event.tensor_proto.float_val[0]] for event in accumulator.Tensors(tag)]
print(json.dumps({"scalars": scalars, "events": sum(1 for _ in EventFileLoader(file).Load())}))
