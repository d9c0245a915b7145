// SPDX-License-Identifier: MIT
//
// Notes over SOCK_SEQPACKET: each arrives whole or not at all, and the death of the other process
// shows as end of file.
#include "client/link.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "client/say.h"

namespace distributex::client {

static_assert(std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

std::unique_ptr<Shared, UnmapShared> make_shared_page() {
  void* page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    give_up("mmap");
  }
  return std::unique_ptr<Shared, UnmapShared>(std::construct_at(static_cast<Shared*>(page)));
}

void UnmapShared::operator()(Shared* shared) const noexcept {
  (void)munmap(shared, sizeof(Shared));
}

void Link::make_pair(Link& one, Link& other) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    give_up("socketpair");
  }
  one.fd_.reset(ends[0]);
  other.fd_.reset(ends[1]);
  one.is_open_ = other.is_open_ = true;
}

void Link::close_end() noexcept {
  fd_.reset(-1);
  is_open_ = false;
}

void Link::send(const Note& note) noexcept {
  while (::send(fd_.get(), &note, sizeof note, MSG_NOSIGNAL) == -1 && errno == EINTR) {
  }
}

std::optional<Note> Link::receive() noexcept {
  Note note;
  ssize_t got = 0;
  do {
    got = recv(fd_.get(), &note, sizeof note, 0);
  } while (got == -1 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof note)) {
    return note;
  }
  if (got != -1 || (errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS)) {
    is_open_ = false;
  }
  return std::nullopt;
}

}  // namespace distributex::client
