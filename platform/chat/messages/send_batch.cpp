#include "platform/chat/messages/send_batch.h"

#include <algorithm>
#include <unordered_map>

#include "platform/base/text.h"
#include "platform/chat/messages/flags.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/read_row.h"
#include "platform/chat/messages/send.sql.h"

namespace chat::messages {
namespace {

using storage::Params;
using storage::Pipeline;

const char* flag(bool value) { return value ? "t" : "f"; }

void add(text::ArrayLiteral& array, const std::optional<std::string>& value) {
  if (value) array.add(*value);
  else array.add_null();
}
void add(text::ArrayLiteral& array, const std::optional<MessageId>& id) {
  if (id) array.add(id->text());
  else array.add_null();
}

/// Which references (parents, quoted) of a batch are there. Asked only when it holds any.
struct References {
  std::vector<bool> parent_fine, quoted_fine;
};

References check_references(Pipeline& pipeline, const std::vector<Send*>& batch) {
  References references{std::vector<bool>(batch.size()), std::vector<bool>(batch.size())};
  text::ArrayLiteral ords, types, channels, ids, as_parents, users;
  bool any = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Send& send = *batch[i];
    auto ask = [&](const std::optional<MessageId>& id, bool as_parent) {
      if (!id) return;
      any = true;
      ords.add(std::to_string(i * 2 + (as_parent ? 0 : 1)));
      types.add(send.channel_type);
      channels.add(send.channel_id);
      ids.add(id->text());
      as_parents.add(flag(as_parent));
      users.add(*send.message.user_id);
    };
    ask(send.message.parent_id, true);
    ask(send.message.quoted_id, false);
  }
  if (!any) return references;
  auto rows = pipeline.transact(batch.front()->application->id,
                                {{&sql::check_references, Params::of(batch.front()->application->id, ords.take(), types.take(),
                                                                     channels.take(), ids.take(), as_parents.take(), users.take())}});
  for (auto row : rows[0]) {
    const auto ord = static_cast<std::size_t>(row.integer(0));
    (ord % 2 == 0 ? references.parent_fine : references.quoted_fine)[ord / 2] = true;
    if (ord % 2 == 0 && row.boolean(1)) batch[ord / 2]->shadowed = true;   // nobody else knows of the thread
  }
  return references;
}

/// The arrays of send_messages, in its order.
struct Columns {
  text::ArrayLiteral ords, channel_types, channels, users, by_server, ids, types, texts, attachments, mentions, customs, parents,
      parent_fine, shown, quoted, quoted_fine, silent, nonces, nonce_keys, fingerprints, extras, shadowed;

  void add_send(std::size_t ord, const Send& send, bool parent_is_fine, bool quoted_is_fine) {
    const Message& message = send.message;
    ords.add(std::to_string(ord));
    channel_types.add(send.channel_type);
    channels.add(send.channel_id);
    users.add(*message.user_id);
    by_server.add(flag(send.by_server));
    ids.add(message.id.text());
    types.add(message.type);
    texts.add(message.text);
    add(attachments, message.attachments);
    add(mentions, message.mentions);
    add(customs, message.custom);
    add(parents, message.parent_id);
    parent_fine.add(flag(parent_is_fine));
    shown.add(flag(message.show_in_channel));
    add(quoted, message.quoted_id);
    quoted_fine.add(flag(quoted_is_fine));
    silent.add(flag(message.silent));
    add(nonces, message.nonce);
    add(nonce_keys, send.nonce_key);
    add(extras, message.extras);
    shadowed.add(flag(send.shadowed));
    add(fingerprints, send.nonce_key ? std::optional<std::string>(send.fingerprint) : std::nullopt);
  }
};

Pipeline::Step lock_step(AppId app, const std::vector<Send*>& batch) {
  text::ArrayLiteral types, channels;
  for (const Send* send : batch) {
    types.add(send->channel_type);
    channels.add(send->channel_id);
  }
  return {&sql::lock_heads, Params::of(app, types.take(), channels.take())};
}

Pipeline::Step send_step(const std::vector<Send*>& batch, const References& references, int shard, Timestamp now) {
  Columns c;
  for (std::size_t i = 0; i < batch.size(); ++i)
    c.add_send(i, *batch[i], references.parent_fine[i], references.quoted_fine[i]);
  const auto& application = *batch.front()->application;
  return {&sql::send_messages,
          Params::of(application.id, c.ords.take(), c.channel_types.take(), c.channels.take(), c.users.take(), c.by_server.take(),
                     c.ids.take(), c.types.take(), c.texts.take(), c.attachments.take(), c.mentions.take(), c.customs.take(),
                     c.parents.take(), c.parent_fine.take(), c.shown.take(), c.quoted.take(), c.quoted_fine.take(),
                     c.silent.take(), c.nonces.take(), c.nonce_keys.take(), c.fingerprints.take(), now, day_of(now), shard,
                     application.wants_event(kMessageNew), c.extras.take(), application.settings.search_language != "off", application.settings.separates_channels(),
                     application.pushes, c.shadowed.take())};
}

void add_reply_steps(AppId app, const std::vector<Send*>& batch, Timestamp now, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral types, channels, ids;
  bool any = false;
  for (const Send* send : batch) {
    if (!send->message.parent_id) continue;
    any = true;
    types.add(send->channel_type);
    channels.add(send->channel_id);
    ids.add(send->message.id.text());
  }
  if (!any) return;
  const std::string of_types = types.take(), of_channels = channels.take(), replies = ids.take();
  steps.push_back({&sql::count_replies, Params::of(app, of_types, of_channels, replies)});
  steps.push_back({&sql::follow_threads, Params::of(app, of_types, of_channels, replies, now)});
}

void add_mention_step(AppId app, const std::vector<Send*>& batch, Timestamp now, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral types, channels, ids, users;
  bool any = false;
  for (const Send* send : batch) {
    for (const auto& user : send->mentioned) {
      any = true;
      types.add(send->channel_type);
      channels.add(send->channel_id);
      ids.add(send->message.id.text());
      users.add(user);
    }
  }
  if (any) steps.push_back({&sql::insert_mentions, Params::of(app, types.take(), channels.take(), ids.take(), users.take(), now)});
}

void add_channel_mention_step(AppId app, const std::vector<Send*>& batch, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral types, channels, ids, roles;
  bool any = false;
  for (const Send* send : batch) {
    if (!send->mentions_channel && send->mentioned_roles.empty()) continue;
    any = true;
    text::ArrayLiteral some;                   // none: everybody
    if (!send->mentions_channel)
      for (const auto& role : send->mentioned_roles) some.add(role);
    types.add(send->channel_type);
    channels.add(send->channel_id);
    ids.add(send->message.id.text());
    roles.add(some.take());
  }
  if (any) steps.push_back({&sql::insert_channel_mentions, Params::of(app, types.take(), channels.take(), ids.take(), roles.take())});
}

void add_poll_step(AppId app, const std::vector<Send*>& batch, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral types, channels, ids, extras;
  bool any = false;
  for (const Send* send : batch) {
    if (!send->poll) continue;
    any = true;
    types.add(send->channel_type);
    channels.add(send->channel_id);
    ids.add(send->message.id.text());
    extras.add(*send->message.extras);
  }
  if (any) steps.push_back({&sql::insert_polls, Params::of(app, types.take(), channels.take(), ids.take(), extras.take())});
}

void add_flag_step(AppId app, const std::vector<Send*>& batch, Timestamp now, std::vector<Pipeline::Step>& steps) {
  Findings findings(now);
  for (const Send* send : batch)
    if (!send->findings.empty()) findings.add(send->channel_type, send->channel_id, send->message.id, send->findings);
  if (!findings.empty()) steps.push_back({&Findings::statement(), findings.take(app)});
}

/// False: none of them clears a draft.
bool add_draft_step(AppId app, const std::vector<Send*>& batch, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral ords, types, channels, ids;
  bool any = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Send& send = *batch[i];
    if (!send.clears_draft) continue;
    any = true;
    ords.add(std::to_string(i));
    types.add(send.channel_type);
    channels.add(send.channel_id);
    ids.add(send.message.id.text());
  }
  if (any) steps.push_back({&sql::clear_drafts, Params::of(app, ords.take(), types.take(), channels.take(), ids.take())});
  return any;
}

void add_preview_step(AppId app, const std::vector<Send*>& batch, Timestamp now, std::vector<Pipeline::Step>& steps) {
  text::ArrayLiteral types, channels, ids;
  bool any = false;
  for (const Send* send : batch) {
    if (send->message.text.find("://") == std::string::npos) continue;
    any = true;
    types.add(send->channel_type);
    channels.add(send->channel_id);
    ids.add(send->message.id.text());
  }
  if (any) steps.push_back({&sql::queue_previews, Params::of(app, types.take(), channels.take(), ids.take(), now)});
}

Error slow_mode(std::int64_t seconds) {
  return Error(Code::rate_limited, "This channel is in slow mode.").with_retry_after(std::chrono::seconds(std::max<std::int64_t>(seconds, 1)));
}

Error refusal(std::string_view verdict, const Send& send) {
  if (verdict == "no_channel") return not_found("channel");
  if (verdict == "no_user")
    return Error(Code::not_found, "No such user: " + *send.message.user_id + ". Create it with POST /v1/users.",
                 {{"#/user_id", "No such user."}});
  if (verdict == "deactivated") return Error(Code::user_deactivated, "This user is deactivated.");
  if (verdict == "banned") return forbidden("This user is banned from this channel.");
  if (verdict == "not_granted") return forbidden("Your role may not send messages in this channel.");
  if (verdict == "anonymous") return forbidden("Anonymous users only read.");
  if (verdict == "blocked") return forbidden("One of the two users of this channel has blocked the other.");
  if (verdict == "frozen") return Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
  if (verdict == "no_mention_all") return forbidden("This needs chat:message:mention_all, which moderators and stronger have.");
  if (verdict == "no_mention_roles") return forbidden("This needs chat:message:mention_roles, which your role lacks.");
  if (verdict == "too_large")
    return Error(Code::too_large, "The text is longer than this channel's type allows.", {{"#/text", "Too long."}});
  if (verdict == "no_replies") return forbidden("This channel's type has no threads.");
  if (verdict == "no_quotes") return forbidden("This channel's type has no quoted replies.");
  if (verdict == "no_polls") return forbidden("This channel's type has no polls.");
  if (verdict == "not_granted_poll") return forbidden("This needs chat:poll:create, which your role lacks.");
  if (verdict == "no_parent")
    return Error(Code::not_found, "No such message to reply to.", {{"#/parent_id", "No such message, or itself a reply."}});
  if (verdict == "no_quoted") return Error(Code::not_found, "No such message to quote.", {{"#/quoted_message_id", "No such message."}});
  return Error(Code::internal, "The message could not be stored.").with_log("unknown verdict " + std::string(verdict));
}

Outcome read_outcome(const storage::Row& row, Send& send) {
  Outcome outcome;
  const auto verdict = row.text(1);
  if (auto channel = row.optional_uuid(2)) outcome.channel = ChannelId{*channel};
  outcome.epoch = row.optional_text(3).value_or("");
  if (verdict == "ok") {
    outcome.verdict = Verdict::sent;
    send.message.seq = row.integer(4);
    send.message.message_seq = row.optional_integer(5);
  } else if (verdict == "stored" && row.boolean(7)) {
    outcome.verdict = Verdict::stored;
    outcome.stored_id = MessageId{row.uuid(6)};
  } else if (verdict == "stored") {
    outcome.error = Error(Code::idempotency_mismatch, "This nonce was used for another message.", {{"#/nonce", "Used already."}});
  } else if (verdict == "stale_id") {
    outcome.verdict = Verdict::stale_id;
    outcome.last_message_id = MessageId{row.uuid(8)};
  } else if (verdict == "pending") {
    outcome.verdict = Verdict::held;
  } else if (verdict == "slow_mode") {
    outcome.error = slow_mode(row.optional_integer(9).value_or(1));
  } else {
    outcome.error = refusal(verdict, send);
  }
  return outcome;
}

}  // namespace

std::vector<Outcome> run_batch(Pipeline& pipeline, const std::vector<Send*>& batch, int shard, Timestamp now) {
  const AppId app = batch.front()->application->id;
  for (Send* send : batch) {
    send->message.id = MessageId::make(now);
    send->message.created_at = now;
  }
  const auto references = check_references(pipeline, batch);
  std::vector<Pipeline::Step> steps{lock_step(app, batch), send_step(batch, references, shard, now)};
  add_reply_steps(app, batch, now, steps);
  add_mention_step(app, batch, now, steps);
  add_channel_mention_step(app, batch, steps);
  add_poll_step(app, batch, steps);
  add_preview_step(app, batch, now, steps);
  add_flag_step(app, batch, now, steps);
  const bool clears_drafts = add_draft_step(app, batch, steps);
  const auto results = pipeline.transact(app, steps);
  std::vector<Outcome> outcomes;
  outcomes.reserve(batch.size());
  for (auto row : results[1]) outcomes.push_back(read_outcome(row, *batch[outcomes.size()]));
  INVARIANT(outcomes.size() == batch.size(), "every send has one verdict");
  if (clears_drafts)
    for (auto row : results.back()) outcomes.at(static_cast<std::size_t>(row.integer(0))).draft_cleared = true;
  return outcomes;
}

void load_stored(Pipeline& pipeline, AppId app, const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes) {
  text::ArrayLiteral channels, ids;
  std::unordered_map<Uuid, Send*> by_id;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    if (outcomes[i].verdict != Verdict::stored) continue;
    channels.add(outcomes[i].channel.text());
    ids.add(outcomes[i].stored_id.text());
    by_id[outcomes[i].stored_id.uuid] = sends[i];
  }
  if (by_id.empty()) return;
  auto rows = pipeline.transact(app, {{&sql::stored_messages, Params::of(app, channels.take(), ids.take())}});
  for (auto row : rows[0]) {
    Message message = read_message(row);
    by_id.at(message.id.uuid)->message = std::move(message);
  }
}

}  // namespace chat::messages
