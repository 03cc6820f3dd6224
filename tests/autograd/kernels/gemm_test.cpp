// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>
#include <xtape/autograd/kernels/gemm.hpp>
#include <xtape/autograd/parallel.hpp>

#if defined(__unix__)
#include <sys/mman.h>
#endif

namespace {

using xtape::kernels::gemm;
using xtape::kernels::gemm_batched;

struct Product {
  bool transpose_a, transpose_b;
  std::int64_t m, n, k, lda, ldb, ldc;

  // `gap` elements that belong to nobody follow each row.
  Product(bool ta, bool tb, std::int64_t m_, std::int64_t n_, std::int64_t k_, std::int64_t gap)
      : transpose_a(ta),
        transpose_b(tb),
        m(m_),
        n(n_),
        k(k_),
        lda((ta ? m_ : k_) + gap),
        ldb((tb ? k_ : n_) + gap),
        ldc(n_ + gap) {}
  std::int64_t a_size() const { return (transpose_a ? k : m) * lda; }
  std::int64_t b_size() const { return (transpose_b ? n : k) * ldb; }
  std::int64_t c_size() const { return m * ldc; }
};

template <class T>
std::vector<T> normal(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<T> distribution;
  std::vector<T> result(static_cast<std::size_t>(count));
  for (T& x : result) x = distribution(generator);
  return result;
}

template <class T>
void run(const Product& p, T alpha, const T* a, const T* b, T beta, T* c) {
  gemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, alpha, a, p.lda, b, p.ldb, beta, c, p.ldc);
}

template <class T>
double element(const Product& p, const T* a, const T* b, std::int64_t i, std::int64_t j) {
  double sum = 0;
  for (std::int64_t q = 0; q < p.k; ++q) {
    sum += static_cast<double>(p.transpose_a ? a[q * p.lda + i] : a[i * p.lda + q]) *
           static_cast<double>(p.transpose_b ? b[j * p.ldb + q] : b[q * p.ldb + j]);
  }
  return sum;
}

// Rounding of a sum of k terms of size about 1, whose rms is sqrt(k), in any order.
template <class T>
double tolerance(std::int64_t k) {
  return 4.0 * std::numeric_limits<T>::epsilon() * static_cast<double>(k + 1);
}

template <class T>
void check(const Product& p, T alpha, T beta) {
  const auto a = normal<T>(p.a_size(), 1), b = normal<T>(p.b_size(), 2);
  const auto before = normal<T>(p.c_size(), 3);
  auto c = before;
  run(p, alpha, a.data(), b.data(), beta, c.data());
  double worst = 0;
  bool gaps_kept = true;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.ldc; ++j) {
      const auto at = static_cast<std::size_t>(i * p.ldc + j);
      if (j >= p.n) {
        gaps_kept = gaps_kept && c[at] == before[at];
        continue;
      }
      const double expected = static_cast<double>(alpha) * element(p, a.data(), b.data(), i, j) +
                              static_cast<double>(beta) * static_cast<double>(before[at]);
      worst = std::max(worst, std::fabs(expected - static_cast<double>(c[at])));
    }
  }
  BOOST_TEST_INFO_SCOPE(p.transpose_a << p.transpose_b << " " << p.m << "x" << p.n << "x" << p.k
                                      << " alpha " << alpha << " beta " << beta);
  BOOST_TEST(worst <= tolerance<T>(p.k));
  BOOST_TEST(gaps_kept);
}

// Sizes on both sides of every bound of the rule that chooses the engine.
constexpr std::int64_t kSizes[][3] = {{1, 1, 1},     {1, 32, 4},   {3, 5, 7},     {1, 300, 500},
                                      {300, 1, 50},  {8, 64, 300}, {20, 80, 90},  {16, 130, 260},
                                      {33, 65, 129}, {64, 70, 80}, {2, 530, 70},  {4, 37, 200},
                                      {70, 45, 1},   {9, 130, 3},  {130, 10, 70}, {128, 120, 110},
                                      {1, 53, 41},   {1, 9, 5},    {2, 33, 20},   {130, 1, 784}};

template <class T>
void check_all() {
  for (const auto& size : kSizes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        for (const std::int64_t gap : {0, 3}) {
          const Product p(transpose_a, transpose_b, size[0], size[1], size[2], gap);
          check<T>(p, T(1), T(0));
          check<T>(p, T(1), T(1));
          check<T>(p, T(0.5), T(-2));
        }
      }
    }
  }
}

class Threads {
 public:
  explicit Threads(int count) : before_(xtape::num_threads()) { xtape::set_num_threads(count); }
  ~Threads() { xtape::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(kernels_gemm)

BOOST_AUTO_TEST_CASE(every_engine_and_transpose_float32) {
  for (const int count : {1, 2}) {
    const Threads threads(count);
    check_all<float>();
  }
}

BOOST_AUTO_TEST_CASE(every_engine_and_transpose_float64) { check_all<double>(); }

BOOST_AUTO_TEST_CASE(beta_zero_does_not_read_the_target) {
  for (const auto& size : kSizes) {
    for (const bool transpose_b : {false, true}) {
      const Product p(false, transpose_b, size[0], size[1], size[2], 0);
      const auto a = normal<float>(p.a_size(), 1), b = normal<float>(p.b_size(), 2);
      std::vector<float> c(static_cast<std::size_t>(p.c_size()), NAN);
      run(p, 1.0f, a.data(), b.data(), 0.0f, c.data());
      for (const float x : c) BOOST_REQUIRE(std::isfinite(x));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_nan_reaches_its_row_and_no_other) {
  for (const auto& size : kSizes) {
    for (const bool transpose_b : {false, true}) {
      const Product p(false, transpose_b, size[0], size[1], size[2], 0);
      auto a = normal<float>(p.a_size(), 1);
      const std::vector<float> b(static_cast<std::size_t>(p.b_size()), 0.0f);
      std::vector<float> c(static_cast<std::size_t>(p.c_size()));
      a[static_cast<std::size_t>(p.k - 1)] = NAN;
      run(p, 1.0f, a.data(), b.data(), 0.0f, c.data());
      for (std::int64_t i = 0; i < p.c_size(); ++i) {
        BOOST_REQUIRE(std::isnan(c[static_cast<std::size_t>(i)]) == (i < p.n));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(empty_sizes) {
  std::vector<double> c{1, 2, 3, 4};
  const double* const none = nullptr;
  gemm(false, false, 2, 2, 0, 1.0, none, 0, none, 2, 0.5, c.data(), 2);
  BOOST_TEST(c == (std::vector<double>{0.5, 1, 1.5, 2}), boost::test_tools::per_element());
  gemm(false, false, 2, 2, 0, 1.0, none, 0, none, 2, 0.0, c.data(), 2);
  BOOST_TEST(c == std::vector<double>(4, 0.0), boost::test_tools::per_element());
  c.assign(4, 7.0);
  gemm(false, false, 0, 2, 3, 1.0, none, 3, none, 2, 0.0, c.data(), 2);
  gemm(false, false, 2, 0, 3, 1.0, none, 3, none, 0, 0.0, c.data(), 0);
  gemm_batched(0, false, false, 2, 2, 2, 1.0, none, 2, 4, none, 2, 4, 0.0, c.data(), 2, 4);
  BOOST_TEST(c == std::vector<double>(4, 7.0), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(batches_equal_single_products) {
  const Threads threads(2);
  const auto check_batch = [](const Product& p, std::int64_t batch, bool one_a, bool one_b) {
    const std::int64_t stride_a = one_a ? 0 : p.a_size(), stride_b = one_b ? 0 : p.b_size();
    const auto a = normal<float>(batch * p.a_size(), 1), b = normal<float>(batch * p.b_size(), 2);
    std::vector<float> c(static_cast<std::size_t>(batch * p.c_size()), 1.0f);
    gemm_batched(batch, p.transpose_a, p.transpose_b, p.m, p.n, p.k, 1.0f, a.data(), p.lda,
                 stride_a, b.data(), p.ldb, stride_b, 1.0f, c.data(), p.ldc, p.c_size());
    double worst = 0;
    for (std::int64_t i = 0; i < batch; ++i) {
      for (std::int64_t r = 0; r < p.m; ++r) {
        for (std::int64_t s = 0; s < p.n; ++s) {
          const double expected =
              1 + element(p, a.data() + i * stride_a, b.data() + i * stride_b, r, s);
          const auto at = static_cast<std::size_t>(i * p.c_size() + r * p.ldc + s);
          worst = std::max(worst, std::fabs(expected - static_cast<double>(c[at])));
        }
      }
    }
    BOOST_TEST_INFO_SCOPE(p.m << "x" << p.n << "x" << p.k << " times " << batch);
    BOOST_TEST(worst <= tolerance<float>(p.k));
  };
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      for (const bool one_a : {false, true}) {
        for (const bool one_b : {false, true}) {
          check_batch({transpose_a, transpose_b, 5, 6, 7, 0}, 9, one_a, one_b);
          check_batch({transpose_a, transpose_b, 40, 50, 60, 2}, 11, one_a, one_b);
        }
      }
    }
  }
  check_batch({false, true, 260, 256, 256, 0}, 2, false, false);
}

BOOST_AUTO_TEST_CASE(same_bits_every_time) {
  for (const int count : {1, 2}) {
    const Threads threads(count);
    for (const auto& size : kSizes) {
      const Product p(false, true, size[0], size[1], size[2], 0);
      const auto a = normal<float>(p.a_size(), 1), b = normal<float>(p.b_size(), 2);
      std::vector<float> first(static_cast<std::size_t>(p.c_size()));
      run(p, 1.0f, a.data(), b.data(), 0.0f, first.data());
      for (int repeat = 0; repeat < 5; ++repeat) {
        auto again = std::vector<float>(first.size());
        run(p, 1.0f, a.data(), b.data(), 0.0f, again.data());
        BOOST_TEST((again == first));
      }
    }
  }
}

// Sizes large enough to be divided.
BOOST_AUTO_TEST_CASE(few_rows_or_terms_give_the_same_bits_for_any_number_of_threads) {
  const Product products[] = {{false, true, 1, 3000, 700, 0}, {false, false, 1, 3000, 700, 0},
                              {false, true, 3, 903, 500, 1},  {true, false, 4, 903, 500, 1},
                              {true, false, 903, 700, 1, 0},  {false, false, 903, 701, 4, 0},
                              {false, true, 1, 9001, 50, 0}};
  for (const Product& p : products) {
    const auto a = normal<float>(p.a_size(), 1), b = normal<float>(p.b_size(), 2);
    std::vector<float> results[2];
    for (const int count : {1, 2}) {
      const Threads threads(count);
      auto& c = results[count - 1];
      c.resize(static_cast<std::size_t>(p.c_size()));
      run(p, 1.0f, a.data(), b.data(), 0.0f, c.data());
    }
    BOOST_TEST((results[0] == results[1]));
    check<float>(p, 1.0f, 0.0f);
  }
}

// Products that several threads would divide along their sums.
template <class T>
void check_alone(const Product& p) {
  const auto a = normal<T>(p.a_size(), 1), b = normal<T>(p.b_size(), 2);
  std::vector<T> results[3];
  for (const int count : {1, 2, 3}) {
    const Threads threads(count);
    auto& c = results[count - 1];
    c.resize(static_cast<std::size_t>(p.c_size()));
    xtape::kernels::gemm_alone(p.transpose_a, p.transpose_b, p.m, p.n, p.k, T(1), a.data(), p.lda,
                               b.data(), p.ldb, T(0), c.data(), p.ldc);
  }
  BOOST_TEST_INFO_SCOPE(p.transpose_a << p.transpose_b << " " << p.m << "x" << p.n << "x" << p.k);
  BOOST_TEST((results[0] == results[1] && results[0] == results[2]));
}

BOOST_AUTO_TEST_CASE(alone_gives_the_same_bits_for_any_number_of_threads) {
  for (const Product& p : {Product(false, true, 64, 128, 9216, 0),
                           {true, false, 10, 256, 4096, 0},
                           {false, false, 300, 301, 302, 0},
                           {true, false, 16, 16, 20000, 0},
                           {false, true, 12, 12, 30000, 0},
                           {false, false, 31, 7, 5000, 1}}) {
    check_alone<float>(p);
    check_alone<double>(p);
  }
}

template <class T>
void check_bias(const Product& p) {
  const auto a = normal<T>(p.a_size(), 1), b = normal<T>(p.b_size(), 2), bias = normal<T>(p.n, 3);
  std::vector<T> c(static_cast<std::size_t>(p.c_size()), static_cast<T>(NAN));
  xtape::kernels::gemm_bias(p.transpose_a, p.transpose_b, p.m, p.n, p.k, a.data(), p.lda, b.data(),
                            p.ldb, bias.data(), c.data(), p.ldc);
  double worst = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      const double expected = static_cast<double>(bias[static_cast<std::size_t>(j)]) +
                              element(p, a.data(), b.data(), i, j);
      const auto at = static_cast<std::size_t>(i * p.ldc + j);
      worst = std::max(worst, std::fabs(expected - static_cast<double>(c[at])));
    }
  }
  BOOST_TEST_INFO_SCOPE(p.transpose_a << p.transpose_b << " " << p.m << "x" << p.n << "x" << p.k);
  BOOST_TEST(worst <= tolerance<T>(p.k));
}

BOOST_AUTO_TEST_CASE(a_bias_is_added_to_each_row) {
  for (const auto& size : kSizes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        const Product p(transpose_a, transpose_b, size[0], size[1], size[2], 0);
        check_bias<float>(p);
        check_bias<double>(p);
      }
    }
  }
  std::vector<float> c(6);
  const std::vector<float> bias{1, 2, 3};
  const float* const none = nullptr;
  xtape::kernels::gemm_bias(false, false, 2, 3, 0, none, 0, none, 3, bias.data(), c.data(), 3);
  BOOST_TEST(c == (std::vector<float>{1, 2, 3, 1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(several_threads_at_once) {
  const Product p(false, true, 64, 128, 256, 0);
  const auto a = normal<float>(p.a_size(), 1), b = normal<float>(p.b_size(), 2);
  std::vector<std::vector<float>> results(4,
                                          std::vector<float>(static_cast<std::size_t>(p.c_size())));
  std::vector<std::thread> workers;
  for (auto& result : results) {
    workers.emplace_back([&] {
      xtape::set_num_threads(1);
      for (int i = 0; i < 20; ++i) run(p, 1.0f, a.data(), b.data(), 0.0f, result.data());
    });
  }
  for (auto& worker : workers) worker.join();
  for (const auto& result : results) BOOST_TEST((result == results[0]));
  BOOST_TEST(std::fabs(static_cast<double>(results[0][5]) - element(p, a.data(), b.data(), 0, 5)) <=
             tolerance<float>(p.k));
}

#if defined(__unix__)
// Rows 9 GB apart, in memory that is reserved but never filled.
BOOST_AUTO_TEST_CASE(rows_further_apart_than_an_int) {
  const std::int64_t lda = (std::int64_t{1} << 31) + 8;
  const std::size_t bytes = static_cast<std::size_t>(lda + 4) * sizeof(float);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  BOOST_REQUIRE(memory != MAP_FAILED);
  float* a = static_cast<float*>(memory);
  a[0] = 1, a[1] = 2, a[lda] = 3, a[lda + 1] = 4;
  const std::vector<float> b{5, 6, 7, 8};
  std::vector<float> c{100, 100, 100, 100};
  gemm(false, false, 2, 2, 2, 1.0f, a, lda, b.data(), 2, 1.0f, c.data(), 2);
  BOOST_TEST(c == (std::vector<float>{119, 122, 143, 150}), boost::test_tools::per_element());
  gemm(true, true, 2, 2, 2, 1.0f, a, lda, b.data(), 2, 0.0f, c.data(), 2);
  BOOST_TEST(c == (std::vector<float>{23, 31, 34, 46}), boost::test_tools::per_element());
  munmap(memory, bytes);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
