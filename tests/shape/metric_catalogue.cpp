#include "tests/shape/metric_catalogue.h"

#include <algorithm>
#include <regex>

#include "tests/shape/tree.h"

namespace chat::test {
namespace {

/// A source as one text, and the line of each place.
struct Source {
  explicit Source(const SourceFile& file) : path(file.path) {
    for (const std::string& line : file.lines) text += line + "\n";
  }
  [[nodiscard]] std::string at(std::size_t place) const {
    return path + ":" + std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n'));
  }
  std::string path, text;
};

/// From the opening bracket at `open` to its partner, strings skipped.
std::string bracketed(const std::string& text, std::size_t open) {
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (is_quoted && text[i] == '\\') ++i;
    else if (text[i] == '"') is_quoted = !is_quoted;
    else if (!is_quoted && text[i] == '(') ++depth;
    else if (!is_quoted && text[i] == ')' && --depth == 0) return text.substr(open + 1, i - open - 1);
  }
  return text.substr(open + 1);
}

/// The next argument: literals side by side, or the name of a constant of the same file. Takes it and its comma off `rest`.
std::string take_text(std::string& rest, const std::string& file) {
  static const std::regex kLiterals(R"(^\s*("(?:[^"\\]|\\.)*"\s*)+)"), kOne(R"re("((?:[^"\\]|\\.)*)")re"), kName(R"(^\s*(k\w+))");
  std::smatch found;
  std::string text, quoted;
  if (std::regex_search(rest, found, kLiterals)) {
    quoted = found[0];
  } else if (std::regex_search(rest, found, kName)) {
    const std::regex constant("\\b" + found[1].str() + R"re(\s*=\s*("(?:[^"\\]|\\.)*"))re");
    std::smatch value;
    if (std::regex_search(file, value, constant)) quoted = value[1];
  } else {
    return "";
  }
  rest = found.suffix();
  rest.erase(0, std::min(rest.size(), rest.find_first_not_of(" \n,")));
  for (std::sregex_iterator one(quoted.begin(), quoted.end(), kOne), end; one != end; ++one) text += (*one)[1];
  return text;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator one(text.begin(), text.end(), wanted), end; one != end; ++one) all.insert((*one)[1]);
  return all;
}

/// A metric that is computed at scrape time says its type in the call, its labels where the file makes samples.
void read_call(const Source& source, const std::smatch& call, std::map<std::string, CatalogueMetric>& all, std::vector<std::string>& mistakes) {
  const auto place = static_cast<std::size_t>(call.position(0));
  std::string rest = bracketed(source.text, place + static_cast<std::size_t>(call.length(0)) - 1);
  const std::string name = take_text(rest, source.text);
  if (name.rfind("chat_", 0) != 0 && name.rfind("process_", 0) != 0) return;
  CatalogueMetric metric{call[1], take_text(rest, source.text), matches(rest, R"re(\{\s*"([A-Za-z_]+)"\s*,)re"), source.at(place)};
  if (metric.type == "add" || metric.type == "collect") {
    metric.type = rest.find("Type::counter") != std::string::npos ? "counter" : rest.find("Type::gauge") != std::string::npos ? "gauge" : "";
    metric.labels = matches(source.text, R"re(\{\{\{"([a-z_]+)",)re");
  }
  if (metric.type.empty() || metric.help.empty()) mistakes.push_back(metric.where + ": the type or the text of " + name + " can't be read");
  auto [found, is_new] = all.emplace(name, metric);
  const CatalogueMetric& old = found->second;
  if (!is_new && (old.type != metric.type || old.help != metric.help || old.labels != metric.labels))
    mistakes.push_back(metric.where + ": " + name + " is another one in " + old.where);
}

}  // namespace

std::map<std::string, CatalogueMetric> metric_catalogue(std::vector<std::string>& mistakes) {
  static const std::regex kCall(R"(\b(counter|gauge|histogram|collect|add)\()");
  std::map<std::string, CatalogueMetric> all;
  for (const SourceFile& file : tree()) {
    if (!file.is({".cpp", ".h"}) || !(file.below("platform") || file.below("billing") || file.below("tenants"))) continue;
    const Source source(file);
    if (source.text.find("metrics") == std::string::npos) continue;
    for (std::sregex_iterator call(source.text.begin(), source.text.end(), kCall), end; call != end; ++call)
      read_call(source, *call, all, mistakes);
  }
  return all;
}

std::set<std::string> metrics_in(const std::string& expression, const std::map<std::string, CatalogueMetric>& known) {
  static const std::regex kStrings(R"re("[^"]*")re");
  std::set<std::string> names;
  for (std::string name : matches(std::regex_replace(expression, kStrings, "\"\""), R"(((?:chat|process)_\w+|\w+:\w+:\w+))")) {
    for (const std::string end : {"_bucket", "_sum", "_count"}) {
      const auto cut = name.size() - std::min(name.size(), end.size());
      if (name.substr(cut) != end) continue;
      const auto base = known.find(name.substr(0, cut));
      if (base != known.end() && base->second.type == "histogram") name = base->first;
    }
    names.insert(name);
  }
  return names;
}

}  // namespace chat::test
