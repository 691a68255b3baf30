"""Runs `ortpeft bench` and pytorch_lora_gpt2.py in turn and prints their medians as a Markdown table.

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

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- bench-vs-pytorch -->", "<!-- /bench-vs-pytorch -->"

CASES = {  # name: preset, batch size, sequence length, supervised part
    "gpt2": ("gpt2", 4, 128, 1.0),
    "gpt2-half": ("gpt2", 4, 128, 0.5),
    "gpt2-long": ("gpt2", 1, 512, 1.0),
    "gpt2-medium": ("gpt2-medium", 2, 128, 1.0),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one of {', '.join(CASES)}; all by default")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side runs, in turn")
    parser.add_argument("--steps", type=int, default=6, help="timed steps of a run")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    args = parser.parse_args()
    unknown = [case for case in args.cases if case not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]}; choose from {', '.join(CASES)}")
    return args


def result_of(command):
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{shlex.join(map(str, command))}: {run.stderr.strip() or 'failed'}")
    return json.loads(run.stdout)


def base(ortpeft, preset):
    folder = ROOT / "out" / "bench" / preset
    if not folder.exists():
        subprocess.run([*ortpeft, "init", "--preset", preset, "--out", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def commands(args, ortpeft, case):
    preset, batch, sequence, supervised = CASES[case]
    shared = ["--batch-size", batch, "--seq-len", sequence, "--supervised", supervised, "--steps", args.steps]
    shared += ["--rank", 8, "--alpha", 16, "--threads", args.threads]
    ours = [*ortpeft, "bench", base(ortpeft, preset), "--target", "c_attn", "--warmup-steps", args.warmup, "--json"]
    theirs = [args.python, FOLDER / "pytorch_lora_gpt2.py", "--preset", preset, "--warmup", args.warmup]
    return [[str(word) for word in command] for command in (ours + shared, theirs + shared)]


def compare(args, ortpeft, case):
    ours, theirs = commands(args, ortpeft, case)
    runs = ([], [])
    for number in range(args.rounds):
        runs[0].append(result_of(ours))
        runs[1].append(result_of(theirs))
        times = [run[-1]["ms_per_step_median"] for run in runs]
        print(f"{case}, round {number + 1}: {times[0]:.0f} ms, PyTorch {times[1]:.0f} ms", file=sys.stderr)
    return [{key: statistics.median(run[key] for run in side) for key in side[0] if is_number(side[0][key])}
            for side in runs]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def row(case, ours, theirs):
    preset, batch, sequence, supervised = CASES[case]
    name = f"{preset}, {batch} × {sequence}" + ("" if supervised == 1 else f", {supervised:.0%} supervised")
    speed = theirs["ms_per_step_median"] / ours["ms_per_step_median"]
    cells = [
        name,
        f"{ours['ms_per_step_median']:.0f} ms",
        f"{theirs['ms_per_step_median']:.0f} ms",
        f"**{speed:.2f} ×**",
        f"{ours['peak_rss_mb']:.0f} MiB",
        f"{theirs['peak_rss_mb']:.0f} MiB",
        f"{ours['load_seconds']:.1f} + {ours['first_step_seconds']:.1f} s",
        f"{theirs['load_seconds']:.1f} + {theirs['first_step_seconds']:.1f} s",
        f"{ours['gemm_fraction']:.0%}",
    ]
    return "| " + " | ".join(cells) + " |"


def machine(args):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.processor())
    version = [args.python, "-c", "import torch; print(torch.__version__)"]
    torch = subprocess.run(version, capture_output=True, text=True)
    return (f"{datetime.date.today()}, {os.cpu_count()} cores of {model}, {args.threads} threads each, "
            f"PyTorch {torch.stdout.strip()}; medians of {args.rounds} runs of {args.steps} steps, in turn.")


def table(args, ortpeft):
    lines = ["| step | OrtPeft | PyTorch | faster | peak memory | PyTorch's "
             "| load + first step | PyTorch's | GEMM fraction |",
             "|---|---|---|---|---|---|---|---|---|"]
    lines += [row(case, *compare(args, ortpeft, case)) for case in args.cases or CASES]
    return "\n".join([*lines, "", machine(args)])


def put_into_readme(text):
    before, rest = README.read_text().split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    args = arguments()
    default = "dotnet artifacts/bin/OrtPeft.Cli/release/ortpeft.dll"
    text = table(args, shlex.split(os.environ.get("ORTPEFT", default)))
    print(text)
    if args.readme:
        put_into_readme(text)


if __name__ == "__main__":
    main()
