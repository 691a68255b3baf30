#!/usr/bin/env bash
# Kills training at random moments, goes on with --resume, and compares with a run that was never killed: adapter,
# configuration and metrics (but for the times in them) must be the same to the last bit, and nothing else may be left.
# A second process that trains into the same folder meanwhile must be refused. Takes about ten seconds a run.
#
#     scripts/kill-train.sh [RUNS] [SEED]        (default: 50 runs, seed 1)
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-50}
RANDOM=${2:-1}
base=models/tiny-gpt2-apidocs
data=models/tasks/what-member-is-it/train.jsonl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet build -c Release -v quiet tools/OrtPeft.Cli
train() {
  local out=$1
  shift
  exec dotnet artifacts/bin/OrtPeft.Cli/release/ortpeft.dll train "$base" --data "$data" --out "$out" --steps 60 \
    --batch-size 4 --seq-len 64 --checkpoint-steps $((1 + number % 3)) --dropout 0.1 --rank 2 --threads 1 "$@"
}
untimed() { sed -E 's/,"tokens_per_second":.*//' "$1/metrics.jsonl"; }
milliseconds() { date +%s%3N; }

number=0
started=$(milliseconds)
(train "$work/whole") > "$work/whole.txt"
length=$(($(milliseconds) - started))
kills=0
refused=0
for ((number = 1; number <= runs; number++)); do
  out=$work/run$number
  for ((attempt = 0; attempt < 1 + number % 3; attempt++)); do
    resume=()
    if [ -f "$out/checkpoint.safetensors" ]; then resume=(--resume); fi
    (train "$out" "${resume[@]}") > /dev/null 2> "$work/error.txt" &
    process=$!
    sleep "$(awk "BEGIN { print $((RANDOM % length)) / 1000 }")"
    # Stopped, the process keeps the lock if it has it by now; a lock file alone may be a killed one's.
    kill -STOP $process 2> /dev/null || true
    if [ $((number % 5)) = 0 ] && [ -e "$out/.ortpeft-lock" ] && ! flock -n "$out/.ortpeft-lock" true; then
      if (train "$out" --overwrite) > /dev/null 2> "$work/second.txt"; then
        echo "run $number: a second process was let in" && exit 1
      fi
      grep -q 'another process' "$work/second.txt" || { cat "$work/second.txt" && exit 1; }
      refused=$((refused + 1))
    fi
    if kill -9 $process 2> /dev/null; then kills=$((kills + 1)); fi
    wait $process 2> /dev/null || true
  done
  resume=()
  if [ -f "$out/checkpoint.safetensors" ]; then resume=(--resume); fi
  (train "$out" "${resume[@]}") > /dev/null
  cmp "$work/whole/adapter_model.safetensors" "$out/adapter_model.safetensors"
  cmp "$work/whole/adapter_config.json" "$out/adapter_config.json"
  cmp <(untimed "$work/whole") <(untimed "$out")
  left=$(ls -A "$out" | tr '\n' ' ')
  [ "$left" = "adapter_config.json adapter_model.safetensors checkpoint.safetensors metrics.jsonl " ] \
    || { echo "run $number left $left" && exit 1; }
  rm -rf "$out"
done
echo "$runs runs, $kills kills: every one ended with the bits of the run that was never killed; second processes were"
echo "refused $refused times."
