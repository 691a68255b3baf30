#!/usr/bin/env bash
# The ortpeft command for machines without .NET: an archive per platform in artifacts/archives, or those that are named:
#   scripts/archives.sh linux-x64 win-x64
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/artifacts/archives
mkdir -p "$out"
[ $# -gt 0 ] || set -- win-x64 linux-x64 linux-arm64 osx-arm64
for rid in "$@"; do
  name=ortpeft-$(dotnet msbuild tools/OrtPeft.Cli -getProperty:Version)-$rid
  rm -rf "${out:?}/$name"*
  dotnet publish tools/OrtPeft.Cli -c Release -v quiet --nologo -r "$rid" --self-contained -o "$out/$name"
  cp LICENSE tools/OrtPeft.Cli/README.md "$out/$name"
  case $rid in
    win-*) (cd "$out" && zip -qr "$name.zip" "$name") ;;
    *) tar -C "$out" -czf "$out/$name.tar.gz" "$name" ;;
  esac
  rm -r "${out:?}/$name"
  ls -sh "$out/$name"*
done
