// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/nn/normalization.hpp>

#include <optional>

#include "modules.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

const std::string kFile = "norms.safetensors";

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_normalization)

BOOST_AUTO_TEST_CASE(batch_norm_is_pytorchs) {
  for (const bool training : {true, false}) {
    const std::string mode = training ? "train" : "eval";
    const auto check = [&](const std::string& name, const auto& module) {
      check_reference(kFile, "batch_norm_" + name + "_" + mode, module, training);
    };
    check("1d", nn::BatchNorm1d(4));
    check("1d_long", nn::BatchNorm1d(4));
    check("2d", nn::BatchNorm2d(4, {.momentum = 0.3}));
    check("3d", nn::BatchNorm3d(4, {.eps = 1e-3}));
    check("plain", nn::BatchNorm2d(4, {.affine = false}));
    check("cumulative", nn::BatchNorm2d(4, {.momentum = std::nullopt}));
    check("untracked", nn::BatchNorm2d(4, {.track_running_stats = false}));
  }
}

BOOST_AUTO_TEST_CASE(instance_norm_is_pytorchs) {
  for (const bool training : {true, false}) {
    const std::string mode = training ? "train" : "eval";
    check_reference(kFile, "instance_norm_1d_" + mode, nn::InstanceNorm1d(4), training);
    check_reference(kFile, "instance_norm_2d_" + mode,
                    nn::InstanceNorm2d(4, {.affine = true, .track_running_stats = true}), training);
  }
}

BOOST_AUTO_TEST_CASE(other_norms_are_pytorchs) {
  check_reference(kFile, "layer_norm", nn::LayerNorm(5));
  check_reference(kFile, "layer_norm_two", nn::LayerNorm({3, 5}, {.eps = 1e-2}));
  check_reference(kFile, "layer_norm_plain", nn::LayerNorm(5, {.elementwise_affine = false}));
  check_reference(kFile, "group_norm", nn::GroupNorm(2, 4));
  check_reference(kFile, "group_norm_plain", nn::GroupNorm(4, 4, {.affine = false}));
  check_reference(kFile, "rms_norm", nn::RMSNorm(5, {.eps = 1e-6}));
  check_reference(kFile, "local_response_norm",
                  nn::LocalResponseNorm(3, {.alpha = 0.1, .beta = 0.6, .k = 1.5}));
  check_reference(kFile, "local_response_norm_even", nn::LocalResponseNorm(2));
}

BOOST_AUTO_TEST_CASE(names_of_norms_are_pytorchs) {
  const nn::BatchNorm2d norm(3);
  check_names(norm.named_parameters(), {"weight", "bias"});
  check_names(norm.named_buffers(), {"running_mean", "running_var", "num_batches_tracked"});
  check_names(nn::BatchNorm1d(3, {.affine = false, .track_running_stats = false}).named_buffers(),
              {});
  check_names(nn::LayerNorm(3, {.bias = false}).named_parameters(), {"weight"});
}

BOOST_AUTO_TEST_CASE(single_samples) {
  manual_seed(1);
  const Tensor x = randn({4, 6});
  nn::InstanceNorm1d norm(4);
  check_values(norm(x), values(norm(x.unsqueeze(0))));
}

BOOST_AUTO_TEST_CASE(norm_errors) {
  nn::BatchNorm2d norm(3);
  BOOST_CHECK_EXCEPTION(norm(zeros({2, 4, 5, 5})), ShapeError,
                        says("BatchNorm2d: expected 3 channels in 4 dimensions, got input of "
                             "shape [2, 4, 5, 5]"));
  BOOST_CHECK_THROW(norm(zeros({2, 3, 5})), ShapeError);
  BOOST_CHECK_THROW(nn::InstanceNorm1d(3)(zeros({4, 5})), ShapeError);
  BOOST_CHECK_THROW(nn::BatchNorm1d(0), ValueError);
  BOOST_CHECK_EXCEPTION(nn::GroupNorm(2, 3), ValueError, says("groups that divide"));
  BOOST_CHECK_THROW(nn::GroupNorm(2, 4)(zeros({1, 3, 2})), ShapeError);
  BOOST_CHECK_THROW(nn::LayerNorm(Shape{}), ValueError);
  BOOST_CHECK_THROW(nn::LayerNorm(0), ValueError);
  BOOST_CHECK_THROW(nn::LocalResponseNorm(0), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
