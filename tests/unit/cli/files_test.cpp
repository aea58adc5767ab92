#include "cli/files/files.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/exit_code.h"

namespace chat::cli {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    auto name = (fs::temp_directory_path() / "chatctl_files.XXXXXX").string();
    path = mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    fs::permissions(path / name, fs::perms(0600));
    return (path / name).string();
  }
};

struct Streams {
  std::istringstream in;
  std::ostringstream out, err;
  World world{.in = in, .out = out, .err = err, .clock = system_clock()};
};

Exit exit_of_secret(const std::string& path) {
  Streams streams;
  try {
    read_secret_file(streams.world, path);
    return Exit::ok;
  } catch (const Failure& failure) {
    return failure.exit();
  }
}

}  // namespace

TEST_CASE("secrets: one word on one line", "[unit][cli]") {
  const Folder folder;
  Streams streams;
  CHECK(read_secret_file(streams.world, folder.file("a", "token\n")) == "token");
  CHECK(read_secret_file(streams.world, folder.file("b", "token\r\n")) == "token");
  CHECK(read_secret_file(streams.world, folder.file("c", "token")) == "token");
  CHECK(streams.err.str().empty());
  for (const auto* text : {"", "\n", "two words\n", "a\nb\n", "a\x01\n", "a\n\n"})
    CHECK(exit_of_secret(folder.file("d", text)) == Exit::denied);
  CHECK(exit_of_secret((folder.path / "missing").string()) == Exit::failure);
  CHECK(exit_of_secret(folder.path.string()) == Exit::failure);
}

TEST_CASE("secrets: a command's first line, within the deadline", "[unit][cli]") {
  using std::chrono::milliseconds;
  CHECK(read_secret_command("printf 'tok\\nmore\\n'", milliseconds(5'000)) == "tok");
  CHECK_THROWS_AS(read_secret_command("exit 3", milliseconds(5'000)), Failure);
  CHECK_THROWS_AS(read_secret_command("true", milliseconds(5'000)), Failure);
  const auto before = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(read_secret_command("exec sleep 60", milliseconds(100)), Failure);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
}

TEST_CASE("private files: owner only, whole, and not over an existing one unless asked", "[unit][cli]") {
  const Folder folder;
  const auto path = (folder.path / "new/deep/file").string();
  write_private_file(path, "one", false);
  CHECK((fs::status(path).permissions() & fs::perms::mask) == fs::perms(0600));
  CHECK_THROWS_AS(write_private_file(path, "two", false), Failure);
  Streams streams;
  CHECK(read_input(streams.world, path) == "one");
  write_private_file(path, "three", true);
  CHECK(read_input(streams.world, path) == "three");
  CHECK(std::distance(fs::directory_iterator(folder.path / "new/deep"), fs::directory_iterator()) == 1);
  CHECK(is_private(path));
  fs::permissions(path, fs::perms(0640));
  CHECK(!is_private(path));
}

TEST_CASE("private files: written bit by bit, nobody sees one before it is whole, and no link is followed", "[unit][cli]") {
  const Folder folder;
  const auto path = (folder.path / "file").string();
  const auto entries = [&] { return std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()); };
  {
    PrivateFile file(path, false);
    file.write("half");
    CHECK(!fs::exists(path));
    for (const auto& entry : fs::directory_iterator(folder.path)) CHECK(is_private(entry.path().string()));
  }
  CHECK(entries() == 0);                       // given up: nothing stays
  PrivateFile file(path, false);
  file.write("one ");
  write_private_file(path, "another's", false);   // it came meanwhile
  file.write("two");
  CHECK_THROWS_AS(file.finish(), Failure);
  Streams streams;
  CHECK(read_input(streams.world, path) == "another's");
  fs::remove(path);
  fs::create_symlink(folder.path / "elsewhere", path);
  CHECK_THROWS_AS(PrivateFile(path, false), Failure);
  CHECK(!fs::exists(folder.path / "elsewhere"));
  fs::remove(path);
  {
    PrivateFile whole(path, false);
    whole.write("one ");
    whole.write("two");
    whole.finish();
  }
  CHECK(read_input(streams.world, path) == "one two");
}

}  // namespace chat::cli
