#include "cli/files/yaml.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <set>

#include "cli/exit_code.h"
#include "platform/base/json.h"

namespace chat::cli {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;

[[noreturn]] void refuse(const std::string& name, const YAML::Mark& mark, const std::string& why) {
  auto where = name;
  if (mark.line >= 0) where += ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  throw Failure(Exit::failure, where + ": " + why);
}

template <class Number>
bool parse_whole(const std::string& text, Number& into) {
  const auto* first = text.data() + (text.front() == '+' ? 1 : 0);
  const auto* last = text.data() + text.size();
  const auto result = std::from_chars(first, last, into);
  return result.ec == std::errc() && result.ptr == last;
}

/// Source:  YAML 1.2.2 section 10.3.2, without octal and hexadecimal: "010" is ten to nobody and eight to
/// few.
void write_plain(const std::string& text, json::Writer& out) {
  std::int64_t integer = 0;
  double number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("+-0123456789.eE") == std::string::npos;
  const bool octal =
      text.size() > 1 && text.front() == '0' && text.find_first_not_of("0123456789") == std::string::npos;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    out.null();
  else if (text == "true" || text == "True" || text == "TRUE")
    out.boolean(true);
  else if (text == "false" || text == "False" || text == "FALSE")
    out.boolean(false);
  else if (digits && !octal && parse_whole(text, integer))
    out.integer(integer);
  else if (digits && !octal && parse_whole(text, number) && std::isfinite(number))
    out.number(number);
  else
    out.text(text);
}

class Converter {
 public:
  explicit Converter(const std::string& name) : name_(name) {}

  void write(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) refuse(name_, node.Mark(), "nested deeper than 32 levels");
    if (node.IsMap()) return write_map(node, depth);
    if (node.IsSequence()) {
      out_.array();
      for (const auto& item : node) write(item, depth + 1);
      out_.end();
    } else if (node.IsScalar()) {
      if (node.Tag() != "?" && node.Tag() != "!" && !node.Tag().empty())
        refuse(name_, node.Mark(), "the tag " + node.Tag() + " is not understood");
      if (node.Tag() == "!")
        out_.text(node.Scalar());
      else
        write_plain(node.Scalar(), out_);
    } else {
      out_.null();
    }
  }
  std::string take() { return out_.take(); }

 private:
  void write_map(const YAML::Node& node, int depth) {
    std::set<std::string> seen;
    out_.object();
    for (const auto& member : node) {
      if (!member.first.IsScalar()) refuse(name_, member.first.Mark(), "a key must be a word");
      const auto& key = member.first.Scalar();
      if (!seen.insert(key).second) refuse(name_, member.first.Mark(), "\"" + key + "\" stands here twice");
      out_.key(key);
      write(member.second, depth + 1);
    }
    out_.end();
  }

  const std::string& name_;
  json::Writer out_;
};

}  // namespace

std::string yaml_to_json(std::string_view yaml, const std::string& name) {
  if (yaml.size() > kMaxBytes) throw Failure(Exit::failure, name + ": larger than 4 MiB");
  try {
    const auto documents = YAML::LoadAll(std::string(yaml));
    if (documents.empty()) return "null";
    if (documents.size() > 1) refuse(name, documents[1].Mark(), "a second document; only one is read");
    Converter converter(name);
    converter.write(documents.front(), 1);
    return converter.take();
  } catch (const YAML::Exception& e) {
    refuse(name, e.mark, e.msg);
  }
}

int yaml_line(std::string_view yaml, std::string_view pointer) {
  YAML::Node node = YAML::Load(std::string(yaml));
  int line = node.Mark().line;
  for (std::size_t at = 2; at < pointer.size();) {
    const auto end = std::min(pointer.find('/', at), pointer.size());
    const std::string step(pointer.substr(at, end - at));
    YAML::Node next;
    if (node.IsMap()) {
      for (const auto& member : node)
        if (member.first.Scalar() == step) {
          line = member.first.Mark().line;
          next.reset(member.second);
        }
    } else if (std::size_t index = 0; node.IsSequence() && parse_whole(step, index) && index < node.size()) {
      next.reset(node[index]);
      line = next.Mark().line;
    }
    if (next.IsNull()) break;
    node.reset(next);
    at = end + 1;
  }
  return line + 1;
}

}  // namespace chat::cli
