#include "platform/base/thread.h"

#include <pthread.h>

#include <algorithm>

namespace chat {

void name_this_thread(std::string name) {
  constexpr std::size_t kLongest = 15;
  name.resize(std::min(name.size(), kLongest));
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace chat
