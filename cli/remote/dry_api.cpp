#include "cli/remote/dry_api.h"

#include "cli/exit_code.h"

namespace chat::cli {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Filters travel in a body, so queries and searches are POSTs.
bool is_read(const ApiRequest& request) {
  if (request.method == "GET") return true;
  return request.method == "POST" && (ends_with(request.path, "/query") || ends_with(request.path, "/search") ||
                                      request.path.rfind("/v1/search/", 0) == 0);
}

class DryApi : public Api {
 public:
  DryApi(std::unique_ptr<Api> api, std::function<void(const std::string&)> stop)
      : api_(std::move(api)), stop_(std::move(stop)) {}

  ApiAnswer send(const ApiRequest& request) override {
    if (is_read(request)) return api_->send(request);
    auto path = request.path;
    for (const auto& [name, value] : request.query)
      path += (path.find('?') == std::string::npos ? "?" : "&") + name + "=" + value;
    stop_("send " + request.method + " " + path + (request.body ? " " + *request.body : ""));
    throw Failure(Exit::ok, "");
  }

 private:
  std::unique_ptr<Api> api_;
  std::function<void(const std::string&)> stop_;
};

}  // namespace

std::unique_ptr<Api> make_dry_api(std::unique_ptr<Api> api, std::function<void(const std::string&)> stop) {
  return std::make_unique<DryApi>(std::move(api), std::move(stop));
}

}  // namespace chat::cli
