// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/grid_sample.hpp>
#include <xtape/nn/combinators.hpp>
#include <xtape/nn/resampling.hpp>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::Tensors;
using Mode = InterpolateMode;

template <class M>
void agrees(const std::string& name, const M& module) {
  nn_test::check_reference("resampling.safetensors", name, module);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_resampling)

BOOST_AUTO_TEST_CASE(upsample_agrees_with_pytorch) {
  agrees("nearest_1d", nn::Upsample({.scale_factor = 2}));
  agrees("nearest_2d", nn::Upsample({.size = {7, 3}}));
  agrees("nearest_3d", nn::Upsample({.size = {2, 7, 3}}));
  agrees("nearest_factor", nn::Upsample({.scale_factor = {1.6, 2.3}}));
  agrees("nearest_exact", nn::Upsample({.size = {7, 3}, .mode = Mode::nearest_exact}));
  agrees("area", nn::Upsample({.size = {3, 7}, .mode = Mode::area}));
  for (const bool align : {false, true}) {
    const std::string end = align ? "_aligned" : "";
    agrees("linear" + end,
           nn::Upsample({.size = {8}, .mode = Mode::linear, .align_corners = align}));
    agrees("linear_factor" + end,
           nn::Upsample({.scale_factor = 1.7, .mode = Mode::linear, .align_corners = align}));
    agrees("bilinear" + end,
           nn::Upsample({.size = {7, 3}, .mode = Mode::bilinear, .align_corners = align}));
    agrees(
        "bilinear_factor" + end,
        nn::Upsample({.scale_factor = {2, 0.7}, .mode = Mode::bilinear, .align_corners = align}));
    agrees("bicubic" + end,
           nn::Upsample({.size = {7, 3}, .mode = Mode::bicubic, .align_corners = align}));
    agrees("trilinear" + end,
           nn::Upsample({.size = {5, 3, 4}, .mode = Mode::trilinear, .align_corners = align}));
  }
  agrees("recomputed",
         nn::Upsample({.scale_factor = 1.7, .mode = Mode::linear, .recompute_scale_factor = true}));
}

BOOST_AUTO_TEST_CASE(pixels_agree_with_pytorch) {
  agrees("pixel_shuffle", nn::PixelShuffle(2));
  agrees("pixel_unshuffle", nn::PixelUnshuffle(3));
}

BOOST_AUTO_TEST_CASE(grids_agree_with_pytorch) {
  const auto sampled = [](const std::string& name, const GridSampleOptions& o) {
    nn_test::check_reference(
        "resampling.safetensors", "grid_" + name + (o.align_corners ? "_aligned" : ""),
        nn::Identity(),
        [&](nn::Identity&, const Tensors& x) { return Tensors{grid_sample(x[0], x[1], o)}; });
  };
  for (const bool align : {false, true}) {
    sampled("bilinear_zeros", {GridSampleMode::bilinear, GridPadding::zeros, align});
    sampled("bilinear_border", {GridSampleMode::bilinear, GridPadding::border, align});
    sampled("bilinear_reflection", {GridSampleMode::bilinear, GridPadding::reflection, align});
    sampled("nearest_zeros", {GridSampleMode::nearest, GridPadding::zeros, align});
    sampled("nearest_border", {GridSampleMode::nearest, GridPadding::border, align});
    sampled("nearest_reflection", {GridSampleMode::nearest, GridPadding::reflection, align});
    nn_test::check_reference("resampling.safetensors", align ? "affine_aligned" : "affine",
                             nn::Identity(), [&](nn::Identity&, const Tensors& x) {
                               return Tensors{affine_grid(x[0], {2, 1, 3, 4}, align)};
                             });
  }
}

BOOST_AUTO_TEST_SUITE_END()
