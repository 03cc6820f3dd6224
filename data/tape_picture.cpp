// SPDX-License-Identifier: BSD-3-Clause
#include "tape_picture.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "../autograd/error.hpp"
#include "drawing.hpp"

namespace xtape::data {
namespace {

using detail::Drawing;
using detail::Pixel;
using detail::pixel;
using detail::width_of;

constexpr std::size_t kMost = 2000;
constexpr double kBox = 40, kRow = 72, kGap = 14, kBend = 6, kMargin = 20;  // in pixels
constexpr double kSmall = 0.85;                                             // of the font

std::string shapes_of(const TapeEntry& e) {
  std::string text;
  for (const TapeOutput& y : e.outputs) text += (text.empty() ? "" : " ") + to_string(y.shape);
  return text;
}

std::string second_line(const TapeEntry& e) {
  const std::string kept = e.saved_bytes ? ", keeps " + std::to_string(e.saved_bytes) + " B" : "";
  return shapes_of(e) + kept;
}

// A box, or a bend of an edge that passes a row of boxes.
struct Place {
  std::size_t row;
  double width;
  const TapeEntry* entry = nullptr;
  std::vector<std::size_t> above{}, below{};  // its neighbours in the rows before and after
  double x = 0;                               // of its middle

  double top() const { return kRow * static_cast<double>(row); }
  double bottom() const { return top() + kBox; }
};

struct Layout {
  std::vector<Place> places;
  std::vector<std::vector<std::size_t>> rows;
};

bool is_drawn(const Tape& tape, std::size_t i) {
  return i != TapeEntry::kConstant && !tape[i].is_leaf;
}

// Each operation in the row above the first that needs it; an edge that passes rows has a bend in
// each.
Layout in_rows(const Tape& tape) {
  std::vector<std::size_t> height(tape.size());
  std::size_t highest = 0;
  for (std::size_t i = tape.size(); i-- > 0;) {
    for (const std::size_t j : tape[i].inputs) {
      if (!is_drawn(tape, j)) continue;
      height[j] = std::max(height[j], height[i] + 1);
      highest = std::max(highest, height[j]);
    }
  }
  Layout at;
  std::vector<std::size_t> place_of(tape.size());
  const auto connect = [&](std::size_t a, std::size_t b) {
    at.places[a].below.push_back(b);
    at.places[b].above.push_back(a);
  };
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape[i].is_leaf) continue;
    const double width =
        std::max(width_of(tape[i].operation), kSmall * width_of(second_line(tape[i])));
    const std::size_t row = highest - height[i];
    const std::size_t box = place_of[i] = at.places.size();
    at.places.push_back({.row = row, .width = width + 14, .entry = &tape[i]});
    for (const std::size_t j : tape[i].inputs) {
      if (!is_drawn(tape, j)) continue;
      std::size_t from = place_of[j];
      for (std::size_t between = at.places[from].row + 1; between < row; ++between) {
        at.places.push_back({.row = between, .width = kBend});
        connect(from, at.places.size() - 1);
        from = at.places.size() - 1;
      }
      connect(from, box);
    }
  }
  at.rows.resize(highest + 1);
  for (std::size_t p = 0; p < at.places.size(); ++p) at.rows[at.places[p].row].push_back(p);
  return at;
}

// Puts each place of a row near the middle of its neighbours in another, without overlap.
void align(Layout& at, std::vector<std::size_t>& row, std::vector<std::size_t> Place::*neighbours) {
  for (const std::size_t p : row) {
    Place& place = at.places[p];
    const auto& others = place.*neighbours;
    if (others.empty()) continue;
    double sum = 0;
    for (const std::size_t other : others) sum += at.places[other].x;
    place.x = sum / static_cast<double>(others.size());
  }
  std::ranges::stable_sort(row, {}, [&](std::size_t p) { return at.places[p].x; });
  double right = -1e300, moved = 0;
  for (const std::size_t p : row) {
    Place& place = at.places[p];
    const double wanted = place.x;
    place.x = std::max(wanted, right + place.width / 2);
    right = place.x + place.width / 2 + kGap;
    moved += place.x - wanted;
  }
  for (const std::size_t p : row) at.places[p].x -= moved / static_cast<double>(row.size());
}

// The left edge of all is at 0.
std::vector<Place> lay_out(const Tape& tape) {
  Layout at = in_rows(tape);
  for (int pass = 0; pass < 4; ++pass) {
    for (auto& row : at.rows) align(at, row, &Place::above);
    for (std::size_t r = at.rows.size(); r-- > 0;) align(at, at.rows[r], &Place::below);
  }
  double left = 1e300;
  for (const Place& p : at.places) left = std::min(left, p.x - p.width / 2);
  for (Place& p : at.places) p.x -= left;
  return std::move(at.places);
}

constexpr const char* kLeaf = "a leaf, e.g. a weight";

class Painter {
 public:
  explicit Painter(const Tape& tape) : tape_(tape), places_(lay_out(tape)) {
    for (Place& p : places_) {
      graph_width_ = std::max(graph_width_, p.x + p.width / 2);
      rows_ = std::max(rows_, p.row + 1);
      if (p.entry && module_of(p) == modules_.size()) modules_.push_back(p.entry->module);
    }
    for (const std::string& m : modules_) {
      legend_width_ = std::max(legend_width_, width_of(name(m)));
    }
  }

  double width() const { return graph_width_ + kBeside + kText + legend_width_; }
  double height() const {
    return std::max(kRow * static_cast<double>(rows_ - 1) + kBox,
                    kLine * static_cast<double>(modules_.size() + 1));
  }

  void paint_edges(Drawing& drawing) const {
    for (const Place& start : places_) {
      if (!start.entry) continue;
      for (std::size_t next : start.below) {
        std::string path = "M " + pixel(start.x) + " " + pixel(start.bottom());
        const Place* at = &start;
        do {
          path += curve(*at, places_[next]);
          at = &places_[next];
          if (!at->entry) next = at->below[0];
        } while (!at->entry);
        drawing.add("<path d=\"" + path +
                    "\" fill=\"none\" stroke=\"#777777\" stroke-width=\"1.2\" class=\"edge\"/>\n");
        drawing.add("<polygon points=\"" + detail::corners({at->x, at->top() - 4}, 5, 3, 0.5) +
                    "\" fill=\"#777777\"/>\n");
      }
    }
  }

  void paint_boxes(Drawing& drawing) const {
    for (const Place& p : places_) {
      if (!p.entry) continue;
      const double left = p.x - p.width / 2;
      drawing.rectangle({left, p.top()}, p.width, kBox,
                        style(module_of(p)) + " class=\"operation\"");
      drawing.text({p.x, p.top() + 17}, p.entry->operation, "middle");
      drawing.text({p.x, p.top() + 33}, second_line(*p.entry), "middle", "font-size=\"11\"");
      int leaves = 0;
      for (const std::size_t i : p.entry->inputs) {
        if (i == TapeEntry::kConstant || !tape_[i].is_leaf) continue;
        drawing.add(leaf({left + 9 + 11 * leaves++, p.top()}));
      }
    }
  }

  void paint_legend(Drawing& drawing) const {
    const double left = graph_width_ + kBeside;
    double y = 0;
    for (std::size_t m = 0; m < modules_.size(); ++m, y += kLine) {
      drawing.rectangle({left, y}, 16, 16, style(m));
      drawing.text({left + kText, y + 13}, name(modules_[m]), "start");
    }
    drawing.add(leaf({left + 8, y + 8}));
    drawing.text({left + kText, y + 13}, kLeaf, "start");
  }

 private:
  static constexpr double kBeside = 28, kText = 26, kLine = 24;

  static std::string name(const std::string& module) {
    return module.empty() ? "no module" : module;
  }
  static std::string style(std::size_t module) {
    return "rx=\"5\" fill=\"" + detail::tint(module, 0.8) + "\" stroke=\"" +
           detail::colour(module) + "\"";
  }
  static std::string leaf(Pixel at) {
    return detail::mark(0, at, 4, "fill=\"#222222\" class=\"leaf\"");
  }
  // From the foot of one place to the head of the next; through it where that is a bend.
  static std::string curve(const Place& from, const Place& to) {
    const std::string half = pixel((from.bottom() + to.top()) / 2);
    const std::string path = " C " + pixel(from.x) + " " + half + " " + pixel(to.x) + " " + half +
                             " " + pixel(to.x) + " " + pixel(to.top());
    return to.entry ? path : path + " V " + pixel(to.bottom());
  }
  std::size_t module_of(const Place& p) const {
    const auto found = std::ranges::find(modules_, p.entry->module);
    return static_cast<std::size_t>(found - modules_.begin());
  }

  const Tape& tape_;
  std::vector<Place> places_;
  std::vector<std::string> modules_{};  // in the order of their first operations
  std::size_t rows_ = 0;
  double graph_width_ = 0, legend_width_ = width_of(kLeaf);
};

}  // namespace

TapePicture::TapePicture(const Tape& tape, TapePictureOptions options)
    : tape_(tape), options_(std::move(options)) {
  const auto count = static_cast<std::size_t>(
      std::ranges::count_if(tape, [](const TapeEntry& e) { return !e.is_leaf; }));
  if (count == 0) throw ValueError("TapePicture: no operation is recorded");
  if (count > kMost) {
    throw ValueError("TapePicture: " + std::to_string(count) + " operations, more than " +
                     std::to_string(kMost));
  }
}

std::string TapePicture::svg() const {
  const Painter painter(tape_);
  const double top = options_.title.empty() ? kMargin : kMargin + 32;
  Drawing drawing(std::max(painter.width(), 1.3 * width_of(options_.title)) + 2 * kMargin,
                  top + painter.height() + kMargin);
  if (!options_.title.empty()) drawing.title({kMargin, 30}, options_.title, "start");
  drawing.add("<g transform=\"translate(" + pixel(kMargin) + " " + pixel(top) + ")\">\n");
  painter.paint_edges(drawing);
  painter.paint_boxes(drawing);
  painter.paint_legend(drawing);
  drawing.add("</g>\n");
  return std::move(drawing).finish();
}

Table TapePicture::table() const {
  std::vector<double> entries, bytes;
  std::vector<std::string> operations, modules, results, inputs;
  for (std::size_t i = 0; i < tape_.size(); ++i) {
    const TapeEntry& e = tape_[i];
    std::string from;
    for (const std::size_t j : e.inputs) {
      from += (from.empty() ? "" : " ") + (j == TapeEntry::kConstant ? "-" : std::to_string(j));
    }
    entries.push_back(static_cast<double>(i));
    operations.push_back(e.operation);
    modules.push_back(e.module);
    results.push_back(shapes_of(e));
    inputs.push_back(from);
    bytes.push_back(static_cast<double>(e.saved_bytes));
  }
  Table all;
  all.add("entry", std::move(entries)).add("operation", std::move(operations));
  all.add("module", std::move(modules)).add("results", std::move(results));
  all.add("inputs", std::move(inputs)).add("saved_bytes", std::move(bytes));
  return all;
}

void TapePicture::save(const std::string& path) const {
  detail::save_drawing("TapePicture::save", path, svg(), table());
}

}  // namespace xtape::data
