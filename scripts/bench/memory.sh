#!/usr/bin/env bash
# Disk and memory of LoRA training on a base in float32, int4 and NF4: rank 8 on all-linear, batch 1 x 64, two steps.
# Prints a table. Needs GNU time, and some 8 GB in the temporary folder for gpt2-large; takes minutes.
#
#     scripts/bench/memory.sh [PRESET...]       (default: gpt2 gpt2-large)
set -euo pipefail
cd "$(dirname "$0")/../.."
threads=2
[ $# -gt 0 ] || set -- gpt2 gpt2-large
command -v /usr/bin/time >/dev/null ||
  { echo "memory.sh: /usr/bin/time is missing; install the package 'time'" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${ORTPEFT:-}" ]; then
  dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > "$work/build.log" || { cat "$work/build.log"; exit 1; }
  ORTPEFT="dotnet artifacts/bin/OrtPeft.Cli/release/ortpeft.dll"
fi

awk 'BEGIN {
  srand(1)
  printf "{\"input_ids\":["
  for (c = 0; c < 64; c++) printf "%s%d", (c ? "," : ""), int(rand() * 50257)
  print "]}"
}' > "$work/rows.jsonl"

mebibytes() { awk -v n="$1" 'BEGIN { printf "%.0f MiB", n / 1048576 }'; }

row() {
  local preset=$1 name=$2 base=$3 rss seconds
  /usr/bin/time -f '%M' -o "$work/rss" $ORTPEFT train "$base" --data "$work/rows.jsonl" --out "$work/adapter" \
    --overwrite --rank 8 --target all-linear --batch-size 1 --steps 2 --no-shuffle --threads "$threads" >/dev/null
  rss=$(tail -n 1 "$work/rss")
  seconds=$(sed -nE 's/.*"step":2,.*"seconds":([0-9.]+).*/\1/p' "$work/adapter/metrics.jsonl")
  printf '| %s | %s | %s | %s | %.1f s |\n' "$preset" "$name" "$(mebibytes "$(du -sb "$base" | cut -f 1)")" \
    "$(mebibytes $((rss * 1024)))" "$seconds"
}

echo '| model | base | on disk | peak memory | second step |'
echo '|---|---|---|---|---|'
for preset in "$@"; do
  $ORTPEFT init --preset "$preset" --out "$work/hf" >/dev/null
  $ORTPEFT import "$work/hf" --out "$work/base" >/dev/null
  rm -r "$work/hf"
  row "$preset" float32 "$work/base"
  for form in int nf4; do
    $ORTPEFT quantize "$work/base" --format "$form" --out "$work/small" >/dev/null
    row "$preset" "$([ "$form" = int ] && echo int4 || echo NF4)" "$work/small"
    rm -r "$work/small"
  done
  rm -r "$work/base"
done
