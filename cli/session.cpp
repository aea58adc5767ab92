#include "cli/session.h"

#include <istream>
#include <ostream>

#include "cli/files/files.h"
#include "cli/output/value.h"
#include "cli/remote/dry_api.h"
#include "cli/remote/lazy_api.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

Style style_of(const World& world, bool is_terminal, bool no_color) {
  if (no_color || !world.variable("NO_COLOR").empty()) return Style(false);
  for (const auto* name : {"FORCE_COLOR", "CLICOLOR_FORCE"})
    if (const auto forced = world.variable(name); !forced.empty() && forced != "0") return Style(true);
  return Style(is_terminal && world.variable("TERM") != "dumb");
}

/// Source:  locale(7): the first that is not empty counts
bool speaks_utf8(const World& world) {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const auto locale = text::lower_ascii(world.variable(name)); !locale.empty())
      return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  return false;
}

constexpr std::int64_t kTokenLifeS = 3600;

}  // namespace

std::string Session::choose(const std::string& flag, const char* variable, const std::string& held) const {
  if (!flag.empty()) return flag;
  const auto set = world_.variable(variable);
  return set.empty() ? held : set;
}

const Context& Session::context() {
  if (loaded_) return context_;
  const auto file = load_contexts(world_);
  context_name_ = choose(globals_.context, "CHATCTL_CONTEXT", file.current);
  if (!context_name_.empty()) {
    const auto found = file.contexts.find(context_name_);
    if (found == file.contexts.end())
      throw Failure(Exit::not_found, "no context \"" + context_name_ + "\" in " + file.path)
          .with_next("chatctl context list");
    context_ = found->second;
    if (!context_.token.empty() && !is_private(file.path))
      warn("others can read " + file.path + ", which holds a token; run chmod 600 " + file.path);
  }
  loaded_ = true;
  return context_;
}

std::string Session::context_name() {
  context();
  return context_name_;
}

std::string Session::server() {
  const auto server = choose(globals_.server, "CHATCTL_SERVER", context().server);
  if (server.empty())
    throw Failure(Exit::usage, "which server? None is named by --server, CHATCTL_SERVER or a context")
        .with_next("chatctl context add local --server http://127.0.0.1:8081 --token-file FILE");
  return server;
}

std::string Session::public_url() {
  const auto url = choose(globals_.public_url, "CHATCTL_PUBLIC", context().public_url);
  if (url.empty())
    throw Failure(Exit::usage,
                  "where is the public door? None is named by --public, CHATCTL_PUBLIC or a context")
        .with_next("add --public http://127.0.0.1:8080, or chatctl context add NAME --public URL");
  return url;
}

std::string Session::token() {
  const auto file = choose(globals_.token_file, "CHATCTL_TOKEN_FILE", "");
  if (!file.empty()) return read_secret_file(world_, file);
  const auto& context = this->context();
  if (!context.token_file.empty()) return read_secret_file(world_, context.token_file);
  if (!context.token_command.empty()) return read_secret_command(context.token_command, globals_.timeout);
  if (!context.token.empty()) return context.token;
  throw Failure(Exit::denied, "no operator's token is named by --token-file, CHATCTL_TOKEN_FILE or a context")
      .with_next("chatctl context add NAME --server URL --token-file FILE");
}

ApiOptions Session::options_for(std::string server) {
  ApiOptions options;
  options.server = std::move(server);
  options.ca_file = context().ca_file;
  options.timeout = globals_.timeout;
  options.warn = [this](const std::string& line) { warn(line); };
  if (globals_.verbose) options.trace = [this](const std::string& line) { note(line); };
  return options;
}

/// In a dry run only what reads gets through.
std::unique_ptr<Api> Session::shielded(std::unique_ptr<Api> api) {
  if (!is_dry()) return api;
  return make_dry_api(std::move(api), [this](const std::string& request) { stop_if_dry(request); });
}

Api& Session::api() {
  if (!api_) api_ = api_of(server());
  return *api_;
}

std::unique_ptr<Api> Session::api_of(const std::string& server) {
  auto options = options_for(server);
  options.token = [this] { return token(); };
  return shielded(world_.connect_api(std::move(options)));
}

Api& Session::public_api() {
  if (!public_api_) {
    const auto tokens = app_path(app(), "/tokens");
    public_api_ = shielded(make_lazy_api([this, options = options_for(public_url()), tokens]() mutable {
      json::Writer body;
      body.object().key("server").boolean(true).field("ttl_s", std::int64_t{kTokenLifeS}).end();
      // Not through api(): what a dry run reads needs a token, too.
      auto minting = options_for(server());
      minting.token = [this] { return token(); };
      const auto operators = world_.connect_api(std::move(minting));
      const auto answer = json::Document::parse(post(*operators, tokens, body.take()));
      options.api_key = text_at(answer.root(), "api_key");
      options.token = [token = text_at(answer.root(), "token")] { return token; };
      return world_.connect_api(std::move(options));
    }));
  }
  return *public_api_;
}

void Session::stop_if_dry(const std::string& would) {
  if (!is_dry()) return;
  note("dry run, nothing changed; would " + would);
  throw Failure(Exit::ok, "");
}

std::string Session::app(const std::string& argument) {
  if (!argument.empty()) return argument;
  const auto app = choose(globals_.app, "CHATCTL_APP", context().app);
  if (app.empty())
    throw Failure(Exit::usage, "which application? None is named by --app, CHATCTL_APP or the context")
        .with_next("chatctl app list");
  return app;
}

std::string Session::app_path(const std::string& app, const std::string& rest) {
  return "/operator/v1/applications/" + text::percent_encode(app) + rest;
}

Style Session::out_style() const { return style_of(world_, world_.out_is_terminal, globals_.no_color); }
ChartLook Session::chart_look() const {
  const auto size = terminal_size();
  return {.columns = size.columns, .utf8 = speaks_utf8(world_), .style = out_style()};
}

TerminalSize Session::terminal_size() const {
  const auto size = world_.terminal_size ? world_.terminal_size() : TerminalSize{};
  return size.columns == 0 || size.rows < 2 ? TerminalSize{} : size;
}

bool Session::draws_on_err() const { return world_.err_is_terminal && world_.variable("TERM") != "dumb"; }

Style Session::err_style() const { return style_of(world_, world_.err_is_terminal, globals_.no_color); }

void Session::print(const std::string& json, const Sheet& sheet) {
  const auto document = json::Document::parse(json);
  print_text(render(format(), document.root(), sheet, out_style()));
}

void Session::print_list(const std::string& json, const Sheet& sheet, std::string_view nothing) {
  const auto document = json::Document::parse(json);
  print_text(render(format(), document.root(), sheet, out_style()));
  const auto rows = find_at(document.root(), sheet.rows);
  if (!rows || rows->items().empty()) note(nothing);
}

void Session::print_text(std::string_view text) {
  if (captured_ != nullptr) {
    captured_->append(text);
    return;
  }
  world_.out << text << std::flush;
  if (!world_.out) throw Failure(Exit::failure, "cannot write to standard output");
}

void Session::note(std::string_view line) {
  if (captured_ != nullptr)
    captured_->append(printable(line) + "\n");
  else
    world_.err << printable(line) << std::endl;
}

void Session::warn(std::string_view line) {
  world_.err << err_style().paint(Ink::yellow, "warning:") << " " << printable(line) << std::endl;
}

void Session::done(const std::string& json, const Sheet& sheet, std::string_view sentence) {
  if (format() != Format::table) print(json, sheet);
  note(sentence);
}

void Session::check_secret_kept(const std::string& file) const {
  if (format() == Format::name && file.empty())
    throw Failure(Exit::usage,
                  "-o name would not print the secret, and it can't be shown again; nothing was done")
        .with_next("add --out-file FILE, or use -o json");
}

void Session::show_secret(const std::string& json, const std::string& path, const Sheet& sheet,
                          const std::string& file) {
  if (file.empty()) return print(json, sheet);
  const auto document = json::Document::parse(json);
  const auto secret = text_at(document.root(), path);
  try {
    write_private_file(file, secret + "\n", false);
  } catch (const Failure& failure) {
    // It exists now and is shown only once: better on the terminal than lost.
    warn(failure.message() + "; the secret is printed instead");
    return print(json, sheet);
  }
  print(with_text_at(document.root(), path, "(in " + file + ")"), sheet);
}

void Session::confirm(const std::string& question) {
  if (globals_.yes || is_dry()) return;
  if (!may_ask())
    throw Failure(Exit::usage, question + " Not done: nobody can be asked").with_next("add --yes");
  world_.err << printable(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(world_.in, answer);
  const auto word = text::lower_ascii(text::trim(answer));
  if (word != "y" && word != "yes") throw Failure(Exit::failure, "not done");
}

void Session::confirm_name(const std::string& what, const std::string& name) {
  if (globals_.confirm == name || is_dry()) return;
  if (!globals_.confirm.empty())
    throw Failure(Exit::usage,
                  "--confirm names \"" + globals_.confirm + "\", but this is \"" + name + "\"; not done");
  if (!may_ask())
    throw Failure(Exit::usage, what + " Not done: nobody can be asked").with_next("add --confirm " + name);
  world_.err << printable(what) << "\nType " << printable(name) << " to go on: " << std::flush;
  std::string answer;
  std::getline(world_.in, answer);
  if (text::trim(answer) != name) throw Failure(Exit::failure, "that is another name; not done");
}

std::string Session::read_secret(const std::string& question) {
  if (!world_.in_is_terminal) return read_secret_file(world_, "-");
  if (globals_.no_input)
    throw Failure(Exit::usage, question + ": nobody can be asked").with_next("pipe it into standard input");
  auto secret = world_.ask_hidden(question);
  if (secret.empty()) throw Failure(Exit::denied, "nothing was typed");
  return secret;
}

}  // namespace chat::cli
