// SPDX-License-Identifier: BSD-3-Clause
#ifdef XTAPE_HAS_ONEDNN

#include "convolution_onednn.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "../parallel.hpp"
#include "onednn.hpp"
#include "parts.hpp"
#include "winograd.hpp"

namespace xtape::kernels::onednn {
namespace {

using dnnl::memory;
using Bytes = xtape::detail::Scratch<std::byte>;

enum class Pass : std::int64_t { forward, backward_data, backward_weight };

// A tensor as the caller holds it and as the primitive wants it.
struct Operand {
  memory::desc outside, inside;
  dnnl::reorder reorder;
  memory::desc scratchpad;

  bool differs() const { return outside != inside; }
};

struct Plan {
  dnnl::primitive primitive;
  Operand x, weight, y;
  memory::desc bias, scratchpad;
};

// Shape, pass, layouts of x and y, bias or none, precision, threads (oneDNN divides the work
// beforehand).
using Plans = PlanCache<22, Plan>;

Plans& plans() {
  static auto* const plans = new Plans;
  return *plans;
}

// For what our own kernels do not take. Winograd F(4x4, 3x3) halves the time (1.5 to 2.5 times as
// fast with its reorders, see docs/performance.md; error 1e-6 of the output's rms against 2e-7). It
// loses with 16 channels or fewer, which fill no vectors, and with few tiles, which do not repay
// the transformed weights. Padding is the same on both sides, or oneDNN 2.6 gives wrong gradients
// of x (one row above and none below, or the other way).
bool winograd_pays(const ConvolutionShape& s) {
  constexpr std::int64_t kLeastTiles = 48;
  return s.is_plain_3x3() && s.pad_top <= 1 && s.pad_left <= 1 &&
         s.out_height == s.in_height + 2 * s.pad_top - 2 &&
         s.out_width == s.in_width + 2 * s.pad_left - 2 && s.in_channels > 16 &&
         s.out_channels > 16 && winograd::tiles(s) >= kLeastTiles;
}

struct Problem {
  memory::dims x, weight, y, bias, stride, dilation, pad_begin, pad_end;

  explicit Problem(const ConvolutionShape& s)
      : x{s.batch, s.in_channels, s.in_height, s.in_width},
        weight{s.out_channels, s.in_channels / s.groups, s.kernel_height, s.kernel_width},
        y{s.batch, s.out_channels, s.out_height, s.out_width},
        bias{s.out_channels},
        stride{s.stride_height, s.stride_width},
        dilation{s.dilation_height - 1, s.dilation_width - 1},
        pad_begin{s.pad_top, s.pad_left},
        pad_end{end(s.in_height, s.out_height, s.kernel_height, s.stride_height, s.dilation_height,
                    s.pad_top),
                end(s.in_width, s.out_width, s.kernel_width, s.stride_width, s.dilation_width,
                    s.pad_left)} {
    if (s.groups > 1) {
      weight[0] /= s.groups;
      weight.insert(weight.begin(), s.groups);
    }
  }

  static std::int64_t end(std::int64_t in, std::int64_t out, std::int64_t kernel,
                          std::int64_t stride, std::int64_t dilation, std::int64_t begin) {
    const std::int64_t span = (out - 1) * stride + (kernel - 1) * dilation + 1;
    return std::max<std::int64_t>(0, span - in - begin);
  }
};

constexpr auto kFloat = memory::data_type::f32;

memory::desc dense(const memory::dims& dims, Layout layout, memory::data_type type = kFloat) {
  const auto tag =
      layout == Layout::channels_last ? memory::format_tag::nhwc : memory::format_tag::nchw;
  return {dims, type, tag};
}

Operand operand(const memory::desc& outside, const memory::desc& inside, bool is_output) {
  Operand result{outside, inside, {}, {}};
  if (outside == inside) return result;
  const memory::desc& from = is_output ? inside : outside;
  const memory::desc& to = is_output ? outside : inside;
  const dnnl::reorder::primitive_desc desc(engine(), from, engine(), to, attributes());
  result.reorder = dnnl::reorder(desc);
  result.scratchpad = desc.scratchpad_desc();
  return result;
}

template <class Primitive, class Desc>
void set_primitive(Plan& plan, const Desc& desc) {
  if (std::string_view(desc.impl_info_str()).starts_with("ref")) {
    throw dnnl::error(dnnl_unimplemented, "only a reference loop");
  }
  plan.primitive = Primitive(desc);
  plan.scratchpad = desc.scratchpad_desc();
}

// Operands are reordered into bfloat16 where the precision asks for it; results are float32.
std::shared_ptr<const Plan> make_plan(const ConvolutionShape& shape, Pass pass, Layout x_layout,
                                      Layout y_layout, bool has_bias, Precision precision,
                                      dnnl::algorithm algorithm) {
  const Problem p(shape);
  const bool winograd = algorithm == dnnl::algorithm::convolution_winograd;
  const auto read = precision == Precision::full ? kFloat : memory::data_type::bf16;
  const auto type_of = [&](Pass writer) { return pass == writer ? kFloat : read; };
  const auto wish = [&](const memory::dims& dims, memory::data_type type) {
    return winograd ? memory::desc(dims, type, memory::format_tag::any)
                    : dense(dims, Layout::channels_last, type);
  };
  const memory::desc x = wish(p.x, type_of(Pass::backward_data));
  const memory::desc y = wish(p.y, type_of(Pass::forward));
  const memory::desc weight(p.weight, type_of(Pass::backward_weight), memory::format_tag::any);
  const memory::desc bias =
      has_bias ? memory::desc(p.bias, kFloat, memory::format_tag::a) : memory::desc();
  const memory::desc outside_x = dense(p.x, x_layout), outside_y = dense(p.y, y_layout);
  const memory::desc outside_weight(
      p.weight, kFloat, shape.groups > 1 ? memory::format_tag::goihw : memory::format_tag::oihw);

  auto plan = std::make_shared<Plan>();
  plan->bias = bias;
  const auto forward = describe<dnnl::convolution_forward>(
      attributes(), dnnl::prop_kind::forward_training, algorithm, wish(p.x, read),
      memory::desc(p.weight, read, memory::format_tag::any), bias, wish(p.y, kFloat), p.stride,
      p.dilation, p.pad_begin, p.pad_end);
  if (pass == Pass::forward) {
    set_primitive<dnnl::convolution_forward>(*plan, forward);
    plan->x = operand(outside_x, forward.src_desc(), false);
    plan->weight = operand(outside_weight, forward.weights_desc(), false);
    plan->y = operand(outside_y, forward.dst_desc(), true);
  } else if (pass == Pass::backward_data) {
    const auto desc = describe_gradient<dnnl::convolution_backward_data>(
        forward, algorithm, x, weight, y, p.stride, p.dilation, p.pad_begin, p.pad_end);
    set_primitive<dnnl::convolution_backward_data>(*plan, desc);
    plan->x = operand(outside_x, desc.diff_src_desc(), true);
    plan->weight = operand(outside_weight, desc.weights_desc(), false);
    plan->y = operand(outside_y, desc.diff_dst_desc(), false);
  } else {
    const auto desc = describe_gradient<dnnl::convolution_backward_weights>(
        forward, algorithm, x, weight, y, p.stride, p.dilation, p.pad_begin, p.pad_end);
    set_primitive<dnnl::convolution_backward_weights>(*plan, desc);
    plan->x = operand(outside_x, desc.src_desc(), false);
    plan->weight = operand(outside_weight, desc.diff_weights_desc(), true);
    plan->y = operand(outside_y, desc.diff_dst_desc(), false);
  }
  return plan;
}

std::shared_ptr<const Plan> find_plan(const ConvolutionShape& s, Pass pass, Layout x_layout,
                                      Layout y_layout, bool has_bias, Precision precision) {
  const Plans::Key key{s.batch,
                       s.in_channels,
                       s.in_height,
                       s.in_width,
                       s.out_channels,
                       s.out_height,
                       s.out_width,
                       s.kernel_height,
                       s.kernel_width,
                       s.stride_height,
                       s.stride_width,
                       s.pad_top,
                       s.pad_left,
                       s.dilation_height,
                       s.dilation_width,
                       s.groups,
                       static_cast<std::int64_t>(pass),
                       static_cast<std::int64_t>(x_layout),
                       static_cast<std::int64_t>(y_layout),
                       has_bias,
                       static_cast<std::int64_t>(precision),
                       num_threads()};
  return plans().get(key, [&] {
    if (precision == Precision::bfloat16 && !has_bfloat16()) {
      throw dnnl::error(dnnl_unimplemented, "bfloat16 in float32's instructions");
    }
    if (precision == Precision::full && winograd_pays(s)) {
      try {
        return make_plan(s, pass, x_layout, y_layout, has_bias, precision,
                         dnnl::algorithm::convolution_winograd);
      } catch (const dnnl::error& error) {  // this processor has no Winograd kernel
        if (error.status != dnnl_unimplemented) throw;
      }
    }
    return make_plan(s, pass, x_layout, y_layout, has_bias, precision,
                     dnnl::algorithm::convolution_direct);
  });
}

// How many images at once: Winograd's kernels have both sides copied into a layout of their own.
// Copies of few images stay in the cache; of a whole batch they are as much memory as its values.
std::int64_t images_at_once(const ConvolutionShape& s, Precision precision) {
  constexpr std::int64_t kMost = 1 << 20;  // floats, 4 MiB
  if (precision != Precision::full || !winograd_pays(s)) return std::max<std::int64_t>(1, s.batch);
  const std::int64_t image =
      s.in_channels * s.in_height * s.in_width + s.out_channels * s.out_height * s.out_width;
  const std::int64_t parts = (s.batch * image + kMost - 1) / kMost;
  return (s.batch + parts - 1) / parts;
}

// f(part, first element of x, of y) for some images after the others, `images_at_once`; false where
// it says so.
template <class F>
bool some_at_a_time(const ConvolutionShape& s, Precision precision, F&& f) {
  const std::int64_t x_image = s.in_channels * s.in_height * s.in_width;
  const std::int64_t y_image = s.out_channels * s.out_height * s.out_width;
  const std::int64_t images = images_at_once(s, precision);
  for (std::int64_t first = 0; first < s.batch; first += images) {
    ConvolutionShape part = s;
    part.batch = std::min(images, s.batch - first);
    if (!f(part, first * x_image, first * y_image)) return false;
  }
  return true;
}

// An operand of one call, in scratch memory where the primitive wants another layout.
class Bound {
 public:
  Bound(const Operand& operand, const float* data)
      : operand_(operand), outside_(memory_at(operand.outside, data)) {
    if (!operand.differs()) return;
    scratch_.emplace(operand.inside.get_size());
    inside_ = memory_at(operand.inside, scratch_->data());
  }
  /// The operand as the primitive reads or writes it.
  const memory& inside() const { return operand_.differs() ? inside_ : outside_; }
  void read() const { reorder(outside_, inside_); }
  void write() const { reorder(inside_, outside_); }

 private:
  void reorder(const memory& from, const memory& to) const {
    if (!operand_.differs()) return;
    const Bytes scratchpad(operand_.scratchpad.get_size());
    operand_.reorder.execute(
        stream(), {{DNNL_ARG_FROM, from},
                   {DNNL_ARG_TO, to},
                   {DNNL_ARG_SCRATCHPAD, memory_at(operand_.scratchpad, scratchpad.data())}});
  }

  const Operand& operand_;
  memory outside_, inside_;
  std::optional<Bytes> scratch_;
};

bool forward(const ConvolutionShape& shape, const float* x, Layout x_layout, const float* weight,
             const float* bias, float* y, Layout y_layout, Precision precision) {
  const auto plan = find_plan(shape, Pass::forward, x_layout, y_layout, bias != nullptr, precision);
  if (!plan) return false;
  const Bound bound_x(plan->x, x), bound_weight(plan->weight, weight), bound_y(plan->y, y);
  const Bytes scratchpad(plan->scratchpad.get_size());
  bound_x.read();
  bound_weight.read();
  plan->primitive.execute(stream(),
                          {{DNNL_ARG_SRC, bound_x.inside()},
                           {DNNL_ARG_WEIGHTS, bound_weight.inside()},
                           {DNNL_ARG_BIAS, memory_at(plan->bias, bias)},
                           {DNNL_ARG_DST, bound_y.inside()},
                           {DNNL_ARG_SCRATCHPAD, memory_at(plan->scratchpad, scratchpad.data())}});
  bound_y.write();
  return true;
}

bool backward_data(const ConvolutionShape& shape, const float* gy, Layout gy_layout,
                   const float* weight, float* gx, Layout gx_layout, Precision precision) {
  const auto plan = find_plan(shape, Pass::backward_data, gx_layout, gy_layout, false, precision);
  if (!plan) return false;
  const Bound bound_y(plan->y, gy), bound_weight(plan->weight, weight), bound_x(plan->x, gx);
  const Bytes scratchpad(plan->scratchpad.get_size());
  bound_y.read();
  bound_weight.read();
  plan->primitive.execute(stream(),
                          {{DNNL_ARG_DIFF_DST, bound_y.inside()},
                           {DNNL_ARG_WEIGHTS, bound_weight.inside()},
                           {DNNL_ARG_DIFF_SRC, bound_x.inside()},
                           {DNNL_ARG_SCRATCHPAD, memory_at(plan->scratchpad, scratchpad.data())}});
  bound_x.write();
  return true;
}

bool backward_weight(const ConvolutionShape& shape, const float* x, Layout x_layout,
                     const float* gy, Layout gy_layout, float* gweight, Precision precision) {
  const auto plan = find_plan(shape, Pass::backward_weight, x_layout, gy_layout, false, precision);
  if (!plan) return false;
  const Bound bound_x(plan->x, x), bound_y(plan->y, gy), bound_weight(plan->weight, gweight);
  const Bytes scratchpad(plan->scratchpad.get_size());
  bound_x.read();
  bound_y.read();
  plan->primitive.execute(stream(),
                          {{DNNL_ARG_SRC, bound_x.inside()},
                           {DNNL_ARG_DIFF_DST, bound_y.inside()},
                           {DNNL_ARG_DIFF_WEIGHTS, bound_weight.inside()},
                           {DNNL_ARG_SCRATCHPAD, memory_at(plan->scratchpad, scratchpad.data())}});
  bound_weight.write();
  return true;
}

}  // namespace

bool convolution_forward(const ConvolutionShape& shape, const float* x, Layout x_layout,
                         const float* weight, const float* bias, float* y, Layout y_layout,
                         Precision precision) {
  return some_at_a_time(shape, precision, [&](const ConvolutionShape& part, auto at_x, auto at_y) {
    return forward(part, x + at_x, x_layout, weight, bias, y + at_y, y_layout, precision);
  });
}

bool convolution_backward_data(const ConvolutionShape& shape, const float* gy, Layout gy_layout,
                               const float* weight, float* gx, Layout gx_layout,
                               Precision precision) {
  return some_at_a_time(shape, precision, [&](const ConvolutionShape& part, auto at_x, auto at_y) {
    return backward_data(part, gy + at_y, gy_layout, weight, gx + at_x, gx_layout, precision);
  });
}

bool convolution_backward_weight(const ConvolutionShape& shape, const float* x, Layout x_layout,
                                 const float* gy, Layout gy_layout, float* gweight,
                                 Precision precision) {
  const std::int64_t images = images_at_once(shape, precision);
  const std::int64_t parts = (shape.batch + images - 1) / images;
  const PartialSums<float> sums(parts, shape.out_channels * shape.depth(), gweight);
  std::int64_t number = 0;
  const bool done = some_at_a_time(shape, precision, [&](const auto& part, auto at_x, auto at_y) {
    return backward_weight(part, x + at_x, x_layout, gy + at_y, gy_layout, sums.of(number++),
                           precision);
  });
  if (done) sums.add_up();
  return done;
}

}  // namespace xtape::kernels::onednn

#endif
