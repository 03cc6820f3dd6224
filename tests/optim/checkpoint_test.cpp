// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/data/safetensors.hpp>
#include <xtape/nn/nn.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/checkpoint.hpp>

#include <boost/test/unit_test.hpp>

#include "../data/files.hpp"
#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;

struct Net : nn::Module {
  nn::Linear a{4, 8}, b{8, 2};
  nn::Dropout drop{0.3};
  XTAPE_PARTS(a, b, drop)
  Tensor forward(const Tensor& x) override { return b(drop(relu(a(x)))); }
};

void train(Net& net, optim::Optimizer& opt, int steps) {
  for (int i = 0; i < steps; ++i) {
    opt.zero_grad();
    nn::mse_loss(net(randn({16, 4})), randn({16, 2})).backward();
    opt.step();
  }
}

std::vector<double> numbers(const nn::Module& m) {
  std::vector<double> found;
  for (const Tensor& p : m.parameters()) {
    for (const double v : nn_test::values(p)) found.push_back(v);
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_checkpoint)

BOOST_AUTO_TEST_CASE(a_model_comes_back) {
  const ::test::Folder folder;
  const std::string path = folder / "model.safetensors";
  manual_seed(1);
  Net net, other;
  optim::save_model(net, path);
  BOOST_TEST(data::read_safetensors(path).tensors[0].first == "a.weight");
  const nn::LoadReport report = optim::load_model(other, path);
  BOOST_TEST(report.missing.empty());
  BOOST_TEST(numbers(other) == numbers(net), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_model_of_other_names) {
  const ::test::Folder folder;
  const std::string path = folder / "model.safetensors";
  Net net;
  optim::save_model(nn::Sequential(nn::Linear(4, 8)), path);
  BOOST_CHECK_EXCEPTION(optim::load_model(net, path), ModuleError,
                        says("load_state: Net: names do not agree; missing: a.weight, a.bias, "
                             "b.weight, b.bias; unexpected: 0.weight, 0.bias"));
  BOOST_TEST(optim::load_model(net, path, {.strict = false}).missing.size() == 4u);
  BOOST_CHECK_EXCEPTION(optim::load_model(net, folder / "none"), FileError, says("none"));
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_bit_for_bit) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors";
  manual_seed(1);
  Net whole;
  optim::Adam whole_opt(whole.parameters(), {.lr = 0.01});
  train(whole, whole_opt, 7);
  optim::save_checkpoint(path, whole, whole_opt, {2, 7});
  train(whole, whole_opt, 5);

  manual_seed(99);
  Net resumed;
  optim::Adam opt(resumed.parameters(), {.lr = 0.5});
  const optim::Position position = optim::load_checkpoint(path, resumed, opt);
  BOOST_TEST(position.epoch == 2);
  BOOST_TEST(position.step == 7);
  BOOST_TEST(opt.lr() == 0.01);
  train(resumed, opt, 5);
  BOOST_TEST(numbers(resumed) == numbers(whole), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(checkpoints_that_do_not_fit_change_nothing) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors";
  manual_seed(1);
  Net net;
  optim::Adam opt(net.parameters(), {.lr = 0.01});
  train(net, opt, 2);
  optim::save_model(net, path);
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(path, net, opt), FileError,
                        says("no checkpoint, 'random.generator' is missing"));

  nn::Sequential other(nn::Linear(4, 8), nn::Linear(8, 2));
  optim::Adam other_opt(other.parameters(), {.lr = 0.25});
  optim::save_checkpoint(path, net, opt, {});
  const auto before = numbers(other);
  const auto position = default_generator().position;
  BOOST_CHECK_THROW(optim::load_checkpoint(path, other, other_opt), ModuleError);
  BOOST_TEST(numbers(other) == before, boost::test_tools::per_element());
  BOOST_TEST(other_opt.state().size() == 2u);
  BOOST_TEST(other_opt.lr() == 0.25);
  BOOST_TEST(default_generator().position == position);
}

BOOST_AUTO_TEST_SUITE_END()
