#!/usr/bin/env bash
# All that must hold before a change is done: check, unit, simulation, e2e, in this order; ends at the first that fails.
# `make test`.
set -u
cd "$(dirname "$0")/.."
begin=$SECONDS

part() {
  local name=$1 start=$SECONDS code
  printf '\n=== %s: npm run %s ===\n' "$1" "$2"
  npm run --silent "$2"
  code=$?
  if [ "$code" != 0 ]; then
    printf '\n=== %s FAILED after %d s (total %d s) ===\n' "$name" $((SECONDS - start)) $((SECONDS - begin))
    exit "$code"
  fi
  printf '=== %s ok in %d s ===\n' "$name" $((SECONDS - start))
}

part check check
part unit test:unit
part simulation test:sim
part e2e test:e2e
printf '\n=== all tests passed in %d s ===\n' $((SECONDS - begin))
