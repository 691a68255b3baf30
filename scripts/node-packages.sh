#!/usr/bin/env bash
# Installs what the tests run in Node, at the versions and hashes of the lock files; does nothing where all is there.
# Without Node the tests that need it are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v npm > /dev/null; then
  echo "npm is not installed: the tests that run ONNX Runtime in Node will be skipped." >&2
  exit 0
fi
for project in tests/OrtTrainingWasm tests/OpenAiClient tests/WebGpuRuntime samples/web packaging/npm; do
  if ! cmp -s "$project/package-lock.json" "$project/node_modules/.installed-lock.json"; then
    npm ci --prefix "$project" --ignore-scripts --no-audit --no-fund --loglevel=error
    # Libraries for other systems than the tests run on.
    rm -rf "$project"/node_modules/onnxruntime-node/bin/napi-v6/{darwin,win32,linux/arm64}
    cp "$project/package-lock.json" "$project/node_modules/.installed-lock.json"
  fi
done
