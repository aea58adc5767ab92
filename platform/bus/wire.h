#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/bus/feed.h"

/// What one node tells the others, as bytes. Pure.
///
///   packet  = version from kind body
///   version = %x01                      another one is not understood: the packet is counted and dropped
///   from    = text                      the node; it ignores its own
///   kind    = "E" events                what was committed together, in its order
///           / "C" number control        a word for everybody; the number is to be acknowledged, 0: nothing is
///           / "K" text number           the node of that name hears that its word of this number is known
///           / "A" number                ask: repeat what you told in the last so many milliseconds
///           / "R" text events           repeated for the node of that name alone
///           / "L" text number           look again, the node of that name or all: control words were lost; 1: events, too,
///                                       and nobody can repeat them
///   events  = number *event
///   event   = 16OCTET(id) 16OCTET(app) text(type) reach 16OCTET(channel) text(cid) text(epoch) number(seq) text(user_id)
///             number(created_at, µs) text(data) texts(joined) texts(left) texts(except)
///   control = text(word) 16OCTET(app) text(detail)
///   number  = unsigned LEB128; text = number bytes; texts = number *text
namespace chat::bus {

using SharedEvents = std::vector<std::shared_ptr<const Event>>;

struct Told { std::uint64_t number = 0; Bus::Control control; };
struct Known { std::string to; std::uint64_t number = 0; };
struct AskRepeat { std::chrono::milliseconds since{}; };
struct Repeated { std::string to; SharedEvents events; };
struct LookAgain { std::string to; Bus::Missed missed; };
struct Packet {
  std::string from;
  std::variant<SharedEvents, Told, Known, AskRepeat, Repeated, LookAgain> body;
};

std::string pack(std::string_view from, Bus::Events events);
std::string pack(std::string_view from, std::uint64_t number, const Bus::Control& control);
std::string pack(std::string_view from, const Known& known);
std::string pack(std::string_view from, AskRepeat ask);
std::string pack(std::string_view from, std::string_view to, Bus::Events repeated);
std::string pack(std::string_view from, std::string_view to, Bus::Missed missed);

/// Nothing: not a packet of this version, whole and without a rest.
std::optional<Packet> unpack(std::string_view bytes);

}  // namespace chat::bus
