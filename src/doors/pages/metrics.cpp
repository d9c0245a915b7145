// SPDX-License-Identifier: MIT
// /metrics: the counters and gauges of watch/metrics.h for Prometheus.
#include "doors/pages/rows.h"

namespace distributex {

Shown show_metrics(const PageRequest&, const PageView& view) {
  HttpReply reply = page_of_text(200, view.metrics.page({.sight = view.sight,
                                                         .now = view.now,
                                                         .backend_name = view.backend_name,
                                                         .backend_up = !view.trouble,
                                                         .uptime = view.uptime,
                                                         .connections = view.connections,
                                                         .streams = view.streams,
                                                         .streams_dropped = view.streams_dropped,
                                                         .log_dropped = view.log_dropped,
                                                         .figures = view.figures}));
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return reply;
}

}  // namespace distributex
