// SPDX-License-Identifier: BSD-3-Clause
// Run by `mpirun -np 2`, as the test mpi_training and by mpi_kill_test.py.
//
//   xtape_mpi_training              50 steps of a convolutional net and of an LSTM, with batches of
//                                   B on each rank: the losses are those of one process with 2 B
//   xtape_mpi_training endless DIR  trains for ever; rank 0 writes DIR/checkpoint after each step
//                                   and every rank its process number into DIR/pid.RANK
//   xtape_mpi_training throw        rank 1 leaves by an exception after some steps
//   xtape_mpi_training load DIR     reads DIR/checkpoint, without MPI
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>

#include <xtape/optim/mpi_process_group.hpp>
#include <xtape/xtape.hpp>

namespace {

namespace nn = xtape::nn;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr std::int64_t kBatch = 4, kSteps = 50;
constexpr double kTolerance = 1e-9;

struct ConvNet : nn::Module {
  nn::Conv2d a{1, 3, 3, {.dtype = xtape::float64}}, b{3, 4, 3, {.dtype = xtape::float64}};
  nn::Linear c{4 * 2 * 2, 3, {.dtype = xtape::float64}};
  XTAPE_PARTS(a, b, c)
  Tensor forward(const Tensor& x) override {
    const Tensor h = max_pool2d(relu(b(relu(a(x.reshape({-1, 1, 8, 8}))))), 2);
    return c(h.flatten(1));
  }
};

struct Recurrent : nn::Module {
  nn::LSTM lstm{8, 6, {.batch_first = true, .dtype = xtape::float64}};
  nn::Linear head{6, 3, {.dtype = xtape::float64}};
  XTAPE_PARTS(lstm, head)
  Tensor forward(const Tensor& x) override { return head(select(lstm(x).output, 1, 7)); }
};

/// Samples of a whole step, [ranks B, 8, 8] and their classes: the same on every rank.
struct Step {
  Tensor x, y;
};
Step step_data(std::int64_t step, std::int64_t count) {
  const xtape::GeneratorScope scope({.seed = 5, .stream = static_cast<std::uint64_t>(step)});
  const Tensor x = xtape::randn({count, 8, 8}, xtape::float64);
  return {x, argmax(narrow(x.flatten(1), 1, 0, 3), 1)};
}

/// The loss of each step, the mean over all ranks; alone where there is no group.
template <class Net>
std::vector<double> train(std::int64_t steps, std::int64_t ranks, optim::ProcessGroup* group,
                          const std::function<void(Net&, optim::Optimizer&, std::int64_t)>& after) {
  xtape::manual_seed(group ? 100 + static_cast<std::uint64_t>(group->rank()) : 100);
  Net net;
  optim::Adam optimizer(net.parameters(), {.lr = 0.01});
  xtape::Owned<optim::GradientAverager> averager;
  if (group) {
    averager = xtape::Owned<optim::GradientAverager>::make(
        *group, net, optim::GradientAveragerOptions{.bucket_bytes = 512});
  }
  std::vector<double> losses;
  for (std::int64_t step = 0; step < steps; ++step) {
    Step data = step_data(step, ranks * kBatch);
    if (group) {
      data.x = narrow(data.x, 0, group->rank() * kBatch, kBatch);
      data.y = narrow(data.y, 0, group->rank() * kBatch, kBatch);
    }
    optimizer.zero_grad();
    const Tensor loss = nn::cross_entropy(net(data.x), data.y);
    loss.backward();
    if (averager) averager->wait();
    optimizer.step();
    double value = loss.item<double>();
    if (group) {
      group->start_sum(&value, 1, xtape::float64)->wait();
      value /= static_cast<double>(ranks);
    }
    losses.push_back(value);
    if (after) after(net, optimizer, step);
  }
  return losses;
}

template <class Net>
void compare(const char* name, optim::ProcessGroup& group) {
  const std::vector<double> alone = train<Net>(kSteps, group.size(), nullptr, {});
  const std::vector<double> together = train<Net>(kSteps, group.size(), &group, {});
  double worst = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    worst = std::max(worst, std::abs(alone[i] - together[i]));
  }
  if (group.rank() == 0) {
    std::printf("%s: loss %.6f to %.6f, %d ranks differ from one process by at most %.1e\n", name,
                alone.front(), alone.back(), group.size(), worst);
  }
  if (!(worst <= kTolerance)) throw std::runtime_error(std::string(name) + ": losses differ");
  if (!(alone.back() < alone.front())) throw std::runtime_error("the loss does not fall");
}

void endless(optim::ProcessGroup& group, const std::string& folder) {
  std::ofstream(folder + "/pid." + std::to_string(group.rank())) << getpid() << '\n';
  train<ConvNet>(INT64_MAX, group.size(), &group,
                 [&](ConvNet& net, optim::Optimizer& o, auto step) {
                   if (group.rank() == 0)
                     save_checkpoint(folder + "/checkpoint", net, o, {.step = step});
                 });
}

void leave_by_exception(optim::ProcessGroup& group) {
  train<ConvNet>(INT64_MAX, group.size(), &group, [&](ConvNet&, optim::Optimizer&, auto step) {
    if (group.rank() == 1 && step == 3) throw std::runtime_error("rank 1 has enough");
  });
}

void load(const std::string& folder) {
  ConvNet net;
  optim::Adam optimizer(net.parameters());
  std::printf("step %lld\n",
              static_cast<long long>(load_checkpoint(folder + "/checkpoint", net, optimizer).step));
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string task = argc > 1 ? argv[1] : "";
  xtape::set_num_threads(1);
  if (task == "load") return load(argv[2]), 0;
  optim::MpiProcessGroup group;
  if (task == "endless") endless(group, argv[2]);
  if (task == "throw") leave_by_exception(group);
  if (group.size() < 2) throw std::runtime_error("expected two ranks at least");
  compare<ConvNet>("convolutional net", group);
  compare<Recurrent>("LSTM", group);
} catch (const std::exception& e) {
  std::fprintf(stderr, "xtape_mpi_training: %s\n", e.what());
  return 1;
}
