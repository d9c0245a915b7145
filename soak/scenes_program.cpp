// SPDX-License-Identifier: MIT
// The real client, distributex: its command prints its token and then waits for the end of
// its input, so that the scene knows when the lock was held.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "scenes.h"
#include "support/http.h"

namespace distributex::soak {

namespace {

struct Child {
  pid_t pid = -1;
  int in = -1;   // to its stdin
  int out = -1;  // from its stdout
};

std::optional<Child> spawn(const std::string& servers, const char* pool) {
  const char* program = getenv("DISTRIBUTEX");
  int in[2];
  int out[2];
  if (!program || pipe2(in, O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  if (pipe2(out, O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in[0], 0);
  posix_spawn_file_actions_adddup2(&files, out[1], 1);
  const std::array<std::string, 8> words{
      program, "-q", "-H",  servers,
      "-r",    pool, "-w4", "echo $DISTRIBUTEX_TOKEN; read nothing; exit 7"};
  std::array<char*, 9> arguments{};
  for (size_t i = 0; i < words.size(); i++) {
    arguments[i] = const_cast<char*>(words[i].c_str());
  }
  Child child{.in = in[1], .out = out[0]};
  if (posix_spawn(&child.pid, program, &files, nullptr, arguments.data(), environ) != 0) {
    child.pid = -1;
  }
  posix_spawn_file_actions_destroy(&files);
  close(in[0]);
  close(out[1]);
  return child;
}

// The token that the command says; 0 when it says none.
uint64_t read_token(int fd) {
  std::string text;
  char c = 0;
  pollfd waits{fd, POLLIN, 0};
  while (poll(&waits, 1, 30000) == 1 && read(fd, &c, 1) == 1 && c != '\n') {
    text += c;
  }
  return strtoull(text.c_str(), nullptr, 10);
}

bool has_ended(int fd) {
  pollfd waits{fd, POLLIN, 0};
  return poll(&waits, 1, 0) == 1;
}

// Its exit code; a client that does not end is ended.
int reap(pid_t pid) {
  int status = 0;
  pid_t ended = 0;
  (void)test::eventually([&] { return (ended = waitpid(pid, &status, WNOHANG)) != 0; });
  if (ended == 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void run_program(Actor& actor) {
  // Its leases must outlast the longest time that a server stands still.
  constexpr size_t long_enough[] = {0, 2, 3};
  const PoolRow& pool = pool_rows()[long_enough[actor.dice.below(std::size(long_enough))]];
  std::string servers;
  for (const uint16_t port : actor.service->ports()) {
    servers += (servers.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
  }
  const auto asked = Clock::now();
  const std::optional<Child> child = spawn(servers, pool.name);
  if (!child || child->pid < 0) {
    return actor.world.findings.add("distributex cannot be started");
  }
  const uint64_t token = read_token(child->out);
  const std::string name = "program " + std::to_string(child->pid);
  if (token != 0) {
    actor.service->ledger().told(pool.name, name, token, asked, Clock::now(), std::nullopt);
    actor.pause(milliseconds(1500));
    actor.service->ledger().let_go(pool.name, token);
  }
  // It may have lost the lock: then the command was ended, at some time before.
  const bool was_lost = has_ended(child->out);
  close(child->in);
  const int code = reap(child->pid);
  close(child->out);
  actor.requests += 3;
  const bool is_right = token != 0 ? code == 7 && !was_lost : code == 75;
  if (is_right || actor.is_excused(asked)) {
    return;
  }
  actor.world.findings.add("%s: distributex for %s: exit %d, token %llu", actor.service->name(),
                           pool.name, code, static_cast<unsigned long long>(token));
}

}  // namespace distributex::soak
