#!/usr/bin/env bash
# Restores, builds and tests everything. Extra arguments go to `dotnet test`, such as --filter.
# Fetches some 250 MB of NuGet packages, and where Node is installed 460 MB (unpacked) of npm packages. Tests that need
# Node, Chromium, Vulkan's loader, Open MPI or MPICH are skipped without them, and say so; with ORTPEFT_SKIP_NOTHING=1 they fail instead.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/node-packages.sh
# Tests make graphs and drop them: with room for 64 MiB of young objects the collector runs an eighth less.
export DOTNET_GCgen0size=0x4000000
dotnet test OrtPeft.sln -c Release --nologo -v minimal "$@"
