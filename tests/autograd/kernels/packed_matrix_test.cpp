// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>
#include <xtape/autograd/kernels/gemm.hpp>
#include <xtape/autograd/kernels/packed_matrix.hpp>

namespace {

using xtape::kernels::PackedMatrix;
using xtape::kernels::Precision;

template <class T>
std::vector<T> drawn(std::int64_t count, double phase) {
  std::vector<T> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(std::sin(phase + 1.3 * static_cast<double>(i)));
  }
  return x;
}

// To 8 bits of mantissa.
template <class T>
void round(std::vector<T>& x) {
  for (T& v : x) {
    int exponent = 0;
    std::frexp(v, &exponent);
    v = std::ldexp(std::nearbyint(std::ldexp(v, 8 - exponent)), exponent - 8);
  }
}

template <class T>
void check(bool transpose, std::int64_t m, std::int64_t n, std::int64_t k,
           Precision precision = Precision::full) {
  std::vector<T> a = drawn<T>(m * k, 0), b = drawn<T>(k * n, 1);
  const std::vector<T> given_a = a, given_b = b;
  if (precision == Precision::bfloat16 && sizeof(T) == 4) round(a), round(b);
  const std::int64_t ldb = transpose ? k : n;
  const PackedMatrix<T> packed(transpose, m, n, k, given_b.data(), ldb, precision);
  for (const T beta : {T(0), T(1)}) {
    std::vector<T> c = drawn<T>(m * n, 2), expected = c;
    packed.multiply(given_a.data(), beta, c.data());
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = static_cast<double>(beta * expected[static_cast<std::size_t>(i * n + j)]);
        for (std::int64_t p = 0; p < k; ++p) {
          const std::int64_t at = transpose ? j * ldb + p : p * ldb + j;
          sum += static_cast<double>(a[static_cast<std::size_t>(i * k + p)]) *
                 static_cast<double>(b[static_cast<std::size_t>(at)]);
        }
        const double got = static_cast<double>(c[static_cast<std::size_t>(i * n + j)]);
        BOOST_TEST(std::abs(got - sum) < (sizeof(T) == 4 ? 2e-5 : 1e-12));
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(packed_matrix)

BOOST_AUTO_TEST_CASE(is_a_product) {
  for (const bool transpose : {false, true}) {
    check<float>(transpose, 32, 96, 64);  // packed where oneDNN is there
    check<float>(transpose, 9, 70, 61);
    check<float>(transpose, 3, 5, 7);
    check<double>(transpose, 9, 70, 61);
    check<double>(transpose, 0, 5, 7);
  }
}

BOOST_AUTO_TEST_CASE(is_a_product_of_rounded_numbers) {
  for (const bool transpose : {false, true}) {
    check<float>(transpose, 32, 96, 64, Precision::bfloat16);
    check<float>(transpose, 9, 70, 61, Precision::bfloat16);
    check<float>(transpose, 3, 5, 7, Precision::bfloat16);
    check<double>(transpose, 9, 70, 61, Precision::bfloat16);
  }
}

BOOST_AUTO_TEST_SUITE_END()
