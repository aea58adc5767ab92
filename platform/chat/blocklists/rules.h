#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/chat/blocklists/loaded.h"

/// One application's lists in force: compiled, with where each holds. For `server` and the doors of this folder.
namespace chat::blocklists {

/// What somebody writes, and where.
struct Asked {
  std::string_view channel_type, cid;          // empty: not in a channel, a name or a description
  bool by_server = false;
  bool profile = false;                        // a name or a description: only lists that judge those
  struct Text {
    std::string pointer;                       // where it stands in the request: "#/text"
    std::string_view text;
    bool links_only = false;                   // it is a URL: only lists of hosts and addresses
  };
  std::vector<Text> texts;
};

struct Hit {
  std::size_t text = 0;                        // its place in Asked::texts
  std::uint32_t start = 0, end = 0;            // code points, in the text as it was written
  std::string list, entry;
  Behaviour behaviour = Behaviour::block;
  bool allows = false;                         // found by a list that allows
  bool allowed = false;                        // lies within what such a list found: leads to nothing
};

struct Judgement {
  std::optional<Behaviour> behaviour;          // the most severe of all hits that lead to something; absent: none
  std::vector<Hit> hits;                       // by text and place
  std::vector<std::optional<std::string>> masked;   // per text, where something was masked
};

class Rules {
 public:
  struct Mistaken {
    std::shared_ptr<const LoadedList> list;
    std::string json;                          // {"entry","detail","at"}
  };
  /// In force at once: what takes long to compile is looked for without until `compiled`. A list with an entry that can't be compiled stays
  /// as it was in `before`, where it was compiled, else without the entry.
  /// Cost:    3 µs an entry that `before` had not, some ms a regular expression
  Rules(Loaded loaded, const Rules* before);
  /// The same, all of it compiled. `before`: others that were compiled lately; null: none.
  /// Cost:    30 µs an entry that neither had compiled
  [[nodiscard]] std::shared_ptr<const Rules> compiled(const Rules* before) const;
  [[nodiscard]] bool is_compiled() const;

  /// `everywhere`: of all lists, wherever they hold.
  /// Thread:  any. Cost: 32 µs for 1 KB and 50,000 entries (p99 73; ops/bench blocklists); about 1 ms until they are compiled
  [[nodiscard]] Judgement judge(const Asked& asked, Timestamp now, bool everywhere = false) const;
  /// Whether any list judges what is said there.
  [[nodiscard]] bool concern(const Asked& asked) const;
  /// Whether a list that holds everywhere names this address, and none that allows does.
  [[nodiscard]] bool refuses(const outbound::Address& address, bool by_server, Timestamp now) const;

  [[nodiscard]] bool is_empty() const { return lists_.empty(); }
  [[nodiscard]] bool judges_addresses() const { return judges_addresses_; }
  [[nodiscard]] const std::vector<Mistaken>& mistaken() const { return mistaken_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const LoadedList>>& loaded() const { return loaded_; }
  [[nodiscard]] std::int64_t own_version() const { return own_version_; }
  [[nodiscard]] std::int64_t shared_version() const { return shared_version_; }
  [[nodiscard]] bool uses_shared() const { return uses_shared_; }
  [[nodiscard]] std::size_t bytes() const;     // of its own lists: those of the operator are kept once, for all

 private:
  struct Origin {
    std::uint32_t list, entry;
  };
  struct Holding {
    std::uint32_t list;
    Behaviour behaviour;
    bool server_calls;
  };
  using Holdings = std::vector<std::optional<Behaviour>>;   // per list: holds here
  void compile(const Rules* before);
  void compile_shared(std::uint32_t list, const Rules* before);
  std::vector<matching::Pattern> gather_own();
  bool put_back(std::uint32_t list, std::uint32_t entry, const matching::Mistake& mistake, const Rules* before);
  void place(const std::vector<Use>& uses);
  [[nodiscard]] Holdings holding(const Asked& asked, bool everywhere) const;
  bool find_hits(const Asked::Text& asked, std::size_t place, const matching::Text& text, const Holdings& holdings, Timestamp now, std::vector<Hit>& hits) const;
  void find(const Asked::Text& asked, std::size_t place, const Holdings& holdings, Timestamp now, Judgement& judgement) const;
  [[nodiscard]] std::optional<std::uint32_t> most_severe(const Holdings& holdings) const;

  std::int64_t own_version_, shared_version_;
  std::vector<std::shared_ptr<const LoadedList>> loaded_;   // as they are in the database
  std::vector<std::shared_ptr<const LoadedList>> lists_;    // as they are in force
  std::unordered_map<std::string, std::vector<Holding>> uses_;   // by scope
  std::vector<Origin> origins_;                // of each pattern of `matcher_`
  std::shared_ptr<const matching::Matcher> matcher_;   // of the application's own lists
  struct Shared {
    std::uint32_t list;
    std::shared_ptr<const matching::Matcher> matcher;   // of this list alone, for all who use it; its patterns are the entries
  };
  std::vector<Shared> shared_;
  std::vector<Mistaken> mistaken_;
  bool judges_addresses_ = false, uses_shared_ = false;
};

}  // namespace chat::blocklists
