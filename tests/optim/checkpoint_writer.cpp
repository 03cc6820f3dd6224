// SPDX-License-Identifier: BSD-3-Clause
// Writes checkpoints for checkpoint_durability_test.cpp, which kills it or lets system calls fail.
//
//   xtape_checkpoint_writer PATH                 writes states 1, 2, 3, ... for ever
//   xtape_checkpoint_writer PATH N CALL COUNT    writes state N; the COUNT-th CALL (write, fsync or
//                                                rename) fails; CALL may be "limit", with the
//                                                largest size of a file, or "none"
//
// Ends with 0 where the file was written, with 3 where there was a FileError.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <xtape/autograd/error.hpp>
#include <xtape/optim/checkpoint.hpp>

#include "checkpoint_writer.hpp"

namespace {

const char* failing_call = "";
int calls_left = 0;

bool fails(const char* call, int descriptor, int error) {
  if (descriptor <= 2 || std::strcmp(call, failing_call) != 0 || --calls_left != 0) return false;
  errno = error;
  return true;
}

}  // namespace

// These stand in for the C library's in the whole process.
extern "C" ssize_t write(int descriptor, const void* from, std::size_t bytes) {
  if (fails("write", descriptor, ENOSPC)) return -1;
  return syscall(SYS_write, descriptor, from, bytes);
}
extern "C" int fsync(int descriptor) {
  if (fails("fsync", descriptor, EIO)) return -1;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
extern "C" int rename(const char* from, const char* to) {
  if (fails("rename", 99, EACCES)) return -1;
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int main(int argc, char** argv) {
  const std::string path = argv[1];
  checkpoint_test::Run run;
  if (argc == 2) {
    for (std::int64_t state = 1;; ++state) run.save(path, state);
  }
  if (std::strcmp(argv[3], "limit") == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{static_cast<rlim_t>(std::atoi(argv[4])), RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 4;
  } else {
    failing_call = argv[3];
    calls_left = std::atoi(argv[4]);
  }
  try {
    run.save(path, std::atoll(argv[2]));
  } catch (const xtape::FileError&) {
    return 3;
  }
}
