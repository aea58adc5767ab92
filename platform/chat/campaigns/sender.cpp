#include "platform/chat/campaigns/sender.h"

#include "billing/metering.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/ends.h"
#include "platform/chat/campaigns/judge.h"
#include "platform/chat/campaigns/sending.sql.h"

namespace chat::campaigns {
namespace {

constexpr std::chrono::milliseconds kPlanning{150};          // at most so long in a turn
constexpr int kPlannedAtOnce = 1'000, kShortPlan = 25;       // recipients; short ones while others send
constexpr std::chrono::seconds kAgain{2}, kSlowed{30};       // slowed: by the plan, which serves a minute's worth at once
constexpr std::int64_t kMaxAttempts = 20;
constexpr int kMaxClaims = 16;                               // of a turn

/// The same message however often it is sent, also when what its text is made of has changed meanwhile.
std::string nonce_of(CampaignId campaign, const Uuid& target) { return "campaign/" + campaign.text() + "/" + target.text(); }

std::string array_of(const std::vector<Uuid>& ids) {
  text::ArrayLiteral array;
  for (const auto& id : ids) array.add(id.text());
  return array.take();
}

void end_as(End& end, std::string state, std::string_view reason, std::optional<std::string> detail = std::nullopt) {
  end.state = std::move(state);
  end.reason = reason;
  end.detail = std::move(detail);
}

void end_as_sent(End& end, const Judged& judged, const MessageId& message) {
  end.state = "sent";
  end.message = message;
  end.channel_type = judged.channel_type;
  end.channel_id = judged.channel_id;
}

}  // namespace

/// Recipients of one campaign on their way.
struct Sender::Page {
  struct Row {
    Judged judged;
    Written written;
    End end;
    bool is_due = false;                       // to be sent
    std::string_view pause = {};               // the campaign can't go on: a word
    bool is_slowed = false;                    // by the plan: no fault of anybody's, and no attempt
  };
  AppId app;
  CampaignId campaign;
  std::string sender;                          // its user_id
  std::vector<Uuid> targets;
  std::vector<Row> rows;
  std::int64_t taken = 0;                      // of the plan's recipients
  std::optional<Uuid> hold;                    // of as many
  std::atomic<std::size_t> left{1};            // without an end; one for who hands them over
  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

void Sender::turn(storage::Connection& connection) {
  if (sending_.pace() == Pace::gentle) return step(connection);
  plan(connection);
  for (int claims = 0; claims < kMaxClaims && begin_page(connection); ++claims) {
  }
}

/// While others send, planning and sending take turns. Where nobody is due planning goes on.
void Sender::step(storage::Connection& connection) {
  const bool sends_first = planned_last_.exchange(false);
  if (!sends_first && plan_step(connection)) return;
  if (begin_page(connection)) return;
  if (sends_first) plan_step(connection);
}

bool Sender::plan_step(storage::Connection& connection) {
  const auto begun = std::chrono::steady_clock::now();
  if (!plan_some(connection, sending_.bus, kShortPlan, sending_.clock)) return false;
  planned_last_ = true;
  rest_since(begun);
  return true;
}

void Sender::rest_since(std::chrono::steady_clock::time_point begun) {
  sending_.turn_within(kRests * std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun));
}

void Sender::plan(storage::Connection& connection) {
  const auto deadline = std::chrono::steady_clock::now() + kPlanning;
  while (sending_.pace() == Pace::full && std::chrono::steady_clock::now() < deadline)
    if (!plan_some(connection, sending_.bus, kPlannedAtOnce, sending_.clock)) return;
}

std::shared_ptr<Sender::Page> Sender::claim(storage::Connection& connection, int rows) {
  auto page = std::make_shared<Page>();
  const auto now = sending_.clock.now();
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    page = std::make_shared<Page>();
    const auto claimed = tx.query(sql::claim_campaign_recipients, now, std::to_string(kLease.count()) + " seconds", rows);
    for (auto row : claimed) {
      page->app = AppId{row.uuid(0)};
      page->campaign = CampaignId{row.uuid(1)};
      if (const auto target = row.optional_uuid(2)) page->targets.push_back(*target);
    }
  });
  return page;
}

/// False: no campaign is due, or there is no room for a page.
bool Sender::begin_page(storage::Connection& connection) {
  const auto pace = sending_.pace();
  const bool has_room = pages_.fetch_add(1) < (pace == Pace::full ? kMaxPages : pace == Pace::gentle ? 1 : 0);
  if (has_room && fill_page(connection, pace == Pace::full ? kPageRows : kShortRows)) return true;
  pages_.fetch_sub(1);
  return false;
}

/// False: no campaign is due. Takes the place of a page that it was given, unless that is so or it throws.
bool Sender::fill_page(storage::Connection& connection, int rows) {
  try {
    const auto page = claim(connection, rows);
    if (page->app.uuid.is_nil()) return false;
    prepare(connection, *page);
    send(connection, page);
    return true;
  } catch (const Error& error) {               // what was claimed is tried again when its lease is over
    log::warn("campaigns.page_failed", {{"detail", error.what()}});
    return false;
  }
}

/// Who gets it and what it says; channels that are missing are made.
void Sender::prepare(storage::Connection& connection, Page& page) {
  const auto wanted = static_cast<std::int64_t>(page.targets.size());
  const auto allowance = wanted > 0 ? sending_.take(connection, page.app, wanted) : Allowance{};
  page.taken = allowance.recipients;
  page.hold = allowance.hold;
  std::vector<Uuid> beyond(page.targets.begin() + allowance.recipients, page.targets.end());
  page.targets.resize(static_cast<std::size_t>(allowance.recipients));
  const auto rest = allowance.is_slowed ? kSlowed : kAgain;
  const auto again_at = allowance.refusal.empty() ? std::optional(sending_.clock.now() + rest) : std::nullopt;
  const auto caps = page.targets.empty() ? channels::Caps{} : sending_.caps(connection, page.app);
  try {
    connection.transact(page.app, storage::Mode::write, [&](storage::Transaction& tx) {
      if (!beyond.empty()) put_back(tx, page, beyond, again_at);
      judge_all(tx, page, caps, allowance.refusal);
    });
  } catch (...) {
    sending_.settle(page.app, page.taken, 0);
    throw;
  }
}

/// Those for whom the plan has no room now.
void Sender::put_back(storage::Transaction& tx, const Page& page, const std::vector<Uuid>& beyond, std::optional<Timestamp> again_at) {
  tx.run(sql::release_recipients, tx.app(), page.campaign, array_of(beyond), again_at);
  if (again_at) tx.run(sql::rest_until, tx.app(), page.campaign, *again_at);
}

void Sender::judge_all(storage::Transaction& tx, Page& page, const channels::Caps& caps, std::string_view refusal) {
  page.rows.clear();
  const auto now = sending_.clock.now();
  const auto campaign = find_campaign(tx, page.campaign);
  const bool goes_on = campaign && campaign->status == "sending";   // not paused, stopped or deleted meanwhile
  const auto work = goes_on ? open_work(tx, *campaign) : std::nullopt;
  if (!work) {
    tx.run(sql::release_recipients, tx.app(), page.campaign, array_of(page.targets), std::nullopt);
    if (goes_on) fail_campaign(tx, sending_.bus, page.campaign, "sender_gone", now);
    return;
  }
  page.sender = campaign->sender;
  if (work->definition.of == segments::Of::users) sending_.hold_pairs(tx, campaign->sender_id, array_of(page.targets));
  for (auto& judged : judge(tx, *work, page.targets, now)) {
    Page::Row row;
    row.end.target = judged.target;
    if (judged.message) end_as_sent(row.end, judged, *judged.message);
    else if (judged.reason) end_as(row.end, "skipped", *judged.reason);
    else row.written = write(*work, judged, static_cast<std::size_t>(judged.variant));
    if (row.written.missing) end_as(row.end, "failed", "missing_variable", "The text shows " + *row.written.missing + ", which has no value here.");
    row.is_due = row.end.state == "waiting";
    row.judged = std::move(judged);
    page.rows.push_back(std::move(row));
  }
  make_channels(tx, page, work->definition, caps);
  if (!refusal.empty()) pause_by_itself(tx, sending_.bus, page.campaign, refusal, now);
}

/// All at once; where one can't be, one by one.
void Sender::make_channels(storage::Transaction& tx, Page& page, const Definition& definition, const channels::Caps& caps) {
  Opening opening{definition.type, {page.sender, get_campaign(tx, page.campaign).sender_id}, definition.team, {}};
  std::vector<Page::Row*> missing;
  for (auto& row : page.rows) {
    if (!row.is_due || row.judged.has_channel) continue;
    missing.push_back(&row);
    opening.to.push_back({row.judged.name, UserId{row.judged.target}});
  }
  if (missing.empty()) return;
  try {
    return tx.nested([&] { sending_.make_channels(tx, opening, caps); });
  } catch (const Error& error) {
    if (error.code() != Code::limit_reached && error.code() != Code::not_found) throw;
  }
  for (auto* row : missing) {
    opening.to = {{row->judged.name, UserId{row->judged.target}}};
    try {
      tx.nested([&] { sending_.make_channels(tx, opening, caps); });
    } catch (const Error& error) {
      if (error.code() != Code::limit_reached && error.code() != Code::not_found) throw;
      end_as(row->end, "failed", row_of(error.code()).word, error.what());
      row->is_due = false;
    }
  }
}

void Sender::send(storage::Connection& connection, const std::shared_ptr<Page>& page) {
  for (std::size_t i = 0; i < page->rows.size(); ++i) {
    auto& row = page->rows[i];
    if (!row.is_due) continue;
    page->left.fetch_add(1);
    const auto nonce = nonce_of(page->campaign, row.judged.target);
    const Due due{page->app, row.judged.channel_type, row.judged.channel_id, page->sender, row.written.body, nonce, crypto::hex(crypto::sha256(nonce))};
    sending_.send(connection, due, [this, page, i](const std::optional<MessageId>& message, const std::optional<Error>& error) {
      auto& ended = page->rows[i];
      if (message) end_as_sent(ended.end, ended.judged, *message);
      else if (!error) end_as(ended.end, "skipped", "held", "It waits for approval.");
      else if (error->code() == Code::quota_exceeded) ended.pause = "quota_exceeded";
      else if (error->code() == Code::rate_limited) ended.is_slowed = true;
      else if (!row_of(error->code()).retryable || ended.judged.attempts >= kMaxAttempts) end_as(ended.end, "failed", row_of(error->code()).word, error->what());
      one_ended(page);
    });
  }
  one_ended(page);
}

/// Comes on a lane's thread, which must not wait: a database worker keeps the page, and goes on. Lost, its messages are found again by their nonces.
void Sender::one_ended(const std::shared_ptr<Page>& page) {
  if (page->left.fetch_sub(1) > 1) return;
  const bool taken = sending_.run([this, page](storage::Connection& connection) {
    try {
      keep(connection, *page);
    } catch (const Error& error) {
      log::warn("campaigns.ends_not_kept", {{"detail", error.what()}});
    }
    pages_.fetch_sub(1);
    go_on(connection, *page);
  });
  if (taken) return;
  log::warn("campaigns.ends_not_kept", {{"detail", "the pool is full"}});
  sending_.settle(page->app, page->taken, 0);
  pages_.fetch_sub(1);
}

void Sender::go_on(storage::Connection& connection, const Page& ended) {
  if (sending_.pace() == Pace::gentle) return rest_since(ended.begun);
  try {
    turn(connection);
  } catch (const Error& error) {
    log::warn("campaigns.turn_failed", {{"detail", error.what()}});   // the job looks again
  }
}

void Sender::keep(storage::Connection& connection, Page& page) {
  std::int64_t sent = 0;
  const auto now = sending_.clock.now();
  std::vector<End> ends;
  std::vector<Uuid> slowed;
  std::string_view pause;
  for (const auto& row : page.rows) {
    if (row.is_slowed) slowed.push_back(row.end.target);
    else ends.push_back(row.end);
    if (!row.pause.empty()) pause = row.pause;
  }
  try {
    connection.transact(page.app, storage::Mode::write, [&](storage::Transaction& tx) {
      sent = keep_ends(tx, sending_.bus, page.campaign, ends, now + kAgain, now);
      if (page.hold) billing::end_hold(tx, *page.hold);
      if (!slowed.empty()) put_back(tx, page, slowed, now + kSlowed);
      if (!pause.empty()) pause_by_itself(tx, sending_.bus, page.campaign, pause, now);
    });
  } catch (...) {
    sending_.settle(page.app, page.taken, 0);
    throw;
  }
  sending_.settle(page.app, page.taken, sent);
}

}  // namespace chat::campaigns
