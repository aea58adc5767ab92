#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "billing/limits.h"
#include "platform/chat/uploads/links.h"
#include "platform/http/files.h"
#include "tenants/application.h"

/// Where this node takes bytes and gives them out.
namespace chat::uploads {

/// The store, the links to it, and the threads that look at what was brought.
///
/// Looking is told apart from taking: it costs memory and time by the pixel, so it has few threads (one file each at a time) and a
/// short queue of its own.
/// Event:   chat_uploads_completed_total{result}, chat_upload_look_seconds, chat_uploads_waiting
/// Thread:  any.
class Depot {
 public:
  struct Options {
    std::unique_ptr<files::Store> store;       // null: this node takes no files
    Rules rules;
    std::string key;                           // signs links; the same on every node
    std::string public_url;
    int threads = 1;
  };
  /// Runs a body in a transaction on a database worker and waits for it.
  using Transact = std::function<void(AppId, storage::Mode, const std::function<void(storage::Transaction&)>&)>;
  static constexpr std::size_t kMaxWaiting = 64;

  Depot(Options options, Transact transact, const Clock& clock);
  ~Depot();                                    // stops
  Depot(const Depot&) = delete;
  Depot& operator=(const Depot&) = delete;

  [[nodiscard]] bool is_open() const { return store_ != nullptr; }
  /// Errors:  unavailable (this node takes no files)
  [[nodiscard]] files::Store& store() const;
  [[nodiscard]] const Links& links() const;
  [[nodiscard]] const Rules& rules() const { return rules_; }

  /// Judges the head of a request with a large body. Null: it is no upload.
  /// Errors:  forbidden (its link is not valid); conflict (bytes go elsewhere); unavailable
  std::shared_ptr<http::Upload> take(const http::Request& head) const;

  /// An upload whose bytes were brought: looked at, and ready from then on. Again: nothing is done, and it is answered.
  struct Look {
    std::shared_ptr<const tenants::Application> application;
    std::shared_ptr<const billing::Limits> limits;   // of its plan
    UploadId upload;
    std::string acting_user;                   // whose it must be; empty: anybody's
    std::function<void(const Upload&)> done;   // exactly one of these two is called, once, on a thread of the depot
    std::function<void(const Error&)> refused;
  };
  /// Errors:  (to `refused`) not_found; conflict (no bytes yet, or not as many as were said); unsupported_media_type;
  ///          too_large (pixels); unavailable. After the two before the last the upload is gone.
  /// False: too many wait, or it stops; nothing was called.
  [[nodiscard]] bool submit(Look look);
  void stop();                                 // finishes what waits

 private:
  void work();
  Upload look_at(const Look& look);
  Upload find(const Look& look);
  void discard(const Look& look);
  Upload complete(const Look& look, const std::string& mime_type, std::string_view file);

  const std::unique_ptr<files::Store> store_;
  const Rules rules_;
  const std::unique_ptr<Links> links_;
  const Transact transact_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Look> waiting_;                   // guarded by mutex_
  bool stopping_ = false;                      // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace chat::uploads
