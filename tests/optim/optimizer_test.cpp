// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/state.hpp>
#include <xtape/optim/adagrad.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/muon.hpp>
#include <xtape/optim/rmsprop.hpp>
#include <xtape/optim/sgd.hpp>

#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;
using optim::Adam;
using optim::SGD;

Tensor parameter(std::initializer_list<double> values) {
  Tensor p = tensor(values);
  p.requires_grad_();
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_optimizer)

BOOST_AUTO_TEST_CASE(parameters_without_a_gradient_stay) {
  Tensor p = parameter({1, 2}), q = parameter({3}), frozen = tensor({4});
  SGD opt({p, q, frozen}, {.lr = 1});
  q.set_grad(tensor({2}));
  opt.step();
  check_values(p, {1, 2});
  check_values(q, {1});
  check_values(frozen, {4});
  opt.zero_grad();
  BOOST_TEST(!q.grad().defined());
  opt.step();
  check_values(q, {1});
}

BOOST_AUTO_TEST_CASE(groups_have_options_of_their_own) {
  Tensor p = parameter({1}), q = parameter({1});
  SGD opt({{{p}, {.lr = 0.5}}, {{q}, {.lr = 0.25, .weight_decay = 1}}});
  BOOST_TEST(opt.group_count() == 2u);
  p.set_grad(tensor({1}));
  q.set_grad(tensor({1}));
  opt.step();
  check_values(p, {0.5});
  check_values(q, {0.5});
  BOOST_TEST(opt.lr(1) == 0.25);
  opt.set_lr(0.125, 1);
  BOOST_TEST(opt.lr(0) == 0.5);
  opt.set_lr(1);
  BOOST_TEST(opt.lr(1) == 1);
  opt.options(1).weight_decay = 0;
  opt.step();
  check_values(q, {-0.5});
  BOOST_TEST(opt.parameters(1)[0].value() == q.value());
  Adam adam({{{p}, {.lr = 0.5}}, {{q}, {}}});
  BOOST_TEST(adam.lr(1) == 1e-3);
}

BOOST_AUTO_TEST_CASE(a_step_raises_the_version) {
  Tensor p = parameter({2}), x = parameter({3});
  const Tensor y = p * x;
  SGD opt({p}, {.lr = 1});
  p.set_grad(tensor({1}));
  opt.step();
  BOOST_CHECK_THROW(y.backward(), GradError);
}

BOOST_AUTO_TEST_CASE(values_changed_behind_the_handle_are_followed) {
  nn::Linear layer(2, 2);
  SGD opt(layer.parameters(), {.lr = 1, .momentum = 0.5});
  const auto step = [&] {
    layer.weight.set_grad(ones({2, 2}, layer.weight.dtype()));
    opt.step();
  };
  nn::load_state(layer, {{"weight", full({2, 2}, 10)}, {"bias", zeros({2})}});
  step();
  check_values(layer.weight, {9, 9, 9, 9});
  layer.to(float64);
  step();  // with the momentum of before: 0.5 + 1
  check_values(layer.weight, {7.5, 7.5, 7.5, 7.5});
  BOOST_TEST((layer.weight.dtype() == float64));
}

BOOST_AUTO_TEST_CASE(any_memory_order) {
  for (const bool adam : {false, true}) {
    manual_seed(4);
    const Tensor start = randn({3, 4}), gradient = randn({3, 4});
    std::vector<std::vector<double>> results;
    for (int layout = 0; layout < 4; ++layout) {
      // Row-major; column-major; the gradient alone; a view with gaps.
      Tensor p = layout == 1 ? zeros({4, 3}).t() : zeros({3, 4});
      Tensor wide = zeros({3, 8});
      if (layout == 3) {
        const std::int64_t sizes[] = {3, 4}, strides[] = {8, 2};
        p = xtape::detail::make_view(wide, wide.value()->data, sizes, strides);
      }
      p.copy_(start);
      p.requires_grad_();
      std::unique_ptr<optim::Optimizer> opt;
      if (adam) {
        opt = std::make_unique<Adam>(std::vector{p}, optim::AdamOptions{.lr = 0.1});
      } else {
        opt = std::make_unique<SGD>(std::vector{p}, optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
      }
      for (int i = 0; i < 3; ++i) {
        Tensor g = layout == 2 ? zeros({4, 3}).t() : zeros({3, 4});
        g.copy_(gradient);
        p.set_grad(g);
        opt->step();
      }
      results.push_back(nn_test::values(p));
      if (layout == 3) {
        BOOST_TEST(nn_test::values(wide)[0] == results[0][0]);
        BOOST_TEST(nn_test::values(wide)[1] == 0);
      }
    }
    BOOST_TEST(results[1] == results[0], boost::test_tools::per_element());
    BOOST_TEST(results[2] == results[0], boost::test_tools::per_element());
    BOOST_TEST(results[3] == results[0], boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(empty_parameters) {
  Tensor p = zeros({0, 3});
  p.requires_grad_();
  p.set_grad(zeros({0, 3}));
  Adam opt({p});
  opt.step();
  BOOST_TEST(p.numel() == 0);
}

BOOST_AUTO_TEST_CASE(lists_that_are_refused) {
  Tensor p = parameter({1});
  const std::vector<Tensor> none;
  BOOST_CHECK_EXCEPTION(SGD{none}, ValueError, says("SGD: the list of parameters is empty"));
  BOOST_CHECK_EXCEPTION((Adam{{p, Tensor()}, {}}), ValueError,
                        says("Adam: parameter 1 is undefined"));
  BOOST_CHECK_EXCEPTION((SGD{{p, p * 2}, {}}), ValueError,
                        says("SGD: parameter 1 is a recorded value, not a leaf"));
  BOOST_CHECK_EXCEPTION((SGD{{p, p}, {}}), ValueError, says("SGD: parameter 1 is given twice"));
  BOOST_CHECK_EXCEPTION((SGD({{{p}, {}}, {{p}, {}}})), ValueError,
                        says("SGD: parameter 0 is given twice"));
  BOOST_CHECK_EXCEPTION((SGD{{zeros({1}, int64)}, {}}), DTypeError,
                        says("SGD: parameter 0 is not floating: int64 [1]"));
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{parameter({1})};
  BOOST_CHECK_EXCEPTION(SGD(p, {.lr = -1}), ValueError, says("SGD: expected lr >= 0, got -1"));
  BOOST_CHECK_THROW(SGD(p, {.momentum = -1}), ValueError);
  BOOST_CHECK_THROW(SGD(p, {.weight_decay = -1}), ValueError);
  BOOST_CHECK_EXCEPTION(SGD(p, {.nesterov = true}), ValueError,
                        says("SGD: expected momentum > 0 with nesterov, got 0"));
  BOOST_CHECK_EXCEPTION(SGD(p, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), ValueError,
                        says("SGD: expected dampening = 0 with nesterov, got 0.1"));
  BOOST_CHECK_THROW(Adam(p, {.lr = std::nan("")}), ValueError);
  BOOST_CHECK_EXCEPTION(Adam(p, {.betas = {0.9, 1}}), ValueError,
                        says("Adam: expected betas in [0, 1), got 1"));
  BOOST_CHECK_EXCEPTION(Adam(p, {.eps = -1e-9}), ValueError,
                        says("Adam: expected eps >= 0, got -1e-09"));
  BOOST_CHECK_THROW(Adam(p, {.weight_decay = -1}), ValueError);
  SGD opt(p);
  BOOST_CHECK_THROW(opt.set_lr(-1), ValueError);
  BOOST_CHECK_EXCEPTION(opt.lr(1), IndexError, says("SGD: group 1 is out of range for 1 groups"));
  BOOST_CHECK_THROW(opt.options(1), IndexError);
  BOOST_CHECK_THROW(opt.parameters(1), IndexError);
}

BOOST_AUTO_TEST_CASE(closures) {
  Tensor p = parameter({3});
  SGD opt({p}, {.lr = 0.5});
  const NoGrad guard;  // the closure records all the same
  const Tensor loss = opt.step([&] {
    opt.zero_grad();
    Tensor y = (p * p).sum();
    y.backward();
    return y;
  });
  BOOST_TEST(loss.item<double>() == 9);
  check_values(p, {0});
}

BOOST_AUTO_TEST_CASE(groups_may_be_added) {
  Tensor p = parameter({1}), q = parameter({1});
  SGD opt({p}, {.lr = 0.5});
  opt.add_param_group({{q}, {.lr = 0.25}});
  p.set_grad(tensor({1}));
  q.set_grad(tensor({1}));
  opt.step();
  check_values(p, {0.5});
  check_values(q, {0.75});
  BOOST_CHECK_EXCEPTION(opt.add_param_group({{p}, {}}), ValueError,
                        says("SGD: parameter 0 is given twice"));
  BOOST_CHECK_THROW(opt.add_param_group({{parameter({1})}, {.lr = -1}}), ValueError);
  BOOST_TEST(opt.group_count() == 2u);
}

BOOST_AUTO_TEST_CASE(momentum_by_any_name) {
  Tensor p = parameter({1});
  SGD sgd({p}, {.momentum = 0.5});
  BOOST_TEST(sgd.momentum() == 0.5);
  sgd.set_momentum(0.25, 0);
  BOOST_TEST(sgd.options().momentum == 0.25);
  Adam adam({p});
  adam.set_momentum(0.5, 0);
  BOOST_TEST(adam.options().betas[0] == 0.5);
  BOOST_CHECK_THROW(adam.set_momentum(1, 0), ValueError);
  BOOST_TEST(adam.momentum() == 0.5);
  BOOST_CHECK_THROW(adam.momentum(1), IndexError);
  optim::Adagrad adagrad({p});
  BOOST_TEST(!adagrad.has_momentum());
  BOOST_CHECK_EXCEPTION(adagrad.momentum(), ValueError, says("Adagrad: has no momentum"));
}

// --- state --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(state_goes_on_bit_for_bit) {
  const auto run = [](int reload_at) {
    manual_seed(6);
    Tensor p = parameter({1, 2, 3}), q = parameter({4});
    const optim::AdamOptions options{.lr = 0.1, .weight_decay = 0.01, .amsgrad = true};
    auto opt = std::make_unique<Adam>(std::vector{p, q}, options);
    for (int i = 0; i < 10; ++i) {
      if (i == reload_at) {
        const optim::NamedTensors state = opt->state();
        auto other = std::make_unique<Adam>(std::vector{p, q}, options);
        other->load_state(state);
        opt = std::move(other);
      }
      p.set_grad(randn({3}));
      if (i > 4) q.set_grad(randn({1}));
      opt->set_lr(0.1 / (i + 1));
      opt->step();
    }
    auto result = nn_test::values(p);
    result.push_back(nn_test::values(q)[0]);
    return result;
  };
  BOOST_TEST(run(3) == run(-1), boost::test_tools::per_element());
  BOOST_TEST(run(7) == run(-1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_of_the_state) {
  Tensor p = parameter({1}), q = parameter({1});
  Adam opt({{{q}, {}}, {{p}, {}}});
  p.set_grad(tensor({1}));
  opt.step();
  std::vector<std::string> names;
  for (const auto& [name, t] : opt.state()) names.push_back(name);
  const std::vector<std::string> expected{
      "state.1.step",      "state.1.exp_avg", "state.1.exp_avg_sq", "groups.0.lr",
      "groups.0.momentum", "groups.1.lr",     "groups.1.momentum"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_loaded_state_is_a_copy) {
  Tensor p = parameter({1});
  SGD a({p}, {.lr = 1, .momentum = 0.5}), b({p}, {.lr = 1, .momentum = 0.5});
  p.set_grad(tensor({1}));
  a.step();
  const auto state = a.state();
  b.load_state(state);
  b.step();
  check_values(state[1].second, {1});
}

// What not every step makes: buffers of an option that is off, all of a parameter never stepped.
BOOST_AUTO_TEST_CASE(buffers_that_may_be_missing) {
  const auto goes_over = [](auto make) {
    Tensor p = zeros({2, 2}).requires_grad_(), empty = zeros({0, 2}).requires_grad_();
    Tensor still = ones({1, 2}).requires_grad_();
    const std::vector<Tensor> all{p, empty, still};
    auto a = make(all), b = make(all);
    p.set_grad(ones({2, 2}));
    empty.set_grad(zeros({0, 2}));
    a.step();
    const auto state = a.state();
    b.load_state(state);
    BOOST_TEST(b.state().size() == state.size());
  };
  for (const bool on : {false, true}) {
    const double momentum = on ? 0.9 : 0;
    goes_over([&](const auto& p) { return Adam(p, {.amsgrad = on}); });
    goes_over([&](const auto& p) { return SGD(p, {.momentum = momentum}); });
    goes_over(
        [&](const auto& p) { return optim::RMSprop(p, {.momentum = momentum, .centered = on}); });
    goes_over([&](const auto& p) { return optim::Muon(p, {.momentum = momentum}); });
  }
}

BOOST_AUTO_TEST_CASE(states_that_do_not_fit) {
  Tensor p = parameter({1, 2});
  Adam opt({p}, {.lr = 0.5});
  p.set_grad(tensor({1, 1}));
  opt.step();
  const auto good = opt.state();
  const auto refuses = [&](auto change) {
    auto state = good;
    change(state);
    try {
      opt.load_state(state);
    } catch (const Error& e) {
      BOOST_TEST(opt.state().size() == good.size());
      for (std::size_t i = 0; i < good.size(); ++i) {
        BOOST_TEST(nn_test::values(opt.state()[i].second) == nn_test::values(good[i].second));
      }
      return std::string(e.what());
    }
    return std::string();
  };
  using State = optim::NamedTensors;
  BOOST_TEST(refuses([](State& s) { s.emplace_back("state.1.exp_avg", ones({1})); }) ==
             "Adam: load_state: 1 entries do not belong to this optimizer and its parameters");
  BOOST_TEST(refuses([](State& s) { s[1].second = ones({3}); }) ==
             "Adam: load_state: state.0.exp_avg: expected shape [2], got float32 [3]");
  BOOST_TEST(refuses([](State& s) { s[1].second = ones({2}, float64); }) ==
             "Adam: load_state: state.0.exp_avg: expected float32, got float64 [2]");
  BOOST_TEST(refuses([](State& s) { s.pop_back(); }) ==
             "Adam: load_state: groups.0.momentum is missing");
  for (const std::string name : {"state.0.exp_avg_sq", "state.0.exp_avg", "state.0.step"}) {
    const auto without = [&](State& s) {
      std::erase_if(s, [&](const auto& entry) { return entry.first == name; });
    };
    BOOST_TEST(refuses(without) == "Adam: load_state: " + name + " is missing");
  }
  BOOST_TEST(refuses([](State& s) {
               std::erase_if(s,
                             [](const auto& e) { return e.first.find("exp_avg") != e.first.npos; });
             }) == "Adam: load_state: state.0.exp_avg is missing");
  BOOST_TEST(refuses([](State& s) { s[0].second = scalar_tensor(-1, int64); }) ==
             "Adam: load_state: state.0.step is negative");
  BOOST_CHECK_THROW(SGD({p}, {}).load_state(good), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
