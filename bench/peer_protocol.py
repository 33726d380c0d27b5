"""What all peers of the interleaved benchmark share: the options, the clock and the line protocol.

After one warm-up step a peer prints {"ready": true, "side", "layout", "firstStepS", "peakMiB"}. Each line "step" on standard input
then runs one step and prints {"seconds", "peakMiB"}; "quit" or end of input ends it. With --steps N it reads nothing, runs N steps
and prints one summary.
"""
import argparse
import json
import resource
import statistics
import sys
import time


def parser_of(about, models, methods, layouts):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--model", choices=sorted(models), default="resnet18")
    parser.add_argument("--method", choices=sorted(methods), default="grad")
    parser.add_argument("--layout", choices=layouts, default=layouts[0], help="memory layout of the images")
    parser.add_argument("--steps", type=int, help="run this many steps, print a summary, read no input")
    defaults = {"width": 64, "depth": 0, "batch": 128, "size": 32, "channels": 3, "classes": 10, "threads": 2}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser


def peak_mib():
    """Peak resident memory of this process; the system counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def say(**message):
    print(json.dumps(message), flush=True)


def serve(run, side, options):
    """Warms up, and answers requests or sums up."""
    about = {"side": side, "layout": options.layout}
    first = seconds_of(run)
    if options.steps is not None:
        if options.steps < 1:
            sys.exit(f"got --steps {options.steps}, expected at least 1")
        times = [seconds_of(run) for _ in range(options.steps)]
        kept = {key: getattr(options, key) for key in ("model", "width", "batch", "method", "threads")}
        say(**about, **kept, firstStepS=first, medianSeconds=statistics.median(times), minSeconds=min(times),
            peakMiB=peak_mib())
        return
    say(ready=True, **about, firstStepS=first, peakMiB=peak_mib())
    for line in sys.stdin:
        request = line.strip()
        if request == "quit":
            return
        if request != "step":
            sys.exit(f'got "{request}", expected "step" or "quit"')
        say(seconds=seconds_of(run), peakMiB=peak_mib())
