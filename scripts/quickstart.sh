#!/usr/bin/env bash
# From a fresh clone to a trained adapter: fine-tunes the small GPT-2 in models/ to say what kind of API a sentence of
# documentation belongs to, and shows held-out loss and answers before and after. Leaves everything in out/quickstart.
# Fetches some 170 MB of NuGet packages the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/quickstart
base=models/tiny-gpt2-apidocs
task=models/tasks/what-member-is-it

rm -rf "$out"
mkdir -p "$out"
echo "quickstart: building (about a minute the first time, and 170 MB of NuGet packages)"
dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli > "$out/build.log" || { cat "$out/build.log"; exit 1; }
ortpeft() { dotnet run -c Release --no-build --project tools/OrtPeft.Cli -- "$@"; }

sed -E 's/.*"prompt":"([^"]*)".*/\1/' "$task/prompts.jsonl" > "$out/prompts.txt"

# What the model says to each prompt, one line each.
answers() {
  while IFS= read -r prompt; do
    ortpeft generate "$@" --prompt "$prompt" --max-new-tokens 12 < /dev/null | tr '\n' ' '
    echo
  done < "$out/prompts.txt"
}

held_out_loss() {
  ortpeft eval "$@" --data "$task/heldout.jsonl" --json | sed -nE 's/.*"loss": ([0-9.]+).*/\1/p'
}

echo
echo "== 1. Import the checkpoint"
ortpeft import "$base" --out "$out/base"
echo
echo "== 2. Measure the base on rows it will not be trained on"
before=$(held_out_loss "$out/base")
echo "held-out loss $before"
answers "$out/base" > "$out/before.txt"
echo
echo "== 3. Train a LoRA adapter (half a minute or more)"
ortpeft train "$out/base" --data "$task/train.jsonl" --eval-data "$task/heldout.jsonl" --out "$out/adapter" \
  --method lora --rank 8 --alpha 16 --target all-linear --batch-size 16 --epochs 3 --lr 5e-3 --schedule cosine --warmup-steps 20
echo
echo "== 4. Merge the adapter into one ONNX model"
ortpeft merge "$out/base" --adapter "$out/adapter" --out "$out/merged"
echo
echo "== 5. Before and after, on rows it was not trained on"
after=$(held_out_loss "$out/base" --adapter "$out/adapter")
answers "$out/base" --adapter "$out/adapter" > "$out/after.txt"
printf '%-14s before %.4f   after %.4f\n\n' "held-out loss" "$before" "$after"
paste -d '\n' "$out/prompts.txt" "$out/before.txt" "$out/after.txt" |
  awk 'NR % 3 == 1 { print } NR % 3 == 2 { sub(/^ +/, ""); print "    before: " $0 } NR % 3 == 0 { sub(/^ +/, ""); print "    after:  " $0 }'
echo
echo "HF PEFT adapter: $out/adapter   merged model: $out/merged/model.onnx   losses: $out/adapter/metrics.jsonl"
