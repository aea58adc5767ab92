#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "cli/apps.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::chrono::milliseconds kLookAgain{500};
constexpr std::size_t kPartBytes = 256 * 1024;
constexpr std::size_t kMaxLine = 400 * 1024;

const Sheet kImported{.columns = {{"APP_ID", "app_id"}, {"STATUS", "status", Look::state}, {"ROWS", "lines", Look::number}, {"LOST_SECRETS", "lost_secrets", Look::number}},
                      .name = "app_id",
                      .upright = true};

struct Given {
  std::string app, file;
};

std::string at(const std::string& json, const std::string& path) {
  const auto document = json::Document::parse(json);
  return text_at(document.root(), path);
}

/// Asks until what is at `path` is none of the words that mean "not yet".
std::string wait_for(Session& session, const std::string& url, const std::string& path, const std::vector<std::string>& not_yet) {
  for (;;) {
    auto answer = get(session.api(), url);
    const auto status = at(answer, path);
    if (std::find(not_yet.begin(), not_yet.end(), status) == not_yet.end()) return answer;
    std::this_thread::sleep_for(kLookAgain);
  }
}

/// Owner-only, appearing whole or not at all.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), unfinished_(path + ".part") {
    if (std::filesystem::exists(path)) throw Failure(Exit::conflict, path + " exists already; it is left as it is");
    out_.open(unfinished_, std::ios::binary | std::ios::trunc);
    if (!out_) throw Failure(Exit::failure, "can't write " + unfinished_);
    std::filesystem::permissions(unfinished_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  NewFile(const NewFile&) = delete;
  ~NewFile() {
    std::error_code ignored;
    if (!finished_) std::filesystem::remove(unfinished_, ignored);
  }
  void write(const std::string& text) {
    if (!out_.write(text.data(), static_cast<std::streamsize>(text.size()))) throw Failure(Exit::failure, "can't write " + unfinished_ + "; is the disk full?");
  }
  void finish() {
    out_.close();
    if (out_.fail()) throw Failure(Exit::failure, "can't write " + unfinished_ + "; is the disk full?");
    std::filesystem::rename(unfinished_, path_);
    finished_ = true;
  }

 private:
  std::string path_, unfinished_;
  std::ofstream out_;
  bool finished_ = false;
};

void export_to(Session& session, const Given& given) {
  NewFile file(given.file);
  const auto app_id = at(fetch_application(session, given.app), "app_id");
  const auto begun = post(session.api(), session.app_path(app_id, "/exports"), "{}");
  const auto url = session.app_path(app_id, "/exports/" + at(begun, "task.task_id"));
  session.note("exporting " + given.app + " …");
  const auto task = wait_for(session, url, "task.status", {"waiting", "running"});
  if (at(task, "task.status") != "done") throw Failure(Exit::failure, "the export failed: " + at(task, "task.error"));
  const auto parts = std::stoll(at(task, "task.parts"));
  for (std::int64_t part = 1; part <= parts; ++part) file.write(get(session.api(), url + "/parts/" + std::to_string(part)));
  file.finish();
  session.done(member_of(task, "task"), {.columns = {{"TASK_ID", "task_id"}, {"LINES", "items", Look::number}}, .name = "task_id", .upright = true},
               "application " + given.app + " is in " + given.file + ": " + at(task, "task.items") + " lines");
}

/// The lines of a file, one after the other, however long it is.
class Lines {
 public:
  explicit Lines(const std::string& path) : path_(path), in_(path, std::ios::binary) {
    if (!in_) throw Failure(Exit::failure, "can't read " + path);
  }
  bool next(std::string& line) {
    if (!std::getline(in_, line)) return false;
    ++number_;
    if (line.size() > kMaxLine) throw Failure(Exit::failure, path_ + ":" + std::to_string(number_) + ": the line is too long for a row");
    return true;
  }
  [[nodiscard]] std::int64_t number() const { return number_; }

 private:
  std::string path_;
  std::ifstream in_;
  std::int64_t number_ = 0;
};

void send_part(Session& session, const std::string& url, std::int64_t part, const std::string& lines) {
  json::Writer body;
  body.object().field("lines", lines).end();
  put(session.api(), url + "/parts/" + std::to_string(part), body.take());
}

/// Brings all lines but the first and the last one. Returns what the last one says. Errors: Failure: the file ends without it.
std::int64_t send_lines(Session& session, const std::string& url, const std::string& path, Lines& lines) {
  constexpr std::string_view kLast = R"({"end":true,"rows":)";
  std::string line, waiting;
  for (std::int64_t part = 1; lines.next(line);) {
    if (line.starts_with(kLast)) {
      if (!waiting.empty()) send_part(session, url, part, waiting);
      return std::stoll(at(line, "rows"));
    }
    if (!waiting.empty() && waiting.size() + line.size() > kPartBytes) {
      send_part(session, url, part++, waiting);
      waiting.clear();
    }
    waiting += line + "\n";
  }
  throw Failure(Exit::failure, path + " ends at line " + std::to_string(lines.number()) + " without its last line: it was cut short");
}

void take_in(Session& session, const std::string& url, const Given& given, Lines& lines) {
  json::Writer body;
  body.object().field("rows", send_lines(session, url, given.file, lines)).end();
  post(session.api(), url + "/apply", body.take());
  session.note("all lines are there; taking them in …");
  const auto answer = wait_for(session, url, "import.status", {"waiting"});
  if (at(answer, "import.status") != "done") {
    const auto line = at(answer, "import.error_line");
    throw Failure(Exit::failure, given.file + (line.empty() ? "" : ":" + line) + ": " + at(answer, "import.error")).with_detail("nothing was taken in");
  }
  const auto app_id = at(answer, "import.app_id");
  session.done(member_of(answer, "import"), kImported, "application " + app_id + " is here, suspended; chatctl app resume " + app_id + " lets it work");
  if (const auto lost = at(answer, "import.lost_secrets"); !lost.empty())
    session.warn(lost + " of its secrets were sealed with another master key; chatctl key create --app " + app_id + " makes a new one");
}

void import_from(Session& session, const Given& given) {
  Lines lines(given.file);
  std::string header;
  if (!lines.next(header)) throw Failure(Exit::failure, given.file + " is empty");
  std::string app_id;
  json::Writer body;
  try {
    const auto document = json::Document::parse(header);
    app_id = text_at(document.root(), "app_id");
    body.object().key("header").raw(document.root().raw()).end();
  } catch (const std::exception&) {
    app_id.clear();
  }
  if (app_id.empty()) throw Failure(Exit::failure, given.file + ":1: this is no file of an application");
  const auto begun = post(session.api(), session.app_path(app_id, "/imports"), body.take());
  const auto url = session.app_path(app_id, "/imports/" + at(begun, "import.import_id"));
  try {
    take_in(session, url, given, lines);
  } catch (const Failure&) {
    try {
      del(session.api(), url);
    } catch (const Failure&) {
      session.warn("what was brought could not be taken back; the service forgets it within a day");
    }
    throw;
  }
}

}  // namespace

void add_application_transfers(Noun& noun) {
  const auto given = std::make_shared<Given>();
  noun.verb("export", "Write a suspended application with all it has into one file; an owner's business")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .required_option("--out-file", "FILE", given->file, "The file to write (0600); never over an existing one", Fill::file)
      .detail("The file holds messages and everything else in the clear: keep it as you keep the database. The bytes of uploaded files are not in it.")
      .example("app export acme --out-file acme.jsonl")
      .run([given](Session& session) { export_to(session, *given); });
  noun.verb("import", "Take in an application from a file, with its ids, all or nothing; an owner's business")
      .argument("FILE", given->file, "As app export wrote it", Fill::file)
      .detail("The plan must be here, the application not. It comes in suspended. A mistake is told with its line, and nothing is left.")
      .example("app import acme.jsonl --context new")
      .run([given](Session& session) { import_from(session, *given); });
}

}  // namespace chat::cli
