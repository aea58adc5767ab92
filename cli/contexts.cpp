#include <filesystem>
#include <memory>

#include "cli/nouns.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"CURRENT", "current"},
                             {"NAME", "name"},
                             {"SERVER", "server"},
                             {"APP", "app"},
                             {"TOKEN", "token"}},
                 .name = "name"};
const Sheet kDetail{.columns = {{"NAME", "name"},
                                {"SERVER", "server"},
                                {"PUBLIC", "public"},
                                {"TOKEN", "token"},
                                {"APP", "app"},
                                {"CA_FILE", "ca_file"},
                                {"FILE", "file"}},
                    .name = "name",
                    .upright = true};

struct Given {
  std::string name, token_command, app, ca_file;
  bool token_stdin = false, use = false;
};

/// Where its token comes from; never the token.
std::string token_source(const Context& context) {
  if (!context.token_file.empty()) return "file " + context.token_file;
  if (!context.token_command.empty()) return "command " + context.token_command;
  return context.token.empty() ? "" : "kept here";
}

void write_context(json::Writer& out, const ContextFile& file, const std::string& name,
                   const Context& context) {
  const auto field = [&](const char* key, const std::string& value) {
    if (!value.empty()) out.field(key, value);
  };
  out.object().field("name", name);
  field("current", name == file.current ? "*" : "");
  field("server", context.server);
  field("public", context.public_url);
  field("token", token_source(context));
  field("app", context.app);
  field("ca_file", context.ca_file);
  field("file", file.path);
  out.end();
}

void check_url(const std::string& flag, const std::string& url) {
  if (url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0) return;
  throw Failure(Exit::usage, flag + " " + url + " is no http:// or https:// address");
}

void add(Session& session, const Given& given) {
  auto file = load_contexts(session.world());
  if (!text::is_token(given.name, 64))
    throw Failure(Exit::usage, "a context's name is 1 to 64 of A-Z a-z 0-9 _ . -");
  if (file.contexts.count(given.name) != 0)
    throw Failure(Exit::conflict, "context " + given.name + " exists already")
        .with_next("chatctl context remove " + given.name);
  const auto& token_file = session.globals().token_file;
  if (token_file == "-")
    throw Failure(Exit::usage, "a context can't read stdin later").with_next("--token-stdin");
  if (!token_file.empty() + !given.token_command.empty() + given.token_stdin > 1)
    throw Failure(Exit::usage, "give one of --token-file, --token-command, --token-stdin");
  const auto& server = session.globals().server.empty() ? session.world().variable("CHATCTL_SERVER")
                                                        : session.globals().server;
  if (server.empty())
    throw Failure(Exit::usage, "--server is missing").with_next("chatctl context add --help");
  check_url("--server", server);
  const auto& public_url = session.globals().public_url;
  if (!public_url.empty()) check_url("--public", public_url);
  Context context;
  context.server = server;
  context.public_url = public_url;
  context.token_file = token_file;
  context.token_command = given.token_command;
  context.app = session.globals().app;
  context.ca_file = given.ca_file;
  // From the root, whatever folder chatctl is called in later.
  if (!context.token_file.empty())
    context.token_file = std::filesystem::absolute(context.token_file).string();
  session.stop_if_dry("add context " + given.name + " to " + file.path);
  if (given.token_stdin) context.token = session.read_secret("Operator token: ");
  file.contexts.emplace(given.name, context);
  const bool becomes_current = given.use || file.current.empty();
  if (becomes_current) file.current = given.name;
  save_contexts(file);
  session.note("context " + given.name + " added to " + file.path + (becomes_current ? " and in use" : ""));
}

void use(Session& session, const Given& given) {
  auto file = load_contexts(session.world());
  if (file.contexts.count(given.name) == 0)
    throw Failure(Exit::not_found, "no context \"" + given.name + "\"").with_next("chatctl context list");
  session.stop_if_dry("use context " + given.name);
  file.current = given.name;
  save_contexts(file);
  session.note("context " + given.name + " is in use");
}

void list(Session& session) {
  const auto file = load_contexts(session.world());
  json::Writer out;
  out.array();
  for (const auto& [name, context] : file.contexts) write_context(out, file, name, context);
  out.end();
  session.print(out.take(), kRow);
  if (file.contexts.empty()) session.note("no contexts; chatctl context add NAME --server URL makes one");
}

void show(Session& session, const Given& given) {
  const auto file = load_contexts(session.world());
  const auto name = given.name.empty() ? session.context_name() : given.name;
  if (name.empty()) throw Failure(Exit::not_found, "no context is in use").with_next("chatctl context list");
  const auto found = file.contexts.find(name);
  if (found == file.contexts.end())
    throw Failure(Exit::not_found, "no context \"" + name + "\"").with_next("chatctl context list");
  json::Writer out;
  write_context(out, file, name, found->second);
  session.print(out.take(), kDetail);
}

void remove(Session& session, const Given& given) {
  auto file = load_contexts(session.world());
  if (file.contexts.erase(given.name) == 0)
    throw Failure(Exit::not_found, "no context \"" + given.name + "\"").with_next("chatctl context list");
  session.stop_if_dry("remove context " + given.name);
  if (file.current == given.name) file.current.clear();
  save_contexts(file);
  session.note("context " + given.name + " removed; the server was not touched");
}

}  // namespace

void add_contexts(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("context", "Which server, as whom: named, kept in a file of yours");
  noun.alias("contexts");
  noun.verb("add", "Name a server and the token for it; the first one is used from then on")
      .argument("NAME", given->name, "What to call it")
      .option("--token-command", "COMMAND", given->token_command, "A shell command that prints the token")
      .flag("--token-stdin", given->token_stdin, "Read the token from stdin and keep it in the file")
      .option("--ca-file", "FILE", given->ca_file, "PEM of the authority behind the server's certificate",
              Fill::file)
      .flag("--use", given->use, "Use it from now on")
      .detail(
          "--server names the operator API, --public the public one, --token-file where its token lies, --app the application meant "
          "when none is named.")
      .example("context add local --server http://127.0.0.1:8081 --public http://127.0.0.1:8080 --token-file token")
      .example("context add prod --server https://ops.example.com --token-command \"pass show chatd\" --use")
      .run([given](Session& session) { add(session, *given); });
  noun.verb("use", "Use a context from now on")
      .argument("NAME", given->name, "As context list shows it", Fill::context)
      .example("context use prod")
      .run([given](Session& session) { use(session, *given); });
  noun.verb("list", "List contexts").alias("ls").example("context list").run([](Session& session) {
    list(session);
  });
  noun.verb("show", "Show a context; never its token")
      .optional_argument("NAME", given->name, "Default: the one in use", Fill::context)
      .example("context show prod")
      .run([given](Session& session) { show(session, *given); });
  noun.verb("remove", "Forget a context; touches no server")
      .alias("rm")
      .argument("NAME", given->name, "As context list shows it", Fill::context)
      .example("context remove old-staging")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
