#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kDetail{.columns = {{"UPLOAD_ID", "id"},
                                {"NAME", "name"},
                                {"USER", "user_id"},
                                {"SIZE_BYTES", "size_bytes"},
                                {"STATE", "state", Look::state},
                                {"MIME_TYPE", "mime_type"},
                                {"SHA256", "sha256"},
                                {"CREATED", "created_at", Look::time},
                                {"EXPIRES", "expires_at", Look::time}},
                    .name = "id",
                    .rows = "upload",
                    .upright = true};

std::string upload_path(const std::string& upload) { return "/v1/uploads/" + text::percent_encode(upload); }

}  // namespace

void add_uploads(CommandLine& line) {
  const auto upload = std::make_shared<std::string>();
  auto noun = line.noun("upload", "Files that users and backends brought");
  noun.alias("uploads");
  noun.verb("show", "Show an upload")
      .argument("UPLOAD_ID", *upload, "As the message or the call that began it names it")
      .example("upload show upl_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([upload](Session& session) { session.print(get(session.public_api(), upload_path(*upload)), kDetail); });
  noun.verb("delete", "Remove an upload that no message holds")
      .argument("UPLOAD_ID", *upload, "As the message or the call that began it names it")
      .example("upload delete upl_01m7yzmjq2e60tak362xesvjfr --app acme --yes")
      .run([upload](Session& session) {
        session.confirm("Remove upload " + *upload + " of " + session.app() + "?");
        del(session.public_api(), upload_path(*upload));
        session.note("upload " + *upload + " removed");
      });
}

}  // namespace chat::cli
