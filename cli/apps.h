#pragma once
#include <string>
#include <vector>

#include "cli/line/command.h"
#include "cli/output/output.h"

/// What the files of the noun `app` share.
namespace chat::cli {

const Sheet& application_sheet();            // one application, a line per column
const Sheet& new_application_sheet();        // with its first secret

/// The JSON at a path of a document; "null" when it is not there.
std::string member_of(const std::string& json, const std::string& path);
std::string name_of_application(const std::string& application);
std::string fetch_application(Session& session, const std::string& app);

/// Where an application belongs: --organisation, --environment, --region, --label, --contact.
struct Belonging {
  std::string organisation, environment, region;
  std::vector<std::string> labels, contacts;
  [[nodiscard]] bool empty() const;
};
void add_belonging(Verb& verb, Belonging& into);
/// Its members of a body. Errors: Failure usage
void write_belonging(json::Writer& out, const Belonging& belonging);

void add_application_transfers(Noun& noun);  // export, import
void add_application_life(Noun& noun);       // clone, set, suspend, resume, delete, restore, purge

}  // namespace chat::cli
