#!/usr/bin/env bash
# Makes ONNX Runtime restorable: see --help.
set -euo pipefail

# The npm package that stands in for nuget.org, and the ONNX Runtime version it holds. Change all three together;
# `npm view <package>@<version> dist.integrity` prints the hash.
npm_spec="com.github.asus4.onnxruntime@0.4.9"
npm_sha512="BkzxduSZ9IkeDP6Q8lz2TFU2ie7hSSvS7ZIfzMooExoq0CNzJnuuGaUJ7IsojBgqO4ouD1jXah8OYyJbCN29Fg=="
npm_holds="1.29.0"

managed_id="Microsoft.ML.OnnxRuntime.Managed"
native_id="Microsoft.ML.OnnxRuntime"

usage() {
  cat <<EOF
Usage: scripts/bootstrap.sh [--force] [--help]

Run once after cloning, before 'dotnet build'. Makes sure that the ONNX Runtime packages can be restored, in the
version that Directory.Packages.props names:
  - nuget.org has them: nothing is done.
  - it does not: they are built from the npm package $npm_spec into feed/, as "<version>-npm".
    Needs Node.js with npm; downloads about 150 MB; takes a minute or two. Later runs find them and stop at once.

  --force  Builds the npm packages in any case, without asking nuget.org, and drops NuGet's cached copies of them.
  --help   Prints this text.
EOF
}

say() { printf 'bootstrap: %s\n' "$*"; }

die() {
  printf 'bootstrap: error: %s\n' "$*" >&2
  exit 1
}

require_dotnet() {
  local get="Get it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this script again."
  command -v dotnet >/dev/null || die "the .NET 10 SDK is needed, but 'dotnet' is not on PATH. $get"
  dotnet --version >/dev/null 2>&1 ||
    die "global.json asks for a .NET 10 SDK; 'dotnet --list-sdks' shows: $(dotnet --list-sdks | tr '\n' ' '). $get"
}

require_npm() {
  local tool
  for tool in node npm tar; do
    command -v "$tool" >/dev/null ||
      die "nuget.org lacks ONNX Runtime $version and '$tool' is not on PATH to take it from npm instead." \
        "Get Node.js (with npm) from https://nodejs.org and run this script again."
  done
}

# The unconditional value; the conditional line below it in the file only adds the "-npm" suffix.
read_version() {
  sed -n 's:.*<OnnxRuntimeVersion>\(.*\)</OnnxRuntimeVersion>.*:\1:p' Directory.Packages.props | head -n 1
}

feed_is_filled() {
  [[ -f "feed/$managed_id.$version-npm.nupkg" && -f "feed/$native_id.$version-npm.nupkg" ]]
}

# True when nuget.org has package $1 in $version; an answer that says neither yes nor no ends the script.
nuget_has() {
  if command -v curl >/dev/null; then nuget_index_lists "$1"; else nuget_can_download "$1"; fi
}

nuget_index_lists() {
  local url status
  url="https://api.nuget.org/v3-flatcontainer/$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]')/index.json"
  status=$(curl -sSL --retry 2 --max-time 60 -o "$work/index.json" -w '%{http_code}' "$url") || unreachable "$url"
  case "$status" in
    200) grep -qF "\"$version\"" "$work/index.json" ;;
    404) return 1 ;;
    *) unreachable "$url (HTTP $status)" ;;
  esac
}

nuget_can_download() {
  local project="$work/probe/probe.csproj"
  mkdir -p "$work/probe"
  cat >"$project" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="$1" Version="[$version]" /></ItemGroup>
</Project>
EOF
  dotnet restore "$project" --source https://api.nuget.org/v3/index.json -p:ImportDirectoryBuildProps=false \
    -p:ImportDirectoryPackagesProps=false >"$work/probe.log" 2>&1 && return 0
  grep -qE 'NU110[123]' "$work/probe.log" || unreachable "nuget.org: $(grep -m 1 error "$work/probe.log")"
  return 1
}

unreachable() { die "no usable answer from $1. Check the network; --force goes to npm without asking nuget.org."; }

download() {
  say "downloading $npm_spec from npm (about 150 MB)"
  (cd "$work" && npm pack "$npm_spec" --ignore-scripts --silent >/dev/null) ||
    die "'npm pack $npm_spec' failed. Check the network and npm's registry setting (npm config get registry)."
  local tgz actual
  tgz=$(echo "$work"/*.tgz)
  actual=$(node -e 'const h = require("crypto").createHash("sha512"), f = require("fs").readFileSync(process.argv[1]);
    console.log(h.update(f).digest("base64"))' "$tgz")
  [[ "$actual" == "$npm_sha512" ]] ||
    die "$npm_spec is not the pinned file: expected sha512-$npm_sha512, got sha512-$actual. Nothing was installed."
  say "unpacking"
  tar -xzf "$tgz" -C "$work"
}

pack() {
  dotnet pack "scripts/onnxruntime-packages/$1.csproj" -c Release -o "$work/out" -v quiet --disable-build-servers \
    -p:Version="$version-npm" -p:NpmPackage="$work/package" -p:ArtifactsPath="$work/build"
}

drop_cached() {
  local cache id
  cache=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')
  for id in "$managed_id" "$native_id"; do
    rm -rf "${cache%/}/$(printf '%s' "$id" | tr '[:upper:]' '[:lower:]')/$version-npm"
  done
}

build_from_npm() {
  [[ "$version" == "$npm_holds" ]] ||
    die "Directory.Packages.props names ONNX Runtime $version, but $npm_spec holds $npm_holds." \
      "Change the version there or the pins at the top of this script."
  require_npm
  download
  say "packing $managed_id $version-npm (compiles; about 10 seconds)"
  pack Managed
  say "packing $native_id $version-npm (compresses; about 10 seconds)"
  pack Native
  # Managed comes last: its presence is what switches Directory.Packages.props over.
  mv -f "$work/out/$native_id.$version-npm.nupkg" feed/
  mv -f "$work/out/$managed_id.$version-npm.nupkg" feed/
}

force=false
for argument in "$@"; do
  case "$argument" in
    --force) force=true ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown argument '$argument'." ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
require_dotnet
version=$(read_version)
[[ -n "$version" ]] || die "Directory.Packages.props has no <OnnxRuntimeVersion>."
mkdir -p feed

if ! $force && feed_is_filled; then
  say "feed/ already has ONNX Runtime $version-npm; nothing to do."
  exit 0
fi

# Everything is made here and moved into feed/ when complete, so an interrupted run leaves feed/ as it was.
mkdir -p artifacts
work=$(mktemp -d "$PWD/artifacts/bootstrap.XXXXXX")
trap 'rm -rf "$work"' EXIT

if ! $force; then
  say "asking nuget.org for ONNX Runtime $version"
  if nuget_has "$managed_id" && nuget_has "$native_id"; then
    say "nuget.org has it; nothing to do."
    exit 0
  fi
  say "nuget.org lacks it; building the packages from npm instead (a minute or two)"
fi
build_from_npm
if $force; then drop_cached; fi
say "done: feed/ has ONNX Runtime $version-npm. 'dotnet build' will use it."
