#include "platform/chat/uploads/depot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billing/storage.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"
#include "platform/chat/uploads/uploads.sql.h"
#include "platform/images/images.h"

namespace chat::uploads {
namespace {

metrics::Counter& completed(const char* result) {
  return metrics::counter("chat_uploads_completed_total", "Uploads that were looked at, by how it ended.", {{"result", result}});
}
metrics::Gauge& waiting() {
  static auto& gauge = metrics::gauge("chat_uploads_waiting", "Uploads that wait to be looked at.");
  return gauge;
}

Error closed() { return Error(Code::unavailable, "This server takes no files.").with_retry_after(std::chrono::seconds(60)); }

/// A file as bytes, without reading it into memory. It must not change meanwhile: a kept file never does.
class Mapped {
 public:
  explicit Mapped(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat found {};
    if (descriptor >= 0 && ::fstat(descriptor, &found) == 0 && found.st_size > 0) {
      size_ = static_cast<std::size_t>(found.st_size);
      at_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    }
    if (descriptor >= 0) ::close(descriptor);
    if (at_ == MAP_FAILED) throw Error(Code::unavailable, "The file can't be read.").with_log("map " + path);
  }
  ~Mapped() { ::munmap(at_, size_); }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(at_), size_}; }

 private:
  void* at_ = MAP_FAILED;
  std::size_t size_ = 0;
};

std::string thumbnails_json(const images::Picture& picture) {
  json::Writer out;
  out.array();
  for (const auto& one : picture.thumbnails)
    out.object().field("box", one.box).field("width", one.width).field("height", one.height).end();
  out.end();
  return out.take();
}

}  // namespace

Depot::Depot(Options options, Transact transact, const Clock& clock)
    : store_(std::move(options.store)),
      rules_(options.rules),
      links_(store_ ? std::make_unique<Links>(*store_, std::move(options.key), std::move(options.public_url), rules_) : nullptr),
      transact_(std::move(transact)),
      clock_(clock) {
  for (int i = 0; store_ && i < options.threads; ++i) threads_.emplace_back([this] { work(); });
}

Depot::~Depot() { stop(); }

files::Store& Depot::store() const {
  if (!store_) throw closed();
  return *store_;
}

const Links& Depot::links() const {
  if (!links_) throw closed();
  return *links_;
}

bool Depot::submit(Look look) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kMaxWaiting) return false;
    waiting_.push_back(std::move(look));
    waiting().set(static_cast<double>(waiting_.size()));
  }
  arrived_.notify_one();
  return true;
}

void Depot::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Depot::work() {
  name_this_thread("uploads");
  while (true) {
    Look look;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      look = std::move(waiting_.front());
      waiting_.pop_front();
      waiting().set(static_cast<double>(waiting_.size()));
    }
    std::optional<Upload> upload;
    std::optional<Error> error;
    try {
      upload = look_at(look);
    } catch (const Error& refusal) {
      error = refusal;
    } catch (const std::exception& failure) {
      error = Error(Code::internal, "Something went wrong on our side.").with_log(failure.what());
    }
    completed(upload ? "ready" : row_of(error->code()).status >= 500 ? "failed" : "refused").add();
    upload ? look.done(*upload) : look.refused(*error);
  }
}

Upload Depot::find(const Look& look) {
  std::optional<Upload> upload;
  transact_(look.application->id, storage::Mode::read,
            [&](storage::Transaction& tx) { upload = get_own_upload(tx, look.acting_user, look.upload); });
  return *upload;
}

void Depot::discard(const Look& look) {
  transact_(look.application->id, storage::Mode::write,
            [&](storage::Transaction& tx) { tx.run(sql::discard_upload, tx.app(), look.upload, clock_.now()); });
}

Upload Depot::look_at(const Look& look) {
  static auto& seconds = metrics::histogram("chat_upload_look_seconds", "Time of looking at one upload: its type, its checksum, its thumbnails.");
  auto upload = find(look);
  if (upload.state == "ready") return upload;
  const auto began = std::chrono::steady_clock::now();
  const auto local = store().fetch({look.application->id, look.upload.uuid}, upload.size_bytes);
  if (!local) throw Error(Code::conflict, "No bytes have come for this upload.");
  const Mapped file(local->path());
  const auto mime_type = images::sniff(file.bytes());
  try {
    check_type(look.application->settings, *look.limits, mime_type);
    store().keep({look.application->id, look.upload.uuid}, *local);
    upload = complete(look, mime_type, file.bytes());
  } catch (const Error& error) {
    if (error.code() == Code::unsupported_media_type || error.code() == Code::too_large) discard(look);
    throw;
  }
  seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  return upload;
}

Upload Depot::complete(const Look& look, const std::string& mime_type, std::string_view file) {
  const files::Place place{look.application->id, look.upload.uuid};
  const auto picture = images::look_at(file, mime_type, rules_.max_pixels);
  if (picture.too_large)
    throw Error(Code::too_large, "The image has " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
                                     " pixels; " + std::to_string(rules_.max_pixels) + " in all are allowed.");
  for (const auto& one : picture.thumbnails) store().put(place, std::to_string(one.box), "image/webp", one.bytes);
  const auto sha256 = crypto::hex(crypto::sha256(file));
  const auto sides = picture.width > 0 ? std::optional<std::pair<int, int>>({picture.width, picture.height}) : std::nullopt;
  const auto now = clock_.now();
  transact_(place.app, storage::Mode::write, [&](storage::Transaction& tx) {
    auto rows = tx.find(sql::complete_upload, place.app, look.upload, mime_type, sha256, sides ? std::optional<int>(sides->first) : std::nullopt,
                        sides ? std::optional<int>(sides->second) : std::nullopt, thumbnails_json(picture), now, now + kUnattached);
    if (rows) billing::keep_storage(tx, (*rows)[0].integer(0), now);
  });
  try {
    return find(look);
  } catch (const Error& error) {                 // removed meanwhile: and so must be what was just made of it
    if (error.code() == Code::not_found) store().remove(place);
    throw;
  }
}

}  // namespace chat::uploads
