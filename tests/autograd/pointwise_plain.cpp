// SPDX-License-Identifier: BSD-3-Clause
// Compiled without wide vectors, as the tests of lambdas beside it in xtape_tests_plain: they run
// as programs here, and as lanes in xtape_tests where that is native.
#include <type_traits>
#include <xtape/autograd/pointwise.hpp>

static_assert(std::is_same_v<xtape::detail::DefaultWay, xtape::detail::Programs>);
