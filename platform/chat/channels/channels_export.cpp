#include "platform/chat/channels/channels_export.h"

#include "platform/chat/channels/channels_export.sql.h"

namespace chat::channels {

std::vector<exports::Section> export_sections() { return {exports::section("membership", sql::export_memberships)}; }

}  // namespace chat::channels
