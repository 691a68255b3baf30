#!/usr/bin/env bash
# Makes the base model in models/: text out of the SDK's API documentation, a vocabulary, random weights, training, and the
# trained weights as an HF folder. Takes about half an hour on two cores. Nothing but the .NET SDK and ONNX Runtime is used.
#
#     scripts/make-base.sh [OUT]        (default: models/tiny-gpt2-apidocs)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-models/tiny-gpt2-apidocs}
work=out/make-base

dotnet build -c Release -v quiet tools/OrtPeft.Cli
ortpeft() { dotnet run -c Release --no-build --project tools/OrtPeft.Cli -- "$@"; }

dotnet run scripts/ApiDocs.cs -- --out "$work/text" --task "$work/task"
rm -rf "$work/random"
ortpeft init --preset tiny --seed 0 --out "$work/random"
dotnet run scripts/TrainTokenizer.cs -- --data "$work/text/corpus.jsonl" --vocab-size 2048 --out "$work/random"

resume=()
if [ -f "$work/trained/checkpoint.safetensors" ]; then resume=(--resume); fi
ortpeft train "$work/random" --method full --data "$work/text/corpus.jsonl" --eval-data "$work/text/corpus-heldout.jsonl" \
  --seq-len 128 --batch-size 32 --epochs 4 --lr 3e-3 --schedule cosine --warmup-steps 100 --weight-decay 0.1 \
  --eval-steps 250 --checkpoint-steps 250 --out "$work/trained" "${resume[@]}"
rm -rf "$work/merged"
ortpeft merge "$work/random" --adapter "$work/trained" --out "$work/merged"

rm -rf "$out"
mkdir -p "$out"
for file in config.json model.safetensors tokenizer.json vocab.json merges.txt tokenizer_config.json; do
  cp "$work/merged/$file" "$out/"
done
ortpeft eval "$out" --data "$work/text/corpus-heldout.jsonl" --seq-len 128
