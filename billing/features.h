#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

/// What a plan may switch off: {"features":{"polls":false}}. What it does not name is on.
namespace chat::billing {

enum class Feature {
  threads,        // replies to messages, threads, following them
  reactions,
  polls,
  search,         // of messages, channels and users by words
  uploads,        // files and images
  push,           // notifications to devices
  translations,
  webhooks,       // endpoints that are told of events, and those asked before a message is stored
  campaigns,      // messages to many users
  moderation,     // block lists, automatic judgement, the queue of moderators
  scheduled,      // messages that are sent later
  commands,       // words that begin a message and that the customer's server understands
  bookmarks,
  drafts,
  presence,       // who is here, who looks on, who types
  invites,
  approval,       // messages that wait for a moderator
  teams,
  guests,         // users without a token of the customer's backend
  exports,        // everything about one user
};
inline constexpr int kFeatures = 20;

std::string_view word(Feature feature);
std::optional<Feature> parse_feature(std::string_view word);
constexpr std::uint32_t bit(Feature feature) { return 1U << static_cast<unsigned>(feature); }

/// The feature that a call belongs to, by its operationId; null: every plan has it.
std::optional<Feature> feature_of(std::string_view operation);

}  // namespace chat::billing
