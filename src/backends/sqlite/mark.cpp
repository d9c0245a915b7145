// SPDX-License-Identifier: MIT
// The file is one line of text, shorter than a sector and always of the same length:
// "pid 1234 boot NAME commits 42", filled up with spaces.
#include "backends/sqlite/mark.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <system_error>

namespace distributex {

namespace {

using Kind = StoreTrouble::Kind;

constexpr size_t line_size = 160;

// The number that follows a word of the line.
std::optional<uint64_t> number_after(std::string_view line, std::string_view word) {
  const size_t at = line.find(word);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = line.substr(at + word.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

std::string read_line(int fd) {
  std::string line(line_size, '\0');
  const ssize_t size = pread(fd, line.data(), line.size(), 0);
  line.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return line;
}

StoreTrouble refused(const std::string& store, const std::string& path, int error) {
  if (error == ENOENT && access(folder_of(store).c_str(), F_OK) != 0) {
    return {Kind::missing, "there is no folder " + folder_of(store) + " for " + store};
  }
  StoreTrouble trouble = trouble_of(0, error, store);
  if (trouble.kind == Kind::io) {
    trouble = {Kind::missing,
               path + " cannot be opened: " + std::generic_category().message(error)};
  }
  return trouble;
}

StoreTrouble is_taken(const std::string& store, int fd) {
  const auto pid = number_after(read_line(fd), "pid ");
  return {Kind::in_use,
          store + " is in use" + (pid ? " by process " + std::to_string(*pid) : std::string{})};
}

}  // namespace

std::optional<StoreTrouble> StoreMark::claim(const std::string& store) {
  const std::string path = lock_file_of(store);
  fd_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd_) {
    return refused(store, path, errno);
  }
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return is_taken(store, fd_.get());
  }
  return std::nullopt;
}

std::optional<StoreTrouble> StoreMark::look(const std::string& store) {
  const std::string path = lock_file_of(store);
  fd_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_) {
    return errno == ENOENT ? std::nullopt : std::optional{refused(store, path, errno)};
  }
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return is_taken(store, fd_.get());
  }
  return std::nullopt;
}

std::optional<uint64_t> StoreMark::commits() const {
  return fd_ ? number_after(read_line(fd_.get()), " commits ") : std::nullopt;
}

void StoreMark::note(uint64_t commits, const std::string& boot) {
  std::array<char, line_size + 1> line{};
  const int size = std::snprintf(line.data(), line.size(), "pid %ld boot %.64s commits %llu",
                                 static_cast<long>(getpid()), boot.empty() ? "-" : boot.c_str(),
                                 static_cast<unsigned long long>(commits));
  std::fill(line.begin() + size, line.end() - 2, ' ');
  line[line_size - 1] = '\n';
  // If the write fails, the next start can prove less; the store is sound all the same.
  (void)!pwrite(fd_.get(), line.data(), line_size, 0);
}

std::optional<StoreTrouble> judge_place(long type, const std::string& folder, std::string& doubt) {
  struct Row {
    long type;
    const char* name;
    bool refused;
  };
  constexpr Row rows[] = {
      {0x6969, "NFS", true},        {0xff534d42, "CIFS", true},       {0xfe534d42, "SMB", true},
      {0x517b, "SMB", true},        {0x01021997, "9p", true},         {0x5346414f, "AFS", true},
      {0x00c36400, "Ceph", true},   {0x0bd00bd0, "Lustre", true},     {0x01021994, "tmpfs", false},
      {0x858458f6, "ramfs", false}, {0x794c7630, "overlayfs", false},
  };
  doubt.clear();
  const auto row =
      std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.type == type; });
  if (row == std::end(rows)) {
    return std::nullopt;
  }
  if (row->refused) {
    return StoreTrouble{Kind::place, folder + " is on " + row->name +
                                         ", where a store is not safe; name a file on a disk of "
                                         "this machine as sqlitefile"};
  }
  doubt = folder + " is on " + row->name +
          ", which may not outlive this machine or container; mount a volume there";
  return std::nullopt;
}

std::optional<StoreTrouble> check_place(const std::string& store, std::string& doubt) {
  struct statfs place {};
  doubt.clear();
  const std::string folder = folder_of(store);
  if (statfs(folder.c_str(), &place) != 0) {
    return refused(store, folder, errno);
  }
  return judge_place(static_cast<long>(place.f_type), folder, doubt);
}

}  // namespace distributex
