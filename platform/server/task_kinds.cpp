#include "platform/server/task_kinds.h"

#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/channels/channels_export.h"
#include "platform/chat/exports/exports.h"
#include "platform/chat/messages/messages_export.h"
#include "platform/chat/segments/segments.h"
#include "platform/chat/uploads/uploads_export.h"
#include "platform/transfers/transfers.h"

namespace chat::server {
namespace {

constexpr int kSweepRows = 500;
constexpr int kMaxSweeps = 100;                // one run ends; the rest waits for the next

std::vector<exports::Section> user_export() {
  auto sections = exports::own_sections();
  for (auto& section : channels::export_sections()) sections.push_back(std::move(section));
  sections.push_back(messages::export_section());
  sections.push_back(uploads::export_section());
  for (auto& section : segments::export_sections()) sections.push_back(std::move(section));
  for (auto& section : campaigns::export_sections()) sections.push_back(std::move(section));
  return sections;
}

}  // namespace

std::vector<std::string> user_export_kinds() {
  std::vector<std::string> kinds;
  for (const auto& section : user_export()) kinds.push_back(section.kind);
  return kinds;
}

tasks::Kinds task_kinds(const transfers::Rules& rules) {
  tasks::Kinds kinds;
  kinds.add(std::string(exports::kExportUser), exports::work(user_export()));
  kinds.add(std::string(transfers::kExportApplication), [rules](storage::Transaction& tx, const tasks::Slice& slice) {
    return transfers::export_slice(tx, slice, rules);
  });
  return kinds;
}

void add_task_jobs(jobs::Schedule& schedule, const tasks::Kinds& kinds, const Clock& clock) {
  schedule.add("run_tasks", std::chrono::milliseconds(500),
               [&kinds, &clock](storage::Connection& connection) { tasks::run_tasks(connection, kinds, clock); });
  schedule.add("sweep_tasks", std::chrono::minutes(10), [](storage::Connection& connection) {
    for (int i = 0; i < kMaxSweeps; ++i) {
      std::int64_t swept = 0;
      connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) { swept = tasks::sweep_tasks(tx, kSweepRows); });
      if (swept == 0) return;
    }
  });
}

}  // namespace chat::server
