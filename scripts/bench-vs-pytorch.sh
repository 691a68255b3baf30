#!/usr/bin/env bash
# One LoRA training step in OrtPeft and in PyTorch, the latter with GELU by its formula and in one kernel, in turn
# (A B C A B C), same model size, rank, batch, sequence, threads and supervised part; prints a table of medians.
# scripts/bench/README.md says how to get PyTorch.
#
#     scripts/bench-vs-pytorch.sh [CASE...] [--rounds N] [--steps N] [--threads N] [--docs]     --help lists the cases
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p out/bench
if [ -z "${ORTPEFT:-}" ]; then
  log=out/bench/build.log
  dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > $log || { cat $log; exit 1; }
fi
exec python3 scripts/bench/compare.py "$@"
