// SPDX-License-Identifier: MIT
// The door of the pages: it finds the row of a path. All pages have the same methods; http
// leaves the body out of the reply to a HEAD.
#include <algorithm>
#include <iterator>

#include "doors/pages/rows.h"
#include "doors/query.h"
#include "doors/refusal.h"
#include "doors/rows.h"

namespace distributex {

namespace {

constexpr HttpMethods methods =
    methods_of({HttpMethod::get, HttpMethod::head, HttpMethod::options});

const Page* find_page(std::string_view path) {
  const auto* row = std::find_if(std::begin(pages), std::end(pages),
                                 [&](const Page& page) { return page.path == path; });
  return row == std::end(pages) ? nullptr : row;
}

bool has(std::string_view path) { return find_page(path) != nullptr; }

Reading read(const HttpRequest& request, Form) {
  return PageRequest{.page = find_page(request.path),
                     .method = request.method,
                     .query = std::string(request.query),
                     .accept = std::string(request.header("Accept")),
                     .last_event_id = std::string(request.header("Last-Event-ID")),
                     .proof_complaint = std::string(request.proof_complaint)};
}

}  // namespace

PageRight right_of(const PageRequest& request) {
  const bool for_people = request.page->path.empty() && accepts(request.accept, "text/html");
  return for_people ? PageRight::some : request.page->right;
}

HttpReply page_refused(bool proof_would_help, std::string_view why) {
  HttpReply reply = page_of_text(proof_would_help ? 401 : 403, std::string(why) + "\n");
  add_login(reply);
  return reply;
}

bool shows_leases(const PageRequest& request) { return request.page->shows_leases; }

Shown show_page(const PageRequest& request, const PageView& view) {
  Shown shown = request.page->show(request, view);
  auto* reply = std::get_if<HttpReply>(&shown);
  if (reply && request.method == HttpMethod::options) {
    reply->headers.add("Allow", allow_text(methods));
  }
  return shown;
}

HttpReply page_of_text(int status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.headers.add("Cache-Control", "no-store");
  reply.body = std::move(text);
  return reply;
}

constinit const Door pages_door{
    .name = "pages",
    .has = has,
    .methods = methods,
    .body_limit = 0,
    .acts = false,
    .read = read,
    .form = nullptr,
    .write = nullptr,
};

}  // namespace distributex
