// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/data/dataset.hpp>
#include <xtape/data/safetensors.hpp>
#include <xtape/nn/nn.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/checkpoint.hpp>
#include <xtape/optim/schedule_factor.hpp>
#include <xtape/optim/schedule_sequence.hpp>

#include <boost/test/unit_test.hpp>

#include <tuple>

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
  static Shape input(std::int64_t n) { return {n, 4}; }
  Tensor forward(const Tensor& x) override { return b(drop(relu(a(x)))); }
};

// Learns nothing by gradient.
struct Sums : nn::Module {
  nn::Buffer sum{zeros({3}, float64)};
  XTAPE_PARTS(sum)
  void add(int draws) {
    const NoGrad no_grad;
    for (int i = 0; i < draws; ++i) sum.copy_(sum + randn({3}, float64));
  }
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

BOOST_AUTO_TEST_CASE(a_run_without_an_optimizer_goes_on_bit_for_bit) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors";
  manual_seed(1);
  Sums whole;
  whole.add(2);
  optim::save_checkpoint(path, whole, {1, 2, {{"draws", 2}}});
  whole.add(3);

  manual_seed(99);
  Sums resumed;
  const optim::Position position = optim::load_checkpoint(path, resumed);
  BOOST_TEST(position.step == 2);
  BOOST_TEST(position.metrics.at(0).second == 2);
  resumed.add(3);
  BOOST_TEST(nn_test::values(resumed.sum) == nn_test::values(whole.sum),
             boost::test_tools::per_element());
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

// --- with a schedule and a loader ---------------------------------------------------------------

struct StackedLSTM : nn::Module {
  nn::LSTM lstm{4, 6, {.num_layers = 2, .batch_first = true, .dropout = 0.2}};
  nn::Linear out{6, 2};
  XTAPE_PARTS(lstm, out)
  static Shape input(std::int64_t n) { return {n, 5, 4}; }
  Tensor forward(const Tensor& x) override { return out(select(lstm(x).output, 1, -1)); }
};

struct Transformer : nn::Module {
  nn::TransformerEncoder layers{
      nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 8, .batch_first = true}), 2};
  nn::Linear out{4, 2};
  XTAPE_PARTS(layers, out)
  static Shape input(std::int64_t n) { return {n, 5, 4}; }
  Tensor forward(const Tensor& x) override { return out(select(layers(x), 1, -1)); }
};

template <class Model>
struct TrainingOf {
  Model net;
  optim::Adam opt{net.parameters(), {.lr = 0.01}};
  optim::StepLR decay{opt, 7, 0.5};
  optim::LinearLR warmup{opt, {.total_iters = 4}};
  optim::ChainedScheduler schedule{{&warmup, &decay}};
  data::DataLoader loader;
  std::int64_t step = 0;

  TrainingOf()
      : loader(data::TensorDataset(randn(Model::input(20)), randn({20, 2})),
               {.batch_size = 3, .shuffle = true, .seed = 5}) {}

  optim::CheckpointParts parts() { return {.schedule = &schedule, .loader = &loader}; }

  // Trains up to `last` steps; after step `save_at` a checkpoint is written.
  void train(std::int64_t last, std::int64_t save_at = -1, const std::string& path = "") {
    while (step < last) {
      for (const auto& [x, y] : loader) {
        opt.step([&, &x = x, &y = y] {
          opt.zero_grad();
          const Tensor loss = nn::mse_loss(net(x), y);
          loss.backward();
          return loss;
        });
        schedule.step();
        if (++step == save_at) {
          optim::save_checkpoint(path, net, opt, {step / 7, step, {{"loss", 0.25}}}, parts());
        }
        if (step == last) return;
      }
    }
  }
};
using Training = TrainingOf<Net>;

using Models = std::tuple<Net, StackedLSTM, Transformer>;

// With dropout, shuffling, Adam and schedules; in the middle of an epoch and at its end.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_whole_run_goes_on_bit_for_bit, Model, Models) {
  using Training = TrainingOf<Model>;
  for (const std::int64_t at : {1, 5, 7, 10}) {
    const ::test::Folder folder;
    const std::string path = folder / "run.safetensors";
    manual_seed(1);
    Training whole;
    whole.train(23, at, path);

    manual_seed(1);
    Training resumed;
    manual_seed(99);
    resumed.train(3);
    BOOST_TEST(optim::read_position(path).step == at);
    BOOST_TEST(resumed.step == 3);  // looking changes nothing
    const optim::Position position =
        optim::load_checkpoint(path, resumed.net, resumed.opt, resumed.parts());
    BOOST_TEST(position.step == at);
    BOOST_TEST(position.metrics.at(0).first == "loss");
    BOOST_TEST(position.metrics.at(0).second == 0.25);
    resumed.step = at;
    resumed.train(23);
    BOOST_TEST(numbers(resumed.net) == numbers(whole.net), boost::test_tools::per_element());
    BOOST_TEST(resumed.opt.lr() == whole.opt.lr());
    BOOST_TEST(default_generator().position > 0u);
  }
}

BOOST_AUTO_TEST_CASE(parts_must_agree_and_failures_change_nothing) {
  const ::test::Folder folder;
  const std::string path = folder / "run.safetensors", plain = folder / "plain.safetensors";
  manual_seed(1);
  Training a;
  a.train(5, 5, path);
  optim::save_checkpoint(plain, a.net, a.opt, {});
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(path, a.net, a.opt), ValueError,
                        says("holds the state of a schedule, but none was given"));
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(path, a.net, a.opt, {.schedule = &a.schedule}),
                        ValueError, says("holds the state of a loader, but none was given"));
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(plain, a.net, a.opt, a.parts()), ValueError,
                        says("lacks the state of a schedule, but one was given"));

  // Everything but the module fits.
  manual_seed(2);
  Training b;
  b.train(2);
  nn::Sequential other(nn::Linear(4, 8), nn::Linear(8, 2));
  const double rate = b.opt.lr();
  const data::LoaderPosition position = b.loader.position();
  BOOST_CHECK_THROW(optim::load_checkpoint(path, other, b.opt, b.parts()), ModuleError);
  BOOST_TEST(b.opt.lr() == rate);
  BOOST_TEST(b.opt.state()[0].second.item<std::int64_t>() == 2);
  BOOST_TEST(b.schedule.last_epoch() == 2);
  BOOST_TEST((b.loader.position() == position));

  // Of a run without an optimizer.
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(plain, a.net), ValueError,
                        says("holds the state of an optimizer, but none was given"));
  optim::save_checkpoint(plain, a.net, {});
  BOOST_CHECK_EXCEPTION(optim::load_checkpoint(plain, a.net, a.opt), ValueError,
                        says("lacks the state of an optimizer, but one was given"));

  const optim::Position twice{0, 0, {{"loss", 1}, {"loss", 2}}};
  BOOST_CHECK_THROW(optim::save_checkpoint(path, a.net, a.opt, twice), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
