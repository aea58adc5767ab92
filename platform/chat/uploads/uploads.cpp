#include "platform/chat/uploads/uploads.h"

#include <algorithm>

#include "billing/storage.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/uploads/uploads.sql.h"
#include "platform/chat/users/users.h"

namespace chat::uploads {
namespace {

using channels::Action;

constexpr int kMaxDue = 100;                   // one round of the job
constexpr int kBegunIn = 13;                   // column

std::vector<Thumbnail> read_thumbnails(const std::optional<std::string>& text) {
  std::vector<Thumbnail> thumbnails;
  if (!text) return thumbnails;
  const auto document = json::Document::parse(*text);
  for (const auto& one : document.root().items()) {
    auto number = [&](std::string_view name) { return static_cast<int>(one.find(name)->integer()); };
    thumbnails.push_back({number("box"), number("width"), number("height")});
  }
  return thumbnails;
}

Upload read_row(const storage::Row& row) {
  Upload upload;
  upload.id = UploadId{row.uuid(0)};
  upload.user_id = row.optional_text(1);
  upload.name = row.text(2);
  upload.size_bytes = row.integer(3);
  upload.state = row.text(4);
  upload.mime_type = row.optional_text(5);
  upload.sha256 = row.optional_text(6);
  upload.width = row.optional_integer(7);
  upload.height = row.optional_integer(8);
  upload.thumbnails = read_thumbnails(row.optional_text(9));
  upload.created_at = row.time(10);
  upload.completed_at = row.optional_time(11);
  upload.expires_at = row.optional_time(12);
  return upload;
}

std::string array_of(const std::vector<UploadId>& ids) {
  text::ArrayLiteral array;
  for (const auto& id : ids) array.add(id.text());
  return array.take();
}

/// "image/*" fits all images.
bool fits(const std::vector<std::string>& types, std::string_view mime_type) {
  return std::any_of(types.begin(), types.end(), [&](const std::string& type) {
    return type == mime_type || (type.ends_with("/*") && mime_type.starts_with(std::string_view(type).substr(0, type.size() - 1)));
  });
}

void check_wanted(const tenants::Caller& caller, const NewUpload& wanted, const billing::Limits& limits, const Rules& rules) {
  const auto most = std::min(limits.of(billing::Meter::upload_bytes).hard, rules.max_bytes);
  if (wanted.size_bytes > most) {
    std::vector<FieldError> errors{{"#/size_bytes", "Too large."}};
    if (most < rules.max_bytes) errors.push_back({"limit:upload_bytes", "Exceeded."});
    throw Error(Code::too_large, "A file may have " + std::to_string(most) + " bytes.", std::move(errors));
  }
  if (wanted.mime_type) check_type(caller.application().settings, limits, *wanted.mime_type);
}

Upload insert(storage::Transaction& tx, const std::optional<UserId>& user, const std::optional<ChannelId>& channel, const NewUpload& wanted,
              const billing::Limits& limits, const Rules& rules, Timestamp now) {
  Upload upload;
  upload.id = UploadId::make(now);
  upload.name = wanted.name;
  upload.size_bytes = wanted.size_bytes;
  upload.created_at = now;
  upload.expires_at = now + rules.upload_ttl + kGrace;
  billing::reserve_storage(tx, limits, wanted.size_bytes, now);
  tx.run(sql::insert_upload, tx.app(), upload.id, user, channel, wanted.name, wanted.size_bytes, now, *upload.expires_at);
  return upload;
}

/// What stands of an upload in the message that holds it.
constexpr std::string_view kKnown[] = {"upload_id", "name", "size_bytes", "mime_type", "width", "height", "thumbnails", "url", "thumb_url"};

std::string kind_of(std::string_view mime_type) {
  for (const std::string_view kind : {"image", "video", "audio"})
    if (mime_type.starts_with(kind) && mime_type.size() > kind.size() && mime_type[kind.size()] == '/') return std::string(kind);
  return "file";
}

void write_attachment(json::Writer& out, const json::Value& given, const Upload& upload) {
  out.object();
  if (!given.find("type")) out.field("type", kind_of(*upload.mime_type));
  for (const auto& [name, value] : given.members())
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) out.key(name).raw(value.raw());
  out.field("upload_id", upload.id.wire()).field("name", upload.name).field("size_bytes", upload.size_bytes).field("mime_type", *upload.mime_type);
  if (upload.width) out.field("width", *upload.width).field("height", *upload.height);
  if (!upload.thumbnails.empty()) {
    out.key("thumbnails").array();
    for (const auto& one : upload.thumbnails) out.object().field("box", one.box).field("width", one.width).field("height", one.height).end();
    out.end();
  }
  out.end();
}

/// Uploads that the attachments name, by where they stand.
std::vector<std::optional<UploadId>> read_ids(const std::vector<json::Value>& attachments, const std::string& pointer) {
  std::vector<std::optional<UploadId>> ids;
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const auto given = attachments[i].find("upload_id");
    ids.emplace_back();
    if (!given) continue;
    if (given->kind() == json::Kind::text) ids.back() = UploadId::parse(given->text());
    if (!ids.back()) throw invalid_field(pointer + "/" + std::to_string(i) + "/upload_id", "Must be an upload's id: upl_…");
  }
  return ids;
}

struct Found {
  Upload upload;
  std::string begun_in;                        // cid
};

std::vector<Found> find_all(storage::Transaction& tx, const std::vector<std::optional<UploadId>>& wanted) {
  std::vector<UploadId> ids;
  for (const auto& id : wanted)
    if (id) ids.push_back(*id);
  std::vector<Found> found;
  if (ids.empty()) return found;
  auto rows = tx.query(sql::find_uploads, tx.app(), array_of(ids));
  for (auto row : rows) found.push_back({read_row(row), row.optional_text(kBegunIn).value_or("")});
  return found;
}

/// Of a change: what the message holds stays allowed to it, whoever changes it.
std::vector<UploadId> find_held(storage::Transaction& tx, const Attaching& wanted) {
  std::vector<UploadId> held;
  if (!wanted.message) return held;
  auto rows = tx.query(sql::find_held, tx.app(), wanted.cid, *wanted.message);
  for (auto row : rows) held.push_back(UploadId{row.uuid(0)});
  return held;
}

/// One removal, up to where its file may go. False: not due any more, or another node's.
bool mark(storage::Transaction& tx, UploadId id, Timestamp now) {
  auto rows = tx.find(sql::lock_due, tx.app(), id, now);
  if (!rows) return false;
  const std::string state((*rows)[0].text(0));
  const auto bytes = (*rows)[0].integer(1);
  if (state == "pending") billing::release_storage(tx, bytes, now);
  if (state == "ready") billing::free_storage(tx, bytes, now);
  tx.run(sql::mark_removing, tx.app(), id);
  return true;
}

}  // namespace

void check_type(const tenants::ApplicationSettings& settings, const billing::Limits& limits, std::string_view mime_type) {
  if (!limits.upload_types.empty() && !fits(limits.upload_types, mime_type))
    throw Error(Code::unsupported_media_type, "The plan takes no files of type " + std::string(mime_type) + ".",
                {{"plan:upload_types", "Not among the plan's types."}});
  const bool taken = settings.upload_types.empty() || fits(settings.upload_types, mime_type);
  if (!taken || fits(settings.blocked_upload_types, mime_type))
    throw Error(Code::unsupported_media_type, "This application takes no files of type " + std::string(mime_type) + ".");
}

Upload begin_upload(storage::Transaction& tx, const tenants::Caller& caller, const channels::Opened& opened, const NewUpload& wanted,
                    const billing::Limits& limits, const Rules& rules, Timestamp now) {
  if (!opened.settings.uploads) throw forbidden("This channel's type takes no uploads.");
  opened.require(Action::upload_files);
  if (opened.channel.frozen && !opened.may(Action::send_in_frozen))
    throw Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
  check_wanted(caller, wanted, limits, rules);
  tx.query(sql::lock_uploader, tx.app(), opened.acting_user);
  if (tx.query(sql::count_pending, tx.app(), *opened.acting_id)[0].integer(0) >= kMaxPending)
    throw Error(Code::limit_reached, "A user may have 100 uploads under way; finish or delete some first.");
  auto upload = insert(tx, opened.acting_id, opened.channel.id, wanted, limits, rules, now);
  upload.user_id = opened.acting_user;
  return upload;
}

Upload begin_upload(storage::Transaction& tx, const tenants::Caller& caller, const NewUpload& wanted, const billing::Limits& limits,
                    const Rules& rules, Timestamp now) {
  check_wanted(caller, wanted, limits, rules);
  return insert(tx, std::nullopt, std::nullopt, wanted, limits, rules, now);
}

std::vector<Upload> find_uploads(storage::Transaction& tx, const std::string& acting_user, const std::vector<UploadId>& ids) {
  std::vector<Upload> uploads;
  std::optional<storage::Rows> rows;
  if (acting_user.empty()) {
    rows = tx.query(sql::find_uploads, tx.app(), array_of(ids));
  } else {
    const auto users = users::find_users(tx, {acting_user});
    if (users.empty()) throw not_found("user");
    rows = tx.query(sql::find_readable, tx.app(), array_of(ids), users.front().id);
  }
  for (auto row : *rows) uploads.push_back(read_row(row));
  return uploads;
}

Upload get_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id) {
  auto found = find_uploads(tx, acting_user, {id});
  if (found.empty()) throw not_found("upload");
  return std::move(found.front());
}

Upload get_own_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id) {
  auto rows = tx.find(sql::find_uploads, tx.app(), array_of({id}));
  if (!rows) throw not_found("upload");
  auto upload = read_row((*rows)[0]);
  if (!acting_user.empty() && upload.user_id != acting_user) throw not_found("upload");
  return upload;
}

void delete_upload(storage::Transaction& tx, const std::string& acting_user, UploadId id, Timestamp now) {
  get_own_upload(tx, acting_user, id);
  if (!tx.find(sql::discard_upload, tx.app(), id, now)) throw Error(Code::conflict, "A message holds this upload; it goes with the message.");
}

std::string attach(storage::Transaction& tx, const Attaching& wanted) {
  const auto document = json::Document::parse(wanted.attachments);
  const auto given = document.root().items();
  const auto ids = read_ids(given, wanted.pointer);
  const auto found = find_all(tx, ids);
  const auto held = find_held(tx, wanted);
  auto may = [&](const Found& one) {
    if (wanted.by_server || std::find(held.begin(), held.end(), one.upload.id) != held.end()) return true;
    return one.upload.user_id == wanted.user_id && one.begun_in == wanted.cid;
  };
  json::Writer out;
  out.array();
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!ids[i]) {
      out.raw(given[i].raw());
      continue;
    }
    const auto pointer = wanted.pointer + "/" + std::to_string(i) + "/upload_id";
    const auto one = std::find_if(found.begin(), found.end(), [&](const auto& f) { return f.upload.id == *ids[i]; });
    if (one == found.end() || !may(*one)) throw invalid_field(pointer, "No such upload of this user for this channel.");
    if (one->upload.state != "ready") throw invalid_field(pointer, "This upload is not complete.");
    write_attachment(out, given[i], one->upload);
  }
  out.end();
  return out.take();
}

int remove_due(storage::Connection& connection, files::Store& store, Timestamp now) {
  static auto& removed = metrics::counter("chat_uploads_removed_total", "Uploads whose file was removed.");
  std::optional<storage::Rows> due;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { due = tx.query(sql::due_uploads, now, kMaxDue); });
  int count = 0;
  for (auto row : *due) {
    const AppId app{row.uuid(0)};
    const UploadId id{row.uuid(1)};
    bool is_marked = false;
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { is_marked = mark(tx, id, now); });
    if (!is_marked) continue;
    try {
      store.remove({app, id.uuid});
    } catch (const Error& error) {               // the next round tries it again
      log::error("uploads.remove_failed", {{"app_id", app.wire()}, {"upload_id", id.wire()}, {"detail", error.log_detail()}});
      continue;
    }
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { tx.run(sql::remove_upload, app, id, now); });
    ++count;
  }
  removed.add(count);
  return count;
}

}  // namespace chat::uploads
