#include "platform/base/yaml.h"

#include <yaml-cpp/yaml.h>

#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::yaml {
namespace {

void write_json(json::Writer& out, const YAML::Node& node) {
  if (node.IsMap()) {
    out.object();
    for (const auto& item : node) write_json(out.key(item.first.Scalar()), item.second);
    out.end();
  } else if (node.IsSequence()) {
    out.array();
    for (const auto& item : node) write_json(out, item);
    out.end();
  } else if (node.IsNull()) {
    out.null();
  } else {
    const std::string& text = node.Scalar();
    const bool quoted = node.Tag() == "!";
    const bool number = !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
    if (!quoted && number) out.integer(std::stoll(text));
    else if (!quoted && (text == "true" || text == "false")) out.boolean(text == "true");
    else out.text(text);
  }
}

YAML::Node child_of(const YAML::Node& node, const std::string& part) {
  if (node.IsSequence() && part.find_first_not_of("0123456789") == std::string::npos) return node[std::stoul(part)];
  if (node.IsMap()) return node[part];
  return YAML::Node(YAML::NodeType::Undefined);
}

}  // namespace

struct File::Parsed {
  YAML::Node root;
};

File::File() : parsed_(std::make_unique<Parsed>()) {}
File::~File() = default;
File::File(File&&) noexcept = default;

File File::read(const std::string& path) {
  File file;
  try {
    file.parsed_->root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    throw Error(Code::invalid_field, path + " can't be read.", {{path, "can't be read"}});
  } catch (const YAML::Exception& error) {
    throw invalid_field(path + ":" + std::to_string(error.mark.line + 1), error.msg);
  }
  return file;
}

std::string File::json() const {
  json::Writer out;
  write_json(out, parsed_->root);
  return out.take();
}

int File::line_of(std::string_view pointer) const {
  YAML::Node node = parsed_->root;
  for (std::size_t at = 2; at < pointer.size();) {
    const auto end = std::min(pointer.find('/', at), pointer.size());
    const YAML::Node next = child_of(node, std::string(pointer.substr(at, end - at)));
    if (!next.IsDefined()) break;
    node.reset(next);
    at = end + 1;
  }
  return node.Mark().line + 1;
}

}  // namespace chat::yaml
