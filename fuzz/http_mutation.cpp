// SPDX-License-Identifier: MIT
// One function for each way in which bytes go wrong.
#include "http_mutation.h"

#include <algorithm>
#include <utility>

namespace distributex::fuzz {

namespace {

using namespace std::string_view_literals;

constexpr size_t most_bytes = 60000;

constexpr std::string_view words[] = {"GET "sv,
                                      "POST "sv,
                                      "HEAD "sv,
                                      "OPTIONS "sv,
                                      "PUT "sv,
                                      "DELETE "sv,
                                      "TRACE "sv,
                                      "CONNECT "sv,
                                      "PATCH "sv,
                                      "BREW "sv,
                                      "/get"sv,
                                      "/wait/"sv,
                                      "/release"sv,
                                      "/renew"sv,
                                      "/status/"sv,
                                      "/events/?follow=1"sv,
                                      "/metrics"sv,
                                      "/livez"sv,
                                      "//"sv,
                                      "*"sv,
                                      "?"sv,
                                      "&"sv,
                                      "="sv,
                                      "#"sv,
                                      "host="sv,
                                      "pool="sv,
                                      "id="sv,
                                      "expire="sv,
                                      "timeout="sv,
                                      "token="sv,
                                      "pool=guarded"sv,
                                      "pool=mutex"sv,
                                      "pool=sem"sv,
                                      "pool=brief"sv,
                                      "pool=listed"sv,
                                      "timeout=0.01"sv,
                                      "expire=1"sv,
                                      "since="sv,
                                      "limit="sv,
                                      "find="sv,
                                      "%00"sv,
                                      "%0d%0a"sv,
                                      "%zz"sv,
                                      "%"sv,
                                      "%C3%BC"sv,
                                      "%ff"sv,
                                      "%22"sv,
                                      "%5c"sv,
                                      "+"sv,
                                      " HTTP/1.1"sv,
                                      " HTTP/1.0"sv,
                                      " HTTP/0.9"sv,
                                      " HTTP/2.0"sv,
                                      " HTTP/1.-1"sv,
                                      " HTTP/9999999999.1"sv,
                                      "\r\n"sv,
                                      "\n"sv,
                                      "\r"sv,
                                      "\r\n\r\n"sv,
                                      "\n\n"sv,
                                      "\0"sv,
                                      "\t"sv,
                                      " "sv,
                                      ":"sv,
                                      "\xff"sv,
                                      "\xc3\xbc"sv,
                                      "\x1b[2J"sv,
                                      "Host: "sv,
                                      "Connection: close\r\n"sv,
                                      "Connection: keep-alive\r\n"sv,
                                      "Connection: close, TE\r\n"sv,
                                      "Content-Length: 0\r\n"sv,
                                      "Content-Length: 5\r\n"sv,
                                      "Content-Length: -1\r\n"sv,
                                      "Content-Length: 99999999999999999999\r\n"sv,
                                      "Content-Length: +3\r\n"sv,
                                      "Content-Length: 0x10\r\n"sv,
                                      "Transfer-Encoding: chunked\r\n"sv,
                                      "Transfer-Encoding: gzip, chunked\r\n"sv,
                                      "Transfer-Encoding: identity\r\n"sv,
                                      "Expect: 100-continue\r\n"sv,
                                      "Expect: x\r\n"sv,
                                      "Accept: application/json\r\n"sv,
                                      "Accept: text/event-stream\r\n"sv,
                                      "Accept: text/html\r\n"sv,
                                      "Last-Event-ID: 1\r\n"sv,
                                      "Content-Type: text/plain\r\n"sv,
                                      "Upgrade: websocket\r\n"sv,
                                      " folded: x\r\n"sv,
                                      "0\r\n\r\n"sv,
                                      "ffffffffffffffff\r\n"sv,
                                      "-1\r\n"sv,
                                      "5;x=y\r\nhost=\r\n"sv,
                                      "http://other.host:1/"sv,
                                      "9007199254740991"sv,
                                      "9007199254740992"sv,
                                      "2147483648"sv,
                                      "-1"sv,
                                      "0"sv,
                                      "1e9"sv,
                                      "0.000000001"sv};

std::string_view any_word(Choices& dice) { return words[dice.below(std::size(words))]; }

struct Span {
  size_t at;
  size_t size;
};

Span any_span(const std::string& text, Choices& dice, size_t most) {
  const size_t at = dice.below(text.size() + 1);
  return {at, dice.below(std::min(most, text.size() - at) + 1)};
}

void flip_bits(std::string& text, Choices& dice) {
  if (text.empty()) {
    return;
  }
  char& c = text[dice.below(text.size())];
  c = static_cast<char>(static_cast<unsigned char>(c) ^ (1U << dice.below(8)));
}

void set_byte(std::string& text, Choices& dice) {
  if (!text.empty()) {
    text[dice.below(text.size())] = static_cast<char>(dice.below(256));
  }
}

void insert_word(std::string& text, Choices& dice) {
  text.insert(dice.below(text.size() + 1), any_word(dice));
}

void erase_span(std::string& text, Choices& dice) {
  const Span span = any_span(text, dice, 40);
  text.erase(span.at, span.size);
}

void repeat_span(std::string& text, Choices& dice) {
  const Span span = any_span(text, dice, 40);
  const std::string piece = text.substr(span.at, span.size);
  for (uint64_t times = 1 + dice.below(20); times > 0; times--) {
    text.insert(span.at, piece);
  }
}

void cut_short(std::string& text, Choices& dice) { text.resize(dice.below(text.size() + 1)); }

void lengthen(std::string& text, Choices& dice) {
  constexpr char fillers[] = {'a', '/', '&', '%', '\0', '\n', ' ', '\xff', ':'};
  const size_t size = size_t{1} << dice.below(16);
  text.insert(dice.below(text.size() + 1), size, fillers[dice.below(std::size(fillers))]);
}

void bomb_headers(std::string& text, Choices& dice) {
  const size_t at = text.find("\r\n");
  if (at == text.npos) {
    return;
  }
  constexpr std::string_view lines[] = {":\r\n", "X: y\r\n", "Content-Length: 0\r\n", "\tx\r\n"};
  const std::string_view line = lines[dice.below(std::size(lines))];
  std::string bomb;
  for (uint64_t count = dice.below(3000); count > 0; count--) {
    bomb += line;
  }
  text.insert(at + 2, bomb);
}

void bare_line_ends(std::string& text, Choices& dice) {
  for (size_t at = text.find("\r\n"); at != text.npos; at = text.find("\r\n", at + 1)) {
    if (dice.once_in(2)) {
      text.erase(at, 1);
    }
  }
}

void lie_about_length(std::string& text, Choices& dice) {
  constexpr std::string_view name = "Content-Length: ";
  const size_t at = text.find(name);
  const std::string number = std::to_string(dice.below(60));
  if (at != text.npos) {
    text.replace(at + name.size(), text.find('\r', at) - at - name.size(), number);
  } else if (const size_t line = text.find("\r\n"); line != text.npos) {
    text.insert(line + 2, std::string(name) + number + "\r\n");
  }
}

// Its body, if it has one, in chunks whose sizes may be wrong.
void chunk_body(std::string& text, Choices& dice) {
  const size_t end = text.find("\r\n\r\n");
  if (end == text.npos) {
    return;
  }
  const std::string body = text.substr(end + 4);
  std::string chunked;
  for (size_t at = 0; at < body.size();) {
    const size_t size = std::min<size_t>(1 + dice.below(9), body.size() - at);
    const size_t told = dice.once_in(8) ? dice.below(70000) : size;
    constexpr char digits[] = "0123456789abcdef";
    std::string number;
    for (size_t rest = told; rest > 0 || number.empty(); rest /= 16) {
      number.insert(number.begin(), digits[rest % 16]);
    }
    chunked += number + "\r\n" + body.substr(at, size) + "\r\n";
    at += size;
  }
  text.replace(end, text.npos, "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + "0\r\n");
  if (!dice.once_in(4)) {
    text += "\r\n";
  }
}

void say_all_again(std::string& text, Choices& dice) {
  const std::string once = text;
  for (uint64_t times = 1 + dice.below(8); times > 0; times--) {
    text += once;
  }
}

using Mutation = void (*)(std::string&, Choices&);
constexpr Mutation mutations[] = {flip_bits,     set_byte,       insert_word,      insert_word,
                                  erase_span,    repeat_span,    cut_short,        lengthen,
                                  bomb_headers,  bare_line_ends, lie_about_length, chunk_body,
                                  say_all_again, insert_word};

}  // namespace

std::string Mutator::bytes() {
  std::string text = seeds_[dice_.below(seeds_.size())];
  if (dice_.once_in(3)) {  // splice two
    const std::string& other = seeds_[dice_.below(seeds_.size())];
    text.resize(dice_.below(text.size() + 1));
    text += other.substr(dice_.below(other.size()));
  }
  for (uint64_t more = dice_.below(3); more > 0; more--) {
    text += seeds_[dice_.below(seeds_.size())];
  }
  // Some stay as they are: locks shall change hands.
  for (uint64_t times = dice_.once_in(3) ? 0 : 1 + dice_.below(5); times > 0; times--) {
    mutations[dice_.below(std::size(mutations))](text, dice_);
  }
  text.resize(std::min(text.size(), most_bytes));
  return text;
}

Steps Mutator::connection() {
  using Kind = Step::Kind;
  const unsigned number = ++connections_;
  Steps steps = {{Kind::open, number}};
  std::string text = bytes();
  const uint64_t pieces = dice_.once_in(2) ? 1 : 1 + dice_.below(6);
  for (uint64_t i = 0; i < pieces; i++) {
    const size_t size = i + 1 == pieces ? text.size() : dice_.below(text.size() + 1);
    steps.push_back({Kind::send, number, text.substr(0, size)});
    text.erase(0, size);
    if (dice_.once_in(8)) {
      steps.push_back({Kind::pause, static_cast<unsigned>(dice_.below(4))});
    }
    if (dice_.once_in(1000)) {
      steps.push_back({Kind::pause, static_cast<unsigned>(dice_.below(300))});
    }
  }
  const uint64_t end = dice_.below(8);
  if (end == 0) {
    steps.push_back({Kind::reset, number});
  }
  if (end == 1) {
    steps.push_back({Kind::half, number});
  }
  if (end == 2) {
    steps.push_back({Kind::close, number});
  }
  if (end == 3) {
    left_open_.push_back(number);
  }
  return steps;
}

Steps Mutator::batch() {
  using Kind = Step::Kind;
  std::vector<Steps> all(1 + dice_.below(8));
  for (Steps& steps : all) {
    steps = connection();
  }
  Steps merged;
  std::vector<size_t> done(all.size());
  for (size_t open = all.size(); open > 0;) {
    const size_t i = dice_.below(all.size());
    if (done[i] == all[i].size()) {
      continue;
    }
    merged.push_back(std::move(all[i][done[i]++]));
    if (done[i] == all[i].size()) {
      --open;
    }
  }
  merged.push_back({Kind::check});
  for (unsigned number = connections_ + 1 - static_cast<unsigned>(all.size());
       number <= connections_; number++) {
    if (std::find(left_open_.begin(), left_open_.end(), number) == left_open_.end()) {
      merged.push_back({Kind::close, number});
    }
  }
  if (left_open_.size() > 20) {
    merged.push_back({Kind::close, left_open_.front()});
    left_open_.erase(left_open_.begin());
  }
  return merged;
}

}  // namespace distributex::fuzz
