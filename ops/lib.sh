# Shared by the commands under ops/. Sourced, never run. Bash 5; everything here is checked by shellcheck.
# Every caller: set -euo pipefail; source ops/lib.sh; work from $ROOT.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export ROOT
readonly PG_BIN=/usr/lib/postgresql/15/bin
export PG_BIN

say() { printf '%s\n' "$*" >&2; }
step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
[[ -t 2 && -z ${NO_COLOR:-} ]] || step() { printf '==> %s\n' "$*" >&2; }

# die CODE SENTENCE
die() {
  local code=$1
  shift
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit "$code"
}

# ---- packages ------------------------------------------------------------------------------------------------------

# Names in ops/packages of the given groups.
packages_of() {
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 !~ /^#/ && $2 == group { print $1 }' "$ROOT/ops/packages"
  done
}

# Of the names given, those that are not installed.
missing_of() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

as_root() {
  if [[ $EUID == 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Installs what is missing of the groups given. No recommends; no service is started, and no PostgreSQL cluster made.
# Errors: 1 when neither root nor sudo, or apt-get fails.
install_packages() {
  local -a wanted missing
  mapfile -t wanted < <(packages_of "$@")
  mapfile -t missing < <(missing_of "${wanted[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || die 1 "these packages are missing, and this is not Debian: ${missing[*]}"
  if [[ $EUID != 0 ]] && ! command -v sudo >/dev/null; then
    die 1 "these Debian packages are missing, and neither root nor sudo is at hand: apt-get install ${missing[*]}"
  fi
  mkdir -p "$ROOT/var/log"
  step "Installing ${#missing[@]} Debian packages: ${missing[*]} (log: var/log/apt.log)"
  as_root bash -s -- "${missing[@]}" <"$ROOT/ops/dev/apt_install" >"$ROOT/var/log/apt.log" 2>&1 ||
    fail_with_log "apt-get could not install them" "$ROOT/var/log/apt.log"
  mapfile -t missing < <(missing_of "${wanted[@]}")
  [[ ${#missing[@]} == 0 ]] || die 1 "still missing after apt-get: ${missing[*]}"
}

# ---- build ---------------------------------------------------------------------------------------------------------

# build_tree DIR CMAKE_OPTION… -- TARGET…     Configures once; after that ninja itself knows when to configure again.
# The compiler's output goes to DIR.log; on failure its end is shown.
build_tree() {
  local dir=$1
  shift
  local -a options=() targets=()
  while [[ $# -gt 0 && $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  targets=("$@")
  mkdir -p "$dir"
  if [[ ! -f $dir/build.ninja || "$(cat "$dir/.options" 2>/dev/null)" != "${options[*]}" ]]; then
    cmake -S "$ROOT" -B "$dir" -G Ninja "${options[@]}" >"$dir.log" 2>&1 || fail_with_log "configuring failed" "$dir.log"
    printf '%s' "${options[*]}" >"$dir/.options"
  fi
  if ninja -C "$dir" -n "${targets[@]}" 2>/dev/null | grep -q 'no work to do'; then
    return 0
  fi
  step "Building $(realpath --relative-to="$ROOT" "$dir") (log: $(realpath --relative-to="$ROOT" "$dir.log"))"
  local failed=no
  if [[ -t 2 ]]; then
    ninja -C "$dir" -j"${CHAT_JOBS:-$(build_jobs)}" "${targets[@]}" 2>&1 | tee "$dir.log" | show_progress || failed=yes
  else
    ninja -C "$dir" -j"${CHAT_JOBS:-$(build_jobs)}" "${targets[@]}" >"$dir.log" 2>&1 || failed=yes
  fi
  [[ $failed == no ]] || fail_with_log "the build failed" "$dir.log"
}

# A core each, and no more than memory allows: one translation unit with sanitizers takes up to 1.5 GB.
build_jobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ { print int($2 / 1048576 / 1.5) }' /proc/meminfo)
  echo $((gigabytes < 1 ? 1 : gigabytes < cores ? gigabytes : cores))
}

show_progress() {
  awk '/^\[[0-9]+\/[0-9]+\]/ { printf "\r\033[K%s", substr($0, 1, 100); fflush() } END { printf "\r\033[K" }' >&2
}

fail_with_log() {
  say "${0##*/}: $1; the end of $2:"
  tail -n 40 "$2" >&2
  exit 1
}

# ---- waiting and processes -----------------------------------------------------------------------------------------

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# wait_until SECONDS COMMAND…     Polls; false when the deadline passes.
wait_until() {
  local deadline=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    [[ $(now_ms) -lt $deadline ]] || return 1
    sleep 0.05
  done
}

is_alive() { kill -0 "$1" 2>/dev/null; }

# stop_process PID SECONDS     TERM, and KILL when the deadline passes. Only for a child of this shell.
stop_process() {
  local pid=$1 deadline=$(($(now_ms) + $2 * 1000))
  is_alive "$pid" || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while is_alive "$pid" && [[ $(now_ms) -lt $deadline ]]; do sleep 0.05; done
  if is_alive "$pid"; then
    say "process $pid did not stop in $2 s: killed"
    kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null || true
}

# Does anything listen on 127.0.0.1:PORT?
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FROM     The first port from FROM on that nobody listens on.
free_port() {
  local port
  for ((port = $1; port < $1 + 100; ++port)); do
    if ! port_taken "$port"; then
      echo "$port"
      return
    fi
  done
  die 3 "no free port from $1 to $port"
}

# secret_file PATH COMMAND…     Makes the file once, mode 0600, with the command's output.
secret_file() {
  local path=$1
  shift
  [[ -s $path ]] && return 0
  (
    umask 077
    "$@" >"$path.new"
    mv "$path.new" "$path"
  )
}
