#!/usr/bin/env bash
# Federated averaging with three devices, each of which is a folder here: a device trains on rows of its own, which no other sees,
# from the adapter that the last round ended with; a server averages the three adapters, by numbers of rows. Prints the loss on
# rows of all kinds that none has seen: of each device's adapter, and of the mean.
# ROUNDS (3), STEPS of a device in a round (40). ORTPEFT: a built ortpeft.dll to run; without it the command is built first.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${OUT:-out/federated}
task=models/tasks/what-member-is-it

rm -rf "$out"
mkdir -p "$out"
if [ -z "${ORTPEFT:-}" ]; then
  dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > "$out/build.log" || { cat "$out/build.log"; exit 1; }
  ORTPEFT=artifacts/bin/OrtPeft.Cli/release/ortpeft.dll
fi
ortpeft() { dotnet "$ORTPEFT" "$@"; }
loss() { ortpeft eval "$out/base" --data "$task/heldout.jsonl" --json "$@" | sed -nE 's/.*"loss": ([0-9.]+).*/\1/p'; }

ortpeft import models/tiny-gpt2-apidocs --out "$out/base" > "$out/log.txt"

# Each device knows other namespaces of .NET, and one knows few.
grep -E ' in System\.(Net|IO)\.' "$task/train.jsonl" > "$out/device-1.jsonl"
grep -E ' in System\.(Data|Xml|Text|Linq)' "$task/train.jsonl" > "$out/device-2.jsonl"
grep -vE ' in System\.(Net|IO|Data|Xml|Text|Linq)' "$task/train.jsonl" > "$out/device-3.jsonl"
rows=$(for i in 1 2 3; do wc -l < "$out/device-$i.jsonl"; done | paste -sd, | tr -d ' ')
echo "rows of the devices: $rows; loss of the base: $(printf %.3f "$(loss)")"

adapter=(--rank 8 --alpha 16 --target all-linear) # of the first round; later ones go on with the mean
for round in $(seq 1 "${ROUNDS:-3}"); do
  here=$out/round-$round
  losses=()
  for i in 1 2 3; do
    ortpeft train "$out/base" --data "$out/device-$i.jsonl" --out "$here/device-$i" "${adapter[@]}" \
      --batch-size 16 --steps "${STEPS:-40}" --lr 3e-3 --seed "$round$i" >> "$out/log.txt"
    losses+=("$(loss --adapter "$here/device-$i")")
  done
  ortpeft average "$here"/device-{1,2,3} --weights "$rows" --svd-rank 8 --out "$here/mean" >> "$out/log.txt"
  adapter=(--init-adapter "$here/mean")
  printf 'round %d: devices %.3f %.3f %.3f, mean %.3f\n' "$round" "${losses[@]}" "$(loss --adapter "$here/mean")"
done
echo "adapter: $here/mean"
