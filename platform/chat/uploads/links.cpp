#include "platform/chat/uploads/links.h"

#include <algorithm>
#include <array>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::uploads {
namespace {

// What browsers show in place; everything else is a download, whatever it claims to be.
constexpr std::array<std::string_view, 12> kShown{"image/jpeg", "image/png", "image/gif",  "image/webp", "video/mp4", "video/webm",
                                                  "video/quicktime", "audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/ogg", "audio/webm"};
// What a browser could take for a page of ours.
constexpr std::array<std::string_view, 6> kActive{"text/html", "image/svg+xml", "text/xml", "application/xml", "application/xhtml+xml",
                                                  "application/javascript"};

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// RFC 6266: a plain name for the old, the real one for the others.
std::string disposition_of(std::string_view mime_type, const std::string& name) {
  std::string plain;
  for (const char c : name) plain += (c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '/' && c != '%') ? c : '_';
  return std::string(holds(kShown, mime_type) ? "inline" : "attachment") + "; filename=\"" + plain + "\"; filename*=UTF-8''" +
         text::percent_encode(name);
}

files::Presented presented_as(const Upload& upload, std::string_view part) {
  if (part != files::kOriginal) return {"image/webp", disposition_of("image/webp", "thumbnail-" + std::string(part) + ".webp")};
  const auto mime_type = upload.mime_type.value_or("application/octet-stream");
  return {holds(kActive, mime_type) ? "application/octet-stream" : mime_type, disposition_of(mime_type, upload.name)};
}

std::int64_t seconds_of(Timestamp at) { return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count(); }

Error not_ours() { return Error(Code::forbidden, "This link is not valid, or no longer."); }

Ticket read_ticket(const std::string& payload, std::string_view upload, Timestamp now) {
  const auto document = json::Document::parse(payload);
  const auto items = document.root().items();
  const auto app = Uuid::parse(items.at(1).text()), file = Uuid::parse(items.at(2).text());
  if (!app || !file || UploadId{*file}.wire() != upload || items.at(3).integer() < seconds_of(now)) throw not_ours();
  Ticket ticket;
  ticket.place = {AppId{*app}, *file};
  ticket.brings = items.at(0).text() == "put";
  if (ticket.brings) {
    ticket.size_bytes = items.at(4).integer();
  } else {
    ticket.part = items.at(4).text();
    ticket.presented = {std::string(items.at(5).text()), std::string(items.at(6).text())};
  }
  return ticket;
}

}  // namespace

std::string Links::sign(UploadId upload, const std::string& payload) const {
  const auto shown = crypto::base64url(payload);
  return public_url_ + "/v1/uploads/" + upload.wire() + "/content?token=" + shown + "." + crypto::base64url(crypto::hmac_sha256(key_, shown));
}

files::Link Links::to_bring(AppId app, const Upload& upload, Timestamp now) const {
  if (store_.is_direct()) return store_.put_link({app, upload.id.uuid}, upload.size_bytes, now, rules_.upload_ttl);
  json::Writer payload;
  payload.array().text("put").text(app.text()).text(upload.id.text()).integer(seconds_of(upload.created_at + rules_.upload_ttl))
      .integer(upload.size_bytes).end();
  return {sign(upload.id, payload.take()), {}};
}

std::string Links::to_fetch(AppId app, const Upload& upload, std::string_view part, Timestamp now) const {
  const auto presented = presented_as(upload, part);
  if (store_.is_direct()) return store_.get_link({app, upload.id.uuid}, part, presented, now, rules_.link_ttl);
  json::Writer payload;
  payload.array().text("get").text(app.text()).text(upload.id.text()).integer(seconds_of(now + rules_.link_ttl)).text(part)
      .text(presented.media_type).text(presented.disposition).end();
  return sign(upload.id, payload.take());
}

Ticket Links::open(std::string_view upload, std::string_view token, Timestamp now) const {
  const auto dot = token.find('.');
  if (dot == std::string_view::npos || token.size() > 4096) throw not_ours();
  const auto shown = token.substr(0, dot);
  const auto mac = crypto::parse_base64url(token.substr(dot + 1));
  if (!mac || !crypto::equal(*mac, crypto::hmac_sha256(key_, shown))) throw not_ours();
  const auto payload = crypto::parse_base64url(shown);
  if (!payload) throw not_ours();
  return read_ticket(*payload, upload, now);
}

std::string upload_json(AppId app, const Upload& upload, const Links* links, Timestamp now) {
  const bool with_links = links != nullptr && upload.state == "ready";
  json::Writer out;
  out.object().field("id", upload.id.wire()).optional_field("user_id", upload.user_id).field("name", upload.name)
      .field("size_bytes", upload.size_bytes).field("state", upload.state).optional_field("mime_type", upload.mime_type)
      .optional_field("sha256", upload.sha256);
  if (upload.width) out.field("width", *upload.width).field("height", *upload.height);
  out.key("thumbnails").array();
  for (const auto& thumbnail : upload.thumbnails) {
    out.object().field("box", thumbnail.box).field("width", thumbnail.width).field("height", thumbnail.height);
    if (with_links) out.field("url", links->to_fetch(app, upload, std::to_string(thumbnail.box), now));
    out.end();
  }
  out.end();
  if (with_links) out.field("url", links->to_fetch(app, upload, files::kOriginal, now)).key("url_expires_at").time(now + links->rules().link_ttl);
  out.key("created_at").time(upload.created_at).optional_time("completed_at", upload.completed_at).optional_time("expires_at", upload.expires_at).end();
  return out.take();
}

}  // namespace chat::uploads
