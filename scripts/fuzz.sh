#!/usr/bin/env bash
# Runs the command on damaged files of every kind, in process, and prints what became of them.
#   scripts/fuzz.sh [--inputs N] [--seed S] [--kind K]
# N is 50,000 unless given; an input is made again by its seed (--inputs 1 --seed S --kind K); kinds are those of the
# report, such as 'onnx' or 'adapter config'.
set -euo pipefail
cd "$(dirname "$0")/.."
export ORTPEFT_FUZZ_INPUTS=50000
while [ $# -gt 0 ]; do
    case "$1" in
        --inputs) export ORTPEFT_FUZZ_INPUTS="$2" ;;
        --seed) export ORTPEFT_FUZZ_SEED="$2" ;;
        --kind) export ORTPEFT_FUZZ_KIND="$2" ;;
        *) echo "fuzz.sh: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
export ORTPEFT_FUZZ_REPORT="${ORTPEFT_FUZZ_REPORT:-$(mktemp)}"
status=0
dotnet test tests/OrtPeft.Cli.Tests -c Release --nologo -v q --filter FullyQualifiedName~FuzzTests || status=$?
cat "$ORTPEFT_FUZZ_REPORT"
exit $status
