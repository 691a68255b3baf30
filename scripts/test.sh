#!/usr/bin/env bash
# Restores, builds and tests everything. Extra arguments go to `dotnet test`, such as --filter.
# Fetches some 250 MB of NuGet packages, and where Node is installed 460 MB (unpacked) of npm packages. Tests that need
# Node, Chromium, Vulkan's loader, Open MPI or MPICH are skipped without them, and say so; with ORTPEFT_SKIP_NOTHING=1 they fail instead.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/node-packages.sh
dotnet test OrtPeft.sln -c Release --nologo -v minimal "$@"
