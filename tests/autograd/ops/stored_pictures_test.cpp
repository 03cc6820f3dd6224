// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/attention.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/grid_sample.hpp>
#include <xtape/autograd/ops/normalization.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/resampling.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Tensor sampled(const Tensor& x, const Tensor& grid, GridPadding padding, bool align_corners,
               GridSampleMode mode = GridSampleMode::bilinear) {
  return grid_sample(x, grid, {mode, padding, align_corners});
}

Tensor bicubic(const Tensor& x, const Tensor& grid, GridPadding padding, bool align_corners) {
  return sampled(x, grid, padding, align_corners, GridSampleMode::bicubic);
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, bool is_causal) {
  return scaled_dot_product_attention(q, k, v, {.is_causal = is_causal});
}

const StoredCases cases(
    "pictures.safetensors",
    {
        {"conv1d", XTAPE_CALL(conv1d(a, b, c))},
        {"conv1d.same", XTAPE_CALL(conv1d(a, b, c, {.padding = same, .dilation = 2}))},
        {"conv2d", XTAPE_CALL(conv2d(a, b, c))},
        {"conv2d.options", XTAPE_CALL(conv2d(a, b, c,
                                             {.stride = {2, 1},
                                              .padding = ConvPadding<Size2>(1, 2),
                                              .dilation = {1, 2}}))},
        {"conv2d.groups", XTAPE_CALL(conv2d(a, b, c, {.padding = 1, .groups = 2}))},
        {"conv2d.depthwise", XTAPE_CALL(conv2d(a, b, c, {.stride = 2, .groups = 4}))},
        {"conv3d", XTAPE_CALL(conv3d(a, b, c))},
        {"conv3d.options", XTAPE_CALL(conv3d(a, b, c, {.stride = 2, .padding = 1, .groups = 2}))},
        {"conv_transpose1d",
         XTAPE_CALL(conv_transpose1d(
             a, b, c, {.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2}))},
        {"conv_transpose2d", XTAPE_CALL(conv_transpose2d(a, b, c))},
        {"conv_transpose2d.options",
         XTAPE_CALL(conv_transpose2d(
             a, b, c, {.stride = 2, .padding = 1, .output_padding = {1, 0}, .groups = 2}))},
        {"max_pool1d", XTAPE_CALL(max_pool1d_with_indices(
                           a, 3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}))},
        {"max_pool2d", XTAPE_CALL(max_pool2d_with_indices(a, 3, {.stride = 2, .padding = 1}))},
        {"max_unpool1d", XTAPE_CALL(max_unpool1d(a, b, 2, {.stride = 3}))},
        {"max_unpool2d",
         XTAPE_CALL(max_unpool2d(a, b, {2, 3}, {.padding = {0, 1}, .output_size = {5, 4}}))},
        {"avg_pool1d",
         XTAPE_CALL(avg_pool1d(a, 3, {.stride = 2, .padding = 1, .ceil_mode = true}))},
        {"avg_pool2d", XTAPE_CALL(avg_pool2d(a, 2, {.divisor_override = 3}))},
        {"lp_pool1d", XTAPE_CALL(lp_pool1d(a, 3, 2, {.ceil_mode = true}))},
        {"lp_pool2d", XTAPE_CALL(lp_pool2d(a, 2, {2, 3}, {.stride = 2}))},
        {"adaptive_avg_pool1d", XTAPE_CALL(adaptive_avg_pool1d(a, 3))},
        {"adaptive_avg_pool2d", XTAPE_CALL(adaptive_avg_pool2d(a, {3, 2}))},
        {"adaptive_max_pool1d", XTAPE_CALL(adaptive_max_pool1d_with_indices(a, 3))},
        {"adaptive_max_pool2d", XTAPE_CALL(adaptive_max_pool2d_with_indices(a, {3, 2}))},
        {"interpolate", XTAPE_CALL(interpolate(a, {.size = {5, 3}}))},
        {"interpolate.linear",
         XTAPE_CALL(interpolate(a, {.size = {7}, .mode = InterpolateMode::linear}))},
        {"interpolate.bilinear", XTAPE_CALL(interpolate(a, {.scale_factor = {1.5, 0.75},
                                                            .mode = InterpolateMode::bilinear}))},
        {"interpolate.align_corners", XTAPE_CALL(interpolate(a, {.size = {5, 7},
                                                                 .mode = InterpolateMode::bilinear,
                                                                 .align_corners = true}))},
        {"interpolate.bicubic",
         XTAPE_CALL(interpolate(a, {.size = {6, 3}, .mode = InterpolateMode::bicubic}))},
        {"interpolate.antialias", XTAPE_CALL(interpolate(a, {.size = {3, 5},
                                                             .mode = InterpolateMode::bilinear,
                                                             .antialias = true}))},
        {"interpolate.antialias_bicubic",
         XTAPE_CALL(interpolate(a, {.scale_factor = {0.6, 0.35},
                                    .mode = InterpolateMode::bicubic,
                                    .antialias = true}))},
        {"interpolate.antialias_aligned",
         XTAPE_CALL(interpolate(a, {.size = {3, 5},
                                    .mode = InterpolateMode::bicubic,
                                    .align_corners = true,
                                    .antialias = true}))},
        {"interpolate.area",
         XTAPE_CALL(interpolate(a, {.size = {2, 3}, .mode = InterpolateMode::area}))},
        {"pixel_shuffle", XTAPE_CALL(pixel_shuffle(a, 2))},
        {"pixel_unshuffle", XTAPE_CALL(pixel_unshuffle(a, 3))},
        {"grid_sample", XTAPE_CALL(sampled(a, b, GridPadding::zeros, false))},
        {"grid_sample.border", XTAPE_CALL(sampled(a, b, GridPadding::border, true))},
        {"grid_sample.reflection", XTAPE_CALL(sampled(a, b, GridPadding::reflection, false))},
        {"grid_sample.bicubic", XTAPE_CALL(bicubic(a, b, GridPadding::zeros, true))},
        {"grid_sample.bicubic_border", XTAPE_CALL(bicubic(a, b, GridPadding::border, false))},
        {"grid_sample.bicubic_reflection",
         XTAPE_CALL(bicubic(a, b, GridPadding::reflection, true))},
        {"affine_grid", XTAPE_CALL(affine_grid(a, {2, 1, 3, 4}))},
        {"affine_grid.align_corners", XTAPE_CALL(affine_grid(a, {2, 1, 3, 4}, true))},
        {"layer_norm", XTAPE_CALL(layer_norm(a, {3, 4}, b, c))},
        {"layer_norm.plain", XTAPE_CALL(layer_norm(a, {4}, {}, {}, 0.1))},
        {"rms_norm", XTAPE_CALL(rms_norm(a, {4}, b, 0.1))},
        {"group_norm", XTAPE_CALL(group_norm(a, 2, b, c))},
        {"instance_norm", XTAPE_CALL(instance_norm(a, {}, {}, b, c))},
        {"batch_norm", XTAPE_CALL(batch_norm(a, {}, {}, b, c, {.training = true, .eps = 0.1}))},
        {"batch_norm.running", XTAPE_CALL(batch_norm(a, b, c))},
        {"local_response_norm", XTAPE_CALL(local_response_norm(a, 3, 0.5, 0.6, 2))},
        {"scaled_dot_product_attention", XTAPE_CALL(attention(a, b, c, false))},
        {"scaled_dot_product_attention.causal", XTAPE_CALL(attention(a, b, c, true))},
    });

}  // namespace
