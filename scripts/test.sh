#!/usr/bin/env bash
# Restores, builds and tests everything. Extra arguments go to `dotnet test`, such as --filter.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/node-packages.sh
dotnet test OrtPeft.sln -c Release --nologo -v minimal "$@"
