// SPDX-License-Identifier: BSD-3-Clause
// The README's loop in several processes, run by mpirun: it learns the digits.
#include <xtape/optim/mpi_process_group.hpp>
#include <xtape/xtape.hpp>

#include <cstdio>

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

namespace {

struct Net : nn::Module {
  nn::Linear a{784, 64}, b{64, 10};
  XTAPE_PARTS(a, b)
  Tensor forward(const Tensor& x) override { return b(relu(a(x.flatten(1)))); }
};

double accuracy(Net& net, const data::Digits& digits) {
  const xtape::NoGrad no_grad;
  return mean(eq(argmax(net(digits.images), 1), digits.labels).to(xtape::float32)).item<double>();
}

}  // namespace

int main() {
  xtape::set_num_threads(1);
  const auto digits = data::generate_digits(1000);
  const data::TensorDataset samples(digits.images, digits.labels);
  Net net;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = 5e-3});
  // clang-format off
// README: in several processes
xtape::optim::MpiProcessGroup group;  // <xtape/optim/mpi_process_group.hpp>
xtape::optim::GradientAverager averager(group, net);
const data::RandomSampler all(samples.size());
data::DataLoader loader(samples, {.batch_size = 32,
    .sampler = xtape::Shared<data::DistributedSampler>::make(all, group.rank(), group.size())});
for (const auto& [x, y] : loader) {
  optimizer.zero_grad();
  nn::cross_entropy(net(x), y).backward();
  averager.wait();
  optimizer.step();
}
// README: end
  // clang-format on
  const double right = accuracy(net, digits);
  if (group.rank() == 0) std::printf("%d ranks, accuracy %.3f\n", group.size(), right);
  return right > 0.7 && group.size() == 2 ? 0 : 1;
}
