#include "platform/server/routes.h"

#include "platform/server/built_in_commands.h"

#include "billing/alerts/alerts.h"
#include "billing/billing_http.h"
#include "billing/statements/statements_http.h"
#include "platform/chat/blocklists/blocklists_http.h"
#include "platform/chat/bookmarks/bookmarks_http.h"
#include "platform/chat/campaigns/campaigns_http.h"
#include "platform/chat/channels/bans.h"
#include "platform/chat/channels/channels_http.h"
#include "platform/chat/channels/explain.h"
#include "platform/chat/devices/devices_http.h"
#include "platform/chat/drafts/drafts_http.h"
#include "platform/chat/commands/commands.h"
#include "platform/chat/commands/commands_http.h"
#include "platform/chat/exports/exports_http.h"
#include "platform/chat/invites/invites_http.h"
#include "platform/chat/messages/later.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/shadow.h"
#include "platform/chat/moderation/moderation_http.h"
#include "platform/chat/moderation/names.h"
#include "platform/chat/notifications/notifications_http.h"
#include "platform/chat/pending/pending.h"
#include "platform/chat/pending/pending_http.h"
#include "platform/chat/polls/polls.h"
#include "platform/chat/polls/polls_http.h"
#include "platform/chat/reactions/reactions.h"
#include "platform/chat/reactions/reactions_http.h"
#include "platform/chat/reads/reads_http.h"
#include "platform/chat/scheduled/scheduled_http.h"
#include "platform/chat/screening/screening_http.h"
#include "platform/chat/search/search_http.h"
#include "platform/chat/segments/segments_http.h"
#include "platform/chat/sync/sync_http.h"
#include "platform/chat/teams/teams_http.h"
#include "platform/chat/threads/threads_http.h"
#include "platform/chat/truncation/truncation_http.h"
#include "platform/chat/uploads/uploads_http.h"
#include "platform/chat/users/users_http.h"
#include "platform/operators/operators_http.h"
#include "platform/server/campaigns.h"
#include "platform/server/screening.h"
#include "platform/server/screens.h"
#include "platform/server/webhooks.h"
#include "platform/tasks/tasks_http.h"
#include "platform/transfers/transfers_http.h"
#include "tenants/own_audit.h"
#include "tenants/tenants_http.h"

namespace chat::server {
namespace {

tenants::Services tenant_services(const Parts& parts) {
  return {parts.bus, parts.sealer, parts.cursors, parts.clock,
          [](std::string_view word) { return billing::parse_meter(word).has_value(); }, parts.deletion_wait};
}

/// What is the caller's own, of every feature that adds to messages.
void add_own(storage::Transaction& tx, const channels::Opened& opened, std::vector<messages::Message>& messages) {
  reactions::add_own(tx, opened, messages);
  polls::add_own(tx, opened, messages);
}

auto check_later(billing::Accounts& accounts) {
  return [&accounts](const tenants::Caller& caller, const std::string& message) {
    messages::check_later(message, *accounts.find(caller.shared_application())->limits());
  };
}

/// What moderators' decisions do in channels.
moderation::Hands moderating_hands(bus::Bus& bus) {
  const auto input = [](const moderation::Ban& ban) { return channels::BanInput{ban.shadow, ban.reason, ban.expires_at}; };
  using storage::Transaction;
  return {bus,
          [&bus, input](Transaction& tx, const channels::Opened& opened, const std::string& user, const moderation::Ban& ban, Timestamp now) {
            channels::ban_from_channel(tx, bus, opened, user, input(ban), now);
          },
          [&bus](Transaction& tx, const channels::Opened& opened, const std::string& user, Timestamp now) {
            channels::lift_from_channel(tx, bus, opened, user, now);
          },
          [&bus, input](Transaction& tx, const std::string& user, const moderation::Ban& ban, Timestamp now) {
            channels::ban_from_application(tx, bus, user, input(ban), now);
          },
          [&bus](Transaction& tx, const std::string& user, Timestamp now) { channels::lift_from_application(tx, bus, user, now); },
          [&bus](Transaction& tx, const channels::Opened& opened, MessageId message, Timestamp now) {
            return messages::show_shadowed(tx, bus, opened, message, now);
          }};
}

}  // namespace

void add_public_routes(http::Router& router, const Parts& parts) {
  add_contract_route(router);
  tenants::add_routes(router, tenant_services(parts));
  billing::add_routes(router, {parts.bus, parts.accounts, parts.plans, parts.clock});
  billing::add_limit_routes(router, {parts.bus, parts.accounts, parts.plans, parts.clock});
  const auto hard_of = [&accounts = parts.accounts](const tenants::Caller& caller, billing::Meter meter) -> std::int64_t {
    const auto account = accounts.find(caller.shared_application());
    return account ? account->limits()->of(meter).hard : 0;
  };
  teams::add_routes(router, {parts.cursors, parts.clock, [hard_of](const tenants::Caller& caller) { return hard_of(caller, billing::Meter::teams); }});
  const tenants::Names names{block_list_names(parts.lists, parts.clock),
                             [&clock = parts.clock](storage::Transaction& tx, const std::string& cid, const std::string& user_id, const std::string& findings) {
                               moderation::flag_name(tx, cid, user_id, findings, clock.now());
                             }};
  const users::Services users{parts.bus, parts.cursors, parts.clock, names};
  users::add_routes(router, users);
  users::add_relation_routes(router, users);
  tasks::add_routes(router);
  exports::add_routes(router, parts.clock);
  const auto caps = [hard_of](const tenants::Caller& caller) {
    using billing::Meter;
    return channels::Caps{hard_of(caller, Meter::channel_members), hard_of(caller, Meter::user_memberships), hard_of(caller, Meter::user_channels_created)};
  };
  const auto count_watchers = [&store = parts.ephemeral](AppId app, const std::string& cid) {
    return static_cast<std::int64_t>(store.count({app, presence::kWatchers, cid}));
  };
  const channels::Services channels{parts.bus, parts.cursors, parts.clock, caps, count_watchers, names,
                                    [&bus = parts.bus](storage::Transaction& tx, const std::vector<std::string>& lists) { return blocklists::take_names(tx, bus, lists); }};
  channels::add_channel_type_routes(router, channels);
  channels::add_channel_routes(router, channels);
  channels::add_member_routes(router, channels);
  channels::add_membership_routes(router, channels);
  channels::add_ownership_routes(router, channels);
  channels::add_ban_routes(router, channels);
  channels::add_explain_routes(router);
  invites::add_routes(router, {parts.bus, parts.cursors, parts.clock, caps});
  messages::add_routes(router, {parts.bus, parts.accounts, parts.lanes, parts.clock, parts.run, add_own, attach_uploads(), hold_pending(parts.bus, parts.clock), find_command,
                                [&bus = parts.bus, &clock = parts.clock](storage::Transaction& tx, const tenants::Caller& caller, const messages::BuiltInCall& call) {
                                  run_built_in(tx, bus, caller, call, clock.now());
                                }, parts.before, parts.screen, parts.review});
  screening::add_routes(router, {parts.bus, parts.sealer, parts.accounts, parts.webhook_client, parts.screening, parts.clock});
  uploads::add_routes(router, {parts.depot, parts.accounts, parts.directory, parts.clock, parts.run, names.judge});
  commands::add_routes(router, {parts.clock});
  const blocklists::Services lists{parts.bus, parts.cursors, parts.clock, parts.lists};
  blocklists::add_routes(router, lists);
  blocklists::add_entry_routes(router, lists);
  reactions::add_routes(router, {parts.bus, parts.cursors, parts.clock, parts.counted});
  pending::add_routes(router, {parts.bus, parts.cursors, parts.clock});
  const moderation::Services moderation{moderating_hands(parts.bus), parts.cursors, parts.clock};
  moderation::add_routes(router, moderation);
  moderation::add_appeal_routes(router, moderation);
  moderation::add_settings_routes(router, moderation);
  polls::add_routes(router, {parts.bus, parts.cursors, parts.clock, add_own, option_screen(parts.screen),
                             [&clock = parts.clock](storage::Transaction& tx, const channels::Channel& channel, MessageId id, const std::string& findings) {
                               messages::flag_findings(tx, channel, id, findings, clock.now());
                             }});
  threads::add_routes(router, {parts.bus, parts.cursors, parts.clock});
  devices::add_routes(router, parts.clock);
  notifications::add_routes(router, {parts.bus, parts.senders, parts.clock, parts.run});
  drafts::add_routes(router, {parts.bus, parts.cursors, parts.clock, messages::read_later});
  bookmarks::add_routes(router, {parts.bus, parts.cursors, parts.clock});
  scheduled::add_routes(router, {parts.bus, parts.cursors, parts.clock, messages::read_later, check_later(parts.accounts)});
  segments::add_routes(router, {parts.cursors, parts.clock});
  const campaigns::Services campaigns{parts.bus, parts.cursors, parts.clock,
                                      [&accounts = parts.accounts, &clock = parts.clock](const tenants::Caller& caller, std::int64_t count) {
                                        const auto account = accounts.find(caller.shared_application());
                                        if (account) check_campaign_room(*account, count, clock.now());
                                      }};
  campaigns::add_routes(router, campaigns);
  campaigns::add_recipient_routes(router, campaigns);
  reads::add_routes(router, {parts.bus, parts.cursors, parts.clock});
  search::add_routes(router, {parts.cursors, parts.clock});
  truncation::add_routes(router, {parts.bus, parts.accounts, parts.clock});
  presence::add_routes(router, parts.presence);
  sync::add_routes(router, {parts.cursors});
  statements::add_routes(router, {parts.bus, parts.cursors, parts.clock});
  alerts::add_routes(router, {parts.cursors});
  const webhooks::Services webhooks{{parts.bus, parts.sealer}, parts.webhook_client, parts.cursors, parts.clock, example_of,
                                    [&clock = parts.clock](storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
                                                           const std::optional<std::string>& before, const std::optional<std::string>& after) {
                                      tenants::note_own(tx, request, action, object, before, after, clock.now());
                                    }};
  webhooks::add_endpoint_routes(router, webhooks);
  webhooks::add_before_routes(router, webhooks);
  webhooks::add_delivery_routes(router, webhooks);
}

void add_operator_routes(http::Router& router, const Parts& parts) {
  add_operations_routes(router, parts.status_json, parts.ask_ready);
  operators::add_routes(router, parts.cursors, parts.clock);
  const blocklists::Services lists{parts.bus, parts.cursors, parts.clock, parts.lists};
  blocklists::add_operator_routes(router, lists);
  blocklists::add_operator_entry_routes(router, lists);
  tenants::add_operator_routes(router, tenant_services(parts));
  transfers::add_routes(router, {parts.clock, parts.transfers});
  billing::add_operator_routes(router, {parts.bus, parts.accounts, parts.plans, parts.clock});
  billing::add_operator_limit_routes(router, {parts.bus, parts.accounts, parts.plans, parts.clock});
  statements::add_operator_routes(router, {parts.bus, parts.cursors, parts.clock});
  alerts::add_operator_routes(router, {parts.cursors});
  channels::add_operator_explain_routes(router);
}

HoldPending hold_pending(bus::Bus& bus, const Clock& clock) {
  return [&bus, &clock](storage::Transaction& tx, const messages::HeldSend& send) {
    const auto hold = pending::hold_message(
        tx, bus, {send.channel_type, send.channel_id, send.user_id, send.message, send.nonce, send.nonce_key, send.fingerprint,
                  send.findings}, clock.now());
    return messages::HeldAnswer{pending::pending_json(hold.pending), hold.replayed};
  };
}

messages::Attach attach_uploads() {
  return [](storage::Transaction& tx, const messages::Attaching& wanted) {
    return uploads::attach(tx, {wanted.attachments, wanted.channel_type + ":" + wanted.channel_id, wanted.user_id, wanted.by_server,
                                wanted.message, wanted.pointer});
  };
}

std::vector<const http::Route*> all_routes() {
  struct Everything {
    std::unique_ptr<bus::Bus> bus = bus::make_local_bus();
    std::unique_ptr<ephemeral::Store> ephemeral = ephemeral::make_local_store(system_clock());
    crypto::Sealer sealer{std::string(32, 'k')};
    storage::Cursors cursors{std::string(32, 'k')};
    billing::PlanBook plans;
    billing::Accounts accounts{plans, system_clock()};
    messages::Lanes lanes{{.database = {}, .lanes = 0}, *bus, system_clock()};
    outbound::Client client{outbound::Client::Options{}};
    notifications::Senders senders{client, sealer, {}, system_clock()};
    webhooks::BeforeSend before{client, sealer, system_clock(), {}};
    screening::Screening screening{client, sealer, system_clock(), {}, {}};
    MessageReview review{screening};
    presence::Typists typists{*bus, system_clock()};
    reactions::Counted counted{*bus, system_clock()};
    uploads::Depot depot{{}, {}, system_clock()};
    tenants::Directory directory{sealer, system_clock()};
    blocklists::Shelf lists{[](const storage::Pool::Task&) { return false; }, system_clock()};
    http::Router public_router, operator_router;
  };
  static Everything everything;
  static const bool built = [] {
    const Parts parts{*everything.bus, *everything.ephemeral, everything.sealer, everything.cursors, system_clock(), everything.plans,
                      everything.accounts, everything.lanes, [](std::int64_t) { return std::string(); }, [](const auto&) {},
                      [](const storage::Pool::Task&) { return false; }, everything.senders,
                      {everything.typists, *everything.ephemeral, everything.cursors}, everything.counted, everything.depot, everything.directory,
                      {}, {}, everything.client, everything.before, everything.lists, {}, everything.screening, everything.review};
    add_public_routes(everything.public_router, parts);
    add_operator_routes(everything.operator_router, parts);
    return true;
  }();
  (void)built;
  auto routes = everything.public_router.routes();
  for (const auto* route : everything.operator_router.routes()) routes.push_back(route);
  return routes;
}

}  // namespace chat::server
