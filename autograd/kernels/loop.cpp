// SPDX-License-Identifier: BSD-3-Clause
#include "loop.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "copy.hpp"

namespace xtape::kernels {

void Loop::simplify() noexcept {
  int order[kMaxRank];
  int n = 0;
  for (int i = 0; i < rank; ++i) {
    if (sizes[i] != 1) order[n++] = i;
  }
  // Inserted one by one: they are few and mostly in order, and equal ones must stay so.
  for (int k = 1; k < n; ++k) {
    for (int j = k; j > 0 && strides[0][order[j - 1]] < strides[0][order[j]]; --j) {
      std::swap(order[j - 1], order[j]);
    }
  }
  Loop out;
  out.operands = operands;
  for (int k = 0; k < n; ++k) {
    const int i = order[k];
    bool joins = out.rank > 0;
    for (int o = 0; joins && o < operands; ++o) {
      joins = out.strides[o][out.rank - 1] == strides[o][i] * sizes[i];
    }
    const int at = joins ? out.rank - 1 : out.rank++;
    out.sizes[at] = joins ? out.sizes[at] * sizes[i] : sizes[i];
    for (int o = 0; o < operands; ++o) out.strides[o][at] = strides[o][i];
  }
  if (out.rank == 0) {
    out.rank = 1;
    out.sizes[0] = 1;
    for (int o = 0; o < operands; ++o) out.strides[o][0] = 1;
  }
  rank = out.rank;
  for (int i = 0; i < rank; ++i) sizes[i] = out.sizes[i];
  for (int o = 0; o < operands; ++o) {
    for (int i = 0; i < rank; ++i) strides[o][i] = out.strides[o][i];
  }
}

namespace {

constexpr std::int64_t kBlock = 512;       // elements gathered at a time
constexpr std::int64_t kShortestRow = 64;  // rows below it are gathered into blocks
constexpr std::int64_t kCopyFirst = 1
                                    << 14;  // strided operands above it are copied row-major first

enum class Access : std::uint8_t { flat, constant, gathered };

struct Strips {
  Loop loop;
  std::byte* data[kMaxOperands];
  int item_bytes[kMaxOperands];
  Access access[kMaxOperands];
  StripFunction f;
  const void* context;
};

Access access_of(const Loop& loop, int operand) noexcept {
  const std::int64_t* strides = loop.strides[operand];
  bool constant = true, flat = true;
  std::int64_t dense = 1;
  for (int i = loop.rank - 1; i >= 0; --i) {
    constant = constant && (strides[i] == 0 || loop.sizes[i] == 1);
    flat = flat && (strides[i] == dense || loop.sizes[i] == 1);
    dense *= loop.sizes[i];
  }
  return flat ? Access::flat : constant ? Access::constant : Access::gathered;
}

template <class T>
void gather(const Loop& loop, const std::int64_t* strides, const T* source, std::int64_t begin,
            std::int64_t count, T* out) noexcept {
  std::int64_t index[kMaxRank];
  std::int64_t rest = begin, offset = 0;
  const int last = loop.rank - 1;
  for (int i = last; i >= 0; --i) {
    index[i] = rest % loop.sizes[i];
    rest /= loop.sizes[i];
    offset += index[i] * strides[i];
  }
  while (count > 0) {
    const std::int64_t run = std::min(count, loop.sizes[last] - index[last]);
    const T* s = source + offset;
    const std::int64_t step = strides[last];
    for (std::int64_t j = 0; j < run; ++j) out[j] = s[j * step];
    out += run;
    count -= run;
    index[last] += run;
    offset += run * step;
    for (int i = last; i > 0 && index[i] == loop.sizes[i]; --i) {
      offset += strides[i - 1] - index[i] * strides[i];
      index[i] = 0;
      ++index[i - 1];
    }
  }
}

void gather_any(const Strips& s, int o, std::int64_t begin, std::int64_t count, std::byte* out) {
  const std::int64_t* strides = s.loop.strides[o];
  switch (s.item_bytes[o]) {
    case 1:
      return gather(s.loop, strides, reinterpret_cast<const std::uint8_t*>(s.data[o]), begin, count,
                    reinterpret_cast<std::uint8_t*>(out));
    case 4:
      return gather(s.loop, strides, reinterpret_cast<const std::uint32_t*>(s.data[o]), begin,
                    count, reinterpret_cast<std::uint32_t*>(out));
    default:
      return gather(s.loop, strides, reinterpret_cast<const std::uint64_t*>(s.data[o]), begin,
                    count, reinterpret_cast<std::uint64_t*>(out));
  }
}

// Elements in memory order of the outputs; flat operands are used where they stand.
class Block {
 public:
  Block(const Strips& s, bool gathers)
      : s_(s), scratch_(gathers ? static_cast<std::size_t>(s.loop.operands) * kBlock * 8 : 0) {
    for (int o = 0; o < s.loop.operands; ++o) {
      steps[o] = s.access[o] == Access::constant ? 0 : 1;
    }
  }

  // At most kBlock elements where operands are gathered.
  void move_to(std::int64_t begin, std::int64_t count) {
    for (int o = 0; o < s_.loop.operands; ++o) {
      if (!s_.data[o] || s_.access[o] == Access::constant) {
        pointers[o] = s_.data[o];
      } else if (s_.access[o] == Access::flat) {
        pointers[o] = s_.data[o] + begin * s_.item_bytes[o];
      } else {
        pointers[o] = scratch_.data() + o * kBlock * 8;
        gather_any(s_, o, begin, count, pointers[o]);
      }
    }
  }

  std::byte* pointers[kMaxOperands];
  std::int64_t steps[kMaxOperands];

 private:
  const Strips& s_;
  detail::Scratch<std::byte> scratch_;
};

void run_blocks(const Strips& s, std::int64_t begin, std::int64_t end, bool gathers) {
  Block at(s, gathers);
  const std::int64_t block = gathers ? kBlock : end - begin;
  for (; begin < end; begin += block) {
    const std::int64_t count = std::min(block, end - begin);
    at.move_to(begin, count);
    s.f(s.context, at.pointers, at.steps, count);
  }
}

// Side by side, so that it becomes vector code.
template <class T>
double sum_of(const T* x, std::int64_t count) noexcept {
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int k = 0; k < 8; ++k) sums[k] += static_cast<double>(x[i + k]);
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(x[i]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

double sum_blocks(const Strips& s, std::int64_t begin, std::int64_t end, bool gathers) {
  alignas(64) std::byte values[kBlock * 8];
  Block at(s, gathers);
  at.steps[0] = 1;
  double sum = 0;
  for (; begin < end; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, end - begin);
    at.move_to(begin, count);
    at.pointers[0] = values;
    s.f(s.context, at.pointers, at.steps, count);
    sum += s.item_bytes[0] == 4 ? sum_of(reinterpret_cast<const float*>(values), count)
                                : sum_of(reinterpret_cast<const double*>(values), count);
  }
  return sum;
}

// Whole innermost rows [begin, end); every innermost step is 0 or 1.
void run_rows(const Strips& s, std::int64_t begin, std::int64_t end) {
  const int last = s.loop.rank - 1;
  std::int64_t index[kMaxRank];
  std::int64_t offsets[kMaxOperands] = {};
  std::int64_t rest = begin;
  for (int i = last - 1; i >= 0; --i) {
    index[i] = rest % s.loop.sizes[i];
    rest /= s.loop.sizes[i];
    for (int o = 0; o < s.loop.operands; ++o) offsets[o] += index[i] * s.loop.strides[o][i];
  }
  std::byte* pointers[kMaxOperands];
  std::int64_t steps[kMaxOperands];
  for (int o = 0; o < s.loop.operands; ++o) steps[o] = s.loop.strides[o][last];
  for (; begin < end; ++begin) {
    for (int o = 0; o < s.loop.operands; ++o) {
      pointers[o] = s.data[o] ? s.data[o] + offsets[o] * s.item_bytes[o] : nullptr;
    }
    s.f(s.context, pointers, steps, s.loop.sizes[last]);
    for (int i = last - 1; i >= 0; --i) {
      for (int o = 0; o < s.loop.operands; ++o) offsets[o] += s.loop.strides[o][i];
      if (++index[i] < s.loop.sizes[i]) break;
      for (int o = 0; o < s.loop.operands; ++o) {
        offsets[o] -= s.loop.strides[o][i] * s.loop.sizes[i];
      }
      index[i] = 0;
    }
  }
}

bool rows_serve(const Loop& loop) noexcept {
  const int last = loop.rank - 1;
  if (loop.sizes[last] < kShortestRow) return false;
  for (int o = 0; o < loop.operands; ++o) {
    if (loop.strides[o][last] != 0 && loop.strides[o][last] != 1) return false;
  }
  return true;
}

// A large strided operand read across its memory order would miss the cache at every element: it is
// copied (tiled) into the loop's order, without the dimensions it is broadcast over.
struct Reordered {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  ~Reordered() {
    if (data) detail::deallocate(data, bytes);
  }
  void take(Strips& s, int o) {
    Loop& loop = s.loop;
    std::int64_t dense[kMaxRank], sizes[kMaxRank];
    std::int64_t count = 1;
    for (int i = loop.rank - 1; i >= 0; --i) {
      const bool used = loop.strides[o][i] != 0;
      sizes[i] = used ? loop.sizes[i] : 1;
      dense[i] = used ? count : 0;
      count *= sizes[i];
    }
    bytes = static_cast<std::size_t>(count * s.item_bytes[o]);
    data = static_cast<std::byte*>(detail::allocate(bytes));
    copy_items({sizes, static_cast<std::size_t>(loop.rank)}, s.item_bytes[o], data, dense,
               s.data[o], loop.strides[o]);
    s.data[o] = data;
    std::copy(dense, dense + loop.rank, loop.strides[o]);
  }
};

bool needs_reordering(const Loop& loop, int o) noexcept {
  const std::int64_t step = loop.strides[o][loop.rank - 1];
  if (step == 0 || step == 1 || step == -1) return false;
  std::int64_t count = 1;
  for (int i = 0; i < loop.rank; ++i) count *= loop.strides[o][i] ? loop.sizes[i] : 1;
  return count >= kCopyFirst;
}

// How operands are walked: the first `outputs` decide the order.
struct Walk {
  Strips s;
  std::int64_t count;
  bool flat = true;

  Walk(std::span<const std::int64_t> sizes, std::span<const Operand> operands, int outputs,
       StripFunction f, const void* context) {
    s.f = f;
    s.context = context;
    s.loop.rank = static_cast<int>(sizes.size());
    s.loop.operands = static_cast<int>(operands.size());
    std::copy(sizes.begin(), sizes.end(), s.loop.sizes);
    for (int o = 0; o < s.loop.operands; ++o) {
      s.data[o] = operands[o].data;
      s.item_bytes[o] = operands[o].item_bytes;
      std::copy_n(operands[o].strides, sizes.size(), s.loop.strides[o]);
    }
    count = s.loop.numel();
    if (count == 0) return;
    s.loop.simplify();
    for (int o = 0; o < s.loop.operands; ++o) {
      if (o >= outputs && needs_reordering(s.loop, o)) reordered_[o].take(s, o);
      s.access[o] = access_of(s.loop, o);
      flat = flat && s.access[o] != Access::gathered;
    }
  }

 private:
  Reordered reordered_[kMaxOperands];
};

}  // namespace

void run_strips(std::span<const std::int64_t> sizes, std::span<const Operand> operands, int outputs,
                StripFunction f, const void* context, std::int64_t grain) {
  const Walk walk(sizes, operands, outputs, f, context);
  const Strips& s = walk.s;
  if (walk.count == 0) return;
  if (!walk.flat && rows_serve(s.loop)) {
    const std::int64_t row = s.loop.sizes[s.loop.rank - 1];
    return detail::parallel_for(walk.count / row, std::max<std::int64_t>(1, grain / row),
                                [&](std::int64_t b, std::int64_t e) { run_rows(s, b, e); });
  }
  detail::parallel_for(walk.count, grain,
                       [&](std::int64_t b, std::int64_t e) { run_blocks(s, b, e, !walk.flat); });
}

double sum_strips(std::span<const std::int64_t> sizes, std::span<const Operand> operands,
                  StripFunction f, const void* context, std::int64_t grain) {
  const Walk walk(sizes, operands, 1, f, context);
  if (walk.count == 0) return 0;
  const detail::Scratch<double> parts(static_cast<std::size_t>((walk.count - 1) / grain + 1));
  detail::parallel_for(walk.count, grain, [&](std::int64_t b, std::int64_t e) {
    parts[static_cast<std::size_t>(b / grain)] = sum_blocks(walk.s, b, e, !walk.flat);
  });
  return sum_of(parts.data(), (walk.count - 1) / grain + 1);
}

}  // namespace xtape::kernels
