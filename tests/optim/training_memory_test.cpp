// SPDX-License-Identifier: BSD-3-Clause
// A training loop holds after 1,000 steps what it held after 10; `./dev bench --memory` looks at
// the whole process and at nets of full size.
#include <boost/test/unit_test.hpp>

#include <xtape/xtape.hpp>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

using namespace xtape;

// Bytes and values, in tensors and outside of them.
struct Held {
  memory::Stats stats = memory::stats();
#if defined(__GLIBC__)
  std::size_t heap = mallinfo2().uordblks;
#else
  std::size_t heap = 0;
#endif
};

template <class Optimizer, class Loss>
void check(const char* name, nn::Module& net, Optimizer optimizer, Loss loss) {
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) {
      optimizer.zero_grad();
      const Tensor y = loss();
      y.backward();
      nn::clip_grad_norm_(net.parameters(), 1);
      optimizer.step();
    }
  };
  steps(10);
  memory::reset_peak();
  steps(1);
  const Held early;
  steps(989);
  const Held late;
  BOOST_TEST_INFO_SCOPE(name);
  BOOST_TEST(late.stats.live_bytes == early.stats.live_bytes);
  BOOST_TEST(late.stats.live_tensors == early.stats.live_tensors);
  BOOST_TEST(late.stats.live_nodes == early.stats.live_nodes);
  BOOST_TEST(late.stats.peak_bytes == early.stats.peak_bytes);
  BOOST_TEST(late.stats.cached_bytes == early.stats.cached_bytes);
  // glibc counts what its threads keep for reuse; the smallest block lost in each step is more.
  BOOST_TEST(late.heap < early.heap + 8192);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(training_memory)

BOOST_AUTO_TEST_CASE(a_thousand_steps_hold_what_ten_do) {
  manual_seed(2);
  const int before = num_threads();
  set_num_threads(1);
  nn::Sequential mlp(nn::Linear(20, 16), nn::ReLU(), nn::Dropout(0.2), nn::Linear(16, 3));
  const Tensor x = randn({8, 20}), labels = randint(0, 3, {8});
  check("mlp", mlp, optim::Adam(mlp.parameters()),
        [&] { return nn::cross_entropy(mlp(x), labels); });

  nn::Sequential cnn(nn::Conv2d(1, 4, 3), nn::BatchNorm2d(4), nn::ReLU(), nn::MaxPool2d(2),
                     nn::Conv2d(4, 5, 2), nn::Flatten(), nn::Linear(20, 3));
  const Tensor pictures = randn({8, 1, 8, 8});
  check("cnn", cnn, optim::SGD(cnn.parameters(), {.lr = 0.01, .momentum = 0.9}),
        [&] { return nn::cross_entropy(cnn(pictures), labels); });

  nn::LSTM lstm(6, 8);
  const Tensor sequences = randn({5, 4, 6});
  check("lstm", lstm, optim::RMSprop(lstm.parameters()),
        [&] { return mean(square(lstm(sequences, {}).output)); });

  nn::TransformerEncoder transformer(
      nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 12, .batch_first = true}), 1);
  const Tensor words = randn({2, 6, 8});
  check("transformer", transformer, optim::AdamW(transformer.parameters()),
        [&] { return mean(pow(transformer(words, {.is_causal = true}), 4)); });

  nn::Embedding table(50, 8);
  const Tensor index = randint(0, 50, {12});
  check("embedding", table, optim::SGD(table.parameters(), {.lr = 0.01}),
        [&] { return sum(square(table(index))); });

  // Second derivatives.
  nn::Sequential pinn(nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 1));
  Tensor points = rand({6, 2}).requires_grad_();
  check("pinn", pinn, optim::Adam(pinn.parameters()), [&] {
    const Tensor slope = grad({sum(pinn(points))}, {points}, {.create_graph = true})[0];
    points.zero_grad();
    return mean(square(slope - 1));
  });
  set_num_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
