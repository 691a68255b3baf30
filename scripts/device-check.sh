#!/usr/bin/env bash
# What a machine with an accelerator must show: training there follows the CPU, its nodes run there, and how fast. Prints a
# table, and leaves all figures in out/device-check/result.json. Under ten minutes with the models it makes.
#
#     scripts/device-check.sh [PROVIDER] [--quick]     PROVIDER: cuda (default), dml, webgpu, …; --quick takes six steps, not
#                                                      twenty, and leaves speed out
#
# Builds the command with Microsoft.ML.OnnxRuntime.Gpu for CUDA. With ORTPEFT_DLL that build of the command is taken instead.
# HF_LORA names a script that times transformers and PEFT, called as `python3 $HF_LORA gpt2-124m c_attn 4 128`; it runs where
# PyTorch is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
provider=cuda
for argument in "$@"; do case $argument in --*) ;; *) provider=$argument ;; esac; done
out=out/device-check
mkdir -p "$out"
if [ -z "${ORTPEFT_DLL:-}" ]; then
  package=Microsoft.ML.OnnxRuntime
  case $provider in
    cuda) package=Microsoft.ML.OnnxRuntime.Gpu ;;
    dml) package=Microsoft.ML.OnnxRuntime.DirectML ;;
  esac
  echo "device-check: building the command with $package"
  dotnet build tools/OrtPeft.Cli -c Release -v quiet --nologo "-p:OnnxRuntimePackage=$package" > "$out/build.log" \
    || { cat "$out/build.log"; exit 1; }
fi
exec dotnet run scripts/DeviceCheck.cs -- "$@"
