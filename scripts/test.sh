#!/usr/bin/env bash
# Restores, builds and tests everything. Extra arguments go to `dotnet test`, such as --filter.
# Fetches some 250 MB of NuGet packages, and where Node is installed 460 MB (unpacked) of npm packages. Tests that need
# Node, Chromium, Vulkan's loader, Open MPI or MPICH are skipped without them, and say so; with ORTPEFT_SKIP_NOTHING=1 they fail instead.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/node-packages.sh
dotnet build OrtPeft.sln -c Release --nologo -v minimal

# One run of all assemblies, the longest first, so that none is left alone at the end.
assemblies=()
for name in OrtPeft.{Cli,Samples,Adapters,Training}.Tests $(cd tests && ls -d OrtPeft.*.Tests); do
  assembly=artifacts/bin/$name/release/$name.dll
  [[ " ${assemblies[*]} " == *" $assembly "* ]] || assemblies+=("$assembly")
done
# Tests make graphs and drop them: with room for 64 MiB of young objects the collector runs an eighth less.
export DOTNET_GCgen0size=0x4000000
# A test runs most code a few times: only what is called a thousand times is compiled anew.
export DOTNET_TC_CallCountThreshold=0x400
# Nor is it counted what would make that faster: processes of the command take a twentieth less.
export DOTNET_TieredPGO=0
# Compiled methods are written where they run: mapping their pages twice costs processes that compile much a twentieth.
export DOTNET_EnableWriteXorExecute=0
# Tests write and flush thousands of small files: into memory, where that has room.
room=$(df --output=avail /dev/shm 2> /dev/null | tail -n 1 || true)
if [ -z "${TMPDIR:-}" ] && [ "${room:-0}" -gt 8000000 ]; then
  TMPDIR=$(mktemp -d /dev/shm/ortpeft.XXXXXX)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
# A process for each core, and in it one test at a time: two at a time in each take an eighth longer on two cores.
dotnet test "${assemblies[@]}" --nologo "$@" -- RunConfiguration.MaxCpuCount=0 xUnit.MaxParallelThreads=1
