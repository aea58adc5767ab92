#include "platform/realtime/notices.h"

#include "platform/base/json.h"

namespace chat::realtime::notices {
namespace {

json::Writer begin(std::string_view type, std::string_view ref = {}) {
  json::Writer out;
  out.object().field("type", type);
  if (!ref.empty()) out.field("ref", ref);
  return out;
}

void write_standing(json::Writer& out, const Standing& channel) {
  out.key(channel.cid).object().field("epoch", channel.epoch).field("last_seq", channel.last_seq);
  if (channel.from_database) {
    out.key("read_seq");
    if (channel.read_seq) out.integer(*channel.read_seq);
    else out.null();
    out.field("unread", channel.unread);
  }
  out.end();
}

}  // namespace

std::string ready(const ConnectionId& connection, const Identity& identity, const Options& options) {
  json::Writer out = begin("connection.ready");
  out.key("data").object().field("connection_id", connection.wire()).key("user_id");
  if (identity.user_id.empty()) out.null();
  else out.text(identity.user_id);
  out.field("heartbeat_ms", std::int64_t{options.heartbeat.count()})
      .field("max_frame_bytes", static_cast<std::int64_t>(options.max_frame_bytes));
  return out.end().end().take();
}

std::string token_expiring(Timestamp expires_at) {
  json::Writer out = begin("token.expiring");
  out.key("data").object().key("expires_at").time(expires_at);
  return out.end().end().take();
}

std::string authenticated(const Identity& identity, std::string_view ref) {
  json::Writer out = begin("auth.done", ref);
  out.key("data").object().key("expires_at");
  if (identity.expires_at) out.time(*identity.expires_at);
  else out.null();
  return out.end().end().take();
}

std::string pong(std::string_view ref) { return begin("pong", ref).end().take(); }

std::string error(const Error& error, std::string_view ref) {
  json::Writer out = begin("error", ref);
  const CodeRow& row = row_of(error.code());
  out.key("data").object().field("code", row.word).field("detail", error.what());
  out.key("retryable").boolean(row.retryable).key("errors").array();
  for (const auto& mistake : error.fields()) {
    out.object().field("pointer", mistake.pointer).field("detail", mistake.detail).end();
  }
  return out.end().end().end().take();
}

std::string resync(std::string_view cid, std::string_view reason, std::string_view epoch, std::int64_t last_seq) {
  json::Writer out = begin("resync");
  out.field("cid", cid).key("data").object().field("reason", reason);
  if (!epoch.empty()) out.field("epoch", epoch).field("last_seq", last_seq);
  return out.end().end().take();
}

std::string done_with(std::string_view type, std::string_view ref, std::string_view data) {
  json::Writer out = begin(type, ref);
  return out.key("data").raw(data.empty() ? "{}" : data).end().take();
}

std::string done(std::string_view type, std::string_view ref, const std::vector<Standing>& channels,
                 const std::vector<std::string>& not_found) {
  json::Writer out = begin(type, ref);
  out.key("data").object().key("channels").object();
  for (const auto& channel : channels) write_standing(out, channel);
  out.end();
  if (!not_found.empty()) {
    out.key("errors").object();
    for (const auto& cid : not_found) {
      out.key(cid).object().field("code", row_of(Code::not_found).word).field("detail", "No such channel.").end();
    }
    out.end();
  }
  return out.end().end().take();
}

std::string_view word(Close code) {
  switch (code) {
    case Close::draining: return "draining";
    case Close::slow_reader: return "slow_reader";
    case Close::no_heartbeat: return "no_heartbeat";
    case Close::token_expired: return "token_expired";
    case Close::teams_changed: return "teams_changed";
    case Close::unavailable: return "unavailable";
    case Close::unauthenticated: return "unauthenticated";
    case Close::application_suspended: return "application_suspended";
    case Close::token_revoked: return "token_revoked";
    case Close::too_many_connections: return "too_many_connections";
    case Close::protocol_error: return "protocol_error";
    case Close::user_deactivated: return "user_deactivated";
    case Close::user_banned: return "user_banned";
  }
  return "closed";
}

Close close_for(Code code) {
  switch (code) {
    case Code::token_expired: return Close::token_expired;
    case Code::token_revoked: return Close::token_revoked;
    case Code::application_suspended: return Close::application_suspended;
    case Code::user_deactivated: return Close::user_deactivated;
    case Code::forbidden: return Close::user_banned;
    case Code::too_many_connections:
    case Code::limit_reached:
    case Code::quota_exceeded: return Close::too_many_connections;
    case Code::unavailable:
    case Code::internal:
    case Code::rate_limited: return Close::unavailable;
    default: return Close::unauthenticated;
  }
}

}  // namespace chat::realtime::notices
