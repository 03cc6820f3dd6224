// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/adagrad.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/schedule_cosine.hpp>
#include <xtape/optim/schedule_cycle.hpp>
#include <xtape/optim/schedule_factor.hpp>
#include <xtape/optim/schedule_plateau.hpp>
#include <xtape/optim/schedule_sequence.hpp>
#include <xtape/optim/sgd.hpp>

#include <cmath>
#include <functional>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::optim;
using nn_test::says;

std::unique_ptr<Optimizer> make_sgd() {
  const Tensor p = zeros({1}).requires_grad_(), q = zeros({1}).requires_grad_();
  return std::make_unique<SGD>(std::vector<ParameterGroup<SGDOptions>>{
      {{p}, {.lr = 0.5, .momentum = 0.9}}, {{q}, {.lr = 0.3, .momentum = 0.9}}});
}

std::unique_ptr<Optimizer> make_adam() {
  const Tensor p = zeros({1}).requires_grad_(), q = zeros({1}).requires_grad_();
  return std::make_unique<Adam>(
      std::vector<ParameterGroup<AdamOptions>>{{{p}, {.lr = 0.5}}, {{q}, {.lr = 0.3}}});
}

// Schedules that live together, the last one being stepped.
using Schedules = std::vector<std::unique_ptr<Schedule>>;
using Make = std::function<Schedules(Optimizer&)>;

template <class... S>
Schedules list(std::unique_ptr<S>... schedules) {
  Schedules all;
  (all.push_back(std::move(schedules)), ...);
  return all;
}

template <class S, class... A>
Make one(A... arguments) {
  return [=](Optimizer& o) { return list(std::make_unique<S>(o, arguments...)); };
}

void step(Schedule& schedule, int t) {
  if (auto* plateau = dynamic_cast<ReduceLROnPlateau*>(&schedule)) {
    static const Tensor metrics = optim_test::reference("schedules", "metrics");
    plateau->step(metrics.data<double>()[t]);
  } else {
    schedule.step();
  }
}

// A hundred steps against the stored rates and momenta; at `reload_at` all is made anew from the
// states.
void check_numbers(const std::string& name, const Make& make, bool adam, int reload_at) {
  auto optimizer = adam ? make_adam() : make_sgd();
  Schedules schedules = make(*optimizer);
  std::vector<double> got;
  for (int t = 0; t < 101; ++t) {
    if (t == reload_at) {
      const auto optimizer_state = optimizer->state(), state = schedules.back()->state();
      auto other = adam ? make_adam() : make_sgd();
      Schedules others = make(*other);
      other->load_state(optimizer_state);
      others.back()->load_state(state);
      schedules = std::move(others);
      optimizer = std::move(other);
    }
    for (std::size_t g = 0; g < 2; ++g) {
      got.push_back(optimizer->lr(g));
      BOOST_TEST(schedules.back()->get_last_lr()[g] == optimizer->lr(g));
    }
    for (std::size_t g = 0; g < 2; ++g) got.push_back(optimizer->momentum(g));
    BOOST_TEST(schedules.back()->last_epoch() == t);
    if (t < 100) step(*schedules.back(), t);
  }
  optim_test::check_near(name, got, optim_test::reference("schedules", name));
}

void check(const std::string& name, const Make& make, bool adam = false) {
  for (const int reload_at : {-1, 1, 43}) check_numbers(name, make, adam, reload_at);
}

Schedules sequential(Optimizer& o) {
  auto a = std::make_unique<LinearLR>(o, LinearLROptions{.start_factor = 0.1, .total_iters = 10});
  auto b = std::make_unique<CosineAnnealingLR>(o, 40);
  auto c = std::make_unique<ExponentialLR>(o, 0.9);
  auto all = std::make_unique<SequentialLR>(o, std::vector<Schedule*>{a.get(), b.get(), c.get()},
                                            std::vector<std::int64_t>{10, 60});
  return list(std::move(a), std::move(b), std::move(c), std::move(all));
}

Schedules sequential_of_absolutes(Optimizer& o) {
  auto a = std::make_unique<ConstantLR>(o, 0.5, 3);
  auto b = std::make_unique<CosineAnnealingWarmRestarts>(o, 7, WarmRestartsOptions{.t_mult = 2});
  auto c = std::make_unique<StepLR>(o, 10);
  auto d = std::make_unique<LambdaLR>(o, [](std::int64_t t) { return 1.0 / (1.0 + double(t)); });
  auto all =
      std::make_unique<SequentialLR>(o, std::vector<Schedule*>{a.get(), b.get(), c.get(), d.get()},
                                     std::vector<std::int64_t>{5, 40, 70});
  return list(std::move(a), std::move(b), std::move(c), std::move(d), std::move(all));
}

Schedules chained(Optimizer& o) {
  auto a = std::make_unique<ConstantLR>(o, 0.1, 20);
  auto b = std::make_unique<ExponentialLR>(o, 0.97);
  auto c = std::make_unique<MultiStepLR>(o, std::vector<std::int64_t>{30, 60});
  auto all = std::make_unique<ChainedScheduler>(std::vector<Schedule*>{a.get(), b.get(), c.get()});
  return list(std::move(a), std::move(b), std::move(c), std::move(all));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_schedule)

BOOST_AUTO_TEST_CASE(factors_against_pytorch) {
  check("step", one<StepLR>(15, 0.5));
  check("multi_step", one<MultiStepLR>(std::vector<std::int64_t>{40, 10, 40, 75}, 0.3));
  check("exponential", one<ExponentialLR>(0.95));
  check("polynomial", one<PolynomialLR>(80, 2.0));
  check("polynomial.default", one<PolynomialLR>());
  check("linear",
        one<LinearLR>(LinearLROptions{.start_factor = 0.2, .end_factor = 0.8, .total_iters = 40}));
  check("linear.default", one<LinearLR>());
  check("constant", one<ConstantLR>(0.25, 20));
  const auto decay = [](std::int64_t t) { return std::pow(0.9, double(t)); };
  check("lambda", one<LambdaLR>(decay));
  check("lambda.two", one<LambdaLR>(std::vector<RateFunction>{
                          [](std::int64_t t) { return 1.0 / (1.0 + double(t)); },
                          [](std::int64_t t) { return 2 + t % 3; }}));
}

BOOST_AUTO_TEST_CASE(cosines_against_pytorch) {
  check("cosine", one<CosineAnnealingLR>(30, 0.01));
  check("cosine_restarts",
        one<CosineAnnealingWarmRestarts>(10, WarmRestartsOptions{.t_mult = 2, .eta_min = 0.01}));
  check("cosine_restarts.even", one<CosineAnnealingWarmRestarts>(12));
}

BOOST_AUTO_TEST_CASE(cycles_against_pytorch) {
  check("one_cycle", one<OneCycleLR>(0.8, OneCycleOptions{.total_steps = 101}));
  check("one_cycle.adam", one<OneCycleLR>(0.8, OneCycleOptions{.total_steps = 101}), true);
  check("one_cycle.still",
        one<OneCycleLR>(0.8, OneCycleOptions{.total_steps = 101, .cycle_momentum = false}));
  check(
      "one_cycle.three",
      one<OneCycleLR>(PerGroup{0.8, 0.4}, OneCycleOptions{.epochs = 10,
                                                          .steps_per_epoch = 11,
                                                          .pct_start = 0.25,
                                                          .anneal_strategy = AnnealStrategy::linear,
                                                          .base_momentum = 0.7,
                                                          .max_momentum = 0.99,
                                                          .div_factor = 10,
                                                          .final_div_factor = 100,
                                                          .three_phase = true}));
  check("cyclic", one<CyclicLR>(0.01, 0.5, CyclicOptions{.step_size_up = 10}));
  check("cyclic.two", one<CyclicLR>(PerGroup{0.01, 0.02}, PerGroup{0.5, 0.4},
                                    CyclicOptions{.step_size_up = 8,
                                                  .step_size_down = 13,
                                                  .mode = CyclicMode::triangular2,
                                                  .base_momentum = 0.6,
                                                  .max_momentum = 0.95}));
  check("cyclic.range", one<CyclicLR>(0.01, 0.5,
                                      CyclicOptions{.step_size_up = 10,
                                                    .mode = CyclicMode::exp_range,
                                                    .gamma = 0.98,
                                                    .cycle_momentum = false}));
}

BOOST_AUTO_TEST_CASE(plateaus_against_pytorch) {
  check("plateau", one<ReduceLROnPlateau>(PlateauOptions{.factor = 0.5, .patience = 3}));
  check("plateau.max", one<ReduceLROnPlateau>(PlateauOptions{.mode = PlateauMode::max,
                                                             .factor = 0.2,
                                                             .patience = 5,
                                                             .threshold = 0.01,
                                                             .threshold_mode = ThresholdMode::abs,
                                                             .cooldown = 4,
                                                             .min_lr = {0.05, 0.001}}));
}

BOOST_AUTO_TEST_CASE(schedules_of_schedules_against_pytorch) {
  check("sequential", sequential);
  check("sequential.absolute", sequential_of_absolutes);
  check("chained", chained);
}

BOOST_AUTO_TEST_CASE(arguments_that_are_refused) {
  const auto o = make_sgd();
  const auto refuses = [&](auto make, const std::string& text) {
    BOOST_CHECK_EXCEPTION(make(), ValueError, says(text));
  };
  refuses([&] { StepLR(*o, 0); }, "StepLR: expected step_size >= 1, got 0");
  refuses([&] { ExponentialLR(*o, -1); }, "ExponentialLR: expected gamma >= 0, got -1");
  refuses([&] { MultiStepLR(*o, {1}, -1); }, "MultiStepLR: expected gamma >= 0");
  refuses([&] { PolynomialLR(*o, 0); }, "PolynomialLR: expected total_iters >= 1, got 0");
  refuses([&] { LinearLR(*o, {.start_factor = 0}); },
          "LinearLR: expected start_factor in (0, 1], got 0");
  refuses([&] { ConstantLR(*o, 1.5); }, "ConstantLR: expected factor in (0, 1], got 1.5");
  refuses([&] { CosineAnnealingLR(*o, 0); }, "CosineAnnealingLR: expected t_max >= 1, got 0");
  refuses([&] { CosineAnnealingWarmRestarts(*o, 1, {.t_mult = 0}); },
          "expected t_mult >= 1, got 0");
  refuses([&] { LambdaLR(*o, std::vector<RateFunction>{}); },
          "LambdaLR: expected 2 functions, one for each group, got 0");
  refuses([&] { OneCycleLR(*o, 0.1, {}); },
          "OneCycleLR: expected total_steps, or epochs * steps_per_epoch, >= 1, got 0");
  refuses(
      [&] {
        OneCycleLR(*o, {1, 2, 3}, {.total_steps = 5});
      },
      "OneCycleLR: max_lr: expected 1 number or 2, one for each group, got 3");
  refuses([&] { CyclicLR(*o, 0.1, 0.2, {.step_size_up = 0}); },
          "expected step_size_up >= 1, got 0");
  refuses([&] { ReduceLROnPlateau(*o, {.factor = 1}); }, "expected factor in [0, 1), got 1");
  refuses([&] { ReduceLROnPlateau(*o).step(); }, "step needs the epoch's metric");
  refuses([&] { SequentialLR(*o, {}, {}); }, "SequentialLR: the list of schedules is empty");
  refuses([&] { ChainedScheduler({}); }, "ChainedScheduler: the list of schedules is empty");

  StepLR a(*o, 5), b(*o, 5);
  const auto other = make_sgd();
  StepLR c(*other, 5);
  refuses([&] { SequentialLR(*o, {&a, &b}, {}); }, "expected 1 milestones for 2 schedules, got 0");
  refuses([&] { SequentialLR(*o, {&a, &b}, {0}); }, "expected rising milestones from 1 on");
  refuses([&] { SequentialLR(*o, {&a, &c}, {3}); }, "the schedules are of another optimizer");
  refuses([&] { SequentialLR(*o, {&a, nullptr}, {3}); }, "a null schedule");
  refuses([&] { ChainedScheduler({&a, &c}); }, "the schedules are of several optimizers");

  optim::Adagrad plain({zeros({1}).requires_grad_()});
  refuses([&] { OneCycleLR(plain, 0.1, {.total_steps = 5}); },
          "OneCycleLR: the optimizer has no momentum; set cycle_momentum = false");
  refuses([&] { CyclicLR(plain, 0.1, 0.2); }, "CyclicLR: the optimizer has no momentum");
}

BOOST_AUTO_TEST_CASE(one_cycle_ends) {
  const auto o = make_sgd();
  OneCycleLR schedule(*o, 0.1, {.total_steps = 3});
  for (int i = 0; i < 3; ++i) schedule.step();
  const double last = o->lr();
  BOOST_CHECK_EXCEPTION(schedule.step(), ValueError,
                        says("OneCycleLR: step 4 is beyond total_steps 3"));
  BOOST_TEST(o->lr() == last);
  BOOST_TEST(schedule.last_epoch() == 3);
}

BOOST_AUTO_TEST_CASE(a_line_down_to_nothing_ends_there) {
  for (const std::int64_t total : {7, 10, 20, 100, 1000}) {
    Tensor p = zeros({1}).requires_grad_();
    SGD o({p}, {.lr = 1});
    LinearLR schedule(o, {.end_factor = 0, .total_iters = total});
    for (std::int64_t i = 0; i < total + 2; ++i) schedule.step();
    BOOST_TEST(o.lr() < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(one_cycle_in_straight_lines_ends) {
  const auto o = make_sgd();
  OneCycleLR schedule(*o, 0.1, {.total_steps = 3, .anneal_strategy = AnnealStrategy::linear});
  for (int i = 0; i < 2; ++i) schedule.step();
  const double last = o->lr(), momentum = o->momentum();
  BOOST_TEST(std::abs(last - 0.1 / 25 / 1e4) < 1e-12);
  BOOST_TEST(std::abs(momentum - 0.95) < 1e-12);
  schedule.step();
  BOOST_TEST(o->lr() == last);
  BOOST_TEST(o->momentum() == momentum);
}

// Chained schedules, and sequences, begin a sequence as what they are made of would.
BOOST_AUTO_TEST_CASE(schedules_of_schedules_begin_a_sequence) {
  enum { plain, chained, sequential, chained_sequential };
  const auto rates = [](int kind) {
    Tensor p = zeros({1}).requires_grad_();
    SGD o({p}, {.lr = 1});
    LinearLR a(o);
    ExponentialLR b(o, 0.9), d(o, 0.8);
    ChainedScheduler c({&a});
    std::unique_ptr<Schedule> inner, outer;
    Schedule* first = kind == plain ? static_cast<Schedule*>(&a) : &c;
    if (kind == sequential || kind == chained_sequential) {
      first = (inner = std::make_unique<SequentialLR>(o, std::vector<Schedule*>{&a, &d},
                                                      std::vector<std::int64_t>{7}))
                  .get();
    }
    if (kind == chained_sequential) {
      first = (outer = std::make_unique<ChainedScheduler>(std::vector<Schedule*>{first})).get();
    }
    SequentialLR s(o, {first, &b}, {5});
    std::vector<double> got{o.lr()};
    for (int i = 0; i < 9; ++i) {
      s.step();
      got.push_back(o.lr());
    }
    return got;
  };
  const auto expected = rates(plain);
  BOOST_TEST(expected[0] == 1.0 / 3);
  for (const int kind : {chained, sequential, chained_sequential}) {
    BOOST_TEST(rates(kind) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(later_parts_that_cannot_begin_anywhere) {
  const auto o = make_sgd();
  StepLR a(*o, 5), b(*o, 5);
  ChainedScheduler chained({&b});
  ReduceLROnPlateau plateau(*o);
  SequentialLR inner(*o, {&chained, &a}, {3});
  const double before = o->lr();
  const std::int64_t epoch = a.last_epoch();
  BOOST_CHECK_EXCEPTION(SequentialLR(*o, {&a, &chained}, {3}), ValueError,
                        says("SequentialLR: a ChainedScheduler cannot be a later part: its parts "
                             "have no common formula"));
  BOOST_CHECK_EXCEPTION(SequentialLR(*o, {&a, &plateau}, {3}), ValueError,
                        says("SequentialLR: a ReduceLROnPlateau cannot be a part: it needs the "
                             "epoch's metric"));
  BOOST_CHECK_EXCEPTION(SequentialLR(*o, {&plateau, &a}, {3}), ValueError,
                        says("SequentialLR: a ReduceLROnPlateau cannot be a part"));
  BOOST_CHECK_EXCEPTION(SequentialLR(*o, {&a, &inner}, {3}), ValueError,
                        says("SequentialLR: a ChainedScheduler cannot be a later part"));
  BOOST_TEST(o->lr() == before);
  BOOST_TEST(a.last_epoch() == epoch);
}

BOOST_AUTO_TEST_CASE(states_that_do_not_fit_change_nothing) {
  const auto o = make_sgd();
  CosineAnnealingWarmRestarts schedule(*o, 4);
  for (int i = 0; i < 6; ++i) schedule.step();
  auto state = schedule.state();
  BOOST_TEST(state[0].first == "last_epoch");
  CosineAnnealingWarmRestarts other(*o, 4);
  const auto refuses = [&](auto change, const std::string& text) {
    auto bad = state;
    change(bad);
    BOOST_CHECK_EXCEPTION(other.load_state(bad), Error, says(text));
    BOOST_TEST(other.last_epoch() == 0);
  };
  refuses([](NamedTensors& s) { s.pop_back(); },
          "CosineAnnealingWarmRestarts: load_state: t_cur is missing");
  refuses([](NamedTensors& s) { s.emplace_back("more", zeros({})); },
          "load_state: 1 entries do not belong to this schedule");
  refuses([](NamedTensors& s) { s[2].second = zeros({3}, float64); },
          "base_lrs: expected shape [2], got float64 [3]");
  other.load_state(state);
  BOOST_TEST(other.last_epoch() == 6);
}

BOOST_AUTO_TEST_SUITE_END()
