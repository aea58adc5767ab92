#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/nouns.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

void write_page(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file) throw Failure(Exit::failure, "cannot write " + path.string());
}

void write_pages(Session& session, const CommandLine& line, const std::string& folder) {
  const auto pages = line.man_pages(CHAT_VERSION);
  session.stop_if_dry("write " + std::to_string(pages.size()) + " pages to " + folder);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw Failure(Exit::failure, "cannot make the folder " + folder + ": " + failed.message());
  for (const auto& [name, text] : pages) write_page(std::filesystem::path(folder) / name, text);
  session.note(std::to_string(pages.size()) + " pages written to " + folder + "; man -M or man FILE shows them");
}

}  // namespace

void add_reference(CommandLine& line) {
  const auto folder = std::make_shared<std::string>();
  line.verb("man", "Write the man pages")
      .detail("One page for chatctl and one for each command, for section 1.")
      .required_option("--dir", "DIR", *folder, "Where to; made when it is not there", Fill::file)
      .example("man --dir man1")
      .run([&line, folder](Session& session) { write_pages(session, line, *folder); });
  line.verb("reference", "Print the reference of all commands as Markdown")
      .example("reference")
      .run([&line](Session& session) { session.print_text(line.markdown()); });
}

}  // namespace chat::cli
