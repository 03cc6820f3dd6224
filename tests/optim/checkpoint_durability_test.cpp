// SPDX-License-Identifier: BSD-3-Clause
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/safetensors.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "../data/files.hpp"
#include "checkpoint_writer.hpp"

namespace {

using namespace xtape;
using checkpoint_test::Run;
using ::test::says;

std::string writer() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "xtape_checkpoint_writer")
      .string();
}

pid_t start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), writer());
  std::vector<char*> pointers;
  for (std::string& a : arguments) pointers.push_back(a.data());
  pointers.push_back(nullptr);
  const pid_t process = ::fork();
  if (process == 0) {
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  return process;
}

int wait(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

// Exit code of writing state `state` with a failure.
int write_failing(const std::string& path, int state, const char* call, int count) {
  const int status = wait(start({path, std::to_string(state), call, std::to_string(count)}));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

using Clock = std::chrono::steady_clock;

// How long the writer takes from its start to its first file.
Clock::duration time_to_first_write(const std::string& path) {
  const auto written = [&] {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  };
  const auto old = written();
  const auto begin = Clock::now();
  const pid_t process = start({path});
  while (written() == old && Clock::now() - begin < std::chrono::seconds(60)) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const auto taken = Clock::now() - begin;
  ::kill(process, SIGKILL);
  wait(process);
  return taken;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_checkpoint_durability)

BOOST_AUTO_TEST_CASE(two_hundred_kills_leave_a_whole_file) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors";
  Run run;
  run.save(path, 1);
  std::mt19937 random(5);
  const auto first = std::chrono::nanoseconds(time_to_first_write(path)).count();
  std::uniform_int_distribution<std::int64_t> nanoseconds(0, 3 * first);
  std::int64_t changed = 0, torn = 0;
  for (int i = 0; i < 200; ++i) {
    run.save(path, 1);
    const pid_t process = start({path});
    std::this_thread::sleep_for(std::chrono::nanoseconds(nanoseconds(random)));
    ::kill(process, SIGKILL);
    const int status = wait(process);
    BOOST_REQUIRE(WIFSIGNALED(status));
    const std::int64_t state = run.load(path);
    BOOST_REQUIRE_GE(state, 1);
    changed += state > 1;
    for (const std::string& name : folder.names()) {
      if (name == "run.safetensors") continue;
      ++torn;
      std::filesystem::remove(folder / name);
    }
  }
  // Some came before the first write was whole, some between, some in the middle of one.
  BOOST_TEST(changed > 10);
  BOOST_TEST(torn > 10);
  BOOST_TEST_MESSAGE(changed << " of 200 files had a new state, " << torn << " writes were cut");
}

BOOST_AUTO_TEST_CASE(failing_calls_leave_the_old_file) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors";
  Run run;
  run.save(path, 7);
  int failures = 0;
  for (int count = 1; count < 100; ++count) {
    const int code = write_failing(path, 8, "write", count);
    if (code == 0) break;  // there are no more writes than this
    BOOST_TEST(code == 3);
    BOOST_TEST(run.load(path) == 7);
    ++failures;
  }
  BOOST_TEST(failures >= 3);
  BOOST_TEST(run.load(path) == 8);
  for (const char* call : {"fsync", "rename"}) {
    BOOST_TEST(write_failing(path, 9, call, 1) == 3);
    BOOST_TEST(run.load(path) == 8);
  }
  for (const int limit : {0, 100, 10'000}) {
    BOOST_TEST(write_failing(path, 9, "limit", limit) == 3);
    BOOST_TEST(run.load(path) == 8);
  }
  BOOST_TEST(folder.names().size() == 1u);  // nothing temporary is left
  BOOST_TEST(write_failing(path, 9, "none", 0) == 0);
  BOOST_TEST(run.load(path) == 9);
}

BOOST_AUTO_TEST_CASE(places_where_no_file_can_be) {
  const ::test::Folder folder;
  Run run;
  const std::string file = folder / "file", pipe = folder / "pipe";
  run.save(file, 1);
  BOOST_CHECK_EXCEPTION(run.save(file + "/below", 2), FileError, says("cannot write"));
  BOOST_CHECK_EXCEPTION(run.save(folder / "none/x", 2), FileError, says("No such file"));
  BOOST_CHECK_EXCEPTION(run.save(folder.path().string(), 2), FileError, says("not a regular file"));
  BOOST_CHECK_EXCEPTION(run.save("/dev/full", 2), FileError,
                        says("write_safetensors: /dev/full: not a regular file"));
  struct stat status;
  BOOST_TEST((::stat("/dev/full", &status) == 0 && S_ISCHR(status.st_mode)));
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_CHECK_EXCEPTION(run.save(pipe, 2), FileError, says("not a regular file"));
  BOOST_TEST(run.load(file) == 1);
  BOOST_TEST(folder.names().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
