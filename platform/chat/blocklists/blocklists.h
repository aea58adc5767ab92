#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/id.h"
#include "platform/bus/feed.h"
#include "platform/matching/matcher.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Block lists: what must not be said, or from where. Under the nil application stand the operator's, which every application may use
/// as `shared:NAME`; all functions work on those of the transaction's application.
namespace chat::blocklists {

struct BlockListTag { static constexpr std::string_view kPrefix = "bls"; };
using BlockListId = Id<BlockListTag>;

/// What a find leads to, the milder first: where several lists find something, the most severe decides.
enum class Behaviour { flag, mask, hold, shadow, block };
std::string_view word(Behaviour behaviour);
std::optional<Behaviour> parse_behaviour(std::string_view word);

inline constexpr std::string_view kShared = "shared:";
inline constexpr int kMaxLists = 50;           // of an application; of the operator, too
inline constexpr int kMaxEntries = 50'000;     // of a list
inline constexpr int kMaxRegexes = 1'000;      // of an application
inline constexpr std::size_t kMaxRegexPlaces = 20'000;   // of all its regular expressions together, their repetitions written out
inline constexpr int kMaxAllEntries = 200'000; // of an application
inline constexpr int kMaxUses = 1'000;
inline constexpr std::size_t kMaxEntryBytes = 255;

struct BlockList {
  BlockListId id;
  std::string name;                            // 1-64 of a-z 0-9 _ -
  std::string kind;                            // word | phrase | domain | email | ip | regex; never changes
  bool allows = false;                         // what it finds is free, whatever other lists say
  std::string description;
  matching::Folding folding;                   // as the customer set it
  Behaviour behaviour = Behaviour::block;
  bool server_calls = false;                   // what servers write is judged, too
  bool profiles = false;                       // so are names and descriptions of users and channels
  std::int64_t entry_count = 0;
  std::int64_t version = 0;
  std::optional<std::string> mistake;          // JSON: why it is not in force as it stands
  Timestamp created_at, updated_at;
};
/// `shared`: as applications see the operator's.
std::string block_list_json(const BlockList& list, bool shared = false);
bool is_block_list_name(std::string_view text);
matching::Kind kind_of(const BlockList& list);          // of what matchers look for; not of ip
matching::Folding folding_of(const BlockList& list);    // that its kind allows

/// Told to every node when lists, or where they hold, have changed. Of the nil application: the operator's.
inline constexpr const char* kBlockListsChanged = "block_lists.changed";

struct PutList {
  bool created = false;
  BlockList list;
};
/// Makes it, or changes all but name and kind.
/// Errors:  conflict (the kind is another); limit_reached
PutList put_block_list(storage::Transaction& tx, bus::Bus& bus, BlockList wanted, Timestamp now);
/// Errors:  not_found
BlockList get_block_list(storage::Transaction& tx, const std::string& name);
std::optional<BlockList> find_block_list(storage::Transaction& tx, const std::string& name);
/// With its entries and where it holds.
void delete_block_list(storage::Transaction& tx, bus::Bus& bus, const std::string& name);
std::vector<BlockList> list_block_lists(storage::Transaction& tx);          // by name
std::vector<BlockList> list_shared_block_lists(storage::Transaction& tx);

struct Entry {
  std::string text;
  std::optional<Timestamp> expires_at;         // it holds until then
  Timestamp created_at = {};
};
std::string entry_json(const Entry& entry);

struct EntryMistake {
  std::size_t entry = 0;                       // its place among those given
  matching::Mistake mistake;
};
/// Brings entries into the form in which they are kept: hosts and addresses in lower case, networks without the bits of hosts.
/// Gives what is wrong with them, 100 mistakes at most.
/// Errors:  limit_reached (more regular expressions than a list has)
std::vector<EntryMistake> check_entries(const BlockList& list, std::vector<Entry>& entries, Timestamp now);

struct EntriesChanged {
  std::int64_t added = 0, removed = 0;
  BlockList list;
};
/// Entries must have passed check_entries. What is there already keeps its place and takes the new end.
/// `replace`: all others go.
/// Errors:  not_found; limit_reached (entries; the places of all regular expressions)
EntriesChanged change_entries(storage::Transaction& tx, bus::Bus& bus, const std::string& name, const std::vector<Entry>& add,
                              const std::vector<std::string>& remove, bool replace, Timestamp now);
/// In order of their bytes.
storage::Page<Entry> list_entries(storage::Transaction& tx, const BlockList& list, const std::string& prefix, int limit,
                                  const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// RFC 4180 with the columns entry and expires_at; a first line that names them may be missing, and so may expires_at.
struct CsvEntries {
  std::vector<Entry> entries;
  std::vector<std::size_t> lines;              // of each entry, from 1
  std::vector<EntryMistake> mistakes;          // by line instead of place
};
CsvEntries read_csv(std::string_view csv);
std::string entries_csv(storage::Transaction& tx, const BlockList& list);

/// Where a list holds: everywhere, in channels of a type, in one channel. What is nearer decides.
struct Use {
  std::string list;                            // NAME or shared:NAME
  std::string channel_type, channel_id;        // both empty: everywhere
  std::optional<Behaviour> behaviour;          // absent: the list's
  std::optional<bool> server_calls;            // absent: the list's
  Timestamp created_at = {};
};
std::string use_json(const Use& use);
struct PutUse {
  bool created = false;
  Use use;
};
/// Errors:  not_found (list, type, channel); invalid_field (a list of addresses in a place); limit_reached
PutUse put_use(storage::Transaction& tx, bus::Bus& bus, const Use& use, Timestamp now);
/// Errors:  not_found
void delete_use(storage::Transaction& tx, bus::Bus& bus, const Use& use);
std::vector<Use> list_uses(storage::Transaction& tx, const std::optional<std::string>& list);

/// For the settings of channel types: which of these lists do not exist, or are of addresses. The others hold there from now on.
std::vector<std::string> take_names(storage::Transaction& tx, bus::Bus& bus, const std::vector<std::string>& names);

}  // namespace chat::blocklists
