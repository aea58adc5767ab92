# A private PostgreSQL and one chatd, started and stopped together. Sourced after ops/lib.sh by ops/start, ops/bench.
# Everything lives under one folder ($HOUSE); everything is stopped by the pid that was started, also after a failure.
#
#   house_open FOLDER           makes the folder, takes its lock, makes the secrets
#   house_postgres ""|--fast    starts PostgreSQL and migrates; DSN_OWNER, DSN_SERVER, DSN_SUPERUSER
#   house_chatd PORT OPERATOR_PORT [chatd options…]     starts chatd and waits until it is ready
#   house_close                 stops what was started; for a trap on EXIT

HOUSE=""
HOUSE_BIN=""          # where chatd and chatctl are
CHATD_PID=""
POSTGRES_DIR=""
POSTGRES_STARTED=no
PUBLIC_URL=""
OPERATOR_URL=""
DSN_OWNER=""
DSN_SERVER=""
DSN_SUPERUSER=""
export DSN_SUPERUSER

random_bytes_base64() { openssl rand -base64 32; }
random_token() { printf 'op_%s\n' "$(openssl rand -hex 32)"; }

house_open() {
  HOUSE=$1
  HOUSE_BIN=$2
  mkdir -p "$HOUSE/log" "$HOUSE/secrets"
  chmod 700 "$HOUSE/secrets"
  exec 9>"$HOUSE/lock"
  flock -n 9 || die 1 "somebody else already runs in $HOUSE; stop that one first"
  secret_file "$HOUSE/secrets/operator_token" random_token
  secret_file "$HOUSE/secrets/master_key" random_bytes_base64
}

# PostgreSQL never runs as root. A clone that its account can't enter (below /root, say) keeps its data in
# /var/tmp, and the house has a link to it.
postgres_folder() {
  local folder=$HOUSE/postgres
  if [[ $EUID == 0 && ! -e $folder ]] && ! (cd / && runuser -u nobody -- test -x "$HOUSE"); then
    local elsewhere
    elsewhere=$(mktemp -d /var/tmp/chatd-postgres-XXXXXX)
    chmod 755 "$elsewhere"
    ln -sfn "$elsewhere" "$folder"
  fi
  echo "$folder"
}

house_postgres() {
  POSTGRES_DIR=$(postgres_folder)
  POSTGRES_STARTED=yes
  # shellcheck disable=SC2086  # nothing or one option
  "$ROOT/ops/dev/postgres" start "$POSTGRES_DIR" $1 9>&- || die 4 "PostgreSQL did not start; see $POSTGRES_DIR/postgres.log"
  DSN_OWNER=$("$ROOT/ops/dev/postgres" dsn "$POSTGRES_DIR" chat_owner)
  DSN_SERVER=$("$ROOT/ops/dev/postgres" dsn "$POSTGRES_DIR" chat_server)
  DSN_SUPERUSER=$("$ROOT/ops/dev/postgres" dsn "$POSTGRES_DIR" postgres chat)
  CHATCTL_MIGRATE_DSN=$DSN_OWNER "$HOUSE_BIN/chatctl" migrate up >"$HOUSE/log/migrate.log" 2>&1 ||
    fail_with_log "migrating failed" "$HOUSE/log/migrate.log"
}

house_chatd() {
  local port=$1 operator_port=$2
  shift 2
  local taken
  for taken in "$port" "$operator_port"; do
    ! port_taken "$taken" || die 3 "port $taken is taken on 127.0.0.1; choose others with --port and --operator-port"
  done
  PUBLIC_URL=http://127.0.0.1:$port
  OPERATOR_URL=http://127.0.0.1:$operator_port
  (
    cd "$HOUSE" || exit 1
    CHAT_DATABASE__DSN=$DSN_SERVER exec "$HOUSE_BIN/chatd" --config "$ROOT/ops/config/chat.dev.yaml" \
      --set plans.file="$ROOT/ops/config/plans.yaml" --set public.port="$port" --set operator.port="$operator_port" "$@" 9>&- </dev/null >>"$HOUSE/log/chatd.log" 2>&1
  ) &
  CHATD_PID=$!
  write_context
  if ! wait_until 30 is_ready_or_gone || ! is_alive "$CHATD_PID"; then
    local code=1
    is_alive "$CHATD_PID" || { wait "$CHATD_PID" && code=1 || code=$?; }
    say "${0##*/}: chatd did not become ready; the end of $HOUSE/log/chatd.log:"
    tail -n 20 "$HOUSE/log/chatd.log" >&2
    exit "$code"
  fi
}

is_ready_or_gone() {
  ! is_alive "$CHATD_PID" || curl -fsS -m 2 -o /dev/null "$OPERATOR_URL/readyz"
}

# A context of chatctl's own: XDG_CONFIG_HOME=$HOUSE chatctl …
write_context() {
  mkdir -p "$HOUSE/chatctl"
  (
    umask 077
    cat >"$HOUSE/chatctl/config.yaml" <<END
current: local
contexts:
  local: {server: "$OPERATOR_URL", public: "$PUBLIC_URL", token_file: "$HOUSE/secrets/operator_token"}
END
  )
}

# chatctl against this house, whatever contexts the caller has.
house_chatctl() {
  env -u CHATCTL_CONTEXT -u CHATCTL_SERVER -u CHATCTL_TOKEN_FILE -u CHATCTL_APP XDG_CONFIG_HOME="$HOUSE" \
    "$HOUSE_BIN/chatctl" --no-input "$@"
}

# make_application NAME PLAN     Prints chatctl's JSON: application, api_key, secret.
make_application() {
  house_chatctl app create "$1" --plan "$2" -o json 2>"$HOUSE/log/chatctl.log" ||
    fail_with_log "the application '$1' could not be made" "$HOUSE/log/chatctl.log"
}

house_close() {
  if [[ -n $CHATD_PID ]]; then stop_process "$CHATD_PID" 30; fi
  CHATD_PID=""
  if [[ $POSTGRES_STARTED == yes ]]; then "$ROOT/ops/dev/postgres" stop "$POSTGRES_DIR" 9>&- || say "PostgreSQL did not stop: $POSTGRES_DIR"; fi
  POSTGRES_STARTED=no
}
