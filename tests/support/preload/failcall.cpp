// SPDX-License-Identifier: MIT
// What is preloaded into a program under test: see support/failcall.h. Each
// wrapper counts, and then fails or calls the real function. All are resolved
// before main, for a child may be between fork and exec; what the constructors of
// other libraries call before that resolves itself.
#include "support/failcall.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What the C library's own headers call when they check sizes.
extern "C" {
int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t size);
ssize_t __read_chk(int fd, void* bytes, size_t size, size_t room);
ssize_t __recv_chk(int fd, void* bytes, size_t size, size_t room, int flags);
}

namespace {

using distributex::test::FailPage;

FailPage* page = nullptr;
bool counts = false;  // not before main
bool is_boot_timer[1024];

bool fails(const char* name) {
  if (!counts || (page->only[0] != '\0' && strcmp(page->only, name) != 0)) {
    return false;
  }
  const uint64_t call = ++page->calls;
  if (page->fail_at == 0 || call < page->fail_at || call >= page->fail_at + page->times) {
    return false;
  }
  if (page->failed[0] == '\0') {
    strncpy(page->failed, name, sizeof page->failed - 1);
  }
  errno = page->error;
  return true;
}

template <typename Function>
Function* resolve(Function*& real, const char* name) {
  if (real == nullptr) {
    void* found = dlsym(RTLD_NEXT, name);
    memcpy(&real, &found, sizeof real);
  }
  return real;
}

}  // namespace

// name, result, parameters, arguments. Each returns -1 when it fails.
#define CALLS(X)                                                                                  \
  X(read, ssize_t, (int fd, void* bytes, size_t size), (fd, bytes, size))                         \
  X(write, ssize_t, (int fd, const void* bytes, size_t size), (fd, bytes, size))                  \
  X(readv, ssize_t, (int fd, const iovec* parts, int count), (fd, parts, count))                  \
  X(writev, ssize_t, (int fd, const iovec* parts, int count), (fd, parts, count))                 \
  X(socket, int, (int family, int type, int protocol), (family, type, protocol))                  \
  X(connect, int, (int fd, const sockaddr* to, socklen_t size), (fd, to, size))                   \
  X(bind, int, (int fd, const sockaddr* at, socklen_t size), (fd, at, size))                      \
  X(listen, int, (int fd, int backlog), (fd, backlog))                                            \
  X(getsockname, int, (int fd, sockaddr* name, socklen_t* size), (fd, name, size))                \
  X(getpeername, int, (int fd, sockaddr* name, socklen_t* size), (fd, name, size))                \
  X(accept4, int, (int fd, sockaddr* from, socklen_t* size, int flags), (fd, from, size, flags))  \
  X(send, ssize_t, (int fd, const void* bytes, size_t size, int flags), (fd, bytes, size, flags)) \
  X(recv, ssize_t, (int fd, void* bytes, size_t size, int flags), (fd, bytes, size, flags))       \
  X(sendmsg, ssize_t, (int fd, const msghdr* message, int flags), (fd, message, flags))           \
  X(recvmsg, ssize_t, (int fd, msghdr* message, int flags), (fd, message, flags))                 \
  X(getsockopt, int, (int fd, int level, int name, void* value, socklen_t* size),                 \
    (fd, level, name, value, size))                                                               \
  X(setsockopt, int, (int fd, int level, int name, const void* value, socklen_t size),            \
    (fd, level, name, value, size))                                                               \
  X(poll, int, (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))                  \
  X(epoll_create1, int, (int flags), (flags))                                                     \
  X(epoll_ctl, int, (int fd, int what, int on, epoll_event* event), (fd, what, on, event))        \
  X(epoll_wait, int, (int fd, epoll_event* events, int most, int timeout),                        \
    (fd, events, most, timeout))                                                                  \
  X(fork, pid_t, (), ())                                                                          \
  X(execvp, int, (const char* file, char* const argv[]), (file, argv))                            \
  X(pipe2, int, (int ends[2], int flags), (ends, flags))                                          \
  X(socketpair, int, (int family, int type, int protocol, int ends[2]),                           \
    (family, type, protocol, ends))                                                               \
  X(waitpid, pid_t, (pid_t pid, int* status, int options), (pid, status, options))                \
  X(waitid, int, (idtype_t kind, id_t id, siginfo_t * info, int options),                         \
    (kind, id, info, options))                                                                    \
  X(kill, int, (pid_t pid, int signal), (pid, signal))                                            \
  X(setpgid, int, (pid_t pid, pid_t group), (pid, group))                                         \
  X(signalfd, int, (int fd, const sigset_t* set, int flags), (fd, set, flags))                    \
  X(sigprocmask, int, (int how, const sigset_t* set, sigset_t* old), (how, set, old))             \
  X(sigaction, int, (int signal, const struct sigaction* action, struct sigaction* old),          \
    (signal, action, old))                                                                        \
  X(eventfd, int, (unsigned value, int flags), (value, flags))                                    \
  X(flock, int, (int fd, int operation), (fd, operation))                                         \
  X(getrandom, ssize_t, (void* bytes, size_t size, unsigned flags), (bytes, size, flags))         \
  X(gethostname, int, (char* name, size_t size), (name, size))

// Wrapped by hand below.
#define REST(X)                                                       \
  X(open, int, (const char*, int, ...))                               \
  X(open64, int, (const char*, int, ...))                             \
  X(fcntl, int, (int, int, ...))                                      \
  X(fcntl64, int, (int, int, ...))                                    \
  X(prctl, int, (int, ...))                                           \
  X(mmap, void*, (void*, size_t, int, int, int, off_t))               \
  X(timerfd_create, int, (int, int))                                  \
  X(timerfd_settime, int, (int, int, const itimerspec*, itimerspec*)) \
  X(clock_gettime, int, (clockid_t, timespec*))                       \
  X(__poll_chk, int, (pollfd*, nfds_t, int, size_t))                  \
  X(__read_chk, ssize_t, (int, void*, size_t, size_t))                \
  X(__recv_chk, ssize_t, (int, void*, size_t, size_t, int))

#define REAL(name) resolve(real_##name, #name)

#define DECLARE(name, result, parameters, arguments) static result(*real_##name) parameters;
#define DECLARE_REST(name, result, parameters) static result(*real_##name) parameters;
CALLS(DECLARE)
REST(DECLARE_REST)

#define WRAP(name, result, parameters, arguments) \
  extern "C" result name parameters {             \
    if (fails(#name))                             \
      return -1;                                  \
    return REAL(name) arguments;                  \
  }
CALLS(WRAP)

// The argument that may be missing is passed on as a whole register, whatever it is.
#define LAST(last)                       \
  va_list list;                          \
  va_start(list, last);                  \
  const long value = va_arg(list, long); \
  va_end(list)

extern "C" int open(const char* path, int flags, ...) {
  LAST(flags);
  return fails("open") ? -1 : REAL(open)(path, flags, value);
}
extern "C" int open64(const char* path, int flags, ...) {
  LAST(flags);
  return fails("open") ? -1 : REAL(open64)(path, flags, value);
}
extern "C" int fcntl(int fd, int what, ...) {
  LAST(what);
  return fails("fcntl") ? -1 : REAL(fcntl)(fd, what, value);
}
extern "C" int fcntl64(int fd, int what, ...) {
  LAST(what);
  return fails("fcntl") ? -1 : REAL(fcntl64)(fd, what, value);
}
extern "C" int prctl(int what, ...) {
  LAST(what);
  return fails("prctl") ? -1 : REAL(prctl)(what, value, 0, 0, 0);
}
extern "C" void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  return fails("mmap") ? MAP_FAILED : REAL(mmap)(at, size, protection, flags, fd, offset);
}
extern "C" int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t size) {
  return fails("poll") ? -1 : REAL(__poll_chk)(fds, count, timeout, size);
}
extern "C" ssize_t __read_chk(int fd, void* bytes, size_t size, size_t room) {
  return fails("read") ? -1 : REAL(__read_chk)(fd, bytes, size, room);
}
extern "C" ssize_t __recv_chk(int fd, void* bytes, size_t size, size_t room, int flags) {
  return fails("recv") ? -1 : REAL(__recv_chk)(fd, bytes, size, room, flags);
}

// The clock since boot, and timers that wait for a moment of it.
extern "C" int clock_gettime(clockid_t clock, timespec* t) noexcept {
  const int result = REAL(clock_gettime)(clock, t);
  if (result == 0 && clock == CLOCK_BOOTTIME && page != nullptr) {
    const int64_t ns = t->tv_nsec + page->ahead_of_boot_ns;
    t->tv_sec += ns / 1'000'000'000;
    t->tv_nsec = ns % 1'000'000'000;
  }
  return result;
}
extern "C" int timerfd_create(int clock, int flags) noexcept {
  const int fd = fails("timerfd_create") ? -1 : REAL(timerfd_create)(clock, flags);
  if (fd >= 0 && fd < 1024) {
    is_boot_timer[fd] = clock == CLOCK_BOOTTIME;
  }
  return fd;
}
extern "C" int timerfd_settime(int fd, int flags, const itimerspec* to, itimerspec* old) noexcept {
  // It is only moved, never failed: its errors tell of wrong arguments, not of a
  // system without room.
  itimerspec moved = *to;
  const bool is_set = to->it_value.tv_sec != 0 || to->it_value.tv_nsec != 0;
  if (is_set && (flags & TFD_TIMER_ABSTIME) != 0 && fd < 1024 && is_boot_timer[fd] &&
      page != nullptr) {
    const int64_t ns =
        to->it_value.tv_sec * 1'000'000'000LL + to->it_value.tv_nsec - page->ahead_of_boot_ns;
    moved.it_value.tv_sec = ns > 0 ? ns / 1'000'000'000 : 0;
    moved.it_value.tv_nsec = ns > 0 ? ns % 1'000'000'000 : 1;
  }
  return REAL(timerfd_settime)(fd, flags, &moved, old);
}

__attribute__((constructor)) static void begin() {
#define RESOLVE(name, ...) resolve(real_##name, #name);
  CALLS(RESOLVE)
  REST(RESOLVE)
  const char* path = getenv("FAILCALL_PAGE");
  const char* program = getenv("FAILCALL_PROGRAM");
  if (path == nullptr || program == nullptr ||
      strcmp(program, program_invocation_short_name) != 0) {
    return;
  }
  const int fd = real_open(path, O_RDWR | O_CLOEXEC, 0);
  void* mapped = real_mmap(nullptr, sizeof(FailPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    abort();
  }
  close(fd);
  page = static_cast<FailPage*>(mapped);
  if (page->has_locale) {
    setlocale(LC_ALL, "");
  }
  counts = true;
}
