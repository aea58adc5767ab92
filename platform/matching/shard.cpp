#include "platform/matching/shard.h"

#include <hs/hs.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <stdexcept>

#include "platform/base/crypto.h"

namespace chat::matching {
namespace {

struct FreeScratch {
  void operator()(hs_scratch_t* one) const { hs_free_scratch(one); }
};
using Scratch = std::unique_ptr<hs_scratch_t, FreeScratch>;
struct FreeError {
  void operator()(hs_compile_error_t* one) const { hs_free_compile_error(one); }
};
using CompileError = std::unique_ptr<hs_compile_error_t, FreeError>;

/// Working memory that is large enough for every database so far; each thread has a copy and takes a new one when it has grown.
class Scratches {
 public:
  void make_room(const hs_database_t* database) {
    const std::lock_guard lock(mutex_);
    auto* grown = model_.release();
    std::size_t before = 0, after = 0;
    if (grown) hs_scratch_size(grown, &before);
    const auto result = hs_alloc_scratch(database, &grown);
    model_.reset(grown);
    if (result != HS_SUCCESS) throw std::length_error("Vectorscan has no memory.");
    hs_scratch_size(grown, &after);
    if (after != before) generation_.fetch_add(1, std::memory_order_release);
  }
  hs_scratch_t* of_thread() {
    thread_local Scratch own;
    thread_local std::uint64_t generation = 0;
    if (generation != generation_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(mutex_);
      hs_scratch_t* copy = nullptr;
      if (hs_clone_scratch(model_.get(), &copy) != HS_SUCCESS) throw std::length_error("Vectorscan has no memory.");
      own.reset(copy);
      generation = generation_.load();
    }
    return own.get();
  }

 private:
  std::mutex mutex_;
  Scratch model_;
  std::atomic<std::uint64_t> generation_{0};
};
Scratches& scratches() {
  static Scratches one;
  return one;
}

/// Those that somebody holds, by their content.
class Known {
 public:
  std::shared_ptr<const Shard> find(const std::string& content) {
    const std::lock_guard lock(mutex_);
    const auto found = shards_.find(content);
    return found == shards_.end() ? nullptr : found->second.lock();
  }
  void keep(const std::string& content, const std::shared_ptr<const Shard>& shard) {
    const std::lock_guard lock(mutex_);
    std::erase_if(shards_, [](const auto& one) { return one.second.expired(); });
    shards_[content] = shard;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const Shard>> shards_;
};
Known& known() {
  static Known one;
  return one;
}

std::string content_of(char what, const std::vector<std::string>& texts) {
  std::string all(1, what);
  for (const auto& text : texts) all += std::to_string(text.size()) + ":" + text;
  return crypto::sha256(all);
}

unsigned regex_flags(bool blind) { return HS_FLAG_UTF8 | HS_FLAG_SOM_LEFTMOST | (blind ? unsigned{HS_FLAG_CASELESS} : 0U); }

/// "… at index 3." is how it says where.
Mistake read_error(const hs_compile_error_t& error) {
  Mistake mistake{error.message, 0};
  constexpr std::string_view kAt = " at index ";
  if (const auto at = mistake.detail.rfind(kAt); at != std::string::npos) {
    const char* first = mistake.detail.data() + at + kAt.size();
    std::from_chars(first, mistake.detail.data() + mistake.detail.size(), mistake.at);
    mistake.detail.resize(at);
  }
  if (!mistake.detail.empty() && mistake.detail.back() != '.') mistake.detail += '.';
  return mistake;
}

struct Arrays {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> flags, ids;
  void add(const std::string& text, unsigned flag, std::size_t id) {
    texts.push_back(text.c_str());
    sizes.push_back(text.size());
    flags.push_back(flag);
    ids.push_back(static_cast<unsigned>(id));
  }
};

}  // namespace

struct Shard::Database {
  explicit Database(hs_database_t* one) : database(one) {}
  ~Database() { hs_free_database(database); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  hs_database_t* database;
};

Shard::~Shard() = default;

std::shared_ptr<const Shard> Shard::of_literals(const std::vector<std::string>& literals) {
  const auto content = content_of('l', literals);
  if (auto shard = known().find(content)) return shard;
  Arrays given;
  for (std::size_t i = 0; i < literals.size(); ++i) given.add(literals[i], 0, i);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto result = hs_compile_lit_multi(given.texts.data(), given.flags.data(), given.ids.data(), given.sizes.data(),
                                           static_cast<unsigned>(literals.size()), HS_MODE_BLOCK, nullptr, &database, &error);
  const CompileError failure(error);
  if (result != HS_SUCCESS) throw std::length_error(failure ? failure->message : "Vectorscan can't compile.");
  std::shared_ptr<Shard> shard(new Shard);
  shard->database_ = std::make_unique<Database>(database);
  hs_database_size(database, &shard->bytes_);
  shard->literals_ = literals;
  for (const auto& literal : literals) shard->bytes_ += sizeof(std::string) + (literal.size() > 15 ? literal.size() : 0);
  scratches().make_room(database);
  known().keep(content, shard);
  return shard;
}

std::shared_ptr<const Shard> Shard::of_regexes(const std::vector<std::string>& expressions, bool blind, std::vector<Failure>& failures) {
  const auto content = content_of(blind ? 'r' : 'R', expressions);
  if (auto shard = known().find(content)) return shard;
  std::vector<bool> left_out(expressions.size());
  for (;;) {
    Arrays given;
    for (std::size_t i = 0; i < expressions.size(); ++i)
      if (!left_out[i]) given.add(expressions[i], regex_flags(blind), i);
    if (given.ids.empty()) return nullptr;
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const auto result = hs_compile_multi(given.texts.data(), given.flags.data(), given.ids.data(), static_cast<unsigned>(given.ids.size()),
                                         HS_MODE_BLOCK, nullptr, &database, &error);
    const CompileError failure(error);
    if (result == HS_SUCCESS) {
      std::shared_ptr<Shard> shard(new Shard);
      shard->database_ = std::make_unique<Database>(database);
      hs_database_size(database, &shard->bytes_);
      scratches().make_room(database);
      if (failures.empty()) known().keep(content, shard);
      return shard;
    }
    if (!failure) throw std::length_error("Vectorscan can't compile.");
    // No expression is to blame when they are too much together: the last one goes.
    const auto which = failure->expression >= 0 ? static_cast<std::size_t>(failure->expression) : given.ids.size() - 1;
    const auto place = given.ids.at(which);
    left_out[place] = true;
    failures.push_back({place, read_error(*failure)});
  }
}

std::shared_ptr<const Shard> Shard::of_plain_literals(std::vector<std::string> literals) {
  std::shared_ptr<Shard> shard(new Shard);
  shard->literals_ = std::move(literals);
  std::size_t i = 0;
  for (std::uint32_t byte = 0; byte <= 256; ++byte) {
    while (i < shard->literals_.size() && static_cast<std::uint8_t>(shard->literals_[i].front()) < byte) ++i;
    shard->firsts_.at(byte) = static_cast<std::uint32_t>(i);
  }
  for (const auto& literal : shard->literals_) shard->bytes_ += sizeof(std::string) + (literal.size() > 15 ? literal.size() : 0);
  return shard;
}

/// From each byte on, those that fit so far become fewer with every byte: they are sorted.
void Shard::scan_plain(std::string_view bytes, const Hit& hit) const {
  for (std::size_t from = 0; from < bytes.size(); ++from) {
    const auto first = static_cast<std::uint8_t>(bytes[from]);
    auto low = literals_.begin() + firsts_.at(first), high = literals_.begin() + firsts_.at(first + std::size_t{1});
    for (std::size_t depth = 1; low != high; ++depth) {
      if (low->size() == depth && !hit(static_cast<std::uint32_t>(low - literals_.begin()), std::string_view::npos, from + depth)) return;
      if (low->size() == depth && ++low == high) break;
      if (from + depth == bytes.size()) break;
      const auto next = [depth](const std::string& literal) { return static_cast<std::uint8_t>(literal[depth]); };
      const auto fitting = std::ranges::equal_range(low, high, static_cast<std::uint8_t>(bytes[from + depth]), {}, next);
      low = fitting.begin();
      high = fitting.end();
    }
  }
}

void Shard::scan(std::string_view bytes, const Hit& hit) const {
  if (!database_) return scan_plain(bytes, hit);
  const auto on_match = [](unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context) {
    return (*static_cast<const Hit*>(context))(id, from, to) ? 0 : 1;
  };
  auto* context = const_cast<Hit*>(&hit);
  const auto result = hs_scan(database_->database, bytes.data(), static_cast<unsigned>(bytes.size()), 0, scratches().of_thread(), on_match, context);
  if (result != HS_SUCCESS && result != HS_SCAN_TERMINATED) throw std::length_error("Vectorscan can't scan.");   // or what it would have found passes
}

std::optional<Mistake> find_regex_mistake(std::string_view expression, bool blind) {
  const std::string text(expression);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto result = hs_compile(text.c_str(), regex_flags(blind), HS_MODE_BLOCK, nullptr, &database, &error);
  const CompileError failure(error);
  if (result != HS_SUCCESS) return failure ? read_error(*failure) : Mistake{"Can't be compiled.", 0};
  hs_free_database(database);
  return std::nullopt;
}

}  // namespace chat::matching
