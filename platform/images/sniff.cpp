#include <magic.h>

#include <memory>

#include "platform/base/error.h"
#include "platform/images/images.h"

namespace chat::images {
namespace {

struct Close {
  void operator()(magic_set* cookie) const { magic_close(cookie); }
};
using Cookie = std::unique_ptr<magic_set, Close>;

/// The database of types, read once a thread: a cookie is not to be shared.
magic_set* cookie() {
  thread_local Cookie own = [] {
    Cookie made(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF | MAGIC_ERROR));
    if (!made || magic_load(made.get(), nullptr) != 0)
      throw Error(Code::unavailable, "File types can't be told for a moment.").with_log("libmagic's database can't be read");
    return made;
  }();
  return own.get();
}

}  // namespace

std::string sniff(std::string_view head) {
  head = head.substr(0, kSniffedBytes);
  const char* type = head.empty() ? nullptr : magic_buffer(cookie(), head.data(), head.size());
  return type ? type : "application/octet-stream";
}

}  // namespace chat::images
