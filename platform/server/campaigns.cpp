#include "platform/server/campaigns.h"

#include <algorithm>
#include <mutex>

#include "billing/metering.h"
#include "platform/base/metrics.h"
#include "platform/chat/channels/direct.h"

namespace chat::server {
namespace {

using billing::Meter;

constexpr const char* kSendCampaigns = "send_campaigns";
constexpr std::size_t kWaitingSends = 64;      // in the lanes of a node: more than a moment's
constexpr std::chrono::seconds kQuiet{1};

/// Whether somebody writes besides campaigns, on this node.
class Company {
 public:
  Company(const messages::Lanes& lanes, const Clock& clock) : lanes_(lanes), clock_(clock) {}
  bool is_there() {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (const auto sends = lanes_.submitted(); sends != sends_) {
      sends_ = sends;
      seen_ = now;
    }
    return now - seen_ < kQuiet;
  }

 private:
  const messages::Lanes& lanes_;
  const Clock& clock_;
  std::mutex mutex_;
  std::uint64_t sends_ = 0;
  Timestamp seen_{};
};

/// Null: the application is not active any more.
std::shared_ptr<billing::Account> account_of(storage::Connection& connection, const messages::LaterServices& later, AppId app) {
  auto application = later.directory.find(app);
  if (!application) application = later.directory.load(connection, app);
  if (!application || application->status != tenants::Status::active) return nullptr;
  return later.accounts.load(connection, application);
}

campaigns::Allowance take(storage::Connection& connection, const messages::LaterServices& later, AppId app, std::int64_t wanted) {
  const auto account = account_of(connection, later, app);
  if (!account) return {0, "application_suspended"};
  if (!account->limits()->has(billing::Feature::campaigns)) return {0, "plan"};
  const auto now = later.clock.now();
  const auto hold = billing::hold_usage(connection, *account, Meter::campaign_recipients, wanted, now + campaigns::Sender::kLease, now);
  const auto taken = account->reserve_some(Meter::campaign_recipients, hold.count, now);
  return {taken, hold.is_used_up ? std::string_view("quota_exceeded") : std::string_view{}, taken < hold.count, hold.id};
}

channels::Caps caps(storage::Connection& connection, const messages::LaterServices& later, AppId app) {
  const auto account = account_of(connection, later, app);
  if (!account) return {};
  const auto limits = account->limits();
  return {limits->of(Meter::channel_members).hard, limits->of(Meter::user_memberships).hard, limits->of(Meter::user_channels_created).hard};
}

void make_channels(storage::Transaction& tx, const messages::LaterServices& later, const campaigns::Opening& opening, const channels::Caps& caps) {
  channels::DirectOpening wanted{opening.type, {opening.from.user_id, opening.from.id}, opening.team, {}};
  for (const auto& one : opening.to) wanted.to.push_back({one.user_id, one.id});
  channels::make_direct_channels(tx, later.bus, wanted, caps, later.clock.now());
}

}  // namespace

campaigns::Sending campaign_sending(const messages::LaterServices& later, const messages::Lanes& interactive, jobs::Schedule& schedule,
                                    const std::atomic<bool>& stopping) {
  return {later.bus, later.clock,
          [later](storage::Connection& connection, const campaigns::Due& due, const campaigns::Done& done) {
            messages::send_later(connection, later,
                                 {due.app, due.channel_type, due.channel_id, due.user_id, due.message, due.nonce_key, due.fingerprint, true}, done);
          },
          later.run,
          [later](storage::Connection& connection, AppId app, std::int64_t wanted) { return take(connection, later, app, wanted); },
          [later](AppId app, std::int64_t taken, std::int64_t sent) {
            const auto account = later.accounts.known(app);
            if (!account) return;
            account->spent(Meter::campaign_recipients, sent, later.clock.now());
            account->release(Meter::campaign_recipients, taken - sent);
          },
          [later](storage::Connection& connection, AppId app) { return caps(connection, later, app); },
          channels::hold_pairs,
          [later](storage::Transaction& tx, const campaigns::Opening& opening, const channels::Caps& caps) { make_channels(tx, later, opening, caps); },
          [&interactive, &stopping, company = std::make_shared<Company>(interactive, later.clock)] {
            if (stopping || interactive.queued() > kWaitingSends) return campaigns::Pace::none;
            return company->is_there() ? campaigns::Pace::gentle : campaigns::Pace::full;
          },
          [&schedule](std::chrono::milliseconds delay) { schedule.run_within(kSendCampaigns, delay); }};
}

void check_campaign_room(billing::Account& account, std::int64_t recipients, Timestamp now) {
  const auto hard = account.limits()->of(Meter::campaign_recipients).hard;
  if (hard == billing::kUnlimited || account.used(Meter::campaign_recipients, now) + recipients <= hard) return;
  account.reserve(Meter::campaign_recipients, recipients, now);   // says why not
  account.release(Meter::campaign_recipients, recipients);
}

void add_campaign_jobs(jobs::Schedule& schedule, campaigns::Sender& sender, const Clock& clock) {
  schedule.add(kSendCampaigns, campaigns::Sender::kTurn, [&sender](storage::Connection& connection) { sender.turn(connection); });
  schedule.add("measure_campaigns", std::chrono::seconds(10), [&clock](storage::Connection& connection) {
    connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
      const auto now = clock.now();
      const auto since = campaigns::standing_since(tx, now);
      const double seconds = since ? std::chrono::duration<double>(now - *since).count() : 0;
      metrics::gauge("chat_campaign_standing_seconds", "How long the campaign that stands longest has taken nobody, though somebody is due; 0: none stands.")
          .set(std::max(seconds, 0.0));
    });
  });
}

}  // namespace chat::server
