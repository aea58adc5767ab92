// embed_text <symbol> <in> <out.cpp>: the file's bytes as `extern const std::string_view chat::embedded::<symbol>`.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: embed_text symbol in out.cpp\n", 2;
  std::ifstream in(argv[2]);
  if (!in) return std::cerr << argv[2] << ": cannot read\n", 1;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::ofstream out(argv[3]);
  out << "// Made by embed_text. Do not edit.\n#include <string_view>\nnamespace chat::embedded {\n"
      << "extern const std::string_view " << argv[1] << ";\nconst std::string_view " << argv[1] << " =";
  for (std::size_t at = 0; at == 0 || at < text.size(); at += 8000)
    out << "\n    R\"~~~(" << text.substr(at, 8000) << ")~~~\"";
  out << ";\n}  // namespace chat::embedded\n";
  return out ? 0 : 1;
}
