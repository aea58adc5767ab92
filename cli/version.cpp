#include "cli/nouns.h"
#include "cli/session.h"
#include "platform/base/json.h"

namespace chat::cli {

void add_version(CommandLine& line) {
  line.verb("version", "Print chatctl's version").example("version -o json").run([](Session& session) {
    if (session.format() == Format::table) return session.print_text("chatctl " CHAT_VERSION "\n");
    json::Writer out;
    out.object().field("version", std::string_view(CHAT_VERSION)).end();
    session.print(out.take(), {.columns = {{"VERSION", "version"}}, .name = "version"});
  });
}

}  // namespace chat::cli
