#!/usr/bin/env bash
# What the tests and the demo need: Node 20.19, Java 17 and Maven (real ZooKeeper and Kafka come from Maven Central), and the
# npm packages of the lock file. On Debian as root what is missing is installed; otherwise one line names it. `make setup`.
set -u
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
fail() {
  say "$*" >&2
  exit 1
}

node_is_usable() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}
# Prints `openjdk version "17.0.15" ...`, or `"1.8.0_402"` of the old scheme.
java_is_usable() {
  local major
  command -v java >/dev/null || return 1
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)
  [ "${major:-0}" -ge 17 ]
}
maven_is_usable() { command -v mvn >/dev/null; }

missing() {
  local list=()
  node_is_usable || list+=("Node 20.19 or newer with npm (found: $(node --version 2>/dev/null || echo none))")
  java_is_usable || list+=('Java 17 or newer (openjdk-17-jre-headless)')
  maven_is_usable || list+=('Maven (maven)')
  local IFS=';'
  echo "${list[*]}" | sed 's/;/; /g'
}

install_with_apt() {
  local packages=() java=openjdk-17-jre-headless log
  apt-get -qq update >/dev/null 2>&1
  # Newer releases of Debian no longer have 17, but their default is newer.
  apt-cache show "$java" >/dev/null 2>&1 || java=default-jre-headless
  java_is_usable || packages+=("$java")
  maven_is_usable || packages+=(maven)
  say "installing ${packages[*]} (a minute or two)"
  log=$(DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}" 2>&1) || {
    echo "$log" | tail -20 >&2
    fail "apt-get install ${packages[*]} failed"
  }
}

if ! java_is_usable || ! maven_is_usable; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then install_with_apt; fi
fi
lacking=$(missing)
[ -z "$lacking" ] || fail "missing: $lacking; install it and run again"

# The stamp holds the lock file's checksum. An install by hand leaves none, but leaves npm's own copy newer than the lock.
stamp=node_modules/.stateward-setup
wanted=$(cksum <package-lock.json)
if [ -d node_modules ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  say 'npm packages are as in the lock file'
elif [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
  say 'npm packages were installed by hand after the lock file was written; kept'
else
  say 'npm ci'
  log=$(npm ci --no-audit --no-fund --loglevel=error 2>&1) || {
    echo "$log" | head -20 >&2
    fail 'npm ci failed'
  }
  echo "$wanted" >"$stamp"
fi
say "ready: node $(node --version), java $(java -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -1)"
