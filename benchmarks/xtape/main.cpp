// SPDX-License-Identifier: BSD-3-Clause
// The xtape side of the comparison; libtorch/ runs the same workloads.

#include <xtape/autograd/autocast.hpp>
#include <xtape/autograd/deterministic.hpp>
#include <xtape/autograd/parallel.hpp>

#include "../groups.hpp"

int main(int argc, char** argv) {
  const measure::Options options = measure::parse(argc, argv);
  xtape::set_num_threads(options.threads);
  xtape::use_deterministic_algorithms(options.deterministic);
  const xtape::Autocast autocast(options.bf16);
  return run_groups(options);
}
