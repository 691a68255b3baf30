#!/usr/bin/env bash
# Builds the API reference, and the guide with it, as a web site in out/docs/site. Fetches DocFX from NuGet (about 100 MB).
set -euo pipefail
cd "$(dirname "$0")/.."
version=2.81.0
tool=out/docs/tool
dotnet build -c Release -v quiet --nologo src/OrtPeft.Serving
if ! "$tool/docfx" --version 2> /dev/null | grep -q "^$version"; then
  rm -rf "$tool"
  dotnet tool install docfx --version "$version" --tool-path "$tool"
fi
"$tool/docfx" docs/docfx.json
echo "Open out/docs/site/index.html, or run: $tool/docfx serve out/docs/site"
