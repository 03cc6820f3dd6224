// SPDX-License-Identifier: BSD-3-Clause
#include "summary.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "../autograd/multiply_adds.hpp"
#include "../autograd/random.hpp"
#include "../autograd/tape.hpp"
#include "walk.hpp"

namespace xtape::nn {
namespace {

// Restores what a look at the module must not change.
class Undisturbed {
 public:
  explicit Undisturbed(Module& module) : generator_(default_generator()) {
    for (Module* m : module.modules()) modes_.emplace_back(m, m->is_training());
    module.eval();
  }
  ~Undisturbed() {
    for (auto& [m, training] : modes_) m->train(training);  // those below come later
    default_generator() = generator_;
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  NoGrad no_grad_;
  Generator generator_;
  std::vector<std::pair<Module*, bool>> modes_;
};

class OutputShapes final : public detail::CallObserver {
 public:
  OutputShapes() : before_(detail::set_call_observer(this)) {}
  ~OutputShapes() { detail::set_call_observer(before_); }
  OutputShapes(const OutputShapes&) = delete;
  OutputShapes& operator=(const OutputShapes&) = delete;

  void called(Module& module, const Tensor& result) override {
    if (result.defined()) shapes[&module] = result.shape();
  }
  std::unordered_map<const Module*, Shape> shapes;

 private:
  detail::CallObserver* before_;
};

class Collector {
 public:
  Collector(const OutputShapes& outputs, const MultiplyAdds& work)
      : outputs_(outputs), work_(work) {}

  Summary collect(Module& root) {
    root_ = root.type_name();
    summary_.multiply_adds = work_.total();
    add(root, "", "", 0);
    return std::move(summary_);
  }

 private:
  void add(Module& m, const std::string& path, const std::string& label, int depth) {
    const auto parts = detail::listed_parts(m);
    summary_.rows.push_back(row_of(m, parts));
    Summary::Row& row = summary_.rows.back();
    row.name = path;
    row.label = label;
    row.depth = depth;
    row.multiply_adds =
        work_.of_module(path.empty() ? root_ : root_ + "." + path + " (" + row.type + ")");
    summary_.parameters += row.parameters;
    summary_.bytes += row.bytes;
    for (const detail::ListedPart& p : parts) {
      if (p.module) add(*p.module, detail::join(path, p.name), p.name, depth + 1);
    }
  }

  Summary::Row row_of(Module& m, const std::vector<detail::ListedPart>& parts) {
    Summary::Row row;
    row.type = m.type_name();
    if (const auto found = outputs_.shapes.find(&m); found != outputs_.shapes.end()) {
      row.called = true;
      row.output = found->second;
    }
    for (const detail::ListedPart& p : parts) {
      if (!p.tensor || !p.tensor->defined() || !seen_.insert(p.tensor->value()).second) continue;
      const std::int64_t n = p.tensor->numel();
      row.bytes += n * static_cast<std::int64_t>(item_size(p.tensor->dtype()));
      if (p.kind != detail::PartKind::parameter) continue;
      row.parameters += n;
      if (p.tensor->requires_grad()) summary_.trainable += n;
    }
    return row;
  }

  const OutputShapes& outputs_;
  const MultiplyAdds& work_;
  std::string root_;
  Summary summary_;
  std::unordered_set<const void*> seen_;
};

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

using Line = std::array<std::string, 6>;

// Columns as wide as their widest entry; the last three, numbers, to the right.
std::string table(const std::vector<Line>& lines, std::size_t rule_before) {
  std::array<std::size_t, 6> width{};
  for (const Line& line : lines) {
    for (std::size_t c = 0; c < width.size(); ++c) width[c] = std::max(width[c], line[c].size());
  }
  std::string rule;
  for (const std::size_t w : width) rule += std::string(w + 2, '-');
  rule.resize(rule.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 1 || i == rule_before) text += rule + "\n";
    std::string line;
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::string pad(width[c] - lines[i][c].size(), ' ');
      line += (c >= 3 ? pad + lines[i][c] : lines[i][c] + pad) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string Summary::str() const {
  std::vector<Line> lines{{"module", "class", "output", "parameters", "bytes", "multiply-adds"}};
  for (const Row& r : rows) {
    lines.push_back({std::string(static_cast<std::size_t>(2 * r.depth), ' ') + r.label, r.type,
                     r.called ? to_string(r.output) : "-", grouped(r.parameters), grouped(r.bytes),
                     grouped(r.multiply_adds)});
  }
  lines.push_back({"total", "", "", grouped(parameters), grouped(bytes), grouped(multiply_adds)});
  lines.push_back({"trainable", "", "", grouped(trainable), "", ""});
  return table(lines, lines.size() - 2);
}

Summary summary(Module& module, const Tensor& input) {
  OutputShapes outputs;
  const MultiplyAdds work;
  {
    const Undisturbed guard(module);
    module(input);
  }
  return Collector(outputs, work).collect(module);
}

}  // namespace xtape::nn
