#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <set>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/storage/prepared.h"
#include "platform/storage/statement.h"

namespace chat::storage {
namespace {

const std::string& coverage_folder() {
  static const std::string folder = [] {
    const char* named = std::getenv("CHAT_SQL_COVERAGE");
    return std::string(named != nullptr ? named : "");
  }();
  return folder;
}

void touch(const std::string& path) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) {
    log::warn("sql_coverage.failed", {{"path", path}});
    return;
  }
  ::close(file);
}

}  // namespace

void note_executed(const Statement& statement) {
  if (coverage_folder().empty()) return;
  static std::mutex mutex;
  static std::set<std::string, std::less<>> seen;
  std::lock_guard lock(mutex);
  if (!seen.insert(std::string(statement.name)).second) return;
  touch(coverage_folder() + "/" + std::string(statement.name));
}

std::string bytea(std::string_view bytes) { return "\\x" + crypto::hex(bytes); }

PreparedStatements::Entry& PreparedStatements::of(const Statement& statement) {
  auto found = entries_.find(statement.name);
  if (found == entries_.end()) {
    std::string name(statement.name);
    Entry entry{name, std::string(statement.text), false,
                &metrics::counter("chat_statement_runs_total", "Executions of each SQL statement.", {{"statement", name}}),
                &metrics::counter("chat_statement_seconds_total", "Seconds waited for each SQL statement.", {{"statement", name}})};
    found = entries_.emplace(std::move(name), std::move(entry)).first;
  }
  INVARIANT(found->second.text == statement.text, "a statement's name must stand for one text");
  return found->second;
}

void append_pointers(const Params& params, std::vector<const char*>& out) {
  for (const auto& value : params.values()) {
    if (!value) {
      out.push_back(nullptr);
      continue;
    }
    if (value->find('\0') != std::string::npos)
      throw Error(Code::malformed_request, "Texts must not contain U+0000.");
    out.push_back(value->c_str());
  }
}

}  // namespace chat::storage
