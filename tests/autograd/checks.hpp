// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rows.hpp"
#include "samples.hpp"

// What is derived from a row; checks.cpp holds what holds for every row, pointwise.cpp the rest.
namespace xtape::test {

/// The checks of one row; each adds to `failures` what it finds.
class Checks {
 public:
  explicit Checks(const Row& row);
  void run();
  const std::vector<std::string>& failures() const noexcept { return failures_; }

 private:
  struct Result {
    Tensors values;
    Tensors gradients;  // of the floating inputs, undefined where there is none
  };

  // checks.cpp
  void errors();
  void undefined_inputs();
  void points();
  void stored();
  void sample(const Sample& s);
  void values(const std::string& what, const Tensors& x);
  void float32_like_float64(const std::string& what, const Tensors& x);
  void gradients(const std::string& what, const Tensors& x, std::int64_t max_elements);
  void gradient_kind(const std::string& what, const Tensors& x);
  void layouts(const Tensors& x);
  void each_output_alone(const std::string& what, const Tensors& x);
  void random_numbers(const Tensors& x);
  void any_shape();
  void nonzero_gradients();

  // pointwise.cpp
  void pointwise();
  void broadcasting();
  void fast_path();
  void special_values(DType dtype);
  void special_gradients(DType dtype, const Tensors& x, const Arrays& arguments);
  void threads();
  Tensors shaped(const std::vector<Shape>& shapes, DType dtype);
  Array expected_at(const Tensors& x) const;

  Tensors call(const Tensors& x) const;
  Result differentiate(const Tensors& x) const;
  bool runs(Check c) const noexcept;
  bool differentiable() const noexcept {
    return row_.kind != Kind::no_gradient && row_.kind != Kind::zero_gradient;
  }
  double tolerance(DType dtype) const noexcept {
    return dtype == float32 ? row_.tolerance32 : row_.tolerance;
  }
  void compare(const std::string& what, const Tensors& got, const Arrays& expected,
               double tolerance);
  void fail(const std::string& what) { failures_.push_back(what); }

  const Row& row_;
  Random random_{20240229};
  std::vector<double> gradient_size_;  // the largest rms seen, for each input
  std::vector<std::string> failures_;
};

/// What Boost.Test tells about a crash that follows.
void checkpoint(const std::string& what);
/// "[2, 3] float64, [3] float64"
std::string describe(const Tensors& x);

}  // namespace xtape::test
