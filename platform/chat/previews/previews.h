#pragma once
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "platform/bus/feed.h"
#include "platform/chat/messages/messages.h"
#include "platform/outbound/client.h"
#include "platform/storage/pool.h"

/// Link previews: what the pages that a message names say about themselves, as attachments of type `link`. For channel types that
/// want it. A send only notes that a message has links (messages/send.sql, queue_previews); pages are fetched after its commit.
namespace chat::previews {

inline constexpr std::chrono::hours kKept{24};           // what a page said, for an application
inline constexpr std::chrono::minutes kKeptFailure{10};  // that a page said nothing
inline constexpr std::chrono::seconds kTimeout{5};       // of one call
inline constexpr std::chrono::seconds kGivesUp{60};      // then the message gets what there is
inline constexpr int kMaxRedirects = 3;                  // each judged like a URL of its own
inline constexpr std::size_t kMaxFetching = 1'000;       // pages at once; more wait

/// Fetches pages through the guarded client. A page that can't be had is none, never an error.
/// Event:   message.updated, once for all links of a message
/// Thread:  turn from one job at a time; the rest on the client's thread and on database workers.
class Fetcher {
 public:
  struct Services {
    bus::Bus& bus;
    const Clock& clock;
    outbound::Client& client;
    std::function<bool(storage::Pool::Task)> run;
  };
  explicit Fetcher(Services services) : services_(std::move(services)) {}

  /// For the job. Looks at the messages that wait: begins to fetch what is missing, and finishes those that have everything.
  /// However many nodes run it, a message gets its previews once.
  void turn(storage::Connection& connection);

 private:
  struct Place {
    AppId app;
    ChannelId channel;
    MessageId message;
  };
  struct Page {
    Place place;                               // of the message for which it was asked first
    std::string url, location;                 // where it stands in the text; where it led so far
    int redirects = 0;
  };
  void look_at(storage::Connection& connection, const Place& place, Timestamp queued_at);
  void begin(const Place& place, const std::string& url);
  void fetch(Page page);
  void end(const Page& page, const outbound::Answer& answer);
  void keep(storage::Connection& connection, const Page& page, const outbound::Answer& answer);
  void forget(const Page& page);

  const Services services_;
  std::mutex mutex_;
  std::set<std::pair<AppId, std::string>> fetching_;
};

/// For the job: forgets what was kept too long.
void sweep_previews(storage::Connection& connection);

}  // namespace chat::previews
