#pragma once
#include "platform/base/metrics.h"

namespace chat::realtime {

/// The gateway's metrics, looked up once.
struct Measures {
  metrics::Gauge& connections = metrics::gauge("chat_ws_connections", "Open WebSockets.");
  metrics::Counter& opened = metrics::counter("chat_ws_connections_opened_total", "WebSockets asked for.", {{"result", "opened"}});
  metrics::Counter& refused = metrics::counter("chat_ws_connections_opened_total", "WebSockets asked for.", {{"result", "refused"}});
  metrics::Gauge& queue_bytes = metrics::gauge("chat_ws_send_queue_bytes", "Bytes waiting for WebSocket readers.");
  metrics::Counter& slow_readers = metrics::counter("chat_slow_consumers_total", "WebSockets cut because their reader was too slow.");
  metrics::Counter& dropped = metrics::counter("chat_ws_ephemeral_dropped_total", "Ephemeral frames not queued for slow readers.");
  metrics::Counter& frames_sent = metrics::counter("chat_ws_frames_sent_total", "WebSocket frames written.");
  metrics::Counter& bytes_sent = metrics::counter("chat_ws_bytes_sent_total", "Bytes written to WebSockets.");
  metrics::Histogram& delivery = metrics::histogram("chat_event_delivery_seconds",
      "From an event's creation until a shard has written it to its sockets, once per event and shard.");
  metrics::Counter& resumed_memory = metrics::counter("chat_resumes_total", "Channels resumed.", {{"source", "memory"}});
  metrics::Counter& resumed_database = metrics::counter("chat_resumes_total", "Channels resumed.", {{"source", "database"}});
  metrics::Counter& resumed_resync = metrics::counter("chat_resumes_total", "Channels resumed.", {{"source", "resync"}});
  metrics::Gauge& hot_channels = metrics::gauge("chat_hot_channels", "Channels whose audience is in memory.");
  metrics::Counter& gaps = metrics::counter("chat_sequencer_gaps_total", "Holes in a channel's numbering that had to be loaded.");
  metrics::Counter& resyncs = metrics::counter("chat_channel_resyncs_total", "Channels whose listeners were told to read anew.");
};
inline Measures& measures() {
  static Measures all;
  return all;
}

}  // namespace chat::realtime
