// SPDX-License-Identifier: BSD-3-Clause
// Compiled without contraction of a * b + c (see CMakeLists.txt) and using no function but sqrt,
// which IEEE 754 defines to the last bit: so that the pictures are the same everywhere.
#include "digits.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/parallel.hpp"

namespace xtape::data {
namespace {

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;

struct Point {
  float x, y;
};

enum class Kind { corners, curve, loop };

struct Stroke {
  Kind kind;
  int count;
  Point points[12];
};

// A way to write a digit, in a box of 1 by 1 with y pointing down.
struct Figure {
  int label;
  int count;
  Stroke strokes[3];
};

// clang-format off
constexpr Stroke kBow = {Kind::curve, 6, {{.42f, .43f}, {.72f, .5f}, {.86f, .72f}, {.7f, .95f},
                                          {.4f, 1}, {.12f, .86f}}};
constexpr Stroke kHead = {Kind::loop, 7, {{.8f, .26f}, {.68f, .05f}, {.42f, 0}, {.2f, .14f},
                                          {.18f, .36f}, {.38f, .52f}, {.66f, .46f}}};
constexpr Figure kFigures[] = {
    {0, 1, {{Kind::loop, 8, {{.5f, 0}, {.78f, .15f}, {.88f, .5f}, {.78f, .85f}, {.5f, 1},
                             {.22f, .85f}, {.12f, .5f}, {.22f, .15f}}}}},
    {1, 1, {{Kind::corners, 2, {{.5f, 0}, {.5f, 1}}}}},
    {1, 1, {{Kind::corners, 3, {{.26f, .24f}, {.54f, 0}, {.54f, 1}}}}},
    {1, 2, {{Kind::corners, 3, {{.3f, .2f}, {.54f, 0}, {.54f, 1}}},
            {Kind::corners, 2, {{.3f, 1}, {.78f, 1}}}}},
    {2, 2, {{Kind::curve, 8, {{.15f, .25f}, {.28f, .05f}, {.55f, 0}, {.8f, .15f}, {.8f, .38f},
                              {.6f, .62f}, {.35f, .82f}, {.12f, 1}}},
            {Kind::corners, 2, {{.12f, 1}, {.9f, 1}}}}},
    {2, 1, {{Kind::curve, 11, {{.15f, .22f}, {.3f, .04f}, {.58f, 0}, {.8f, .16f}, {.76f, .42f},
                               {.5f, .72f}, {.24f, .98f}, {.1f, .9f}, {.26f, .78f}, {.56f, .92f},
                               {.9f, .96f}}}}},
    {3, 2, {{Kind::curve, 6, {{.15f, .15f}, {.4f, 0}, {.7f, .05f}, {.8f, .22f}, {.66f, .38f},
                              {.42f, .43f}}}, kBow}},
    {3, 2, {{Kind::corners, 3, {{.15f, 0}, {.82f, 0}, {.42f, .43f}}}, kBow}},
    {4, 2, {{Kind::corners, 3, {{.22f, 0}, {.12f, .56f}, {.88f, .56f}}},
            {Kind::corners, 2, {{.7f, .1f}, {.64f, 1}}}}},
    {4, 2, {{Kind::corners, 3, {{.62f, 0}, {.08f, .66f}, {.92f, .66f}}},
            {Kind::corners, 2, {{.62f, 0}, {.62f, 1}}}}},
    {5, 2, {{Kind::corners, 3, {{.82f, 0}, {.26f, 0}, {.2f, .44f}}},
            {Kind::curve, 7, {{.2f, .44f}, {.5f, .37f}, {.8f, .5f}, {.85f, .74f}, {.66f, .96f},
                              {.38f, 1}, {.12f, .88f}}}}},
    {6, 1, {{Kind::curve, 11, {{.74f, .02f}, {.42f, .16f}, {.2f, .45f}, {.14f, .74f}, {.3f, .96f},
                               {.58f, 1}, {.82f, .84f}, {.8f, .62f}, {.58f, .5f}, {.32f, .56f},
                               {.16f, .76f}}}}},
    {7, 1, {{Kind::corners, 3, {{.12f, 0}, {.88f, 0}, {.4f, 1}}}}},
    {7, 2, {{Kind::corners, 3, {{.12f, 0}, {.88f, 0}, {.42f, 1}}},
            {Kind::corners, 2, {{.34f, .5f}, {.84f, .5f}}}}},
    {8, 1, {{Kind::loop, 12, {{.5f, 0}, {.76f, .08f}, {.76f, .34f}, {.5f, .48f}, {.2f, .66f},
                              {.2f, .9f}, {.5f, 1}, {.8f, .9f}, {.8f, .66f}, {.5f, .48f},
                              {.24f, .34f}, {.24f, .08f}}}}},
    {9, 2, {kHead, {Kind::corners, 3, {{.8f, .26f}, {.78f, .6f}, {.68f, 1}}}}},
    {9, 2, {kHead, {Kind::curve, 4, {{.8f, .26f}, {.8f, .6f}, {.62f, .92f}, {.26f, 1}}}}},
};
// clang-format on
constexpr int kFigureCount = static_cast<int>(std::size(kFigures));

// Keeps the numbers apart from those that a Generator of the same seed draws.
constexpr std::uint32_t kDigits = 0xd161750f;

// The random numbers of one sample, in blocks of four.
class Draws {
 public:
  Draws(std::uint64_t seed, std::int64_t sample)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        counter_{{static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32), 0,
                  kDigits}} {}

  std::uint32_t next() {
    if (left_ == 0) {
      block_ = r123::Philox4x32()(counter_, key_);
      ++counter_[2];
      left_ = 4;
    }
    return block_[--left_];
  }
  float uniform(float low, float high) {
    const float unit = static_cast<float>(next() >> 8) * 0x1p-24f;
    return low + (high - low) * unit;
  }
  int below(int count) {
    return static_cast<int>(std::uint64_t{next()} * static_cast<std::uint64_t>(count) >> 32);
  }

 private:
  r123::Philox4x32::key_type key_;
  r123::Philox4x32::ctr_type counter_;
  r123::Philox4x32::ctr_type block_{};
  int left_ = 0;
};

// From the box to pixels: a quadratic bend, slant both ways, size and shift.
struct Placement {
  float bend[6], slant, tilt, width, height, shift_x, shift_y;

  explicit Placement(Draws& draws) {
    for (float& b : bend) b = draws.uniform(-.3f, .3f);
    slant = draws.uniform(-.2f, .4f);
    tilt = draws.uniform(-.14f, .14f);
    height = draws.uniform(15, 21);
    width = height * draws.uniform(.68f, .98f);
    shift_x = draws.uniform(-2.2f, 2.2f);
    shift_y = draws.uniform(-2.2f, 2.2f);
  }

  Point operator()(Point p) const {
    const float x = p.x - .5f, y = p.y - .5f;
    const float u = (x + bend[0] * x * x + bend[1] * x * y + bend[2] * y * y) * width;
    const float v = (y + bend[3] * x * x + bend[4] * x * y + bend[5] * y * y) * height;
    constexpr float centre = .5f * kSide;
    return {centre + shift_x + u - slant * v, centre + shift_y + v + tilt * u};
  }
};

// Squared distance of each pixel's centre to the nearest stroke, right up to `reach`.
class DistanceMap {
 public:
  explicit DistanceMap(float reach) : reach_(reach) { std::fill_n(squared_, kPixels, 1e9f); }

  void segment(Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float length = dx * dx + dy * dy;
    const float inverse = length > 0 ? 1 / length : 0;
    const int left = first(std::min(a.x, b.x)), right = last(std::max(a.x, b.x));
    const int top = first(std::min(a.y, b.y)), bottom = last(std::max(a.y, b.y));
    for (int row = top; row <= bottom; ++row) {
      float* const line = squared_ + row * kSide;
      const float py = static_cast<float>(row) + .5f - a.y;
      for (int column = left; column <= right; ++column) {
        const float px = static_cast<float>(column) + .5f - a.x;
        const float t = std::clamp((px * dx + py * dy) * inverse, 0.f, 1.f);
        const float ex = px - t * dx, ey = py - t * dy;
        line[column] = std::min(line[column], ex * ex + ey * ey);
      }
    }
  }

  void stroke(const Stroke& s, const Placement& place) {
    const int count = s.count, segments = s.kind == Kind::loop ? count : count - 1;
    const auto at = [&](int i) {
      return s.points[s.kind == Kind::loop ? (i + count) % count : std::clamp(i, 0, count - 1)];
    };
    Point from = place(at(0));
    for (int i = 0; i < segments; ++i) {
      const int pieces = s.kind == Kind::corners ? 2 : 4;  // a bend turns straight lines too
      for (int k = 1; k <= pieces; ++k) {
        const float t = static_cast<float>(k) / static_cast<float>(pieces);
        const Point to =
            place(s.kind == Kind::corners ? between(at(i), at(i + 1), t)
                                          : spline(at(i - 1), at(i), at(i + 1), at(i + 2), t));
        segment(from, to);
        from = to;
      }
    }
  }

  float operator[](int pixel) const { return squared_[pixel]; }

 private:
  static Point between(Point a, Point b, float t) {
    return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
  }
  // Catmull and Rom's cubic through b (t = 0) and c (t = 1).
  static float cubic(float a, float b, float c, float d, float t) {
    return b + .5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  }
  static Point spline(Point a, Point b, Point c, Point d, float t) {
    return {cubic(a.x, b.x, c.x, d.x, t), cubic(a.y, b.y, c.y, d.y, t)};
  }
  int first(float x) const { return std::clamp(static_cast<int>(x - reach_), 0, kSide); }
  int last(float x) const { return std::clamp(static_cast<int>(x + reach_), -1, kSide - 1); }

  float reach_;
  float squared_[kPixels];
};

std::int64_t draw_sample(std::uint64_t seed, std::int64_t sample, float* image) {
  Draws draws(seed, sample);
  const int label = draws.below(10);
  // Among the ways to write this digit.
  const auto begin = std::find_if(kFigures, kFigures + kFigureCount,
                                  [&](const Figure& f) { return f.label == label; });
  const auto end = std::find_if(begin, kFigures + kFigureCount,
                                [&](const Figure& f) { return f.label != label; });
  const Figure& figure = begin[draws.below(static_cast<int>(end - begin))];

  const Placement place(draws);
  const float radius = draws.uniform(.7f, 1.7f);
  const float ink = draws.uniform(.75f, 1);
  const float noise = draws.uniform(0, .16f);
  DistanceMap map(radius + .5f);
  for (int i = 0; i < figure.count; ++i) map.stroke(figure.strokes[i], place);
  for (int i = 0; i < kPixels; i += 4) {
    std::uint32_t bits = draws.next();
    for (int k = i; k < i + 4; ++k, bits >>= 8) {
      const float cover = std::clamp(radius + .5f - std::sqrt(map[k]), 0.f, 1.f);
      const float grain = (static_cast<float>(bits & 255) - 127.5f) * (noise / 127.5f);
      image[k] = std::clamp(cover * ink + grain, 0.f, 1.f);
    }
  }
  return label;
}

}  // namespace

Digits generate_digits(std::int64_t count, std::uint64_t seed) {
  if (count < 0) {
    throw ValueError("generate_digits: count is at least 0, got " + std::to_string(count));
  }
  Digits digits{xtape::detail::empty(float32, Shape{count, 1, kSide, kSide}),
                xtape::detail::empty(int64, Shape{count})};
  auto* const images = xtape::detail::fresh_data<float>(digits.images);
  auto* const labels = xtape::detail::fresh_data<std::int64_t>(digits.labels);
  xtape::detail::parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      labels[i] = draw_sample(seed, i, images + i * kPixels);
    }
  });
  return digits;
}

}  // namespace xtape::data
