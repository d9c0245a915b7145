// SPDX-License-Identifier: MIT
// A VFS in front of SQLite's own. Files are told apart by their last letters:
// the log ends with "-wal". Pages of 4 KiB that were written and not synced are
// marked in memory that parent and children share.
#include "support/fault_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

namespace distributex::test {

namespace {

constexpr size_t page_size = 4096;
constexpr size_t pages = 8192;

struct Shared {
  FaultDisk::Fault fault;
  uint64_t at, times, calls, noted;
  bool struck;
  bool dirty[2][pages];  // of the database, of the log
};

Shared* shared = nullptr;
sqlite3_vfs* real_vfs = nullptr;
const std::string* twin_folder = nullptr;

struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real;
  bool is_log;
  char path[512];
};

FaultFile& file_of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }

std::string twin_of(const char* path) {
  const char* slash = strrchr(path, '/');
  return *twin_folder + (slash ? slash : path);
}

// Whether this call meets the fault that is planned.
bool strikes() {
  const uint64_t call = ++shared->calls;
  if (shared->at == 0 || call < shared->at || call >= shared->at + shared->times) {
    return false;
  }
  shared->struck = true;
  if (shared->fault == FaultDisk::Fault::death) {
    _exit(77);
  }
  return true;
}

int error_of(int code) {
  if (shared->fault == FaultDisk::Fault::sync_error) {
    return SQLITE_OK;
  }
  if (!strikes()) {
    return SQLITE_OK;
  }
  return shared->fault == FaultDisk::Fault::full ? SQLITE_FULL : code;
}

void sync_twin(const FaultFile& file) {
  const int from = open(file.path, O_RDONLY | O_CLOEXEC);
  const int to = open(twin_of(file.path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  struct stat status {};
  if (from < 0 || to < 0 || fstat(from, &status) != 0) {
    abort();
  }
  char page[page_size];
  for (size_t i = 0; i < pages; i++) {
    if (!shared->dirty[file.is_log][i]) {
      continue;
    }
    const ssize_t size = pread(from, page, sizeof page, static_cast<off_t>(i * page_size));
    if (size > 0 &&
        pwrite(to, page, static_cast<size_t>(size), static_cast<off_t>(i * page_size)) != size) {
      abort();
    }
    shared->dirty[file.is_log][i] = false;
  }
  if (ftruncate(to, status.st_size) != 0) {
    abort();
  }
  close(from);
  close(to);
}

int do_close(sqlite3_file* f) {
  FaultFile& file = file_of(f);
  const int code = file.real->pMethods ? file.real->pMethods->xClose(file.real) : SQLITE_OK;
  free(file.real);
  return code;
}

int do_read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  if (const int code = error_of(SQLITE_IOERR_READ)) {
    return code == SQLITE_FULL ? SQLITE_IOERR_READ : code;
  }
  FaultFile& file = file_of(f);
  return file.real->pMethods->xRead(file.real, to, size, at);
}

int do_write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  if (const int code = error_of(SQLITE_IOERR_WRITE)) {
    return code;
  }
  FaultFile& file = file_of(f);
  for (sqlite3_int64 i = at / 4096; i <= (at + size - 1) / 4096; i++) {
    shared->dirty[file.is_log][static_cast<size_t>(i) % pages] = true;
  }
  return file.real->pMethods->xWrite(file.real, from, size, at);
}

int do_truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (const int code = error_of(SQLITE_IOERR_TRUNCATE)) {
    return code;
  }
  FaultFile& file = file_of(f);
  return file.real->pMethods->xTruncate(file.real, size);
}

// What a failed sync did not write is not written by the next one either.
int do_sync(sqlite3_file* f, int) {
  FaultFile& file = file_of(f);
  bool fails = false;
  if (shared->fault != FaultDisk::Fault::sync_error) {
    fails = error_of(SQLITE_IOERR_FSYNC) != SQLITE_OK;
  } else if (file.is_log) {
    fails = strikes();
  }
  if (fails) {
    memset(shared->dirty[file.is_log], 0, sizeof shared->dirty[file.is_log]);
    return SQLITE_IOERR_FSYNC;
  }
  sync_twin(file);
  return SQLITE_OK;
}

int do_size(sqlite3_file* f, sqlite3_int64* size) {
  FaultFile& file = file_of(f);
  return file.real->pMethods->xFileSize(file.real, size);
}
int do_lock(sqlite3_file* f, int level) {
  FaultFile& file = file_of(f);
  return file.real->pMethods->xLock(file.real, level);
}
int do_unlock(sqlite3_file* f, int level) {
  FaultFile& file = file_of(f);
  return file.real->pMethods->xUnlock(file.real, level);
}
int do_check(sqlite3_file* f, int* out) {
  FaultFile& file = file_of(f);
  return file.real->pMethods->xCheckReservedLock(file.real, out);
}
int do_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int do_sector(sqlite3_file*) { return 4096; }
int do_traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods methods = {1,          do_close,  do_read,   do_write,  do_truncate,
                                        do_sync,    do_size,   do_lock,   do_unlock, do_check,
                                        do_control, do_sector, do_traits, nullptr,   nullptr,
                                        nullptr,    nullptr,   nullptr,   nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
  FaultFile& file = file_of(f);
  memset(&file, 0, sizeof file);
  if (const int code = error_of(SQLITE_CANTOPEN)) {
    return code == SQLITE_FULL ? SQLITE_CANTOPEN : code;
  }
  file.real = static_cast<sqlite3_file*>(calloc(1, static_cast<size_t>(real_vfs->szOsFile)));
  const int code = real_vfs->xOpen(real_vfs, name, file.real, flags, out);
  if (code != SQLITE_OK) {
    free(file.real);
    return code;
  }
  file.base.pMethods = &methods;
  file.is_log = name && std::string_view(name).ends_with("-wal");
  if (name) {
    strncpy(file.path, name, sizeof file.path - 1);
  }
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
  if (const int code = error_of(SQLITE_IOERR_DELETE)) {
    return code;
  }
  unlink(twin_of(name).c_str());
  if (std::string_view(name).ends_with("-wal")) {
    memset(shared->dirty[1], 0, sizeof shared->dirty[1]);
  }
  return real_vfs->xDelete(real_vfs, name, sync_folder);
}

sqlite3_vfs* make_vfs() {
  static sqlite3_vfs vfs;
  real_vfs = sqlite3_vfs_find("unix");
  vfs = *real_vfs;
  vfs.zName = "fault";
  vfs.pNext = nullptr;
  vfs.szOsFile = sizeof(FaultFile);
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  // Names, times and the like are the real one's, which looks at itself.
  vfs.pAppData = real_vfs->pAppData;
  return &vfs;
}

}  // namespace

FaultDisk::FaultDisk(const std::string& folder) : twin_(folder) {
  shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  twin_folder = &twin_;
  sqlite3_initialize();
  static sqlite3_vfs* vfs = make_vfs();
  sqlite3_vfs_register(vfs, 1);
}

FaultDisk::~FaultDisk() {
  sqlite3_vfs_register(real_vfs, 1);
  munmap(shared, sizeof(Shared));
  shared = nullptr;
}

void FaultDisk::plan(Fault fault, uint64_t at, uint64_t times) {
  shared->fault = fault;
  shared->at = at;
  shared->times = times;
  shared->calls = 0;
  shared->struck = false;
}

void FaultDisk::reset() {
  plan(Fault::none, 0);
  memset(shared->dirty, 0, sizeof shared->dirty);
  shared->noted = 0;
}

uint64_t FaultDisk::calls() const { return shared->calls; }
bool FaultDisk::has_struck() const { return shared->struck; }
void FaultDisk::note(uint64_t value) { shared->noted = value; }
uint64_t FaultDisk::noted() const { return shared->noted; }

}  // namespace distributex::test
