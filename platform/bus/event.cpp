#include "platform/bus/event.h"

#include <algorithm>

#include "platform/base/json.h"

namespace chat::bus {
namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void append_text(std::string& out, std::string_view text) {
  if (is_plain(text))
    out.append(1, '"').append(text).append(1, '"');
  else
    out.append(std::move(json::Writer().text(text)).take());
}

void append_field(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_text(out, text);
}

}  // namespace

std::string render(const Event& event, bool with_app) {
  std::string out;
  out.reserve(256 + event.data.size());
  out.append("{\"type\":");
  append_text(out, event.type);
  if (with_app) append_field(out, "app", event.app.wire());
  if (!event.cid.empty()) append_field(out, "cid", event.cid);
  if (event.seq != 0) {
    out.append(",\"seq\":").append(std::to_string(event.seq));
    append_field(out, "epoch", event.epoch);
  }
  append_field(out, "id", event.id.wire());
  append_field(out, "created_at", format_time(event.created_at));
  return out.append(",\"data\":").append(event.data.empty() ? "{}" : std::string_view(event.data)).append("}");
}

}  // namespace chat::bus
