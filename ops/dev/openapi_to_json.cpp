// openapi_to_json <in.yaml> <out.json>: the contract as minified JSON, members in the order of the file, aliases written out.
// Plain scalars are null, true, false, numbers or text as in YAML 1.2's core schema; quoted and block ones are always text.
// A key that stands twice is refused: yaml-cpp would keep both and show the first.
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <yaml-cpp/yaml.h>

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

[[noreturn]] void refuse(const YAML::Node& node, const std::string& why) {
  throw std::runtime_error(std::to_string(node.Mark().line + 1) + ":" + std::to_string(node.Mark().column + 1) + ": " + why);
}

void write_text(Writer& out, const std::string& text) {
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write_scalar(Writer& out, const YAML::Node& node) {
  static const std::regex integer("-?(0|[1-9][0-9]*)");
  static const std::regex number("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return write_text(out, text);   // quoted, or a block scalar
  if (text == "true" || text == "false") {
    out.Bool(text == "true");
  } else if (std::regex_match(text, integer) || std::regex_match(text, number)) {
    out.RawValue(text.data(), text.size(), rapidjson::kNumberType);
  } else {
    write_text(out, text);
  }
}

void write(Writer& out, const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Null: out.Null(); break;
    case YAML::NodeType::Scalar: write_scalar(out, node); break;
    case YAML::NodeType::Sequence:
      out.StartArray();
      for (const auto& item : node) write(out, item);
      out.EndArray();
      break;
    case YAML::NodeType::Map: {
      std::set<std::string> keys;
      out.StartObject();
      for (const auto& member : node) {
        const std::string key = member.first.Scalar();
        if (!keys.insert(key).second) refuse(member.first, "'" + key + "' stands twice");
        out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
        write(out, member.second);
      }
      out.EndObject();
      break;
    }
    case YAML::NodeType::Undefined: refuse(node, "undefined");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: openapi_to_json in.yaml out.json\n", 2;
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  write(writer, YAML::LoadFile(argv[1]));
  std::ofstream out(argv[2], std::ios::binary);
  out.write(buffer.GetString(), static_cast<std::streamsize>(buffer.GetSize()));
  return out.flush() ? 0 : (std::cerr << argv[2] << ": cannot write\n", 1);
} catch (const std::exception& error) {
  std::cerr << argv[1] << ":" << error.what() << "\n";
  return 1;
}
