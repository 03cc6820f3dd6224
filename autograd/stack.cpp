// SPDX-License-Identifier: BSD-3-Clause
#include "stack.hpp"

#if __has_include(<execinfo.h>) && __has_include(<dlfcn.h>) && __has_include(<link.h>)
#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <sstream>

extern char** environ;

namespace xtape::detail {
namespace {

// Boost.Stacktrace 1.74 gives addr2line absolute addresses, which are wrong in position-independent
// programs, so its answer is empty there; hence this.
struct Frame {
  std::string function, place;
};

std::string output_of(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const bool runs =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  std::array<char, 512> part;
  for (ssize_t n; runs && (n = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  if (runs) waitpid(child, nullptr, 0);
  return text;
}

std::string demangled(const char* symbol) {
  if (!symbol) return {};
  int status = 0;
  char* text = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string name = status == 0 ? text : symbol;
  std::free(text);
  return name;
}

std::string hexadecimal(std::uintptr_t x) {
  std::ostringstream text;
  text << "0x" << std::hex << x;
  return text.str();
}

bool is_ours(const std::string& function) {
  return function.substr(0, function.find('(')).find("xtape::") != std::string::npos;
}

Frame describe(const Dl_info& info, std::uintptr_t address) {
  const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  const bool fixed = reinterpret_cast<const ElfW(Ehdr)*>(base)->e_type == ET_EXEC;
  const std::string offset = hexadecimal(fixed ? address : address - base);
  // Functions that were inlined there come first.
  std::istringstream lines(
      output_of({"addr2line", "-i", "-f", "-C", "-e", info.dli_fname, offset}));
  Frame frame;
  for (Frame next; std::getline(lines, next.function) && std::getline(lines, next.place);) {
    frame = next;
    if (!is_ours(frame.function)) break;
  }
  if (frame.function.starts_with("?") || frame.function.empty()) {
    frame.function = demangled(info.dli_sname);
  }
  if (frame.place.starts_with("?") || frame.place.empty()) {
    frame.place = std::string(info.dli_fname) + "+" + offset;
  }
  return frame;
}

}  // namespace

std::vector<void*> capture_stack() {
  std::vector<void*> stack(48);
  stack.resize(static_cast<std::size_t>(backtrace(stack.data(), static_cast<int>(stack.size()))));
  return stack;
}

std::string caller_of(const std::vector<void*>& stack) {
  Dl_info own;
  if (dladdr(reinterpret_cast<void*>(&caller_of), &own) == 0) return {};
#ifdef XTAPE_STATIC
  constexpr bool kShared = false;
#else
  constexpr bool kShared = true;
#endif
  bool inside = false;  // frames of sanitizers may come before our own
  for (void* p : stack) {
    const auto address = reinterpret_cast<std::uintptr_t>(p) - 1;  // of the call itself
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(address), &info) == 0) continue;
    const bool ours = kShared && info.dli_fbase == own.dli_fbase;
    if (ours || (kShared && !inside)) {
      inside = inside || ours;
      continue;
    }
    const Frame frame = describe(info, address);
    if (is_ours(frame.function) || frame.function.find("__interceptor") == 0) continue;
    return frame.function.empty() ? frame.place : frame.function + " at " + frame.place;
  }
  return {};
}

}  // namespace xtape::detail

#else

namespace xtape::detail {
std::vector<void*> capture_stack() { return {}; }
std::string caller_of(const std::vector<void*>&) { return {}; }
}  // namespace xtape::detail

#endif
