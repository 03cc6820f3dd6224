// SPDX-License-Identifier: BSD-3-Clause
// usage FILE COMMAND...: runs the command and appends to FILE its seconds by the clock, its seconds
// of processor time and its peak memory in MB, children included (time(1) is not on every machine).
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace {
double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * t.tv_usec; }
}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) return 2;
  if (child == 0) {
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 2;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  std::FILE* file = std::fopen(argv[1], "a");
  if (file == nullptr) return 2;
  std::fprintf(file, "%.3f %.3f %.0f\n", elapsed.count(),
               seconds(usage.ru_utime) + seconds(usage.ru_stime),
               static_cast<double>(usage.ru_maxrss) / 1024);
  std::fclose(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
