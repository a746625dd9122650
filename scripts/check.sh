#!/usr/bin/env bash
# The static truth, fast parts first; ends at the first part that fails and names it. Docs and import rules that need code
# to be checked are vitest tests. `npm run check`.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
begin=$SECONDS

part() {
  local name=$1 start output
  shift
  start=$(date +%s%N)
  printf 'check %-10s ' "$name"
  if output=$("$@" 2>&1); then
    printf 'ok   %5.1f s\n' "$(seconds_since "$start")"
  else
    printf 'FAIL %5.1f s\n' "$(seconds_since "$start")"
    printf '%s\n\ncheck: FAILED in part "%s" (%s)\n' "$output" "$name" "$*" >&2
    exit 1
  fi
}

seconds_since() { awk -v from="$1" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }

lock_names_no_host() {
  if grep -n '"resolved": "http' package-lock.json; then
    echo 'package-lock.json ties the build to one registry: npm install --omit-lockfile-registry-resolved' && return 1
  fi
}

part format prettier --check --log-level warn .
part imports npm run --silent lint:imports
part unused npm run --silent lint:unused
part lockfile lock_names_no_host
# Before types and lint: the examples are strangers, and see the declarations of the built package.
part build tsup --silent
part types tsc --noEmit
part lint eslint --max-warnings 0 .
part package npm run --silent lint:package
echo "check: all parts ok in $((SECONDS - begin)) s"
