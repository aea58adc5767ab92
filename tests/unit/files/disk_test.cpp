#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "platform/base/error.h"
#include "platform/files/files.h"

using namespace chat;
namespace fs = std::filesystem;

namespace {

struct Folder {
  std::string path = (fs::temp_directory_path() / ("chat-disk-test-" + std::to_string(::getpid()))).string();
  std::unique_ptr<files::Store> store = files::open_disk(path);
  files::Place place{AppId::make(system_clock().now()), new_uuid7(system_clock().now())};
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] int count() const {
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path)) files += entry.is_regular_file();
    return files;
  }
};

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("files: the disk keeps what was finished, and nothing of what was not", "[unit][files]") {
  Folder folder;
  {
    auto writer = folder.store->write(folder.place);
    writer->write("half of");
    CHECK(folder.count() == 1);
  }
  CHECK(folder.count() == 0);
  CHECK(folder.store->fetch(folder.place, 3) == nullptr);
  auto writer = folder.store->write(folder.place);
  writer->write("one ");
  writer->write("two");
  writer->finish();
  writer.reset();
  CHECK(folder.count() == 1);
  CHECK(content(folder.store->fetch(folder.place, 7)->path()) == "one two");
  auto second = folder.store->write(folder.place);
  second->write("other");
  CHECK_THROWS_AS(second->finish(), Error);
  second.reset();
  CHECK(content(folder.store->path_of(folder.place, files::kOriginal)) == "one two");
  folder.store->put(folder.place, "160", "image/webp", "small");
  CHECK(content(folder.store->path_of(folder.place, "160")) == "small");
  folder.store->remove(folder.place);
  CHECK(folder.count() == 0);
  folder.store->remove(folder.place);
}

TEST_CASE("files: a full disk is said as such, and what was written goes", "[unit][files]") {
  Folder folder;
  auto writer = folder.store->write(folder.place);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{100'000, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::optional<Error> refusal;
  try {
    writer->write(std::string(200'000, 'x'));
  } catch (const Error& error) {
    refusal = error;
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  REQUIRE(refusal);
  CHECK(refusal->code() == Code::unavailable);
  CHECK(std::string(refusal->what()) == "The file storage is full.");
  CHECK(refusal->retry_after());
  writer.reset();
  CHECK(folder.count() == 0);
}

TEST_CASE("files: a folder that can't be made is said at once", "[unit][files]") {
  CHECK_THROWS_AS(files::open_disk("/proc/no/such/place"), Error);
}
