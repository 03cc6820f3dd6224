// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The groups of workloads, one file each on either side: xtape/ and libtorch/. workloads.md says
// what each workload does.

#include "measure.hpp"

void run_operations(measure::Session& session);
void run_dense(measure::Session& session);
void run_pictures(measure::Session& session);
void run_sequences(measure::Session& session);
void run_updates(measure::Session& session);
void run_rates(measure::Session& session);

inline int run_groups(const measure::Options& options) {
  measure::Session session(options);
  run_operations(session);
  run_dense(session);
  run_pictures(session);
  run_sequences(session);
  run_updates(session);
  run_rates(session);
  return session.finish();
}
