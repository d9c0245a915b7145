// SPDX-License-Identifier: MIT
// One child for each test, its output in a file without a name.
#include "support/scenes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace distributex::test {
namespace {

struct Scene {
  pid_t pid = -1;
  int output = -1;
  int status = -1;
};

Scene begin(const CMUnitTest& test) {
  Scene scene;
  scene.output = memfd_create("scene", MFD_CLOEXEC);
  fflush(nullptr);
  scene.pid = fork();
  if (scene.output == -1 || scene.pid == -1) {
    perror("test support: a scene");
    abort();
  }
  if (scene.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(scene.output, STDOUT_FILENO);
    dup2(scene.output, STDERR_FILENO);
    const CMUnitTest alone[] = {test};
    const int failed = cmocka_run_group_tests_name(test.name, alone, nullptr, nullptr);
    fflush(nullptr);
    exit(failed == 0 ? 0 : 1);
  }
  return scene;
}

// Waits for one of our own scenes: a test program may have other children.
void end_one(std::vector<Scene>& scenes) {
  siginfo_t ended{};
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  int status = 0;
  if (waitpid(ended.si_pid, &status, 0) != ended.si_pid) {
    abort();
  }
  for (Scene& scene : scenes) {
    if (scene.pid == ended.si_pid) {
      scene.status = status;
    }
  }
}

void show(const Scene& scene) {
  char buffer[4096];
  lseek(scene.output, 0, SEEK_SET);
  for (ssize_t got = 0; (got = read(scene.output, buffer, sizeof buffer)) > 0;) {
    fwrite(buffer, 1, static_cast<size_t>(got), stdout);
  }
  fflush(stdout);
  close(scene.output);
}

}  // namespace

int run_beside(std::span<const CMUnitTest> tests, unsigned beside) {
  std::vector<Scene> scenes;
  unsigned running = 0;
  for (const CMUnitTest& test : tests) {
    if (running == beside) {
      end_one(scenes);
      --running;
    }
    scenes.push_back(begin(test));
    ++running;
  }
  for (; running > 0; --running) {
    end_one(scenes);
  }
  int failed = 0;
  for (size_t i = 0; i < scenes.size(); ++i) {
    show(scenes[i]);
    if (!WIFEXITED(scenes[i].status)) {
      printf("%s: ended by signal %d\n[  FAILED  ] 1 test(s).\n", tests[i].name,
             WTERMSIG(scenes[i].status));
    }
    failed += WIFEXITED(scenes[i].status) && WEXITSTATUS(scenes[i].status) == 0 ? 0 : 1;
  }
  return failed;
}

}  // namespace distributex::test
