#!/usr/bin/env bash
# Writes the guide's page of each command, docs/guide/commands/NAME.md, from its help.
set -euo pipefail
cd "$(dirname "$0")/.."
pages=docs/guide/commands
dotnet build -c Release -v quiet --nologo tools/OrtPeft.Cli
ortpeft() { dotnet run -c Release --no-build --project tools/OrtPeft.Cli -- "$@"; }

rm -rf "$pages"
mkdir -p "$pages"
for verb in $(ortpeft --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'); do
  { printf '# ortpeft %s\n\n```text\n' "$verb"; ortpeft "$verb" --help-all; printf '```\n'; } > "$pages/$verb.md"
done
