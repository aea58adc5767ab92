#pragma once
#include "platform/chat/messages/review.h"
#include "platform/chat/screening/screening.h"
#include "platform/jobs/schedule.h"
#include "tenants/directory.h"

/// Rules and classifiers, as messages ask them; between the nodes, and beside the ledger.
namespace chat::server {

class MessageReview final : public messages::Review {
 public:
  explicit MessageReview(screening::Screening& screening) : screening_(screening) {}
  std::unique_ptr<Question> look(const messages::Send& send) override;
  void ask(std::unique_ptr<Question> question, const messages::Send& send, Then then) override;
  messages::Verdict judge_change(storage::Transaction& tx, const messages::Send& changed) override;

 private:
  screening::Screening& screening_;
};

/// How a rule's timeout keeps somebody from a channel.
screening::Screening::TimeOut time_out_by_ban(bus::Bus& bus);

/// Every second the nodes tell each other what users wrote, as far as rules count it. Before the bus starts.
void share_screening(jobs::Schedule& schedule, bus::Bus& bus, screening::Screening& screening, const tenants::Directory& directory);
inline constexpr const char* kCountModerationCalls = "count_moderation_calls";
void add_screening_jobs(jobs::Schedule& schedule, screening::Screening& screening);

}  // namespace chat::server
