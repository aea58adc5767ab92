#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/chat/uploads/uploads.h"

/// Signed links: over them bytes come and go without any other proof of who asks. Private to the folder.
///
///   link    = "/v1/uploads/" upload "/content?token=" payload "." mac
///   payload = base64url of ["put", app, upload, expires, size] or ["get", app, upload, expires, part, media type, disposition]
///   mac     = base64url of HMAC-SHA256 of the payload
namespace chat::uploads {

/// What a link allows, proved to be ours.
struct Ticket {
  bool brings = false;                         // bytes come; else they go
  files::Place place;
  std::int64_t size_bytes = 0;                 // of brings
  std::string part;                            // of the others
  files::Presented presented;
};

class Links {
 public:
  /// `key`: the same on every node. `public_url`: what stands before "/v1"; empty: links begin with it.
  Links(const files::Store& store, std::string key, std::string public_url, const Rules& rules)
      : store_(store), key_(std::move(key)), public_url_(std::move(public_url)), rules_(rules) {}

  [[nodiscard]] files::Link to_bring(AppId app, const Upload& upload, Timestamp now) const;
  [[nodiscard]] std::string to_fetch(AppId app, const Upload& upload, std::string_view part, Timestamp now) const;
  [[nodiscard]] const Rules& rules() const { return rules_; }

  /// Errors:  forbidden (not ours, of another upload, or expired)
  [[nodiscard]] Ticket open(std::string_view upload, std::string_view token, Timestamp now) const;

 private:
  [[nodiscard]] std::string sign(UploadId upload, const std::string& payload) const;
  const files::Store& store_;
  std::string key_, public_url_;
  Rules rules_;
};

/// Shape:   as openapi.yaml's Upload; with links to fetch it when given and ready.
std::string upload_json(AppId app, const Upload& upload, const Links* links, Timestamp now);

}  // namespace chat::uploads
