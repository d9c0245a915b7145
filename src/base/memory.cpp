// SPDX-License-Identifier: MIT
// When an allocation fails, libevent goes on: without a timer, so that a lease never ends,
// or with an answer that lacks a part. For a lock service it is safer to end and be started
// anew.
#include "base/memory.h"

#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <cassert>
#include <cstdlib>
#include <new>

#include "base/log.h"

namespace distributex {

namespace {

[[noreturn]] void end() {
  log_last_word("out of memory");
  std::abort();
}

void* allocate(size_t size) {
  void* memory = std::malloc(size);
  if (!memory && size > 0) {
    end();
  }
  return memory;
}

void* allocate_again(void* memory, size_t size) {
  void* moved = std::realloc(memory, size);
  if (!moved && size > 0) {
    end();
  }
  return moved;
}

}  // namespace

void end_when_out_of_memory() {
  std::set_new_handler(end);
  event_set_mem_functions(allocate, allocate_again, std::free);
  json_set_alloc_funcs(allocate, std::free);
  const int taken = CRYPTO_set_mem_functions(
      [](size_t size, const char*, int) { return allocate(size); },
      [](void* memory, size_t size, const char*, int) { return allocate_again(memory, size); },
      [](void* memory, const char*, int) { std::free(memory); });
  assert(taken == 1);  // OpenSSL refuses the call after its first allocation
  (void)taken;
}

// glibc gives each thread a heap, and malloc_trim() gives back the free end of the first one
// only: what a flood had taken in the handshakes' thread would stay.
void use_one_heap() { mallopt(M_ARENA_MAX, 1); }

}  // namespace distributex
