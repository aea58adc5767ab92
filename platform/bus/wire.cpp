#include "platform/bus/wire.h"

#include <cstring>

namespace chat::bus {
namespace {

constexpr char kVersion = 1;

class Writer {
 public:
  Writer(std::string_view from, char kind, std::size_t expected) {
    out_.reserve(32 + from.size() + expected);
    out_.push_back(kVersion);
    text(from);
    out_.push_back(kind);
  }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void texts(const std::vector<std::string>& values) {
    number(values.size());
    for (const auto& value : values) text(value);
  }
  void uuid(const Uuid& value) { out_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()); }
  void events(Bus::Events events);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Every member is named, in the order of event.h, so that a new one does not compile until it is carried, too.
void Writer::events(Bus::Events events) {
  number(events.size());
  for (const auto& event : events) {
    const auto& [id, app, type, reach, channel, cid, epoch, seq, user_id, created_at, data, joined, left, except] = *event;
    uuid(id.uuid);
    uuid(app.uuid);
    text(type);
    number(static_cast<std::uint64_t>(reach));
    uuid(channel.uuid);
    text(cid);
    text(epoch);
    number(static_cast<std::uint64_t>(seq));
    text(user_id);
    number(static_cast<std::uint64_t>(created_at.time_since_epoch().count()));
    text(data);
    texts(joined);
    texts(left);
    texts(except);
  }
}

/// After the first thing that is missing, `good` is false and everything is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(octet());
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  char octet() {
    const auto one = take(1);
    return one.empty() ? '\0' : one.front();
  }
  std::string_view view() { return take(number()); }
  std::string text() { return std::string(view()); }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (auto left = count(); left > 0 && good_; --left) values.push_back(text());
    return values;
  }
  Uuid uuid() {
    Uuid value;
    const auto bytes = take(value.bytes.size());
    if (good_) std::memcpy(value.bytes.data(), bytes.data(), bytes.size());
    return value;
  }
  SharedEvents events();
  /// Of things of at least a byte each: never more than there are bytes.
  std::uint64_t count() {
    const auto value = number();
    good_ = good_ && value <= rest_.size();
    return good_ ? value : 0;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool whole() const { return good_ && rest_.empty(); }

 private:
  std::string_view take(std::uint64_t size) {
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
  bool good_ = true;
};

SharedEvents Reader::events() {
  SharedEvents events;
  for (auto missing = count(); missing > 0 && good_; --missing) {
    auto event = std::make_shared<Event>();
    auto& [id, app, type, reach, channel, cid, epoch, seq, user_id, created_at, data, joined, left, except] = *event;
    id = EventId{uuid()};
    app = AppId{uuid()};
    type = text();
    const auto reached = number();
    good_ = good_ && reached <= static_cast<std::uint64_t>(Reach::application);
    reach = static_cast<Reach>(reached);
    channel = ChannelId{uuid()};
    cid = text();
    epoch = text();
    seq = static_cast<std::int64_t>(number());
    user_id = text();
    created_at = Timestamp(std::chrono::microseconds(static_cast<std::int64_t>(number())));
    data = text();
    joined = texts();
    left = texts();
    except = texts();
    events.push_back(std::move(event));
  }
  return events;
}

std::size_t size_of(Bus::Events events) {
  std::size_t size = 0;
  for (const auto& event : events) size += 200 + event->data.size();
  return size;
}

}  // namespace

std::string pack(std::string_view from, Bus::Events events) {
  Writer out(from, 'E', size_of(events));
  out.events(events);
  return out.take();
}

std::string pack(std::string_view from, std::uint64_t number, const Bus::Control& control) {
  Writer out(from, 'C', 64 + control.detail.size());
  out.number(number);
  out.text(control.word);
  out.uuid(control.app.uuid);
  out.text(control.detail);
  return out.take();
}

std::string pack(std::string_view from, const Known& known) {
  Writer out(from, 'K', 16 + known.to.size());
  out.text(known.to);
  out.number(known.number);
  return out.take();
}

std::string pack(std::string_view from, AskRepeat ask) {
  Writer out(from, 'A', 16);
  out.number(static_cast<std::uint64_t>(ask.since.count()));
  return out.take();
}

std::string pack(std::string_view from, std::string_view to, Bus::Events repeated) {
  Writer out(from, 'R', to.size() + size_of(repeated));
  out.text(to);
  out.events(repeated);
  return out.take();
}

std::string pack(std::string_view from, std::string_view to, Bus::Missed missed) {
  Writer out(from, 'L', 1 + to.size());
  out.text(to);
  out.number(missed.events ? 1 : 0);
  return out.take();
}

std::optional<Packet> unpack(std::string_view bytes) {
  Reader in(bytes);
  if (in.octet() != kVersion) return std::nullopt;
  Packet packet;
  packet.from = in.text();
  // Braces evaluate from left to right: the order of the fields is the order of the bytes.
  switch (in.octet()) {
    case 'E': packet.body = in.events(); break;
    case 'C': packet.body = Told{in.number(), {in.text(), AppId{in.uuid()}, in.text()}}; break;
    case 'K': packet.body = Known{in.text(), in.number()}; break;
    case 'A': packet.body = AskRepeat{std::chrono::milliseconds(in.number())}; break;
    case 'R': packet.body = Repeated{in.text(), in.events()}; break;
    case 'L': packet.body = LookAgain{in.text(), {in.number() != 0}}; break;
    default: return std::nullopt;
  }
  return in.whole() ? std::optional(std::move(packet)) : std::nullopt;
}

}  // namespace chat::bus
