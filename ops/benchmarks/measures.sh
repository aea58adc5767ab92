# What ops/bench measures, one function each; sourced by ops/bench. A measure prints one JSON object; what people should
# see meanwhile goes to stderr. Numerator and denominator take turns (A B A B …), and medians are compared: the machine
# is noisy, and noise must hit both.
# shellcheck disable=SC2154  # seconds, rounds, engine, recipients, kind come from ops/bench

REDIS_PID=""
LOAD_PID=""
BENCH_UUID=""

# A new house each time: a measurement must not depend on what the last one left.
open_bench() {
  local created folder=$ROOT/var/bench
  if [[ -d $folder ]]; then
    (exec 8>"$folder/lock" && flock -n 8) || die 1 "another ops/bench runs in $folder"
    "$ROOT/ops/dev/postgres" stop "$folder/postgres" 2>/dev/null || true
    rm -rf "$folder"
  fi
  house_open "$folder" "$ROOT/build/release/bin"
  house_postgres ""
  lay_out_log
  start_chatd
  house_chatctl plan apply -f "$ROOT/ops/benchmarks/plan.yaml" >/dev/null
  created=$(make_application bench bench)
  jq -r .api_key <<<"$created" >"$HOUSE/api_key"
  (umask 077 && jq -r .secret.value <<<"$created" >"$HOUSE/secrets/bench_secret")
  BENCH_UUID=$(sql -c "select app_id from applications where name = 'bench'")
}

# As on a server that has run for a while: PostgreSQL renames old files of its log. On a new one it makes a file every 16 MB, and all commits wait.
lay_out_log() {
  local gb=3
  [[ $kind != campaigns ]] || gb=$((gb + recipients * (2 * rounds + 1) / 100000))      # 9 kB a recipient
  sql -c "alter system set min_wal_size = '${gb}GB'" -c "alter system set max_wal_size = '$((2 * gb))GB'" -c "select pg_reload_conf()" >/dev/null
  sql -c "select count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) from generate_series(1, $((gb * 1000)))" -c checkpoint >/dev/null
}

start_chatd() {
  local -a options=(--set log.level=warn --set public.engine="$engine")
  [[ $engine == beast ]] || options+=(--set "node.roles=[api, worker]")      # Pistache carries no WebSockets
  [[ $kind != webhooks ]] || options+=(--set outbound.allow_http=true --set "outbound.allowed_networks=[127.0.0.0/8]")
  house_chatd "$PUBLIC_PORT" "$OPERATOR_PORT" "${options[@]}"
}

sql() { "$PG_BIN/psql" -qAtX -v ON_ERROR_STOP=1 "$DSN_SUPERUSER" "$@"; }

# chat_bench KIND FLAG…, in the bench's application
generator() {
  local what=$1
  shift
  "$HOUSE_BIN/chat_bench" "$what" --address "127.0.0.1:$PUBLIC_PORT" --api-key "$(<"$HOUSE/api_key")" \
    --secret-file "$HOUSE/secrets/bench_secret" "$@"
}

median() { jq -s 'sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end'; }

ratio() { jq -n --argjson a "$1" --argjson b "$2" '$a / $b * 1000 | round / 1000'; }

describe_run() {
  jq -n --arg bench "$kind" --arg at "$(date -u +%FT%TZ)" --arg commit "$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    --argjson changed "$(git -C "$ROOT" status --porcelain 2>/dev/null | grep -q . && echo true || echo false)" \
    --argjson cores "$(nproc)" --arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" --arg kernel "$(uname -r)" \
    --arg postgresql "$(sql -c 'show server_version')" --arg fsync "$(sql -c 'show fsync')" \
    --arg commit_mode "$(sql -c 'show synchronous_commit')" --arg redis "$(redis-cli --version | awk '{print $2}')" \
    --arg chatd "$("$HOUSE_BIN/chatd" --version 2>&1 | head -1)" --arg engine "$engine" --argjson seconds "$seconds" \
    '{bench: $bench, at: $at, commit: $commit, uncommitted_changes: $changed, cores: $cores, cpu: $cpu, kernel: $kernel,
      versions: {chatd: $chatd, postgresql: $postgresql, redis: $redis}, engine: $engine,
      postgresql: {fsync: $fsync, synchronous_commit: $commit_mode}, seconds_each: $seconds}'
}

# ---- pgbench ---------------------------------------------------------------------------------------------------------

readonly INSERT_STEM=0b0b0b0b-0000-7000-8000-

prepare_inserts() {
  sql -v app="$BENCH_UUID" -v stem=$INSERT_STEM -f "$ROOT/ops/benchmarks/insert_setup.sql"
  sql -c checkpoint
}

# pgbench_inserts CLIENTS [pgbench option…]
pgbench_inserts() {
  local clients=$1 prefix
  shift
  prefix=$(sql -c "select substr(uuid7_floor(clock_timestamp())::text, 1, 15)")
  "$PG_BIN/pgbench" -n -M prepared -c "$clients" -j 2 -T "$seconds" -D app="$BENCH_UUID" -D stem=$INSERT_STEM -D prefix="$prefix" \
    -f "$ROOT/ops/benchmarks/insert.sql" "$@" "$DSN_SUPERUSER" 2>"$HOUSE/log/pgbench.log" ||
    fail_with_log "pgbench failed" "$HOUSE/log/pgbench.log"
}

pgbench_tps() {
  local tps
  tps=$(pgbench_inserts 64 | sed -n 's/^tps = \([0-9.]*\).*/\1/p')
  [[ -n $tps ]] || die 1 "pgbench finished no transaction in $seconds s"
  echo "$tps"
}

# Milliseconds of one insert at a time.
pgbench_p50() {
  rm -f "$HOUSE"/pgbench_log*
  pgbench_inserts 1 --log --log-prefix="$HOUSE/pgbench_log" >/dev/null
  awk '{ print $3 / 1000 }' "$HOUSE"/pgbench_log* | median
}

# ---- send, latency ---------------------------------------------------------------------------------------------------

measure_send() {
  local round tps sends sent all=()
  prepare_inserts
  for ((round = 1; round <= rounds; ++round)); do
    tps=$(pgbench_tps)
    sends=$(generator send --seconds "$seconds" --warmup 1)
    sent=$(jq .per_second <<<"$sends")
    say "round $round: chatd ${sent%.*}/s, pgbench ${tps%.*}/s, ratio $(ratio "$sent" "$tps")"
    all+=("$(jq -c --argjson tps "$tps" '{sends_per_second: .per_second, inserts_per_second: $tps, send: .}' <<<"$sends")")
  done
  printf '%s\n' "${all[@]}" | jq -s "$JQ_MEDIAN"'
    {sends_per_second: (map(.sends_per_second) | median), inserts_per_second: (map(.inserts_per_second) | median),
     connections: 64, reach: "ratio >= 1.0, then 1.5", rounds: .}
    | {ratio: (.sends_per_second / .inserts_per_second * 1000 | round / 1000)} + .
    | . + (if any(.rounds[]; .send.refused != {} or .send.lost_connections > 0)
           then {failed: ("sends were refused: " + ([.rounds[].send.first_refusal] | unique | join(" ")))} else {} end)'
}

readonly JQ_MEDIAN='def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;'

measure_latency() {
  local round most half loaded insert alone all=()
  prepare_inserts
  most=$(generator send --seconds "$seconds" --warmup 1 | jq '.per_second | floor')
  half=$((most / 2))
  for ((round = 1; round <= rounds; ++round)); do
    loaded=$(generator send --seconds "$seconds" --warmup 1 --rate "$half")
    insert=$(pgbench_p50)
    alone=$(generator send --seconds "$seconds" --warmup 1 --connections 1 --channels 1)
    say "round $round: at $half/s p50 $(jq .latency.p50_ms <<<"$loaded") ms, p99 $(jq .latency.p99_ms <<<"$loaded") ms;" \
      "alone p50 $(jq .latency.p50_ms <<<"$alone") ms, an insert $insert ms"
    all+=("$(jq -nc --argjson loaded "$loaded" --argjson alone "$alone" --argjson insert "$insert" \
      '{loaded: $loaded, alone: $alone, insert_p50_ms: $insert}')")
  done
  printf '%s\n' "${all[@]}" | jq -s --argjson most "$most" --argjson half "$half" "$JQ_MEDIAN"'
    {most_sends_per_second: $most, rate: $half, p50_ms: (map(.loaded.latency.p50_ms) | median),
     p99_ms: (map(.loaded.latency.p99_ms) | median), alone_p50_ms: (map(.alone.latency.p50_ms) | median),
     insert_p50_ms: (map(.insert_p50_ms) | median), reach: "ratio <= 3", rounds: .}
    | {ratio: (.alone_p50_ms / .insert_p50_ms * 1000 | round / 1000)} + .'
}

# ---- fanout ----------------------------------------------------------------------------------------------------------

# Debian's redis-tools carries the server under another name; it goes by the one it is called with. No system service.
redis_start() {
  local -a drop=()
  ! port_taken "$REDIS_PORT" || die 3 "port $REDIS_PORT is taken on 127.0.0.1"
  [[ $EUID != 0 ]] || drop=(runuser -u nobody --)
  (
    cd / || exit 1
    # shellcheck disable=SC2016  # for the inner shell
    exec "${drop[@]}" bash -c 'exec -a redis-server /usr/bin/redis-check-rdb "$@"' redis --bind 127.0.0.1 --port "$REDIS_PORT" \
      --save "" --appendonly no --client-output-buffer-limit "pubsub 0 0 0" 9>&- >"$HOUSE/log/redis.log" 2>&1
  ) &
  REDIS_PID=$!
  wait_until 10 redis-cli -p "$REDIS_PORT" ping || fail_with_log "Redis did not start" "$HOUSE/log/redis.log"
}

# For a trap on EXIT.
close_bench() {
  [[ -z $LOAD_PID ]] || stop_process "$LOAD_PID" 5
  redis_stop
  house_close
}

redis_stop() {
  [[ -z $REDIS_PID ]] || stop_process "$REDIS_PID" 10
  REDIS_PID=""
}

# One size of channel: chatd and Redis in turns, with payloads of the same size.
fanout_of() {
  local sockets=$1 round chat redis all=()
  for ((round = 1; round <= rounds; ++round)); do
    chat=$(generator fanout --sockets "$sockets" --in-flight 16 --seconds "$seconds")
    redis=$("$HOUSE_BIN/chat_bench" redis-fanout --redis "127.0.0.1:$REDIS_PORT" --sockets "$sockets" --in-flight 16 \
      --seconds "$seconds" --payload-bytes "$(jq .frame_bytes <<<"$chat")")
    say "$sockets sockets, round $round: chatd $(jq '.deliveries_per_second | floor' <<<"$chat")/s (p99 $(jq .age.p99_ms <<<"$chat") ms)," \
      "Redis $(jq '.deliveries_per_second | floor' <<<"$redis")/s"
    all+=("$(jq -nc --argjson chat "$chat" --argjson redis "$redis" '{chat: $chat, redis: $redis}')")
  done
  printf '%s\n' "${all[@]}" | jq -s "$JQ_MEDIAN"'
    {deliveries_per_second: (map(.chat.deliveries_per_second) | median), sends_per_second: (map(.chat.sends_per_second) | median),
     p50_ms: (map(.chat.age.p50_ms) | median), p99_ms: (map(.chat.age.p99_ms) | median), missing: (map(.chat.missing) | add),
     redis_deliveries_per_second: (map(.redis.deliveries_per_second) | median), rounds: .}
    | {ratio: (.deliveries_per_second / .redis_deliveries_per_second * 1000 | round / 1000)} + .'
}

measure_fanout() {
  local hundred thousand
  redis_start
  hundred=$(fanout_of 100)
  thousand=$(fanout_of 1000)
  redis_stop
  jq -n --argjson hundred "$hundred" --argjson thousand "$thousand" '
    {ratio_100: $hundred.ratio, ratio_1000: $thousand.ratio, sockets_100: ($hundred | del(.rounds)), sockets_1000: ($thousand | del(.rounds)),
     reach: "ratio >= 0.7, then 1.0; never under 100000/s, p99 < 25 ms", rounds: {sockets_100: $hundred.rounds, sockets_1000: $thousand.rounds}}
    | . + (if .sockets_100.missing + .sockets_1000.missing != 0 then {failed: "acknowledged messages did not reach every socket"} else {} end)'
}

# ---- history ---------------------------------------------------------------------------------------------------------

fill_channel() {
  generator channel --channel history --user historian          # the author, and the channel type
  sql -v app="$BENCH_UUID" -v channel="$1" -v user=historian -v messages="$2" -f "$ROOT/ops/benchmarks/history_setup.sql"
}

measure_history() {
  local round one all=()
  say "filling the channels: 1,000,000 and 10,000 messages"
  fill_channel large 1000000
  fill_channel small 10000
  sql -c 'vacuum analyze' -c checkpoint
  for ((round = 1; round <= rounds; ++round)); do
    one=$(generator history --large large --small small --user historian)
    say "round $round: large p50 $(jq .large.p50_ms <<<"$one") p99 $(jq .large.p99_ms <<<"$one") ms, small p50 $(jq .small.p50_ms <<<"$one") p99 $(jq .small.p99_ms <<<"$one") ms"
    all+=("$one")
  done
  printf '%s\n' "${all[@]}" | jq -s "$JQ_MEDIAN"'
    {large_p50_ms: (map(.large.p50_ms) | median), large_p99_ms: (map(.large.p99_ms) | median),
     small_p50_ms: (map(.small.p50_ms) | median), small_p99_ms: (map(.small.p99_ms) | median),
     messages: .[0].messages, reach: "p99 <= 5 ms, ratio <= 1.2", rounds: .}
    | {ratio: (.large_p50_ms / .small_p50_ms * 1000 | round / 1000), ratio_p99: (.large_p99_ms / .small_p99_ms * 1000 | round / 1000)} + .
    | . + (if .messages != 50 then {failed: "an answer did not hold 50 messages"} else {} end)'
}

# ---- search ----------------------------------------------------------------------------------------------------------

measure_search() {
  local round one messages=${CHAT_BENCH_MESSAGES:-1000000} all=()
  say "filling 1,000 channels with $messages messages, and indexing them"
  generator users --users "everywhere,somewhere,$(seq -s , -f 'writer%g' 1 50)"
  generator channel --channel search --user everywhere          # the channel type
  sql -v app="$BENCH_UUID" -v messages="$messages" -f "$ROOT/ops/benchmarks/search_setup.sql"
  sql -c 'vacuum analyze' -c checkpoint
  for ((round = 1; round <= rounds; ++round)); do
    one=$(generator search)
    say "round $round: p50 $(jq .all.p50_ms <<<"$one") p99 $(jq .all.p99_ms <<<"$one") ms"
    all+=("$one")
  done
  printf '%s\n' "${all[@]}" | jq -s --argjson messages "$messages" "$JQ_MEDIAN"'
    {p50_ms: (map(.all.p50_ms) | median), p99_ms: (map(.all.p99_ms) | median), messages: $messages, reach: "p99 < 50 ms",
     by_kind_p99_ms: (.[0] | to_entries | map(select(.value | type == "object")) | map({(.key): .value.p99_ms}) | add), rounds: .}'
}

# ---- campaigns -------------------------------------------------------------------------------------------------------

readonly OTHERS_RATE=200 CAMPAIGN_TURNS=5      # sends/s of another tenant; windows with a campaign, in a round

# shop PATH [JSON]: a call of the application whose campaigns are sent, by its backend
shop() {
  local -a body=()
  [[ $# -lt 2 ]] || body=(-d "$2" -H 'Content-Type: application/json')
  curl -sf -H "X-API-Key: $(<"$HOUSE/shop.key")" -H "Authorization: Bearer $(<"$HOUSE/shop.token")" "${body[@]}" "http://127.0.0.1:$PUBLIC_PORT/v1/$1"
}

make_shop() {
  local created app
  created=$(make_application shop bench)
  jq -r .api_key <<<"$created" >"$HOUSE/shop.key"
  (umask 077 && jq -r .secret.value <<<"$created" >"$HOUSE/secrets/shop")
  house_chatctl token create --api-key "$(<"$HOUSE/shop.key")" --secret-file "$HOUSE/secrets/shop" --server-token -o name >"$HOUSE/shop.token"
  shop users '{"users":[{"user_id":"shop"}]}' >/dev/null
  app=$(sql -c "select app_id from applications where name = 'shop'")
  sql -c "insert into users (app_id, id, user_id, name, created_at, updated_at)
          select '$app', gen_random_uuid(), 'customer-' || n, 'Customer ' || n, now(), now() from generate_series(1, $recipients) n"
  sql -c 'vacuum analyze users' -c checkpoint
  shop segments '{"name":"All","of":"users","filter":{"type":"regular"}}' | jq -r .segment.id >"$HOUSE/segment"
}

# A campaign to all of them, begun.
begin_campaign() {
  shop campaigns "$(jq -n --arg segment "$(<"$HOUSE/segment")" \
    '{name: "bench", sender_id: "shop", segments: [$segment], variants: [{text: "Hi {{user.name|there}}, this is a message of about a hundred bytes, as they are in other benches."}]}')" | jq -r .campaign.id >"$HOUSE/campaign"
  steer_campaign start
}

is_over() { [[ $(sql -c 'select status from campaigns order by created_at desc limit 1') == completed ]]; }   # asking the API would count its receipts

# Until the newest one is over: {sent, seconds, per_second}
end_campaign() {
  wait_until 600 is_over || die 1 "the campaign is not over after 600 s"
  sql -c "select json_build_object('sent', n.sent, 'seconds', extract(epoch from c.finished_at - c.started_at),
            'per_second', round(n.sent / extract(epoch from c.finished_at - c.started_at)))
          from campaigns c join lateral (select count(*) as sent from campaign_recipients r where r.app_id = c.app_id and r.campaign_id = c.id and r.state = 'sent') n on true
          where c.finished_at is not null order by c.started_at desc limit 1"
}

# What a campaign leaves behind is somebody else's cost: autovacuum would come a minute later, what the kernel still has to write half a minute.
settle() {
  wait_until 180 is_indexed || die 1 "the search index has not caught up after 180 s"
  sql -c "vacuum analyze"
  sync -f "$HOUSE"
}
is_indexed() { [[ $(sql -c "select count(*) < 5 from search_queue") == t ]]; }

is_under_way() { [[ $(count_ended) -gt 0 ]]; }
count_ended() {
  sql -c "select count(*) from campaign_recipients where state <> 'waiting' and campaign_id = (select id from campaigns order by created_at desc limit 1)"
}

steer_campaign() { shop "campaigns/$(<"$HOUSE/campaign")/$1" '{}' >/dev/null; }

# Another tenant sends all the while; a campaign is paused in every other window. {quiet, beside, windows, yielding_per_second, outlasts}
beside_campaign() {
  local window before=0 sent=0 outlasts=true
  begin_campaign
  wait_until 60 is_under_way || die 1 "the campaign does not begin"
  steer_campaign pause
  settle
  generator send --seconds "$seconds" --warmup 1 --windows $((2 * CAMPAIGN_TURNS)) --rate "$OTHERS_RATE" --connections 16 \
    >"$HOUSE/windows.json" 2>"$HOUSE/log/windows.log" &
  LOAD_PID=$!
  for ((window = 1; window <= 2 * CAMPAIGN_TURNS; ++window)); do
    wait_until $((seconds + 60)) grep -q "^window $window is over" "$HOUSE/log/windows.log" || die 1 "the load generator stands"
    if ((window % 2 == 1)); then
      before=$(count_ended)
      steer_campaign resume
    else
      ! is_over || { outlasts=false; break; }
      steer_campaign pause
      sent=$((sent + $(count_ended) - before))
    fi
  done
  wait "$LOAD_PID" || die 1 "the load generator failed"
  LOAD_PID=""
  [[ $outlasts == false ]] || steer_campaign resume
  jq --argjson yielding $((sent / (CAMPAIGN_TURNS * (seconds + 1)))) --argjson outlasts $outlasts \
    '{quiet: .turns[0], beside: .turns[1], windows: [.windows[].p99_ms], refused, first_refusal, yielding_per_second: $yielding, outlasts: $outlasts}' "$HOUSE/windows.json"
}

# Windows without and with take turns; how far the windows without are apart says what a difference means on this machine.
measure_campaigns() {
  local round first alone turns ended all=()
  make_shop
  begin_campaign
  first=$(end_campaign)
  say "the first, which makes $recipients channels: $(jq .per_second <<<"$first") recipients/s"
  for ((round = 1; round <= rounds; ++round)); do
    begin_campaign
    alone=$(end_campaign)
    settle
    turns=$(beside_campaign)
    ended=$(end_campaign)
    settle
    say "round $round: alone $(jq .per_second <<<"$alone") recipients/s; another tenant at $OTHERS_RATE/s: p99 $(jq .quiet.p99_ms <<<"$turns") ms without," \
      "$(jq .beside.p99_ms <<<"$turns") with one that yields to it, $(jq .yielding_per_second <<<"$turns")/s (p50 $(jq .quiet.p50_ms <<<"$turns"), $(jq .beside.p50_ms <<<"$turns"))"
    all+=("$(jq -c --argjson alone "$alone" --argjson ended "$ended" '{alone: $alone, campaign: $ended} + .' <<<"$turns")")
  done
  printf '%s\n' "${all[@]}" | jq -s --argjson first "$first" --argjson rate "$OTHERS_RATE" --argjson recipients "$recipients" "$JQ_MEDIAN"'
    def every(n; m): [.windows as $w | range(n; $w | length; m) | $w[.]] | median;
    {recipients: $recipients, first_per_second: $first.per_second, per_second: (map(.alone.per_second) | median), yielding_per_second: (map(.yielding_per_second) | median),
     others_rate: $rate, p99_without_ms: (map(.quiet.p99_ms) | median), p99_with_ms: (map(.beside.p99_ms) | median),
     p50_without_ms: (map(.quiet.p50_ms) | median), p50_with_ms: (map(.beside.p50_ms) | median), reach: "ratio <= 1.2", rounds: .}
    | {ratio: (.rounds | map(.beside.p99_ms / .quiet.p99_ms) | median * 1000 | round / 1000),
       noise: ([.rounds[] | [every(0; 4), every(2; 4)] | max / min] | median * 1000 | round / 1000)} + .
    | . + (if any(.rounds[]; .campaign.sent != $recipients or .alone.sent != $recipients) then {failed: "not every recipient was sent to"}
           elif any(.rounds[]; .outlasts | not) then {failed: "a campaign was over before the measurement: more --recipients, or less --seconds"}
           elif any(.rounds[]; .refused != {}) then {failed: ("sends were refused: " + ([.rounds[].first_refusal] | unique | join(" ")))} else {} end)'
}

# ---- webhooks --------------------------------------------------------------------------------------------------------

WEBHOOK_PORT=18400

# make_endpoints KEY_FILE SECRET_FILE COUNT FIRST_PORT MORE_JSON: that many endpoints for message.new, ids on stdout
make_endpoints() {
  local token i
  token=$(house_chatctl token create --api-key "$(<"$1")" --secret-file "$2" --server-token -o name)
  for ((i = 0; i < $3; ++i)); do
    curl -sf -H "X-API-Key: $(<"$1")" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
      "http://127.0.0.1:$PUBLIC_PORT/v1/webhooks/endpoints" \
      -d "$(jq -n --arg url "http://127.0.0.1:$(($4 + i))/" --argjson more "$5" '{url: $url, events: ["message.new"], max_in_flight: 256} + $more')" |
      jq -r .webhook_endpoint.id
  done
}

# call_endpoint ID VERB, in the bench's application
call_endpoint() {
  local token
  token=$(house_chatctl token create --api-key "$(<"$HOUSE/api_key")" --secret-file "$HOUSE/secrets/bench_secret" --server-token -o name)
  curl -sf -X POST -H "X-API-Key: $(<"$HOUSE/api_key")" -H "Authorization: Bearer $token" -d '{}' -H 'Content-Type: application/json' \
    "http://127.0.0.1:$PUBLIC_PORT/v1/webhooks/endpoints/$1/$2" >/dev/null
}

waiting_deliveries() { sql -c "select count(*) from webhook_deliveries where app_id = '$BENCH_UUID' and state = 'pending'"; }
boxed_events() { sql -c 'select count(*) from outbox'; }
nothing_boxed() { [[ $(boxed_events) == 0 ]]; }

# What waits for a paused endpoint is delivered when it is resumed: rate of the worker alone, without the sends.
webhook_rate() {
  local endpoint=$1 waiting report
  call_endpoint "$endpoint" pause
  generator send --seconds "$seconds" --warmup 0 >/dev/null
  wait_until 120 nothing_boxed || die 1 "the outbox is not empty after 120 s"
  waiting=$(waiting_deliveries)
  "$HOUSE_BIN/chat_bench" webhooks --port "$WEBHOOK_PORT" --expect "$waiting" >"$HOUSE/webhooks.json" 2>"$HOUSE/log/receiver.log" &
  LOAD_PID=$!
  wait_until 10 grep -q ready "$HOUSE/log/receiver.log" || die 1 "the receiver did not start"
  call_endpoint "$endpoint" resume
  wait "$LOAD_PID" || die 1 "the receiver failed"
  LOAD_PID=""
  report=$(<"$HOUSE/webhooks.json")
  jq -c --argjson waiting "$waiting" '. + {waiting: $waiting}' <<<"$report"
}

# webhook_latency HANG: five applications with 20 endpoints each, of whose 100 so many hang; 20 messages of each application, one after the other.
webhook_latency() {
  local hang=$1 good=$((100 - $1)) i
  "$HOUSE_BIN/chat_bench" webhooks --port $((WEBHOOK_PORT + 100)) --ports 100 --hang "$hang" --expect $((good * 20)) --patience-s 20 \
    >"$HOUSE/webhooks.json" 2>"$HOUSE/log/receiver.log" &
  LOAD_PID=$!
  wait_until 10 grep -q ready "$HOUSE/log/receiver.log" || die 1 "the receivers did not start"
  for ((i = 0; i < 20; ++i)); do
    for app in 0 1 2 3 4; do
      curl -sf -H "X-API-Key: $(<"$HOUSE/hook$app.key")" -H "Authorization: Bearer $(<"$HOUSE/hook$app.token")" -H 'Content-Type: application/json' \
        "http://127.0.0.1:$PUBLIC_PORT/v1/channels/messaging/hooks/messages" -d '{"text":"hello","user_id":"user-0"}' >/dev/null
    done
  done
  wait "$LOAD_PID" || die 1 "the receivers failed"
  LOAD_PID=""
  jq -c . "$HOUSE/webhooks.json"
}

make_hooked_applications() {
  local app created
  for app in 0 1 2 3 4; do
    created=$(make_application "hook$app" bench)
    jq -r .api_key <<<"$created" >"$HOUSE/hook$app.key"
    (umask 077 && jq -r .secret.value <<<"$created" >"$HOUSE/secrets/hook$app")
    house_chatctl token create --api-key "$(<"$HOUSE/hook$app.key")" --secret-file "$HOUSE/secrets/hook$app" --server-token -o name >"$HOUSE/hook$app.token"
    "$HOUSE_BIN/chat_bench" channel --address "127.0.0.1:$PUBLIC_PORT" --api-key "$(<"$HOUSE/hook$app.key")" --secret-file "$HOUSE/secrets/hook$app" \
      --channel hooks --user user-0
    make_endpoints "$HOUSE/hook$app.key" "$HOUSE/secrets/hook$app" 20 $((WEBHOOK_PORT + 100 + app * 20)) '{}' >/dev/null
  done
}

measure_webhooks() {
  local round one endpoint all=() alone hanging
  endpoint=$(make_endpoints "$HOUSE/api_key" "$HOUSE/secrets/bench_secret" 1 "$WEBHOOK_PORT" '{}')
  for ((round = 1; round <= rounds; ++round)); do
    one=$(webhook_rate "$endpoint")
    say "round $round: $(jq '.per_second | round' <<<"$one") deliveries/s of $(jq .waiting <<<"$one") that waited"
    all+=("$one")
  done
  call_endpoint "$endpoint" disable
  make_hooked_applications
  alone=$(webhook_latency 0)
  hanging=$(webhook_latency 50)
  say "p99 of endpoints that answer: $(jq .latency.p99_ms <<<"$alone") ms; with 50 of 100 that hang: $(jq .latency.p99_ms <<<"$hanging") ms"
  printf '%s\n' "${all[@]}" | jq -s --argjson alone "$alone" --argjson hanging "$hanging" "$JQ_MEDIAN"'
    {deliveries_per_second: (map(.per_second) | median | round), reach: ">= 3000/s; p99 with 50 of 100 hanging <= 2 times",
     p99_ms: $alone.latency.p99_ms, p99_hanging_ms: $hanging.latency.p99_ms,
     ratio: ($hanging.latency.p99_ms / $alone.latency.p99_ms * 1000 | round / 1000), rounds: .}
    + if any(.[]; .received < .waiting) then {failed: "deliveries are missing"} elif $hanging.received < 1000 then {failed: "an endpoint that answers waits for one that hangs"} else {} end'
}

# ---- fairness --------------------------------------------------------------------------------------------------------

readonly NOISY_LIMIT_PER_S=50          # plan bench-noisy: 3,000 requests a minute

# fairness_round NAME CALM: with a tenant of its own, whose buckets are full, that sends CALM/s between its floods
fairness_round() {
  local created
  created=$(make_application "$1" bench-noisy)
  (umask 077 && jq -r .secret.value <<<"$created" >"$HOUSE/secrets/noisy_secret")
  generator fairness --noisy-api-key "$(jq -r .api_key <<<"$created")" --noisy-secret-file "$HOUSE/secrets/noisy_secret" \
    --seconds "$seconds" --flood $((50 * NOISY_LIMIT_PER_S)) --calm "$2"
}

measure_fairness() {
  local round silent calm flood=$((50 * NOISY_LIMIT_PER_S)) all=()
  for ((round = 1; round <= rounds; ++round)); do
    calm=$(fairness_round "calm $round" $NOISY_LIMIT_PER_S)
    silent=$(fairness_round "silent $round" 0)
    say "round $round: the other at its limit p50 $(jq .alone.p50_ms <<<"$calm") p99 $(jq .alone.p99_ms <<<"$calm") ms, at 50 times it p50" \
      "$(jq .flooded.p50_ms <<<"$calm") p99 $(jq .flooded.p99_ms <<<"$calm") ms; the other silent p99 $(jq .alone.p99_ms <<<"$silent") ms, at 50 times" \
      "$(jq .flooded.p99_ms <<<"$silent") ms; flood $(jq '.flood.per_second | floor' <<<"$calm")/s"
    all+=("$(jq -nc --argjson calm "$calm" --argjson silent "$silent" '{calm: $calm, silent: $silent}')")
  done
  printf '%s\n' "${all[@]}" | jq -s --argjson flood "$flood" "$JQ_MEDIAN"'
    def of(f): map(f) | median;
    {within_p50_ms: of(.calm.alone.p50_ms), within_p99_ms: of(.calm.alone.p99_ms), flooded_p50_ms: of(.calm.flooded.p50_ms),
     flooded_p99_ms: of(.calm.flooded.p99_ms), silent_p99_ms: of(.silent.alone.p99_ms), flooded_after_silence_p99_ms: of(.silent.flooded.p99_ms),
     flood_per_second: of(.calm.flood.per_second), flood_limit_per_second: ($flood / 50), reach: "ratio < 1.2", rounds: .}
    | {ratio: (.flooded_p99_ms / .within_p99_ms * 1000 | round / 1000), ratio_p50: (.flooded_p50_ms / .within_p50_ms * 1000 | round / 1000),
       ratio_to_silence: (.flooded_after_silence_p99_ms / .silent_p99_ms * 1000 | round / 1000)} + .
    | . + (if any(.rounds[][]; .refused != {} or (.flood.refused | del(."429")) != {}) then
             {failed: ("sends were refused: " + ([.rounds[][] | .first_refusal, .flood.first_refusal] | unique | join(" ")))}
           elif .flood_per_second < 0.95 * $flood then {failed: "the flood was no flood"} else {} end)'
}

# ---- block lists -----------------------------------------------------------------------------------------------------

# No server is asked: what is measured is what stands between a message and its lane, in the thread's own time.
measure_blocklists() {
  local round one all=()
  for ((round = 1; round <= rounds; ++round)); do
    one=$("$HOUSE_BIN/chat_bench" blocklists --seconds "$seconds")
    say "round $round: p50 $(jq .latin.p50_us <<<"$one") p99 $(jq .latin.p99_us <<<"$one") us; a change $(jq '.change_ms | floor' <<<"$one") ms"
    all+=("$one")
  done
  printf '%s\n' "${all[@]}" | jq -s "$JQ_MEDIAN"'
    def kind(k): {p50_us: (map(.[k].p50_us) | median), p99_us: (map(.[k].p99_us) | median)};
    {entries: .[0].entries, latin: kind("latin"), mixed: kind("mixed"), dirty: kind("dirty"), tricks: kind("tricks"),
     compile_ms: (map(.compile_ms) | median), change_ms: (map(.change_ms) | median), reach: "p99_us < 50; change_ms < 2000", rounds: .}
    | {p50_us: .latin.p50_us, p99_us: .latin.p99_us} + .'
}

# ---- crash -----------------------------------------------------------------------------------------------------------

# kill -9 while 64 connections send; a second chatd takes over; every acknowledged id must be a row.
measure_crash() {
  local acked=$HOUSE/acked lost report
  generator send --seconds $((seconds + 4)) --warmup 0 --reconnect --acked-log "$acked" >"$HOUSE/crash.json" &
  LOAD_PID=$!
  wait_until 120 test -s "$acked" || die 1 "no send was acknowledged within 120 s"
  sleep $((seconds / 2))
  kill -KILL "$CHATD_PID"
  wait "$CHATD_PID" 2>/dev/null || true
  start_chatd
  wait "$LOAD_PID" || die 1 "the load generator failed"
  LOAD_PID=""
  report=$(<"$HOUSE/crash.json")
  lost=$({
    echo "create temporary table acked (id uuid);"
    echo "copy acked from stdin;"
    "$HOUSE_BIN/chat_bench" uuids --file "$acked"
    echo '\.'
    echo "select count(*) from acked where not exists (select from messages m where m.app_id = '$BENCH_UUID' and m.id = acked.id);"
  } | sql)
  jq -n --argjson report "$report" --argjson lost "$lost" --argjson logged "$(wc -l <"$acked")" '
    {acknowledged: $logged, lost: $lost, lost_connections: $report.lost_connections, refused: $report.refused, reach: "lost = 0"}
    | . + (if $lost != 0 then {failed: "acknowledged messages are gone"} else {} end)'
}
