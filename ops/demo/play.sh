# The main job, played by real clients against the chatd that ops/start has just started. Sourced by ops/start.
# Every step prints what was seen; a step that fails ends ops/start with 1 and the end of chatd's log.

demo_failed() {
  say "the demo failed: $1"
  say "the end of $HOUSE/log/chatd.log:"
  tail -n 30 "$HOUSE/log/chatd.log" >&2
  forget_tiny || true
  exit 1
}

# A fresh application on the plan `tiny`, so that its month is empty however often the demo runs.
make_tiny() {
  local created
  tiny_name=demo-tiny-$(date -u +%Y%m%dT%H%M%S)-$$
  created=$(make_application "$tiny_name" tiny)
  tiny_app=$(jq -r .application.app_id <<<"$created")
  tiny_key=$(jq -r .api_key <<<"$created")
}

forget_tiny() { house_chatctl app delete "$tiny_name" --confirm "$tiny_name" >/dev/null 2>&1; }

play_story() {
  local key app
  key=$(demo_value CHAT_API_KEY)
  app=$(demo_value CHAT_APP_ID)
  DEMO_HOST=127.0.0.1 DEMO_PORT=$port DEMO_KEY=$key DEMO_CHANNEL=demo-$(date -u +%Y%m%dT%H%M%S)-$$ \
    DEMO_SERVER_TOKEN=$(token_of "$app" --server-token) \
    DEMO_ALICE_TOKEN=$(token_of "$app" --user alice) \
    DEMO_BOB_TOKEN=$(token_of "$app" --user bob) \
    DEMO_TINY_KEY=$tiny_key DEMO_TINY_SERVER_TOKEN=$(token_of "$tiny_app" --server-token) \
    "$HOUSE_BIN/chat_demo" || demo_failed "see above"
}

show_operators_view() {
  printf '\n  7. Usage, as the operator sees it (chatctl usage show)\n\n'
  house_chatctl usage show --app demo || demo_failed "chatctl usage show demo"
  printf '\n'
  house_chatctl usage show --app "$tiny_name" || demo_failed "chatctl usage show $tiny_name"
}

show_metrics() {
  local metrics
  printf '\n  8. What Prometheus sees (GET /metrics)\n\n'
  metrics=$(curl -fsS -m 10 "$OPERATOR_URL/metrics") || demo_failed "/metrics did not answer"
  grep -E "$shown_metrics" <<<"$metrics" | grep -v '^#' | sed 's/^/      /' || demo_failed "/metrics does not show the messages"
}
shown_metrics='^chat_(build_info|application_messages_total|ws_connections|ws_connections_opened_total|resumes_total|limit_decisions_total)'

play() {
  step "The demo"
  make_tiny
  play_story
  show_operators_view
  show_metrics
  forget_tiny || demo_failed "the application '$tiny_name' could not be deleted"
  printf '\n  Everything went as told.\n\n'
}
