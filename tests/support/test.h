// SPDX-License-Identifier: MIT
// cmocka for C++, included here once, with the few helpers that tests share.
// cmocka's asserts jump over destructors: what must be freed lives in a
// Fixture, which fixture_setup makes and fixture_teardown frees. No rules of
// the project, no sockets, no processes here.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
// The C++ library has functions of this name; fail_msg does without it.
#undef fail
#undef fail_msg
#define fail_msg(...)          \
  do {                         \
    print_error(__VA_ARGS__);  \
    print_error("\n");         \
    _fail(__FILE__, __LINE__); \
  } while (false)

#include <memory>
#include <string>
#include <string_view>

// Compares texts and shows both when they differ; either may be a string,
// a string_view or a literal, and may hold NUL bytes.
#define assert_text(actual, expected) \
  ::distributex::test::check_text((actual), (expected), __FILE__, __LINE__)

// Fails the test with the condition and a printf-like remark.
#define assert_that(condition, ...)            \
  do {                                         \
    if (!(condition)) {                        \
      print_error("not so: %s\n", #condition); \
      fail_msg(__VA_ARGS__);                   \
    }                                          \
  } while (false)

namespace distributex::test {

// Built with a sanitizer, which is slower and has memory of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

inline void check_text(std::string_view actual, std::string_view expected, const char* file,
                       int line) {
  if (actual == expected) {
    return;
  }
  print_error("is     \"%.*s\"\nshould \"%.*s\"\n", static_cast<int>(actual.size()), actual.data(),
              static_cast<int>(expected.size()), expected.data());
  _fail(file, line);
}

// A Fixture is any type made without arguments. Where it has bool begin() and
// bool finish(), they are called before and after the test and must be true.
template <typename Fixture>
int fixture_setup(void** state) {
  auto fixture = std::make_unique<Fixture>();
  if constexpr (requires { fixture->begin(); }) {
    if (!fixture->begin()) {
      return -1;
    }
  }
  *state = fixture.release();
  return 0;
}

template <typename Fixture>
int fixture_teardown(void** state) {
  const std::unique_ptr<Fixture> fixture(static_cast<Fixture*>(*state));
  *state = nullptr;
  if constexpr (requires { fixture->finish(); }) {
    return fixture->finish() ? 0 : -1;
  }
  return 0;
}

template <typename Fixture>
[[nodiscard]] Fixture& fixture_of(void** state) {
  return *static_cast<Fixture*>(*state);
}

}  // namespace distributex::test

// One row of a cmocka table whose test has a fresh Fixture.
#define test_with(Fixture, function)                                                     \
  cmocka_unit_test_setup_teardown(function, ::distributex::test::fixture_setup<Fixture>, \
                                  ::distributex::test::fixture_teardown<Fixture>)
