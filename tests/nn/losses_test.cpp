// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses.hpp>

#include <cctype>
#include <sstream>

#include "../optim/reference.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn::Reduction;
using nn_test::check_values;
using nn_test::says;

struct Case {
  const char* name;
  const char* inputs;  // as in generate.py: those in upper case want gradients
  Tensor (*f)(const std::vector<Tensor>& x);
};

// Logarithms of probabilities, of which PyTorch's were made.
Tensor logs(const Tensor& x) { return log_softmax(x, 1); }
Tensor speech(const Tensor& x) { return log_softmax(x, 2); }

#define F [](const std::vector<Tensor>& x)
const Case cases[] = {{"mse", "X Y", F{return nn::mse_loss(x[0], x[1]);
}  // namespace
}
, {"l1", "X Y", F{return nn::l1_loss(x[0], x[1]);
}
}
, {"l1.sum", "X Y", F{return nn::l1_loss(x[0], x[1], Reduction::sum);
}
}
, {"smooth_l1", "X Y", F{return nn::smooth_l1_loss(x[0], x[1]);
}
}
, {"smooth_l1.beta", "X Y",
   F{return nn::smooth_l1_loss(x[0], x[1], {.beta = 0.5, .reduction = Reduction::none});
}
}
, {"smooth_l1.zero", "X Y", F{return nn::smooth_l1_loss(x[0], x[1], {.beta = 0});
}
}
, {"huber", "X Y", F{return nn::huber_loss(x[0], x[1]);
}
}
, {"huber.delta", "X Y",
   F{return nn::huber_loss(x[0], x[1], {.delta = 2, .reduction = Reduction::none});
}
}
, {"log_cosh", "X Y", F{return nn::log_cosh_loss(x[0], x[1]);
}
}
, {"bce", "P b", F{return nn::binary_cross_entropy(x[0], x[1]);
}
}
, {"bce.logits", "X b", F{return nn::binary_cross_entropy_with_logits(x[0], x[1]);
}
}
, {"focal", "X b", F{return nn::sigmoid_focal_loss(x[0], x[1]);
}
}
, {"focal.plain", "X b", F{return nn::sigmoid_focal_loss(x[0], x[1], {.alpha = -1, .gamma = 3});
}
}
, {"dice", "P b", F{return nn::dice_loss(x[0], x[1]);
}
}
, {"dice.smooth", "P b", F{return nn::dice_loss(x[0], x[1], {.smooth = 0.5});
}
}
, {"cross_entropy", "X labels", F{return nn::cross_entropy(x[0], x[1]);
}
}
, {"cross_entropy.ignored", "X labels",
   F{return nn::cross_entropy(x[0], x[1], {.ignore_index = 1, .label_smoothing = 0.2});
}
}
, {"cross_entropy.weight", "X labels weight",
   F{return nn::cross_entropy(x[0], x[1], {.weight = x[2]});
}
}
, {"cross_entropy.all", "X labels weight",
   F{return nn::cross_entropy(x[0], x[1],
                              {.weight = x[2], .ignore_index = 1, .label_smoothing = 0.2});
}
}
, {"cross_entropy.none", "X labels weight",
   F{return nn::cross_entropy(
       x[0], x[1],
       {.weight = x[2], .ignore_index = 1, .label_smoothing = 0.2, .reduction = Reduction::none});
}
}
, {"cross_entropy.sum", "X labels weight",
   F{return nn::cross_entropy(x[0], x[1], {.weight = x[2], .reduction = Reduction::sum});
}
}
, {"cross_entropy.image", "IMAGE image_labels weight",
   F{return nn::cross_entropy(x[0], x[1], {.weight = x[2], .label_smoothing = 0.1});
}
}
, {"cross_entropy.soft", "X SOFT", F{return nn::cross_entropy(x[0], x[1]);
}
}
, {"cross_entropy.soft.all", "X soft weight",
   F{return nn::cross_entropy(x[0], x[1], {.weight = x[2], .label_smoothing = 0.2});
}
}
, {"cross_entropy.soft.image", "IMAGE image_soft weight",
   F{return nn::cross_entropy(x[0], x[1], {.weight = x[2], .reduction = Reduction::none});
}
}
, {"nll", "X labels", F{return nn::nll_loss(logs(x[0]), x[1]);
}
}
, {"nll.all", "X labels weight",
   F{return nn::nll_loss(logs(x[0]), x[1], {.weight = x[2], .ignore_index = 3});
}
}
, {"nll.image", "IMAGE image_labels weight",
   F{return nn::nll_loss(logs(x[0]), x[1], {.weight = x[2], .reduction = Reduction::none});
}
}
, {"kl_div", "X SOFT", F{return nn::kl_div(logs(x[0]), x[1]);
}
}
, {"kl_div.batchmean", "X soft",
   F{return nn::kl_div(logs(x[0]), x[1], {.reduction = Reduction::batchmean});
}
}
, {"kl_div.log", "X Y",
   F{return nn::kl_div(logs(x[0]), logs(x[1]), {.log_target = true, .reduction = Reduction::sum});
}
}
, {"gaussian", "X Y V", F{return nn::gaussian_nll_loss(x[0], x[1], x[2]);
}
}
, {"gaussian.full", "X y V1",
   F{return nn::gaussian_nll_loss(x[0], x[1], x[2], {.full = true, .reduction = Reduction::sum});
}
}
, {"gaussian.small", "X y SMALL",
   F{return nn::gaussian_nll_loss(x[0], x[1], x[2], {.eps = 0.01, .reduction = Reduction::none});
}
}
, {"poisson", "X counts", F{return nn::poisson_nll_loss(x[0], x[1]);
}
}
, {"poisson.full", "X counts", F{return nn::poisson_nll_loss(x[0], x[1], {.full = true});
}
}
, {"poisson.rate", "P counts",
   F{return nn::poisson_nll_loss(x[0], x[1],
                                 {.log_input = false, .eps = 1e-4, .reduction = Reduction::none});
}
}
, {"cosine", "X Y signs", F{return nn::cosine_embedding_loss(x[0], x[1], x[2]);
}
}
, {"cosine.margin", "X Y signs",
   F{return nn::cosine_embedding_loss(x[0], x[1], x[2],
                                      {.margin = 0.3, .reduction = Reduction::none});
}
}
, {"ranking", "X Y sign_rows", F{return nn::margin_ranking_loss(x[0], x[1], x[2]);
}
}
, {"ranking.margin", "X Y sign_rows",
   F{return nn::margin_ranking_loss(x[0], x[1], x[2], {.margin = 0.5, .reduction = Reduction::sum});
}
}
, {"hinge", "X sign_rows", F{return nn::hinge_embedding_loss(x[0], x[1]);
}
}
, {"hinge.margin", "X sign_rows",
   F{return nn::hinge_embedding_loss(x[0], x[1], {.margin = 0.5, .reduction = Reduction::none});
}
}
, {"triplet", "X Y Z", F{return nn::triplet_margin_loss(x[0], x[1], x[2]);
}
}
, {"triplet.swap", "X Y Z",
   F{return nn::triplet_margin_loss(
       x[0], x[1], x[2], {.margin = 2, .p = 3, .swap = true, .reduction = Reduction::none});
}
}
, {"ctc", "SPEECH spelling heard spelt", F{return nn::ctc_loss(speech(x[0]), x[1], x[2], x[3]);
}
}
, {"ctc.none", "SPEECH spelled heard spelt",
   F{return nn::ctc_loss(speech(x[0]), x[1], x[2], x[3], {.reduction = Reduction::none});
}
}
, {"ctc.zero", "SPEECH spelling hard spelt",
   F{return nn::ctc_loss(speech(x[0]), x[1], x[2], x[3],
                         {.reduction = Reduction::sum, .zero_infinity = true});
}
}
,
}
;
#undef F

void check(const Case& c, DType dtype) {
  std::vector<Tensor> inputs;
  std::istringstream names(c.inputs);
  for (std::string name; names >> name;) {
    const bool wants = std::isupper(static_cast<unsigned char>(name[0])) != 0;
    for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
    Tensor x = optim_test::reference("losses", "inputs." + name);
    x = is_floating(x.dtype()) ? x.to(dtype).clone() : x;
    inputs.push_back(wants ? x.requires_grad_() : x);
  }
  const Tensor loss = c.f(inputs);
  const std::string suffix = std::string(".") + xtape::name(dtype);
  const auto check_one = [&](const std::string& name, const Tensor& got) {
    const Tensor expected = optim_test::reference("losses", name + suffix);
    BOOST_TEST((got.shape() == expected.shape()), name << ": shape " << got.description());
    BOOST_TEST((got.dtype() == dtype), name << ": " << got.description());
    optim_test::check_near(name + suffix, nn_test::values(got), expected);
  };
  check_one(c.name, loss);
  const Tensor seed = cos(arange(loss.numel()).to(float64)).to(dtype).view(loss.shape());
  loss.backward({.seed = seed});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].requires_grad()) {
      check_one(std::string(c.name) + ".grad" + std::to_string(i), inputs[i].grad());
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses)

BOOST_AUTO_TEST_CASE(values_and_gradients_against_pytorch) {
  for (const Case& c : cases) {
    check(c, float64);
    check(c, float32);
  }
}

BOOST_AUTO_TEST_CASE(modules_of_losses) {
  const Tensor x = tensor({0.25, 0.5}), t = tensor({0, 1});
  check_values(nn::MSELoss()(x, t), nn_test::values(nn::mse_loss(x, t)));
  check_values(nn::L1Loss(Reduction::sum)(x, t), {0.75});
  check_values(nn::BCELoss()(x, t), nn_test::values(nn::binary_cross_entropy(x, t)));
  check_values(nn::BCEWithLogitsLoss()(x, t),
               nn_test::values(nn::binary_cross_entropy_with_logits(x, t)));
  check_values(nn::SmoothL1Loss({.beta = 2})(x, t),
               nn_test::values(nn::smooth_l1_loss(x, t, {.beta = 2})));
  check_values(nn::HuberLoss({.delta = 2})(x, t),
               nn_test::values(nn::huber_loss(x, t, {.delta = 2})));
  check_values(nn::LogCoshLoss()(x, t), nn_test::values(nn::log_cosh_loss(x, t)));
  check_values(nn::SigmoidFocalLoss()(x, t), nn_test::values(nn::sigmoid_focal_loss(x, t)));
  check_values(nn::KLDivLoss({.log_target = true})(x, t),
               nn_test::values(nn::kl_div(x, t, {.log_target = true})));
  check_values(nn::GaussianNLLLoss()(x, t, ones({2})),
               nn_test::values(nn::gaussian_nll_loss(x, t, ones({2}))));
  check_values(nn::PoissonNLLLoss({.full = true})(x, t),
               nn_test::values(nn::poisson_nll_loss(x, t, {.full = true})));
  const Tensor signs = tensor({1, -1}), a = tensor({{1, 2}, {3, 4}}), b = tensor({{1, 0}, {0, 1}});
  check_values(nn::HingeEmbeddingLoss({.margin = 2})(x, signs),
               nn_test::values(nn::hinge_embedding_loss(x, signs, {.margin = 2})));
  check_values(nn::MarginRankingLoss({.margin = 2})(x, t, signs),
               nn_test::values(nn::margin_ranking_loss(x, t, signs, {.margin = 2})));
  check_values(nn::CosineEmbeddingLoss()(a, b, signs),
               nn_test::values(nn::cosine_embedding_loss(a, b, signs)));
  check_values(nn::TripletMarginLoss({.swap = true})(a, b, a),
               nn_test::values(nn::triplet_margin_loss(a, b, a, {.swap = true})));
  check_values(nn::DiceLoss()(a, b), nn_test::values(nn::dice_loss(a, b)));
  check_values(nn::NLLLoss()(a, ones({2}, int64)),
               nn_test::values(nn::nll_loss(a, ones({2}, int64))));
  const Tensor speech = log_softmax(ones({4, 2, 3}), 2), one = ones({2}, int64);
  check_values(nn::CTCLoss()(speech, ones({2, 1}, int64), 4 * one, one),
               nn_test::values(nn::ctc_loss(speech, ones({2, 1}, int64), 4 * one, one)));
  nn::CrossEntropyLoss loss({.label_smoothing = 0.1});
  const Tensor scores = tensor({{1, 2}}), label = ones({1}, int64);
  check_values(loss(scores, label),
               nn_test::values(nn::cross_entropy(scores, label, {.label_smoothing = 0.1})));
  BOOST_CHECK_EXCEPTION(nn::MSELoss()(x, scores), ShapeError,
                        says("MSELoss: mse_loss: shapes differ, input [2] and target [1, 2]"));
}

BOOST_AUTO_TEST_SUITE_END()
