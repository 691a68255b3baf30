#!/usr/bin/env python3
"""Repeats a LoRA run of transformers and PEFT with SmolLM2-135M-Instruct; scripts/smollm2/README.md says more.

    scripts/smollm2.py MODEL [--init-adapter DIR] [--ortpeft COMMAND]
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "smollm2"
DEFAULT = f"dotnet run -c Release --project {shlex.quote(str(HERE.parent / 'tools' / 'OrtPeft.Cli'))} --"
ADAPTER = "--rank 8 --alpha 16 --target all-linear"
TRAINING = "--steps 30 --batch-size 4 --no-shuffle --lr 5e-4 --schedule linear --weight-decay 0.01 --max-grad-norm 1"
LOSS, HELD_OUT, TRAINED = 1e-6, 2e-7, 0.05


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--init-adapter")
    parser.add_argument("--ortpeft", default=DEFAULT, help="the command to run [default: from the sources]")
    given = parser.parse_args()
    run = Run(shlex.split(given.ortpeft), given.model)
    reference = json.loads((FILES / "reference.json").read_text(encoding="utf-8"))
    checks = Checks()

    checks.near("held-out loss before", run.held_out(), reference["held_out_before"], HELD_OUT)
    checks.same("answers before", run.answers(), reference["answers_before"])
    with tempfile.TemporaryDirectory() as folder:
        losses = run.train(folder, given.init_adapter)
        after, answers = run.held_out("--adapter", folder), run.answers("--adapter", folder)
    checks.near("loss of step 1", losses[0], reference["losses"][0], LOSS)
    if given.init_adapter:
        for step, (loss, expected) in enumerate(zip(losses, reference["losses"], strict=True), 1):
            checks.near(f"loss of step {step}", loss, expected, LOSS)
        checks.near("held-out loss after", after, reference["held_out_after"], HELD_OUT)
        checks.same("answers after", answers, reference["answers_after"])
    else:
        equal = sum(a == b for a, b in zip(answers, reference["answers_after"], strict=True))
        print(f"from another start: held-out loss after {after:.8f} beside {reference['held_out_after']:.8f}; "
              f"{equal} of {len(answers)} answers the same")
        checks.add("held-out loss after training", after < TRAINED, f"{after:.8f}, below {TRAINED}")
    sys.exit(checks.failed)


class Run:
    def __init__(self, command, model):
        self.command, self.model = command, model

    def call(self, verb, *options):
        words = [*self.command, verb, self.model, *map(str, options)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        if done.returncode != 0:
            sys.exit(f"{shlex.join(words)} ended with {done.returncode}")
        return done.stdout

    def held_out(self, *options):
        return json.loads(self.call("eval", "--data", FILES / "held-out.jsonl", "--json", *options))["loss"]

    def answers(self, *options):
        lines = self.call("generate", "--prompts", FILES / "prompts.jsonl", "--max-new-tokens", 48, "--temperature", 0,
                          *options).splitlines()
        return [json.loads(line)["text"] for line in lines]

    def train(self, folder, init_adapter):
        adapter = ["--init-adapter", init_adapter] if init_adapter else ADAPTER.split()
        self.call("train", "--data", FILES / "train.jsonl", "--out", folder, *adapter, *TRAINING.split())
        lines = (pathlib.Path(folder) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [row["loss"] for row in map(json.loads, lines) if "loss" in row]


class Checks:
    failed = 0

    def near(self, name, value, expected, tolerance):
        self.add(name, abs(value - expected) <= tolerance, f"{value:.8f} beside {expected:.8f}, allowed {tolerance:g}")

    def same(self, name, texts, expected):
        wrong = [i for i, (a, b) in enumerate(zip(texts, expected, strict=True), 1) if a != b]
        others = f", not {wrong}" if wrong else ""
        self.add(name, not wrong, f"{len(texts) - len(wrong)} of {len(texts)} the same{others}")

    def add(self, name, is_right, figures):
        self.failed |= not is_right
        print(f"{'ok    ' if is_right else 'WRONG '} {name}: {figures}")


if __name__ == "__main__":
    main()
