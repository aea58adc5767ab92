#include "cli/remote/lazy_api.h"

namespace chat::cli {
namespace {

class LazyApi : public Api {
 public:
  explicit LazyApi(std::function<std::unique_ptr<Api>()> open) : open_(std::move(open)) {}

  ApiAnswer send(const ApiRequest& request) override {
    if (!api_) api_ = open_();
    return api_->send(request);
  }

 private:
  const std::function<std::unique_ptr<Api>()> open_;
  std::unique_ptr<Api> api_;
};

}  // namespace

std::unique_ptr<Api> make_lazy_api(std::function<std::unique_ptr<Api>()> open) { return std::make_unique<LazyApi>(std::move(open)); }

}  // namespace chat::cli
