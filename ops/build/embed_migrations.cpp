// embed_migrations <out.cpp> <NNNN_name.up.sql>…: the table behind storage::migrations(). Each needs its .down.sql beside it.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) {
    std::cerr << path << ": cannot read\n";
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

// A raw string literal may hold 64 KiB at most everywhere: long texts go out in pieces.
void literal(std::ostream& out, const std::string& text) {
  for (std::size_t at = 0; at == 0 || at < text.size(); at += 8000)
    out << "\n      R\"sql(" << text.substr(at, 8000) << ")sql\"";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::cerr << "usage: embed_migrations out.cpp up.sql...\n", 2;
  std::ofstream out(argv[1]);
  out << "// Made from migrations/ by embed_migrations. Do not edit.\n#include \"platform/storage/migrator.h\"\n\n"
      << "namespace chat::storage {\nnamespace {\nconstexpr Migration kMigrations[] = {\n";
  for (int i = 2; i < argc; ++i) {
    std::filesystem::path up = argv[i];
    std::string file = up.filename().string();
    std::string name = file.substr(0, file.size() - std::string(".up.sql").size());
    auto down = up.parent_path() / (name + ".down.sql");
    out << "    {" << std::stoi(name.substr(0, 4)) << ", \"" << name.substr(5) << "\",";
    literal(out, read(up));
    out << ",";
    literal(out, read(down));
    out << "},\n";
  }
  out << "};\n}  // namespace\n\nstd::span<const Migration> migrations() { return kMigrations; }\n\n}  // namespace chat::storage\n";
  return out ? 0 : 1;
}
