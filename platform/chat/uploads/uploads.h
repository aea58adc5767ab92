#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "billing/limits.h"
#include "platform/chat/channels/channels.h"
#include "platform/files/files.h"
#include "platform/storage/pool.h"
#include "tenants/auth.h"

/// Uploads: files and images that messages hold. An upload is begun, its bytes are brought over a signed link, it is looked at, and
/// from then on messages may hold it; with the last of them it goes.
/// Source:  ops/decisions/0021-links-to-uploads-are-asked-for.md
namespace chat::uploads {

struct UploadTag { static constexpr std::string_view kPrefix = "upl"; };
using UploadId = Id<UploadTag>;

struct Thumbnail {
  int box = 0;                                 // its longer side is this at most
  int width = 0, height = 0;
};
struct Upload {
  UploadId id;
  std::optional<std::string> user_id;          // who began it; absent: a server
  std::string name;
  std::int64_t size_bytes = 0;
  std::string state = "pending";               // pending | ready
  std::optional<std::string> mime_type, sha256;   // of ready: as found in the bytes; sha256 in hex
  std::optional<std::int64_t> width, height;   // of images, upright
  std::vector<Thumbnail> thumbnails;
  Timestamp created_at;
  std::optional<Timestamp> completed_at;
  std::optional<Timestamp> expires_at;         // removed then, unless a message holds it; absent: one does
};

/// What the operator set.
struct Rules {
  std::int64_t max_bytes = 0;                  // of one file; a plan's upload_bytes may say less
  std::int64_t max_pixels = 0;                 // of one image
  std::chrono::seconds upload_ttl{3600};       // to bring the bytes
  std::chrono::seconds link_ttl{3600};         // of links to fetch them
};
inline constexpr std::chrono::hours kGrace{1};            // of bytes that are on their way when their link ends
inline constexpr std::chrono::hours kUnattached{24};      // an upload that no message holds
inline constexpr int kMaxPending = 100;                   // of one user at once
inline constexpr int kMaxLinks = 100;                     // of one call

struct NewUpload {
  std::string name;
  std::int64_t size_bytes = 0;
  std::optional<std::string> mime_type;        // as claimed: refused early when its kind is; otherwise nobody believes it
};
/// Begins an upload for a channel. Its size counts for the storage limit from here on.
/// Errors:  forbidden (role, or the type takes none); channel_frozen; too_large (upload_bytes); unsupported_media_type;
///          limit_reached (storage_bytes, or kMaxPending of the user)
Upload begin_upload(storage::Transaction& tx, const tenants::Caller& caller, const channels::Opened& opened, const NewUpload& wanted,
                    const billing::Limits& limits, const Rules& rules, Timestamp now);
/// The same by a server for any channel.
Upload begin_upload(storage::Transaction& tx, const tenants::Caller& caller, const NewUpload& wanted, const billing::Limits& limits,
                    const Rules& rules, Timestamp now);

/// Those of `ids` that are the user's own or in a message that it may read now; for `acting_user` "", a server, all.
/// Cost:    one statement.
std::vector<Upload> find_uploads(storage::Transaction& tx, const std::string& acting_user, const std::vector<UploadId>& ids);
/// Errors:  not_found
Upload get_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id);
/// The user's own, or for a server any.
/// Errors:  not_found
Upload get_own_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id);

/// Removes an upload that no message holds; its file goes with the next round of the job.
/// Errors:  not_found; conflict (a message holds it)
void delete_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id, Timestamp now);

/// What a message is to hold: JSON as its author wrote it.
struct Attaching {
  std::string attachments;
  std::string cid;
  std::string user_id;                         // empty: a server that acts for nobody
  bool by_server = false;
  std::optional<MessageId> message;            // of a change: what it holds already it may keep
  std::string pointer;                         // of the attachments in the request
};
/// Judges it. A user attaches its own, in the channel for which they were begun; a server any.
/// Errors:  invalid_field (no such upload, another's, of another channel, or not complete)
/// Returns: the attachments as they are stored: what is known of a file takes the place of what its sender said of it.
std::string attach(storage::Transaction& tx, const Attaching& wanted);

/// Whether this application takes files of this kind. Errors: unsupported_media_type
void check_type(const tenants::ApplicationSettings& settings, const billing::Limits& limits, std::string_view mime_type);

/// Removes the files that are due, of all applications, some at a time: marks a row, removes its file, removes the row. Whoever is
/// killed between leaves a row that the next round finds.
/// Event:   chat_uploads_removed_total
/// Returns: how many went.
int remove_due(storage::Connection& connection, files::Store& store, Timestamp now);

}  // namespace chat::uploads
