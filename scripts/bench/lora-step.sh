#!/usr/bin/env bash
# One LoRA training step of GPT-2 in OrtPeft and in PyTorch, in turn (A B A B), same model size, rank, batch, sequence and
# threads. Prints each run's median step time and peak memory, and the medians' ratio. See README.md here for PyTorch.
#
#     scripts/bench/lora-step.sh [PRESET] [BATCH] [SEQUENCE] [STEPS]       (default: gpt2 4 128 8)
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=${1:-gpt2} batch=${2:-4} sequence=${3:-128} steps=${4:-8} threads=2
work=out/bench
mkdir -p "$work"

scripts/bootstrap.sh >/dev/null
dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > "$work/build.log" || { cat "$work/build.log"; exit 1; }
ortpeft="dotnet artifacts/bin/OrtPeft.Cli/release/ortpeft.dll"
[ -d "$work/$preset" ] || $ortpeft init --preset "$preset" --out "$work/$preset" >/dev/null

# Random token rows, every token supervised.
awk -v rows="$batch" -v columns="$sequence" 'BEGIN {
  srand(1)
  for (r = 0; r < rows; r++) {
    printf "{\"input_ids\":["
    for (c = 0; c < columns; c++) printf "%s%d", (c ? "," : ""), int(rand() * 50257)
    print "]}"
  }
}' > "$work/rows.jsonl"

# The first step, which allocates, is left out of the median.
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

run_ortpeft() {
  /usr/bin/time -f '%M' -o "$work/ortpeft.rss" $ortpeft train "$work/$preset" --data "$work/rows.jsonl" --overwrite \
    --out "$work/adapter" --rank 8 --alpha 16 --target c_attn --batch-size "$batch" --steps $((steps + 1)) \
    --no-shuffle --threads "$threads" >/dev/null
  sed -nE 's/.*"step":([0-9]+),.*"seconds":([0-9.]+).*/\1 \2/p' "$work/adapter/metrics.jsonl" |
    awk '$1 > 1 { print $2 * 1000 }' | median
}

run_pytorch() {
  /usr/bin/python3 scripts/bench/pytorch_lora_gpt2.py --preset "$preset" --batch-size "$batch" --seq-len "$sequence" \
    --rank 8 --alpha 16 --steps "$steps" --warmup 1 --threads "$threads" > "$work/pytorch.json"
  sed -E 's/.*"ms_per_step_median": ([0-9.]+).*/\1/' "$work/pytorch.json"
}

for round in 1 2; do
  a=$(run_ortpeft)
  b=$(run_pytorch)
  rss_a=$(($(tail -n 1 "$work/ortpeft.rss") / 1024))
  rss_b=$(sed -E 's/.*"peak_rss_mb": ([0-9.]+).*/\1/' "$work/pytorch.json")
  awk -v n="$round" -v a="$a" -v b="$b" -v ra="$rss_a" -v rb="$rss_b" 'BEGIN {
    printf "round %d: OrtPeft %.0f ms, %d MiB; PyTorch %.0f ms, %.0f MB; ratio %.2f\n", n, a, ra, b, rb, a / b }'
done
