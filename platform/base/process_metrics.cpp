#include "platform/base/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>

namespace chat::metrics {
namespace {

std::optional<double> cpu_seconds() {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return std::nullopt;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

struct Memory {
  double virtual_bytes = 0;
  double resident_bytes = 0;
};
std::optional<Memory> memory() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  double resident_pages = 0;
  if (!(file >> pages >> resident_pages)) return std::nullopt;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return Memory{pages * page, resident_pages * page};
}

std::optional<double> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (!folder) return std::nullopt;
  double count = -1;  // not the one that reads the folder
  while (const dirent* entry = readdir(folder.get())) count += entry->d_name[0] == '.' ? 0 : 1;
  return count;
}

std::optional<double> most_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<double>::infinity();
  return static_cast<double>(limit.rlim_cur);
}

/// Boot time plus the 22nd field of /proc/self/stat. The second field, the name, may hold anything in brackets.
std::optional<double> start_time() {
  std::ifstream self("/proc/self/stat");
  std::string line;
  if (!std::getline(self, line) || line.rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) rest >> skipped;
  double ticks = 0;
  if (!(rest >> ticks)) return std::nullopt;
  std::ifstream machine("/proc/stat");
  while (std::getline(machine, line)) {
    if (!line.starts_with("btime ")) continue;
    return std::stod(line.substr(6)) + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return std::nullopt;
}

}  // namespace

std::vector<ProcessMetric> process_metrics() {
  static const std::optional<double> started = start_time();
  std::vector<ProcessMetric> out;
  const auto add = [&out](const char* name, const char* help, Type type, std::optional<double> value) {
    if (value) out.push_back({name, help, type, *value});
  };
  add("process_cpu_seconds_total", "Processor time used, user and system, in seconds.", Type::counter, cpu_seconds());
  if (const auto used = memory()) {
    add("process_virtual_memory_bytes", "Size of the address space.", Type::gauge, used->virtual_bytes);
    add("process_resident_memory_bytes", "Memory held in RAM.", Type::gauge, used->resident_bytes);
  }
  add("process_open_fds", "Open file descriptors.", Type::gauge, open_descriptors());
  add("process_max_fds", "Limit of open file descriptors.", Type::gauge, most_descriptors());
  add("process_start_time_seconds", "When the process started, in seconds since 1970.", Type::gauge, started);
  return out;
}

}  // namespace chat::metrics
