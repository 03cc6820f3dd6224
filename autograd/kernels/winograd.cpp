// SPDX-License-Identifier: BSD-3-Clause
#include "winograd.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "../parallel.hpp"
#include "lane.hpp"
#include "parts.hpp"
#include "rows.hpp"
#include "transpose.hpp"

namespace xtape::kernels::winograd {
namespace {

using V = Lane<float>;
using Numbers = xtape::detail::Scratch<float>;
using xtape::detail::parallel_for;

constexpr std::int64_t W = V::kSize;  // channels of a block, side by side
constexpr std::int64_t kTiles = 16;   // tiles of a panel at most: as many sums as registers hold
constexpr std::int64_t kPlaces = 36;  // of a tile in the transformed domain
// Between places; the 16 numbers more, since powers of two would share sets of the cache.
constexpr std::int64_t kStep = kTiles * W + 16;
constexpr std::int64_t kBlock = kPlaces * kStep;

// --- transforms: polynomials evaluated at 0, a, -a, b, -b and infinity ---------------------------

constexpr double a = 0.625, b = 1.5;
constexpr double a2 = a * a, b2 = b * b, a3 = a2 * a, b3 = b2 * b;
// What the Lagrange polynomials are divided by.
constexpr double n0 = a2 * b2, na = 2 * a2 * (a2 - b2), nb = 2 * b2 * (b2 - a2);

// Six inputs of a row of a tile.
struct OfInput {
  static constexpr int kSize = 6;
  static void apply(const V (&x)[6], V (&t)[6]) {
    const V even_a = x[4] - x[2] * b2, odd_a = x[3] - x[1] * b2;
    const V even_b = x[4] - x[2] * a2, odd_b = x[3] - x[1] * a2;
    t[0] = x[0] * (a2 * b2) + (x[4] - x[2] * (a2 + b2));
    t[1] = even_a + odd_a * a;
    t[2] = even_a - odd_a * a;
    t[3] = even_b + odd_b * b;
    t[4] = even_b - odd_b * b;
    t[5] = x[1] * (a2 * b2) + (x[5] - x[3] * (a2 + b2));
  }
};

// Four gradients of outputs.
struct OfGradient {
  static constexpr int kSize = 4;
  static void apply(const V (&g)[4], V (&t)[6]) {
    const V even_a = g[0] + g[2] * a2, odd_a = g[1] * a + g[3] * a3;
    const V even_b = g[0] + g[2] * b2, odd_b = g[1] * b + g[3] * b3;
    t[0] = g[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = g[3];
  }
};

// Three weights.
struct OfWeight {
  static constexpr int kSize = 3;
  static void apply(const V (&w)[3], V (&t)[6]) {
    const V even_a = w[0] * (1 / na) + w[2] * (a2 / na), odd_a = w[1] * (a / na);
    const V even_b = w[0] * (1 / nb) + w[2] * (b2 / nb), odd_b = w[1] * (b / nb);
    t[0] = w[0] * (1 / n0);
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = w[2];
  }
};

// Back to four outputs.
struct ToOutput {
  static constexpr int kSize = 4;
  static void apply(const V (&t)[6], V (&y)[4]) {
    const V even_a = t[1] + t[2], odd_a = t[1] - t[2];
    const V even_b = t[3] + t[4], odd_b = t[3] - t[4];
    y[0] = t[0] + even_a + even_b;
    y[1] = odd_a * a + odd_b * b;
    y[2] = even_a * a2 + even_b * b2;
    y[3] = odd_a * a3 + odd_b * b3 + t[5];
  }
};

// Back to the gradients of three weights.
struct ToWeight {
  static constexpr int kSize = 3;
  static void apply(const V (&t)[6], V (&w)[3]) {
    const V even_a = t[1] + t[2], odd_a = t[1] - t[2];
    const V even_b = t[3] + t[4], odd_b = t[3] - t[4];
    w[0] = t[0] * (1 / n0) + even_a * (1 / na) + even_b * (1 / nb);
    w[1] = odd_a * (a / na) + odd_b * (b / nb);
    w[2] = even_a * (a2 / na) + even_b * (b2 / nb) + t[5];
  }
};

// Rows P and Q of a tile of load(row, column) to their places, `step` apart.
template <class T, int P, int Q, class Load>
[[gnu::always_inline]] inline void spread_rows(Load load, float* places, std::int64_t step) {
  V p[T::kSize], q[T::kSize], out[6];
#pragma GCC unroll 6
  for (int j = 0; j < T::kSize; ++j) {
    V in[T::kSize];
#pragma GCC unroll 6
    for (int i = 0; i < T::kSize; ++i) in[i] = load(i, j);
    T::apply(in, out);
    p[j] = out[P];
    q[j] = out[Q];
  }
  T::apply(p, out);
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) out[j].store(places + (6 * P + j) * step);
  T::apply(q, out);
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) out[j].store(places + (6 * Q + j) * step);
}

// All places of a tile, in pairs of rows that share their sums: so all fits into registers, and
// reading the tile again costs less than 36 numbers in memory would.
template <class T, class Load>
[[gnu::always_inline]] inline void spread(Load load, float* places, std::int64_t step) {
  spread_rows<T, 1, 2>(load, places, step);
  spread_rows<T, 3, 4>(load, places, step);
  spread_rows<T, 0, 5>(load, places, step);
}

// The way back: store(row, column, value).
template <class T, class Store>
[[gnu::always_inline]] inline void collect(const float* places, std::int64_t step, Store store) {
  V down[T::kSize][6];
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) {
    V in[6], out[T::kSize];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) in[i] = V::load(places + (6 * i + j) * step);
    T::apply(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < T::kSize; ++i) down[i][j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < T::kSize; ++i) {
    V out[T::kSize];
    T::apply(down[i], out);
#pragma GCC unroll 6
    for (int j = 0; j < T::kSize; ++j) store(i, j, out[j]);
  }
}

// --- pictures and tiles --------------------------------------------------------------------------

struct Picture {
  std::int64_t height, width, channels;
  std::int64_t row() const { return width * channels; }
};

std::int64_t ceil_div(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

// The tiles of a batch, numbered image by image. They are computed in panels, these in pieces that
// threads take.
struct Grid {
  std::int64_t across, down, count;
  std::int64_t of_panel = kTiles;  // tiles
  std::int64_t of_piece = 1;       // panels

  explicit Grid(std::int64_t batch, const Picture& out)
      : across(ceil_div(out.width, 4)),
        down(ceil_div(out.height, 4)),
        count(batch * across * down) {}

  // About so many pieces of one size, an even number: two threads have the same to do, and few
  // tiles of the last panel are multiplied for nothing.
  void divide(std::int64_t pieces) {
    const std::int64_t tiles = ceil_div(count, pieces < 2 ? 1 : (pieces + 1) / 2 * 2);
    of_piece = ceil_div(tiles, kTiles);
    of_panel = ceil_div(tiles, of_piece);
  }
  std::int64_t panels() const { return ceil_div(count, of_panel); }
  // Those of a panel from tile `first` on that the batch has.
  std::int64_t tiles_from(std::int64_t first) const { return std::min(of_panel, count - first); }
  std::int64_t image(std::int64_t tile) const { return tile / (across * down); }
  std::int64_t top(std::int64_t tile) const { return tile / across % down * 4; }
  std::int64_t left(std::int64_t tile) const { return tile % across * 4; }
};

// What lies outside of a picture.
class Zeros {
 public:
  explicit Zeros(std::int64_t channels) : numbers_(static_cast<std::size_t>(channels)) {
    std::fill_n(numbers_.data(), channels, 0.0f);
  }
  const float* data() const { return numbers_.data(); }

 private:
  Numbers numbers_;
};

// Transformed tensors are held by panels: [blocks of channels][places][kTiles][W].
std::int64_t panel_size(const Picture& p) { return p.channels / W * kBlock; }

// Transforms the tiles from `first` on, those beyond the last as zeros; `pad` lies above and to the
// left of the first. `zeros` has a number for each channel.
template <class T>
void spread_panel(const Grid& grid, const Picture& in, const float* x, std::int64_t pad_top,
                  std::int64_t pad_left, const float* zeros, std::int64_t first, float* panel) {
  constexpr int N = T::kSize;
  const std::int64_t blocks = in.channels / W;
  const std::int64_t tiles = grid.tiles_from(first);
  if (tiles < grid.of_panel) std::fill_n(panel, panel_size(in), 0.0f);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t tile = first + t;
    const std::int64_t top = grid.top(tile) - pad_top, left = grid.left(tile) - pad_left;
    const float* const picture = x + grid.image(tile) * in.height * in.row();
    float* const places = panel + t * W;
    if (top >= 0 && left >= 0 && top + N <= in.height && left + N <= in.width) {
      const float* const corner = picture + top * in.row() + left * in.channels;
      for (std::int64_t k = 0; k < blocks; ++k) {
        const auto at = [&](int i, int j) {
          return V::load(corner + k * W + i * in.row() + j * in.channels);
        };
        spread<T>(at, places + k * kBlock, kStep);
      }
      continue;
    }
    const float* elements[N][N];
    for (int i = 0; i < N; ++i) {
      const std::int64_t h = top + i;
      const bool outside = h < 0 || h >= in.height;
      for (int j = 0; j < N; ++j) {
        const std::int64_t w = left + j;
        elements[i][j] =
            outside || w < 0 || w >= in.width ? zeros : picture + h * in.row() + w * in.channels;
      }
    }
    for (std::int64_t k = 0; k < blocks; ++k) {
      const auto at = [&](int i, int j) { return V::load(elements[i][j] + k * W); };
      spread<T>(at, places + k * kBlock, kStep);
    }
  }
}

// Writes the outputs of a panel's tiles.
void collect_panel(const Grid& grid, const Picture& out, const float* bias, std::int64_t first,
                   const float* panel, float* y) {
  for (std::int64_t t = 0; t < grid.tiles_from(first); ++t) {
    const std::int64_t tile = first + t, top = grid.top(tile), left = grid.left(tile);
    const std::int64_t rows = out.height - top, columns = out.width - left;
    float* const corner =
        y + grid.image(tile) * out.height * out.row() + top * out.row() + left * out.channels;
    for (std::int64_t k = 0; k < out.channels / W; ++k) {
      const V shift = bias ? V::load(bias + k * W) : V(0.0);
      const float* const places = panel + k * kBlock + t * W;
      const auto store = [&](int i, int j, const V& v) {
        (v + shift).store(corner + k * W + i * out.row() + j * out.channels);
      };
      if (rows >= 4 && columns >= 4) {
        collect<ToOutput>(places, kStep, store);
      } else {
        collect<ToOutput>(places, kStep, [&](int i, int j, const V& v) {
          if (i < rows && j < columns) store(i, j, v);
        });
      }
    }
  }
}

// Transformed weights: [places][blocks of outputs][inputs][W], places this far apart, for the same
// reason not a power of two.
std::int64_t weight_step(std::int64_t in, std::int64_t out) { return in * out + W; }

// --- products ------------------------------------------------------------------------------------

// y[t] = sum over c of x[t][c] weight[c], a vector each
template <std::int64_t Tiles>
void multiply_block(const float* x, std::int64_t blocks, const float* weight, float* y) {
  V sum[Tiles];
#pragma GCC unroll 16
  for (int t = 0; t < Tiles; ++t) sum[t] = V(0.0);
  for (std::int64_t b = 0; b < blocks; ++b, x += kBlock) {
    for (std::int64_t c = 0; c < W; ++c, weight += W) {
      const V w = V::load(weight);
#pragma GCC unroll 16
      for (int t = 0; t < Tiles; ++t) sum[t] = V(V::Batch(x[t * W + c])) * w + sum[t];
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < Tiles; ++t) sum[t].store(y + t * W);
}

// y[block][place] = x[place] weight[place][block], of `tiles` tiles
void multiply(std::int64_t tiles, const float* x, std::int64_t in_blocks, const float* weight,
              std::int64_t out_blocks, float* y) {
  constexpr auto kOf = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{multiply_block<I + 1>...};
  }
  (std::make_index_sequence<kTiles>{});
  const auto of_tiles = kOf[static_cast<std::size_t>(tiles - 1)];
  for (std::int64_t place = 0; place < kPlaces; ++place) {
    const float* of_block = weight + place * weight_step(in_blocks * W, out_blocks * W);
    for (std::int64_t k = 0; k < out_blocks; ++k, of_block += in_blocks * W * W) {
      of_tiles(x + place * kStep, in_blocks, of_block, y + k * kBlock + place * kStep);
    }
  }
}

// sum[c] += over the panel's tiles of x[t][c] g[t], a vector each
void add_outer_block(std::int64_t tiles, const float* x, const float* g, float* sum) {
  V total[W];
#pragma GCC unroll 16
  for (int c = 0; c < W; ++c) total[c] = V::load(sum + c * W);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const V gradient = V::load(g + t * W);
#pragma GCC unroll 16
    for (int c = 0; c < W; ++c) total[c] = V(V::Batch(x[t * W + c])) * gradient + total[c];
  }
#pragma GCC unroll 16
  for (int c = 0; c < W; ++c) total[c].store(sum + c * W);
}

// sum[place][block] += what `panels` panels of `tiles` tiles give
void add_outer(std::int64_t panels, std::int64_t tiles, const float* x, std::int64_t in_blocks,
               const float* g, std::int64_t out_blocks, float* sum) {
  for (std::int64_t place = 0; place < kPlaces; ++place) {
    float* of_block = sum + place * weight_step(in_blocks * W, out_blocks * W);
    for (std::int64_t k = 0; k < out_blocks; ++k) {
      for (std::int64_t c = 0; c < in_blocks; ++c, of_block += W * W) {
        for (std::int64_t p = 0; p < panels; ++p) {
          add_outer_block(tiles, x + (p * in_blocks + c) * kBlock + place * kStep,
                          g + (p * out_blocks + k) * kBlock + place * kStep, of_block);
        }
      }
    }
  }
}

// --- whole convolutions --------------------------------------------------------------------------

// The nine numbers of W outputs, each output's side by side, those of two outputs `step` apart, as
// nine vectors and back.
void load_taps(const float* weight, std::int64_t step, V (&taps)[9]) {
  for (std::int64_t i = 0; i < 9; i += W) {
    const Part<float> part{std::min(W, 9 - i)};
    Square<float> square;
#pragma GCC unroll 16
    for (std::int64_t o = 0; o < W; ++o) {
      square.rows[o] = part.load(weight + o * step + i, 0.0f).batch;
    }
    square.transpose();
    for (std::int64_t j = 0; j < part.count; ++j) taps[i + j] = V(square.rows[j]);
  }
}
void store_taps(const V (&taps)[9], float* weight, std::int64_t step) {
  for (std::int64_t i = 0; i < 9; i += W) {
    const Part<float> part{std::min(W, 9 - i)};
    Square<float> square;
    for (std::int64_t j = 0; j < part.count; ++j) square.rows[j] = taps[i + j].batch;
    square.transpose();
#pragma GCC unroll 16
    for (std::int64_t o = 0; o < W; ++o) part.store(V(square.rows[o]), weight + o * step + i);
  }
}

// The weight of a convolution from `in` to `out` channels: the nine numbers of (output, input)
// begin at o * out_step + c * in_step, in reverse order if `flipped`.
struct Weight {
  const float* data;
  std::int64_t in, out, in_step, out_step;
  bool flipped;

  std::size_t places() const { return static_cast<std::size_t>(kPlaces * weight_step(in, out)); }
};

void spread_weight(const Weight& w, float* places) {
  const std::int64_t grain = std::max<std::int64_t>(1, 4096 / (W * w.in));
  parallel_for(w.out / W, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      for (std::int64_t c = 0; c < w.in; ++c) {
        V taps[9];
        load_taps(w.data + k * W * w.out_step + c * w.in_step, w.out_step, taps);
        if (w.flipped) std::reverse(taps, taps + 9);
        spread<OfWeight>([&](int i, int j) { return taps[3 * i + j]; }, places + (k * w.in + c) * W,
                         weight_step(w.in, w.out));
      }
    }
  });
}

// y = x * weight + bias
void convolve(std::int64_t batch, const Picture& in, const float* x, std::int64_t pad_top,
              std::int64_t pad_left, const Weight& weight, const float* bias, const Picture& out,
              float* y) {
  constexpr std::int64_t kPieceWork = 1 << 15;  // products of channels, for each place
  Grid grid(batch, out);
  grid.divide(std::min(grid.count * in.channels * out.channels / kPieceWork,
                       std::max<std::int64_t>(2, ceil_div(grid.count, kTiles))));
  const Zeros zeros(in.channels);
  // Of two pieces each transforms the whole weight for itself: one thread would take as long, while
  // the other waits to read it from the former's cache.
  const bool each = num_threads() > 1 && ceil_div(grid.panels(), grid.of_piece) == 2;
  const Numbers places((each ? 2 : 1) * weight.places());
  if (!each) spread_weight(weight, places.data());
  parallel_for(grid.panels(), grid.of_piece, [&](std::int64_t begin, std::int64_t end) {
    float* const own = places.data() + (each && begin > 0 ? weight.places() : 0);
    if (each) spread_weight(weight, own);
    const Numbers inputs(static_cast<std::size_t>(panel_size(in)));
    const Numbers outputs(static_cast<std::size_t>(panel_size(out)));
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * grid.of_panel;
      spread_panel<OfInput>(grid, in, x, pad_top, pad_left, zeros.data(), first, inputs.data());
      multiply(grid.of_panel, inputs.data(), in.channels / W, own, out.channels / W,
               outputs.data());
      collect_panel(grid, out, bias, first, outputs.data(), y);
    }
  });
}

Picture input_of(const ConvolutionShape& s) { return {s.in_height, s.in_width, s.in_channels}; }
Picture output_of(const ConvolutionShape& s) { return {s.out_height, s.out_width, s.out_channels}; }

std::size_t weight_places(const ConvolutionShape& s) {
  return static_cast<std::size_t>(kPlaces * weight_step(s.in_channels, s.out_channels));
}

}  // namespace

bool serves(const ConvolutionShape& s) {
  return s.is_plain_3x3() && s.pad_top <= 2 && s.pad_left <= 2 && s.in_channels % W == 0 &&
         s.out_channels % W == 0 && volume(s.x_sizes()) > 0 && volume(s.y_sizes()) > 0;
}

bool pays(const ConvolutionShape& s) {
  constexpr std::int64_t kMostWeights = 64 * 64;
  return W == 16 && serves(s) && s.in_channels * s.out_channels <= kMostWeights &&
         tiles(s) >= kTiles;
}

void convolution_forward(const ConvolutionShape& s, const float* x, const float* weight,
                         const float* bias, float* y) {
  const Weight of{weight, s.in_channels, s.out_channels, 9, s.in_channels * 9, false};
  convolve(s.batch, input_of(s), x, s.pad_top, s.pad_left, of, bias, output_of(s), y);
}

// The convolution of gy, padded by what is left of the kernel, with the weight turned around.
void convolution_backward_data(const ConvolutionShape& s, const float* gy, const float* weight,
                               float* gx) {
  const Weight of{weight, s.out_channels, s.in_channels, s.in_channels * 9, 9, true};
  convolve(s.batch, output_of(s), gy, 2 - s.pad_top, 2 - s.pad_left, of, nullptr, input_of(s), gx);
}

void convolution_backward_weight(const ConvolutionShape& s, const float* x, const float* gy,
                                 float* gweight) {
  const Picture in = input_of(s), out = output_of(s);
  // Panels taken at once, so that a block of sums is loaded once for them.
  const std::int64_t at_once =
      std::max<std::int64_t>(1, 64 / std::max(s.in_channels, s.out_channels));
  const std::int64_t most_sums = s.in_channels * s.out_channels <= 1024 ? 8 : 4;
  Grid grid(s.batch, out);
  grid.divide(std::min(most_sums, ceil_div(grid.count, kTiles)));
  const std::int64_t pieces = ceil_div(grid.panels(), grid.of_piece);
  const auto count = static_cast<std::int64_t>(weight_places(s));
  const Zeros zeros(std::max(s.in_channels, s.out_channels));
  const Numbers places(weight_places(s));
  const PartialSums<float> sums(pieces, count, places.data());
  parallel_for(pieces, 1, [&](std::int64_t first, std::int64_t last) {
    const Numbers inputs(static_cast<std::size_t>(at_once * panel_size(in)));
    const Numbers gradients(static_cast<std::size_t>(at_once * panel_size(out)));
    for (std::int64_t piece = first; piece < last; ++piece) {
      std::fill_n(sums.of(piece), count, 0.0f);
      const std::int64_t end = std::min(grid.panels(), (piece + 1) * grid.of_piece);
      for (std::int64_t p = piece * grid.of_piece; p < end; p += at_once) {
        const std::int64_t panels = std::min(at_once, end - p);
        for (std::int64_t i = 0; i < panels; ++i) {
          const std::int64_t tile = (p + i) * grid.of_panel;
          spread_panel<OfInput>(grid, in, x, s.pad_top, s.pad_left, zeros.data(), tile,
                                inputs.data() + i * panel_size(in));
          spread_panel<OfGradient>(grid, out, gy, 0, 0, zeros.data(), tile,
                                   gradients.data() + i * panel_size(out));
        }
        add_outer(panels, grid.of_panel, inputs.data(), s.in_channels / W, gradients.data(),
                  s.out_channels / W, sums.of(piece));
      }
    }
  });
  sums.add_up();
  for (std::int64_t k = 0; k < s.out_channels / W; ++k) {
    for (std::int64_t c = 0; c < s.in_channels; ++c) {
      V taps[9];
      collect<ToWeight>(places.data() + (k * s.in_channels + c) * W,
                        weight_step(s.in_channels, s.out_channels),
                        [&](int i, int j, const V& v) { taps[3 * i + j] = v; });
      store_taps(taps, gweight + (k * W * s.in_channels + c) * 9, s.in_channels * 9);
    }
  }
}

}  // namespace xtape::kernels::winograd
