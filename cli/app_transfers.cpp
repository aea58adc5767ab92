#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <memory>

#include "cli/apps.h"
#include "cli/files/files.h"
#include "cli/line/values.h"
#include "cli/output/progress.h"
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
  std::string app, file, task;
  std::chrono::milliseconds wait = std::chrono::hours(1);
};

std::string at(const std::string& json, const std::string& path) {
  const auto document = json::Document::parse(json);
  return text_at(document.root(), path);
}

/// A number that the service or a file says.
std::int64_t whole_number(const std::string& text, const std::string& what) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    throw Failure(Exit::failure, what + " is no number: " + text);
  return number;
}

/// What to look at until it is over.
struct Waiting {
  std::string url;
  std::string status;                          // where its status is
  std::vector<std::string> not_yet;            // the words that mean: ask again
  std::string doing, progress, unit;           // "exporting acme", where it is told how far that is, of what; "": nowhere
  std::string later;                           // what to do when it takes longer than one waits
};

/// Errors:  Failure unavailable: not over within `longest`
std::string wait_for(Session& session, const Waiting& waiting, std::chrono::milliseconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  Progress progress(session, waiting.doing, waiting.unit);
  for (;;) {
    auto answer = get(session.api(), waiting.url);
    const auto status = at(answer, waiting.status);
    if (std::find(waiting.not_yet.begin(), waiting.not_yet.end(), status) == waiting.not_yet.end()) return answer;
    if (std::chrono::steady_clock::now() >= deadline)
      throw Failure(Exit::unavailable, "it is still " + status + " after " + duration_text(longest) + "; the service goes on").with_next(waiting.later);
    if (!waiting.progress.empty()) progress.at(static_cast<std::uint64_t>(whole_number(at(answer, waiting.progress), waiting.unit)));
    if (!session.world().wait(kLookAgain)) throw Failure(Exit::interrupted, "").with_next(waiting.later);
  }
}

std::string begin_export(Session& session, const std::string& app_id) {
  return at(post(session.api(), session.app_path(app_id, "/exports"), "{}"), "task.task_id");
}

void export_to(Session& session, const Given& given) {
  PrivateFile file(given.file, false);
  const auto app_id = at(fetch_application(session, given.app), "app_id");
  const auto task_id = given.task.empty() ? begin_export(session, app_id) : given.task;
  const auto url = session.app_path(app_id, "/exports/" + task_id);
  const auto later = "chatctl app export " + app_id + " --out-file " + given.file + " --task " + task_id + " waits on and fetches it";
  const Waiting waiting{url, "task.status", {"waiting", "running"}, "exporting " + given.app, "task.items", "lines", later};
  const auto task = wait_for(session, waiting, given.wait);
  if (at(task, "task.status") != "done") throw Failure(Exit::failure, "the export failed: " + at(task, "task.error"));
  const auto parts = whole_number(at(task, "task.parts"), "the number of parts");
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
      return whole_number(at(line, "rows"), path + ":" + std::to_string(lines.number()) + ": rows");
    }
    if (!waiting.empty() && waiting.size() + line.size() > kPartBytes) {
      send_part(session, url, part++, waiting);
      waiting.clear();
    }
    waiting += line + "\n";
  }
  throw Failure(Exit::failure, path + " ends at line " + std::to_string(lines.number()) + " without its last line: it was cut short");
}

/// Brings the file and lets the service take it in; then nothing is left to bring.
void bring(Session& session, const std::string& url, const Given& given, Lines& lines) {
  json::Writer body;
  body.object().field("rows", send_lines(session, url, given.file, lines)).end();
  post(session.api(), url + "/apply", body.take());
}

void withdraw(Session& session, const std::string& url) {
  try {
    del(session.api(), url);
  } catch (const Failure&) {
    session.warn("what was brought could not be taken back; the service forgets it within a day");
  }
}

void tell_imported(Session& session, const std::string& answer) {
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
    bring(session, url, given, lines);
  } catch (...) {
    withdraw(session, url);
    throw;
  }
  session.note("all lines are there; taking them in …");
  const auto later = "chatctl app show " + app_id + " finds it when it is here";
  const auto answer = wait_for(session, {url, "import.status", {"waiting"}, "", "", "", later}, given.wait);
  if (at(answer, "import.status") == "done") return tell_imported(session, answer);
  withdraw(session, url);
  const auto line = at(answer, "import.error_line");
  throw Failure(Exit::failure, given.file + (line.empty() ? "" : ":" + line) + ": " + at(answer, "import.error")).with_detail("nothing was taken in");
}

}  // namespace

void add_application_transfers(Noun& noun) {
  const auto given = std::make_shared<Given>();
  noun.verb("export", "Write a suspended application with all it has into one file; an owner's business")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .required_option("--out-file", "FILE", given->file, "The file to write (0600); never over an existing one", Fill::file)
      .option("--task", "TASK_ID", given->task, "Fetch the export that was begun as this task, instead of beginning one")
      .duration("--wait", given->wait, "How long to wait for it (default 1h); it goes on in the service")
      .detail("The file holds messages and everything else in the clear: keep it as you keep the database. The bytes of uploaded files are not in it.")
      .example("app export acme --out-file acme.jsonl")
      .run([given](Session& session) { export_to(session, *given); });
  noun.verb("import", "Take in an application from a file, with its ids, all or nothing; an owner's business")
      .argument("FILE", given->file, "As app export wrote it", Fill::file)
      .duration("--wait", given->wait, "How long to wait until it is taken in (default 1h); the service goes on")
      .detail("The plan must be here, the application not. It comes in suspended. A mistake is told with its line, and nothing is left.")
      .example("app import acme.jsonl --context new")
      .run([given](Session& session) { import_from(session, *given); });
}

}  // namespace chat::cli
