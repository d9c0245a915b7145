// SPDX-License-Identifier: MIT
// The test's side of the page.
#include "support/failcall.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace distributex::test {
namespace {

// Beside the test programs: BUILD/tests/ROOM/test_NAME, BUILD/tests/support/preload.
std::string find_library() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  for (auto folder = self.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    const auto library = folder / "support/preload/failcall.so";
    if (std::filesystem::exists(library)) {
      return library;
    }
  }
  fprintf(stderr, "test support: there is no support/preload/failcall.so\n");
  abort();
}

}  // namespace

FailCall::FailCall(const std::string& program) : program_(program) {
  const int fd = open(dir_.file("page").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* page = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof(FailPage)) == 0) {
    page = mmap(nullptr, sizeof(FailPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (page == MAP_FAILED) {
    perror("test support: a page");
    abort();
  }
  close(fd);
  page_ = static_cast<FailPage*>(page);
}

FailCall::~FailCall() { munmap(page_, sizeof(FailPage)); }

void FailCall::fail(uint64_t at, int error, const std::string& only, uint64_t times) {
  page_->calls = 0;
  page_->fail_at = at;
  page_->times = times;
  page_->error = error;
  snprintf(page_->only, sizeof page_->only, "%s", only.c_str());
  page_->failed[0] = '\0';
}

std::vector<std::string> FailCall::environment() const {
  return {"LD_PRELOAD=" + find_library(), "FAILCALL_PAGE=" + dir_.file("page"),
          "FAILCALL_PROGRAM=" + program_, "ASAN_OPTIONS=verify_asan_link_order=0"};
}

std::vector<std::string> own_environment_and(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string own = *entry;
    const std::string name = own.substr(0, own.find('=') + 1);
    // Of two entries of one name programs see the first, or the last.
    if (std::ranges::none_of(more, [&](const auto& each) { return each.starts_with(name); })) {
      all.push_back(own);
    }
  }
  return all;
}

}  // namespace distributex::test
