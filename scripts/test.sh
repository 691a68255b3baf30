#!/usr/bin/env bash
# Restores, builds and tests everything. Extra arguments go to `dotnet test`, such as --filter.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap.sh
# The browser sample's packages; without Node its tests are skipped and say so.
if command -v npm >/dev/null && ! cmp -s samples/web/package-lock.json samples/web/node_modules/.installed; then
  npm ci --prefix samples/web --no-audit --no-fund --loglevel error
  cp samples/web/package-lock.json samples/web/node_modules/.installed
fi
dotnet test OrtPeft.sln -c Release --nologo -v minimal "$@"
