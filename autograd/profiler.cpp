// SPDX-License-Identifier: BSD-3-Clause
#include "profiler.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "node.hpp"
#include "scope.hpp"
#include "table.hpp"
#include "tape.hpp"

namespace xtape {

class Profiler::Watch final : public detail::Watcher {
 public:
  void computed(const detail::Recording& r) override {
    if (depth_ > 0) return;  // part of a gradient
    add(r.name, detail::current_scope(), false, mark_);
  }
  void begin_backward(detail::Node&) override {
    if (depth_++ == 0) mark_ = now();
  }
  void end_backward(detail::Node& node) override {
    if (--depth_ == 0) add(node.name, node.scope, true, mark_);
  }
  void scope_changed() override {
    if (depth_ == 0) mark_ = now();
  }

  std::vector<ProfileEvent> events;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }
  void add(const char* operation, std::uint32_t scope, bool backward, std::int64_t begin) {
    events.push_back({operation, detail::scope_text(scope), backward, begin, now()});
    mark_ = now();
  }

  Clock::time_point start_ = Clock::now();
  std::int64_t mark_ = 0;
  int depth_ = 0;
};

namespace {

struct Sum {
  std::int64_t calls = 0, forward = 0, backward = 0;
};

std::string milliseconds(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(ns) / 1e6);
  return text;
}

std::string largest_first(const char* title, const std::map<std::string, Sum>& sums) {
  std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& entry) {
    return entry.second.forward + entry.second.backward;
  });
  std::vector<detail::Row> rows{{title, "calls", "forward ms", "backward ms"}};
  for (const auto& [key, sum] : order) {
    rows.push_back(
        {key, std::to_string(sum.calls), milliseconds(sum.forward), milliseconds(sum.backward)});
  }
  return detail::aligned(rows, {1, 2, 3});
}

}  // namespace

Profiler::Profiler() : watch_(Owned<Watch>::make()) {}
Profiler::~Profiler() = default;

const std::vector<ProfileEvent>& Profiler::events() const noexcept { return watch_->events; }

std::string Profiler::table() const {
  std::map<std::string, Sum> operations, modules;
  for (const ProfileEvent& e : events()) {
    for (Sum* sum : {&operations[e.operation], &modules[e.module.empty() ? "-" : e.module]}) {
      if (!e.backward) ++sum->calls;
      (e.backward ? sum->backward : sum->forward) += e.end_ns - e.begin_ns;
    }
  }
  return largest_first("operation", operations) + "\n" + largest_first("module", modules);
}

void Profiler::write_trace(const std::string& path) const {
  nlohmann::json list = nlohmann::json::array();
  for (const ProfileEvent& e : events()) {
    list.push_back({{"name", e.operation},
                    {"cat", e.backward ? "backward" : "forward"},
                    {"ph", "X"},
                    {"pid", 0},
                    {"tid", 0},
                    {"ts", static_cast<double>(e.begin_ns) / 1e3},
                    {"dur", static_cast<double>(e.end_ns - e.begin_ns) / 1e3},
                    {"args", {{"module", e.module}}}});
  }
  std::ofstream file(path);
  file << nlohmann::json{{"traceEvents", std::move(list)}, {"displayTimeUnit", "ms"}} << "\n";
  file.close();
  if (!file) throw FileError("write_trace: cannot write " + path);
}

}  // namespace xtape
