// SPDX-License-Identifier: BSD-3-Clause
// The libtorch side of the comparison; xtape/ runs the same workloads.

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "../groups.hpp"

int main(int argc, char** argv) {
  const measure::Options options = measure::parse(argc, argv);
  if (options.bf16) measure::usage(argv[0]);  // of xtape alone
  at::set_num_threads(options.threads);
  at::globalContext().setDeterministicAlgorithms(options.deterministic, false);
  return run_groups(options);
}
