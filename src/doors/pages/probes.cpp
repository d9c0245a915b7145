// SPDX-License-Identifier: MIT
// The pages for probes: "ok", or 503 with one line of reason. At the root a browser gets
// the page for people instead of "ok".
#include "doors/pages/page.h"
#include "doors/pages/rows.h"
#include "doors/query.h"

namespace distributex {

namespace {

HttpReply html_page() {
  HttpReply reply;
  reply.content_type = "text/html; charset=utf-8";
  reply.headers.add("Cache-Control", "no-store");
  reply.headers.add("Vary", "Accept");
  reply.headers.add("Content-Security-Policy", page_policy);
  reply.headers.add("X-Content-Type-Options", "nosniff");
  reply.headers.add("Referrer-Policy", "no-referrer");
  reply.body = page_html;
  return reply;
}

}  // namespace

Shown show_livez(const PageRequest&, const PageView&) { return page_of_text(200, "ok\n"); }

Shown show_readyz(const PageRequest&, const PageView& view) {
  if (!view.stopping && !view.trouble) {
    return page_of_text(200, "ok\n");
  }
  HttpReply reply =
      page_of_text(503, (view.stopping ? "the server is shutting down" : *view.trouble) + "\n");
  reply.headers.add("Retry-After", "1");
  return reply;
}

Shown show_root(const PageRequest& request, const PageView& view) {
  if (accepts(request.accept, "text/html")) {
    return html_page();
  }
  return show_livez(request, view);
}

}  // namespace distributex
