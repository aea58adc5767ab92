#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/clock.h"

namespace chat {

/// 128 bits in the order in which PostgreSQL compares a `uuid`.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
  [[nodiscard]] std::string text() const;                        // 8-4-4-4-12, lower case: the SQL form
  static std::optional<Uuid> parse(std::string_view text);       // the SQL form only
};

/// A new UUIDv7 (RFC 9562): 48 bit milliseconds, then a counter and randomness.
/// Every call in this process returns a larger value than the one before, also when the clock steps back.
/// Thread:  any.
Uuid new_uuid7(Timestamp now);
/// Makes every later `new_uuid7` larger than `floor`; for a channel whose last id came from a faster clock.
void raise_uuid7_floor(const Uuid& floor);
Timestamp time_of(const Uuid& uuid7);           // its milliseconds
Uuid first_uuid7_at(Timestamp at);              // smallest UUIDv7 of that millisecond: a range bound

/// Typed id: `Id<MessageTag>` never mixes with `Id<UserTag>`. On the wire a TypeID: `msg_01h455vb4pex5vsknk084sn02q`.
/// Source:  https://github.com/jetify-com/typeid/tree/main/spec (0.3.0)
template <class Tag>
struct Id {
  Uuid uuid;

  auto operator<=>(const Id&) const = default;
  [[nodiscard]] std::string text() const { return uuid.text(); }  // the SQL form
  [[nodiscard]] std::string wire() const;                         // prefix_base32
  static std::optional<Id> parse(std::string_view wire);
  static Id make(Timestamp now) { return Id{new_uuid7(now)}; }
};

std::string typeid_text(std::string_view prefix, const Uuid& uuid);
std::optional<Uuid> parse_typeid(std::string_view prefix, std::string_view wire);

template <class Tag>
std::string Id<Tag>::wire() const { return typeid_text(Tag::kPrefix, uuid); }
template <class Tag>
std::optional<Id<Tag>> Id<Tag>::parse(std::string_view wire) {
  auto uuid = parse_typeid(Tag::kPrefix, wire);
  return uuid ? std::optional<Id>(Id{*uuid}) : std::nullopt;
}

struct AppTag { static constexpr std::string_view kPrefix = "app"; };
struct UserTag { static constexpr std::string_view kPrefix = "usr"; };
struct ChannelTag { static constexpr std::string_view kPrefix = "ch"; };
struct MessageTag { static constexpr std::string_view kPrefix = "msg"; };
struct EventTag { static constexpr std::string_view kPrefix = "evt"; };
struct SecretTag { static constexpr std::string_view kPrefix = "sec"; };
struct ConnectionTag { static constexpr std::string_view kPrefix = "con"; };
using AppId = Id<AppTag>;
using UserId = Id<UserTag>;          // the server's own; the customer's id is a plain `user_id` string
using ChannelId = Id<ChannelTag>;    // the server's own; the customer's is `type:id`, the cid
using MessageId = Id<MessageTag>;
using EventId = Id<EventTag>;
using SecretId = Id<SecretTag>;
using ConnectionId = Id<ConnectionTag>;

}  // namespace chat

template <>
struct std::hash<chat::Uuid> {
  std::size_t operator()(const chat::Uuid& uuid) const noexcept;
};
template <class Tag>
struct std::hash<chat::Id<Tag>> {
  std::size_t operator()(const chat::Id<Tag>& id) const noexcept { return std::hash<chat::Uuid>{}(id.uuid); }
};
