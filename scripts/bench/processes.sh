#!/usr/bin/env bash
# A training step of 1, 2 and 4 processes over MPI, with the exchange of gradients apart: the same 16 rows a step, one thread each,
# LoRA rank 8 on all-linear of the small GPT-2 in models/. The counts take turns. Prints a table of medians.
#
#     scripts/bench/processes.sh [ROUNDS] [mpirun's own options...]      (default: 3 rounds)
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3}
shift || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${ORTPEFT:-}" ]; then
  dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > "$work/build.log" || { cat "$work/build.log"; exit 1; }
  ORTPEFT=artifacts/bin/OrtPeft.Cli/release/ortpeft.dll
fi
launcher=(mpirun)
if mpirun --version 2>&1 | grep -q "Open MPI"; then
  launcher+=(--oversubscribe)
  [ "$(id -u)" -ne 0 ] || launcher+=(--allow-run-as-root)
fi

median() { sort -n | awk '{ n[NR] = $1 } END { printf "%.1f", NR % 2 ? n[(NR + 1) / 2] : (n[NR / 2] + n[NR / 2 + 1]) / 2 }'; }
milliseconds() { sed -nE "s/.*\"$1\":([0-9.E-]+).*/\1/p" | awk '{ print 1000 * $1 }'; }

for _ in $(seq "$rounds"); do
  for processes in 1 2 4; do
    run=$work/run-$processes
    "${launcher[@]}" "$@" -n "$processes" dotnet "$ORTPEFT" train models/tiny-gpt2-apidocs --out "$run" --overwrite \
      --data models/tasks/what-member-is-it/train.jsonl --rank 8 --target all-linear --batch-size $((16 / processes)) \
      --steps 30 --threads 1 > "$work/log.txt" 2>&1 || { cat "$work/log.txt"; exit 1; }
    # The first steps allocate.
    tail -n +11 "$run/metrics.jsonl" | grep '"seconds"' >> "$work/$processes.jsonl"
  done
done

echo "| processes | a step, ms | of it exchange, ms |"
echo "|---|---|---|"
for processes in 1 2 4; do
  step=$(milliseconds seconds < "$work/$processes.jsonl" | median)
  exchange=$(milliseconds communication_seconds < "$work/$processes.jsonl" | median)
  echo "| $processes | $step | ${exchange:-–} |"
done
echo
echo "$(date +%F), $(nproc) processors, $(mpirun --version 2>&1 | head -1)"
