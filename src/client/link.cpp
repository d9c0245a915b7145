// SPDX-License-Identifier: MIT
//
// Notes over SOCK_SEQPACKET: each arrives whole or not at all, and the end of the other process is
// an end of file.
#include "client/link.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace distributex::client {

static_assert(std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

std::unique_ptr<Shared, UnmapShared> make_shared_page() {
  void* page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    abort();
  }
  return std::unique_ptr<Shared, UnmapShared>(std::construct_at(static_cast<Shared*>(page)));
}

void UnmapShared::operator()(Shared* shared) const noexcept {
  (void)munmap(shared, sizeof(Shared));
}

void Link::make_pair(Link& one, Link& other) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    abort();
  }
  one.fd_ = ends[0];
  other.fd_ = ends[1];
  one.is_open_ = other.is_open_ = true;
}

Link::~Link() { close_end(); }

void Link::close_end() noexcept {
  if (fd_ != -1) {
    close(fd_);
  }
  fd_ = -1;
  is_open_ = false;
}

void Link::send(const Note& note) noexcept {
  const ssize_t ignored = ::send(fd_, &note, sizeof note, MSG_NOSIGNAL);
  (void)ignored;
}

std::optional<Note> Link::receive() noexcept {
  Note note;
  const ssize_t got = recv(fd_, &note, sizeof note, 0);
  if (got == static_cast<ssize_t>(sizeof note)) {
    return note;
  }
  if (got != -1 || (errno != EAGAIN && errno != EINTR)) {
    is_open_ = false;
  }
  return std::nullopt;
}

}  // namespace distributex::client
