// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <string>

#include <xtape/autograd/processor.hpp>

BOOST_AUTO_TEST_SUITE(processor)

BOOST_AUTO_TEST_CASE(level_is_one_that_this_processor_runs) {
  const std::string level = xtape::processor_level();
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2"), avx512 = __builtin_cpu_supports("avx512vl");
  BOOST_TEST_INFO(level);
  BOOST_TEST((level == "x86-64" || (level == "x86-64-v2" && __builtin_cpu_supports("sse4.2")) ||
              (level == "x86-64-v3" && avx2) || (level == "x86-64-v4" && avx512)));
#else
  BOOST_TEST(level == "generic");
#endif
}

BOOST_AUTO_TEST_SUITE_END()
