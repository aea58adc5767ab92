#include "cli/tasks.h"

#include <charconv>
#include <memory>

#include "cli/nouns.h"
#include "cli/output/progress.h"
#include "cli/output/value.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::chrono::milliseconds kAskAgain{500};

const Sheet kTask{.columns = {{"TASK_ID", "task_id"},
                              {"TYPE", "type"},
                              {"STATUS", "status", Look::state},
                              {"ITEMS", "items"},
                              {"PARTS", "parts"},
                              {"ERROR", "error"},
                              {"CREATED", "created_at", Look::time},
                              {"FINISHED", "finished_at", Look::time},
                              {"EXPIRES", "expires_at", Look::time}},
                  .name = "task_id",
                  .rows = "task",
                  .upright = true};

std::string task_path(const std::string& task_id, const std::string& rest = "") {
  return "/v1/tasks/" + text::percent_encode(task_id) + rest;
}

std::uint64_t number_at(const json::Value& from, const std::string& path) {
  const auto digits = text_at(from, path);
  std::uint64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

struct Given {
  std::string task_id, file;
};

}  // namespace

std::string follow_task(Session& session, const std::string& task_id, const std::string& doing) {
  Progress progress(session, doing, "items");
  for (;;) {
    const auto answer = get(session.public_api(), task_path(task_id));
    const auto document = json::Document::parse(answer);
    const auto status = text_at(document.root(), "task.status");
    if (status == "done") return answer;
    if (status == "failed")
      throw Failure(Exit::failure, "task " + task_id + " failed: " + text_at(document.root(), "task.error"))
          .with_next("chatctl task show " + task_id);
    progress.at(number_at(document.root(), "task.items"));
    if (!session.world().wait(kAskAgain)) throw Failure(Exit::interrupted, "");
  }
}

Download::Download(const std::string& file) : path_(file) {
  if (!file.empty()) file_ = std::make_unique<PrivateFile>(file, false);
}

void Download::run(Session& session, const std::string& task_id) {
  const auto document = json::Document::parse(get(session.public_api(), task_path(task_id)));
  const auto parts = number_at(document.root(), "task.parts");
  std::size_t bytes = 0;
  {
    Progress progress(session, "downloading", "parts");
    for (std::uint64_t part = 1; part <= parts; ++part) {
      const auto text = get(session.public_api(), task_path(task_id, "/parts/" + std::to_string(part)));
      bytes += text.size();
      if (!file_) {
        session.print_text(text);
        continue;
      }
      file_->write(text);
      progress.at(part, parts);
    }
  }
  if (!file_) return;
  file_->finish();
  session.note(std::to_string(bytes) + " bytes written to " + path_);
}

void add_tasks(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("task", "Long work that an application's backend began");
  noun.alias("tasks");
  noun.verb("show", "Show how far a task is")
      .argument("TASK_ID", given->task_id, "As the call that began it answered")
      .watchable()
      .example("task show task_01m7yzmjqcedqrb018tr4sjm6r --app acme")
      .run([given](Session& session) {
        session.print(get(session.public_api(), task_path(given->task_id)), kTask);
      });
  noun.verb("wait", "Wait until a task is done")
      .argument("TASK_ID", given->task_id, "As the call that began it answered")
      .example("task wait task_01m7yzmjqcedqrb018tr4sjm6r --app acme")
      .run([given](Session& session) {
        session.print(follow_task(session, given->task_id, "waiting"), kTask);
      });
  noun.verb("download", "Download a task's output, all parts as one")
      .argument("TASK_ID", given->task_id, "As the call that began it answered")
      .option("--out-file", "FILE", given->file, "Write it there (0600) instead of printing it", Fill::file)
      .example("task download task_01m7yzmjqcedqrb018tr4sjm6r --app acme --out-file export.ndjson")
      .run([given](Session& session) { Download(given->file).run(session, given->task_id); });
}

}  // namespace chat::cli
