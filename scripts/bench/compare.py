"""Runs `ortpeft bench` and pytorch_lora_gpt2.py in turn and prints their medians as a Markdown table.

PyTorch runs twice, with GELU by its formula, as Hugging Face's GPT-2 computes it, and with GELU in one kernel.
Started by scripts/bench-vs-pytorch.sh, which builds the command first. README.md here says what is compared.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
BASES = ROOT / "out" / "bench"
README = ROOT / "README.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
SHORT = 4  # columns in the README
BEGIN, END = "<!-- bench-vs-pytorch -->", "<!-- /bench-vs-pytorch -->"
MEBIBYTE = 1024 * 1024
FLOAT_BYTES = 4


class Case(NamedTuple):
    preset: str
    batch: int
    sequence: int
    supervised: float = 1.0
    is_int4: bool = False

    def __str__(self):
        parts = [self.preset, f"{self.batch} × {self.sequence}"]
        parts += [f"{self.supervised:.0%} supervised"] if self.supervised < 1 else []
        parts += ["int4 base"] if self.is_int4 else []
        return ", ".join(parts)


CASES = {
    "gpt2": Case("gpt2", 4, 128),
    "gpt2-half": Case("gpt2", 4, 128, supervised=0.5),
    "gpt2-long": Case("gpt2", 1, 512),
    "gpt2-medium": Case("gpt2-medium", 2, 128),
    "gpt2-int4": Case("gpt2", 4, 128, is_int4=True),
    "tiny": Case("tiny", 4, 64),
}
UNLESS_NAMED = [name for name in CASES if name != "tiny"]

COLUMNS = ["LoRA step", "OrtPeft", "PyTorch", "faster", "peak memory", "PyTorch's", "of PyTorch's",
           "load + first step", "PyTorch's", "on disk", "PyTorch's", "GEMM fraction"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE",
                        help=f"one of {', '.join(CASES)}; all but tiny by default")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side runs, in turn")
    parser.add_argument("--steps", type=int, default=6, help="timed steps of a run")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    parser.add_argument("--docs", action="store_true",
                        help="put the table into docs/performance.md, and its first columns into README.md")
    args = parser.parse_args()
    unknown = [case for case in args.cases if case not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]}; choose from {', '.join(CASES)}")
    for name in ("rounds", "steps", "warmup", "threads"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} is {getattr(args, name)}; it must be at least 1")
    args.cases = args.cases or UNLESS_NAMED
    return args


def checked(command):
    run = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{shlex.join(map(str, command))}: {run.stderr.strip() or 'failed'}")
    return run.stdout


def base(ortpeft, case):
    """The folder of a base with random weights, made once."""
    folder = BASES / case.preset
    if not folder.exists():
        checked([*ortpeft, "init", "--preset", case.preset, "--out", folder])
    if not case.is_int4:
        return folder
    small = BASES / f"{case.preset}-int4"
    if not small.exists():
        checked([*ortpeft, "quantize", folder, "--bits", 4, "--out", small])
    return small


def commands(args, ortpeft, case):
    """OrtPeft, PyTorch as Hugging Face's model computes, and PyTorch with its own GELU."""
    shared = ["--batch-size", case.batch, "--seq-len", case.sequence, "--supervised", case.supervised]
    shared += ["--rank", 8, "--alpha", 16, "--steps", args.steps, "--threads", args.threads]
    ours = [*ortpeft, "bench", base(ortpeft, case), "--target", "c_attn", "--warmup-steps", args.warmup, "--json"]
    theirs = [args.python, FOLDER / "pytorch_lora_gpt2.py", "--preset", case.preset, "--warmup", args.warmup]
    return [ours + shared, theirs + shared, [*theirs, "--fused-gelu", *shared]]


def compare(args, ortpeft, case):
    """The three sides' results, each number a median over the rounds."""
    sides = commands(args, ortpeft, case)
    rounds = []
    for number in range(args.rounds):
        rounds.append([json.loads(checked(side)) for side in sides])
        times = ", ".join(f"{result['ms_per_step_median']:.0f}" for result in rounds[-1])
        print(f"{case}, round {number + 1}: {times} ms (OrtPeft, PyTorch, PyTorch with fused GELU)", file=sys.stderr)
    results = [medians(side) for side in zip(*rounds)]
    trained = {result["trainable_parameters"] for result in results}
    if len(trained) > 1:
        sys.exit(f"{case}: the sides train {sorted(trained)} parameters; their presets differ.")
    results[0]["disk_mb"] = our_disk(base(ortpeft, case), results[0])
    for theirs in results[1:]:
        theirs["disk_mb"] = theirs["parameters"] * FLOAT_BYTES / MEBIBYTE
    return results


def medians(runs):
    numbers = [key for key, value in runs[0].items() if isinstance(value, (int, float)) and type(value) is not bool]
    return runs[0] | {key: statistics.median(run[key] for run in runs) for key in numbers}


def our_disk(folder, result):
    """What has to be kept: the base's folder and the adapter."""
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return (files + result["trainable_parameters"] * FLOAT_BYTES) / MEBIBYTE


def row(case, ours, theirs):
    def both(form, value):
        return " / ".join(form.format(value(side)) for side in theirs)

    def ratios(form, value):
        first, second = (form.format(value(side)) for side in theirs)
        return f"**{first}** / {second} ×"

    def start(side):
        return f"{side['load_seconds']:.1f} + {side['first_step_seconds']:.1f} s"

    return [
        str(case),
        f"{ours['ms_per_step_median']:.0f} ms",
        both("{:.0f}", lambda side: side["ms_per_step_median"]) + " ms",
        ratios("{:.2f}", lambda side: side["ms_per_step_median"] / ours["ms_per_step_median"]),
        f"{ours['peak_rss_mb']:.0f} MiB",
        both("{:.0f}", lambda side: side["peak_rss_mb"]) + " MiB",
        ratios("{:.2f}", lambda side: ours["peak_rss_mb"] / side["peak_rss_mb"]),
        start(ours),
        start(theirs[0]),
        f"{ours['disk_mb']:.0f} MiB",
        f"{theirs[0]['disk_mb']:.0f} MiB",
        f"{ours['gemm_fraction']:.0%}",
    ]


def line(cells):
    return f"| {' | '.join(cells)} |"


def footnote(args, ours, theirs):
    processor = next((text.split(":")[1].strip() for text in open("/proc/cpuinfo") if text.startswith("model name")),
                     platform.processor())
    return (f"PyTorch twice: GELU by its formula, as in Hugging Face's GPT-2, and in one kernel. On disk: base and "
            f"adapter; of PyTorch, which writes nothing here, its parameters × {FLOAT_BYTES} bytes.\n"
            f"{datetime.date.today()}, {os.cpu_count()} cores of {processor}, {args.threads} threads each, "
            f"ONNX Runtime {ours['onnxruntime']}, PyTorch {theirs['torch']}; "
            f"runs of {args.steps} steps in turn, medians of {args.rounds}.")


def table(args, ortpeft):
    lines = [line(COLUMNS), "|" + "---|" * len(COLUMNS)]
    for name in args.cases:
        ours, *theirs = compare(args, ortpeft, CASES[name])
        lines.append(line(row(CASES[name], ours, theirs)))
    return "\n".join([*lines, "", footnote(args, ours, theirs[0])])


def shortened(text):
    """The first columns, and where the figures come from."""
    lines = text.splitlines()
    rows = [line(text.strip() for text in row.split("|")[1:SHORT + 1]) for row in lines if row.startswith("|")]
    return "\n".join([*rows, "", lines[-1]])


def put_into(page, text):
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    args = arguments()
    default = "dotnet artifacts/bin/OrtPeft.Cli/release/ortpeft.dll"
    text = table(args, shlex.split(os.environ.get("ORTPEFT", default)))
    print(text)
    if args.docs:
        put_into(PERFORMANCE, text)
        put_into(README, shortened(text))


if __name__ == "__main__":
    main()
