#!/usr/bin/env bash
# From a fresh clone to a trained adapter: fine-tunes the small GPT-2 in models/ to say what kind of API a sentence of
# documentation belongs to, and shows held-out loss and answers before and after. Leaves everything in out/quickstart.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/quickstart
base=models/tiny-gpt2-apidocs
task=models/tasks/what-member-is-it

scripts/bootstrap.sh
echo "quickstart: building (about a minute the first time)"
dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli
ortpeft() { dotnet run -c Release --no-build --project tools/OrtPeft.Cli -- "$@"; }
rm -rf "$out"
mkdir -p "$out"

# The held-out prompts and what the model says to each, one line each.
answers() {
  sed -E 's/.*"prompt":"([^"]*)".*/\1/' "$task/prompts.jsonl" | while IFS= read -r prompt; do
    printf '  %s' "$prompt"
    ortpeft generate "$@" --prompt "$prompt" --max-new-tokens 12 | tr '\n' ' '
    printf '\n'
  done
}

echo
echo "== 1. Import the checkpoint"
ortpeft import "$base" --out "$out/base"
echo
echo "== 2. Before: the base on the held-out rows"
ortpeft eval "$out/base" --data "$task/heldout.jsonl"
answers "$out/base" | tee "$out/before.txt"
echo
echo "== 3. Train a LoRA adapter"
ortpeft train "$out/base" --data "$task/train.jsonl" --eval-data "$task/heldout.jsonl" --out "$out/adapter" \
  --method lora --rank 8 --alpha 16 --target all-linear --batch-size 8 --epochs 4 --lr 5e-3 --schedule cosine --warmup-steps 20
echo
echo "== 4. After: the same rows with the adapter"
ortpeft eval "$out/base" --adapter "$out/adapter" --data "$task/heldout.jsonl"
answers "$out/base" --adapter "$out/adapter" | tee "$out/after.txt"
echo
echo "== 5. Merge the adapter into one ONNX model"
ortpeft merge "$out/base" --adapter "$out/adapter" --out "$out/merged"
echo
echo "Done. HF PEFT adapter: $out/adapter    merged model: $out/merged/model.onnx    losses: $out/adapter/metrics.jsonl"
