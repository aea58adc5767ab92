#include <algorithm>
#include <array>
#include <charconv>

#include "billing/accounts.h"
#include "platform/base/text.h"

namespace chat::billing {
namespace {

// A word is  node connections messages requests guests reads writes sends *(LF count key)
constexpr std::size_t kUsersInAWord = 1'000;
constexpr std::size_t kMaxNodes = 256;
constexpr std::size_t kAppText = 36;              // a user's bucket has the application's id before its key

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::vector<Accounts::Words> Accounts::take_words() {
  std::unordered_map<AppId, std::vector<Taken>> users;
  for (auto& taken : buckets_.take_taken())
    if (const auto app = Uuid::parse(std::string_view(taken.key).substr(0, kAppText))) users[AppId{*app}].push_back(std::move(taken));
  std::vector<Words> words;
  for (const auto& account : all()) {
    std::array<std::int64_t, 6> took{};              // messages and, of its own buckets, what each gave
    {
      std::lock_guard lock(account->mutex_);
      took = {std::exchange(account->sent_, 0), std::exchange(account->taken_, 0), std::exchange(account->guests_taken_, 0)};
      for (auto& of_class : account->class_taken_) took[static_cast<std::size_t>(&of_class - account->class_taken_.data()) + 3] = std::exchange(of_class, 0);
    }
    const auto connections = account->connections();
    const bool has_none_left = std::exchange(account->said_connections_, connections) != 0 && connections == 0;
    auto& of_users = users[account->app()];
    if (connections == 0 && !has_none_left && took == std::array<std::int64_t, 6>{} && of_users.empty()) continue;
    for (std::size_t first = 0; first == 0 || first < of_users.size(); first += kUsersInAWord) {
      std::string detail = node_ + " " + std::to_string(connections);
      for (const auto number : took) detail += " " + std::to_string(first == 0 ? number : 0);
      for (std::size_t i = first; i < std::min(first + kUsersInAWord, of_users.size()); ++i)
        detail += "\n" + std::to_string(of_users[i].count) + " " + of_users[i].key.substr(kAppText);
      words.push_back({account->app(), std::move(detail)});
    }
  }
  return words;
}

void Accounts::look_again() {
  for (const auto& account : all()) {
    std::lock_guard lock(account->mutex_);
    account->doubts_messages_ = true;
  }
}

void Accounts::hear(AppId app, const std::string& detail) {
  const auto now = clock_.now();
  const auto lines = text::split(detail, '\n');
  const auto head = text::split(lines.front(), ' ');
  std::array<std::int64_t, 7> numbers{};
  if (head.size() != numbers.size() + 1) return;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto value = number_of(head[i + 1]);
    if (!value) return;
    numbers[i] = *value;
  }
  const auto [connections, sent, taken, guests, reads, writes, sends] = numbers;
  if (const auto account = known(app)) {          // unknown here: the month will be read from the ledger, sockets are said again
    std::lock_guard lock(account->mutex_);
    if (account->elsewhere_.size() < kMaxNodes || account->elsewhere_.contains(head[0])) account->elsewhere_[head[0]] = {connections, now};
    account->roll(now);
    account->base(Meter::messages) += sent;
    account->application_bucket_.owe(taken, now);
    account->guests_bucket_.owe(guests, now);
    const std::array of_classes{reads, writes, sends};
    for (std::size_t i = 0; i < of_classes.size(); ++i) account->class_buckets_[i].owe(of_classes[i], now);
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto space = lines[i].find(' ');
    if (space == std::string::npos) continue;
    if (const auto count = number_of(std::string_view(lines[i]).substr(0, space))) buckets_.owe(app.text() + lines[i].substr(space + 1), *count, now);
  }
}

}  // namespace chat::billing
