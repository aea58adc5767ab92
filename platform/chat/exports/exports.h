#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/tasks/work.h"

/// Everything that is known of one user, as lines of JSON: {"kind":"message","data":{…}}. A task, since there may be much of it.
namespace chat::exports {

inline constexpr std::string_view kExportUser = "export_user";

/// One kind of thing. The features that keep such things bring their sections; `server` puts them together.
struct Page {
  std::vector<std::string> items;              // JSON objects
  std::optional<std::string> next;             // where to go on; absent: that was all
};
struct Section {
  std::string kind;
  std::function<Page(storage::Transaction&, UserId, const std::string& after)> read;   // `after` "": from the start
};

/// A section from a statement that gives (where it is, JSON object) in order: $1 app  $2 user  $3 after, or ''  $4 at most.
/// With a message's id as third column, `message_id` leads the object.
Section section(std::string kind, const storage::Statement& statement);
/// What belongs to no other feature: the profile, and what one statement of exports.sql tells.
std::vector<Section> own_sections();

/// A page of one section a slice.
tasks::Work work(std::vector<Section> sections);

/// Errors:  not_found (no such user; a deleted one may be exported); limit_reached (too many tasks)
tasks::Task start_export(storage::Transaction& tx, const std::string& user_id, Timestamp now);

}  // namespace chat::exports
