// SPDX-License-Identifier: BSD-3-Clause
#include "programs.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/tape.hpp>

// Some hundreds here; XTAPE_PROGRAMS=20000 runs as many, XTAPE_PROGRAM_SEED=7 the one of that seed.
BOOST_AUTO_TEST_SUITE(programs)

using namespace xtape;
using namespace xtape::test;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

bool is_wrong(const Program& program) { return check(program).outcome == Outcome::wrong; }

Outcome run(std::uint64_t seed) {
  const Program program = random_program(seed);
  const Verdict verdict = check(program);
  if (verdict.outcome == Outcome::wrong || verdict.outcome == Outcome::undefined) {
    BOOST_ERROR("XTAPE_PROGRAM_SEED=" << seed << ": " << verdict.text << "\n"
                                      << shrunk(program, is_wrong).code());
  }
  return verdict.outcome;
}

// Seeds that failed once, by a planted fault: gradients of two memory orders added as one.
constexpr std::uint64_t kKept[] = {21, 31, 38};

// tanh, but for its derivative.
Tensor wrong_tanh(const Tensor& x) {
  Tensor y = tanh(x.detach());
  record("wrong_tanh", y, {x}, saves(y), [](Backward& t) { t.add(0, t.g() * (1 - t.saved(0))); });
  return y;
}

bool anything(Random&, Call&) { return true; }

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_random_programs) {
  if (const char* seed = std::getenv("XTAPE_PROGRAM_SEED")) {
    const std::uint64_t number = std::strtoull(seed, nullptr, 10);
    BOOST_TEST_MESSAGE(random_program(number).code());
    BOOST_TEST((run(number) == Outcome::right));
    return;
  }
  const std::uint64_t count = from_environment("XTAPE_PROGRAMS", 300);
  std::uint64_t sharp = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) sharp += run(seed) == Outcome::sharp;
  BOOST_TEST(sharp <= count / 100);
  BOOST_TEST_MESSAGE(count << " programs, " << sharp << " too sharp for differences");
}

BOOST_AUTO_TEST_CASE(programs_that_failed_once) {
  for (const std::uint64_t seed : kKept) BOOST_TEST((run(seed) == Outcome::right));
}

BOOST_AUTO_TEST_CASE(every_operation_takes_part) {
  std::vector<int> uses(program_operations().size());
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    for (const Step& step : random_program(seed).steps) {
      ++uses[static_cast<std::size_t>(step.operation - program_operations().data())];
    }
  }
  for (std::size_t k = 0; k < uses.size(); ++k) {
    BOOST_TEST(uses[k] > 0, program_operations()[k].code << " is never chosen");
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_found_and_shrunk) {
  Operations operations = program_operations();
  operations.push_back(XTAPE_STEP(1, anything, wrong_tanh(a)));
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Program program = random_program(seed, operations);
    if (!is_wrong(program)) continue;
    ++found;
    const Program least = shrunk(program, is_wrong);
    BOOST_TEST(is_wrong(least));
    BOOST_TEST(least.steps.size() == 1u);
    BOOST_TEST(least.inputs.size() == 1u);
    BOOST_TEST(least.code().find("const Tensor y0 = wrong_tanh(x0);\n") != std::string::npos,
               least.code());
  }
  BOOST_TEST(found >= 10);
}

BOOST_AUTO_TEST_SUITE_END()
