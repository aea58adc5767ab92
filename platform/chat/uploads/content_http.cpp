#include <sys/stat.h>

#include <charconv>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/uploads/uploads_http.h"

namespace chat::uploads {
namespace {

using http::Request;
using http::Responder;
using http::Response;

constexpr std::string_view kPrefix = "/v1/uploads/", kSuffix = "/content";

metrics::Counter& bytes_moved(const char* direction) {
  return metrics::counter("chat_upload_bytes_total", "Bytes of files that came to this node and went from it.", {{"direction", direction}});
}

std::string_view token_of(const Request& request) {
  for (const auto& [name, value] : request.query)
    if (name == "token") return value;
  return {};
}

/// The bytes of one upload on their way to the disk.
class Taken final : public http::Upload {
 public:
  Taken(files::Store& store, Ticket ticket) : store_(store), ticket_(std::move(ticket)) {}
  [[nodiscard]] std::size_t max_bytes() const override { return static_cast<std::size_t>(ticket_.size_bytes); }
  void write(std::string_view bytes) override {
    if (!writer_) writer_ = store_.write(ticket_.place);
    writer_->write(bytes);
    size_ += static_cast<std::int64_t>(bytes.size());
  }
  void finish() override {
    if (size_ != ticket_.size_bytes)
      throw invalid_field("header:content-length", "This link is for " + std::to_string(ticket_.size_bytes) + " bytes.");
    writer_->finish();
    writer_.reset();
    is_whole_ = true;
    bytes_moved("in").add(static_cast<double>(size_));
  }
  [[nodiscard]] const Ticket& ticket() const { return ticket_; }
  [[nodiscard]] bool is_whole() const { return is_whole_; }

 private:
  files::Store& store_;
  const Ticket ticket_;
  std::unique_ptr<files::Writer> writer_;
  std::int64_t size_ = 0;
  bool is_whole_ = false;
};

/// Tells the caller's mistakes and ours alike: what is thrown in the body of a task.
void guarded(const Request& request, const Responder& respond, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    respond(http::problem(error, request.request_id));
  }
}

/// On a database worker: whose bytes these are, if it may still use the service.
std::shared_ptr<const tenants::Application> load_active(storage::Connection& connection, const Services& services, AppId app) {
  auto application = services.directory.find(app);
  if (!application) application = services.directory.load(connection, app);
  if (!application || application->is_gone()) throw not_found("upload");
  if (application->status == tenants::Status::suspended) throw Error(Code::application_suspended, "This application is suspended.");
  return application;
}

/// One range as RFC 9110 14.1.2 writes it: "bytes=0-99", "bytes=100-", "bytes=-100". Nothing: several, none, or none that fits.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  };
  const auto first = number(header.substr(0, dash)), last = number(header.substr(dash + 1));
  if (dash == 0 && last && *last > 0) return std::pair{size - std::min(*last, size), std::min(*last, size)};
  if (!first || *first >= size || (!last && dash + 1 != header.size()) || (last && *last < *first)) return std::nullopt;
  return std::pair{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

/// Nothing in a file may act in the name of this address: no type but ours, no scripts, no frames.
Response present(const Ticket& ticket, const Request& request, const std::string& path, std::uint64_t size) {
  http::FileSlice slice{path, 0, size};
  Response response;
  response.content_type = ticket.presented.media_type;
  if (const auto header = request.header("range"))
    if (const auto range = read_range(*header, size)) {
      slice.offset = range->first;
      slice.length = range->second;
      response.status = 206;
      response.with("Content-Range", "bytes " + std::to_string(slice.offset) + "-" + std::to_string(slice.offset + slice.length - 1) + "/" +
                                         std::to_string(size));
    }
  response.with("Content-Disposition", ticket.presented.disposition).with("X-Content-Type-Options", "nosniff")
      .with("Content-Security-Policy", "sandbox; default-src 'none'").with("Cross-Origin-Resource-Policy", "cross-origin")
      .with("Accept-Ranges", "bytes").with("Cache-Control", "private, max-age=3600, immutable")
      .with("ETag", "\"" + UploadId{ticket.place.file}.wire() + "-" + ticket.part + "\"");
  http::with_file(response, slice);
  return response;
}

void put_content(const Services& services, const std::shared_ptr<Request>& request, const Responder& respond) {
  const auto taken = std::dynamic_pointer_cast<const Taken>(request->principal);
  if (!taken || !taken->is_whole()) throw invalid_field("header:content-length", "Bring the bytes of the upload.");
  const bool accepted = services.run([services, request, respond, ticket = taken->ticket()](storage::Connection& connection) {
    guarded(*request, respond, [&] {
      const auto application = load_active(connection, services, ticket.place.app);
      submit_look(services, {application, services.accounts.load(connection, application)->limits(), UploadId{ticket.place.file}, "", {}, {}}, *request, respond);
    });
  });
  if (!accepted) throw Error(Code::unavailable, "The bytes are here; complete the upload in a moment.").with_retry_after(std::chrono::seconds(1));
}

void get_content(const Services& services, const std::shared_ptr<Request>& request, const Responder& respond) {
  auto ticket = services.depot.links().open(request->part("upload_id"), token_of(*request), services.clock.now());
  if (ticket.brings || services.depot.store().is_direct()) throw forbidden("This link does not fetch anything here.");
  const bool accepted = services.run([services, request, respond, ticket = std::move(ticket)](storage::Connection& connection) {
    guarded(*request, respond, [&] {
      const auto application = load_active(connection, services, ticket.place.app);
      const auto account = services.accounts.load(connection, application);
      const auto path = services.depot.store().path_of(ticket.place, ticket.part);
      struct stat found {};
      if (::stat(path.c_str(), &found) != 0) throw not_found("upload");
      auto response = present(ticket, *request, path, static_cast<std::uint64_t>(found.st_size));
      const auto sent = static_cast<std::int64_t>(http::file_of(response)->length);
      account->charge(billing::Meter::egress_bytes, sent, services.clock.now());
      bytes_moved("out").add(static_cast<double>(sent));
      respond(std::move(response));
    });
  });
  if (!accepted) throw Error(Code::unavailable, "Too many requests wait.").with_retry_after(std::chrono::seconds(1));
}

}  // namespace

std::shared_ptr<http::Upload> Depot::take(const http::Request& head) const {
  const std::string_view path = head.path;
  if (head.method != http::Method::put || !path.starts_with(kPrefix) || !path.ends_with(kSuffix)) return nullptr;
  const auto ticket = links().open(path.substr(kPrefix.size(), path.size() - kPrefix.size() - kSuffix.size()), token_of(head), clock_.now());
  if (!ticket.brings) throw forbidden("This link does not bring anything.");
  if (store().is_direct()) throw Error(Code::conflict, "Bytes go to the file storage itself.");
  return std::make_shared<Taken>(store(), ticket);
}

void add_content_routes(http::Router& router, const Services& services) {
  auto route = [&](http::Method method, const char* operation, void (*act)(const Services&, const std::shared_ptr<Request>&, const Responder&)) {
    router.add({.method = method, .pattern = "/v1/uploads/{upload_id}/content", .operation = operation, .access = http::Access::any,
                .async = [services, act](const std::shared_ptr<Request>& request, const Responder& respond) { act(services, request, respond); }});
  };
  route(http::Method::put, "put_upload_content", put_content);
  route(http::Method::get, "get_upload_content", get_content);
}

}  // namespace chat::uploads
