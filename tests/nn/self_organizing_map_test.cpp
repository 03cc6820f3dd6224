// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/nn/self_organizing_map.hpp>

#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/safetensors.hpp>
#include <xtape/nn/state.hpp>

#include <algorithm>
#include <limits>
#include <set>

#include "../folders.hpp"
#include "modules.hpp"

namespace {

using namespace xtape;
using namespace nn_test;
using nn::SelfOrganizingMap;
using nn::SomDecay;
using nn::SomGrid;
using nn::SomNeighborhood;
using nn::SomTraining;

Tensor stored(const std::string& name) {
  const auto path =
      test::source_folder() / "tests" / "reference" / "nn" / "self_organizing_map.safetensors";
  for (const auto& [key, tensor] : data::read_safetensors(path.string()).tensors) {
    if (key == name) return tensor;
  }
  throw FileError("no " + name + " in " + path.string());
}

// Three clouds in the plane, far apart; sample i is of cloud i % 3.
Tensor clouds(std::int64_t n, DType dtype = float64) {
  const Tensor centers = tensor({{0, 0}, {10, 0}, {0, 10}}, float64);
  return (index_select(centers, 0, remainder(arange(0, n, 1, int64), 3)) +
          0.3 * randn({n, 2}, float64))
      .to(dtype);
}

bool same_bits(const Tensor& a, const Tensor& b) { return values(a) == values(b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_self_organizing_map)

BOOST_AUTO_TEST_CASE(trains_as_minisom_does) {
  for (const auto& [name, grid] : {std::pair{"rectangular", SomGrid::rectangular},
                                   std::pair{"hexagonal", SomGrid::hexagonal}}) {
    for (const auto training : {SomTraining::online, SomTraining::batch}) {
      for (const DType dtype : {float64, float32}) {
        const std::string prefix =
            name + std::string(training == SomTraining::batch ? ".batch." : ".online.");
        BOOST_TEST_CONTEXT(prefix << xtape::name(dtype)) {
          const double tolerance = dtype == float64 ? 1e-12 : 1e-5;
          const Tensor x = stored("samples").to(dtype);
          SelfOrganizingMap map(5, 4, 3, {.grid = grid, .dtype = dtype});
          map.weight.copy_(stored("start").to(dtype));
          const auto history = map.fit(x, {.epochs = 3,
                                           .training = training,
                                           .learning_rate = 0.5,
                                           .final_learning_rate = 0.5 / 3,
                                           .radius = 2.4,
                                           .final_radius = 0.8,
                                           .decay = SomDecay::inverse,
                                           .shuffle = false});
          BOOST_TEST(history.size() == 3U);
          check_values(map.weight, values(stored(prefix + "weight")), tolerance);
          check_values(map.best_matching_units(x), values(stored(prefix + "winners")));
          const Tensor borders = map.distance_map();
          check_values(borders / amax(borders), values(stored(prefix + "distance_map")), tolerance);
          const std::vector<double> errors = values(stored(prefix + "errors"));
          BOOST_TEST(std::abs(map.quantization_error(x) - errors[0]) < tolerance);
          BOOST_TEST(std::abs(map.topographic_error(x) - errors[1]) < 1e-12);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(iris) {
  const auto folder = test::data_folder();
  if (!folder || !std::filesystem::exists(*folder / "tabular" / "iris.csv")) {
    BOOST_TEST_MESSAGE("skipped: no tabular/iris.csv in $XTAPE_DATA_DIR or ../shared/data");
    return;
  }
  const data::Table table =
      data::read_csv((*folder / "tabular" / "iris.csv").string(), {.header = false});
  std::vector<std::string> names = table.names();
  const auto species = table.texts(names.back());
  names.pop_back();
  const Tensor x = table.matrix(names, float64);
  const double minisom = stored("iris.errors")[0].item<double>();
  // In the file's order, as MiniSom was trained; then in random orders, which may do better.
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    manual_seed(seed);
    SelfOrganizingMap map(7, 7, 4, {.dtype = float64});
    map.init_pca_(x);
    map.fit(x, {.epochs = 100,
                .learning_rate = 0.5,
                .final_learning_rate = 0.5 / 3,
                .radius = 3,
                .final_radius = 1,
                .decay = SomDecay::inverse,
                .shuffle = seed > 0});
    const double error = map.quantization_error(x);
    BOOST_TEST((error < 1.02 * minisom && (seed > 0 || error > 0.98 * minisom)),
               "quantization error " << error << ", MiniSom " << minisom);
    BOOST_TEST(map.topographic_error(x) < 0.1);
    // No unit serves setosa and another species.
    const Tensor unit = map.best_matching_units(x);
    std::set<std::int64_t> setosa, others;
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      const bool is_setosa = species[static_cast<std::size_t>(i)] == "Iris-setosa";
      (is_setosa ? setosa : others).insert(unit[i].item<std::int64_t>());
    }
    BOOST_TEST(setosa.size() > 4U);
    BOOST_TEST(others.size() > 4U);
    for (const std::int64_t u : setosa) BOOST_TEST(!others.contains(u), "unit " << u << " is both");
  }
}

BOOST_AUTO_TEST_CASE(clusters_stand_apart) {
  for (const auto training : {SomTraining::online, SomTraining::batch}) {
    for (const auto neighborhood : {SomNeighborhood::gaussian, SomNeighborhood::bubble}) {
      manual_seed(3);
      const Tensor x = clouds(90, float32);
      SelfOrganizingMap map(6, 6, 2, {.grid = SomGrid::hexagonal, .neighborhood = neighborhood});
      map.init_samples_(x);
      const auto history = map.fit(x, {.epochs = 20, .training = training});
      BOOST_TEST((history.size() == 20 && history.back() < 0.3));
      BOOST_TEST(map.quantization_error(x) < 0.3);
      const Tensor unit = map.best_matching_units(x);
      std::set<std::int64_t> of[3];
      for (std::int64_t i = 0; i < 90; ++i) of[i % 3].insert(unit[i].item<std::int64_t>());
      for (int a = 0; a < 3; ++a) {
        for (const std::int64_t u : of[a]) BOOST_TEST(!of[(a + 1) % 3].contains(u));
      }
      const Tensor borders = map.distance_map();
      BOOST_TEST(amax(borders).item<float>() > 5 * amin(borders).item<float>());
    }
  }
}

BOOST_AUTO_TEST_CASE(hits_and_several_units) {
  manual_seed(4);
  const Tensor x = clouds(50);
  SelfOrganizingMap map(3, 4, 2, {.dtype = float64});
  map.init_pca_(x);
  const Tensor hits = map.hit_map(x);
  BOOST_TEST(to_string(hits.sizes()) == "[3, 4]");
  BOOST_TEST(sum(hits).item<std::int64_t>() == 50);
  const Tensor best = map.best_matching_units(x);
  for (std::int64_t u = 0; u < 12; ++u) {
    const auto all = values(best);
    BOOST_TEST(std::ranges::count(all, static_cast<double>(u)) ==
               hits.flatten()[u].item<std::int64_t>());
  }
  const Tensor three = map.best_matching_units(x, 3), distances = map(x);
  BOOST_TEST(to_string(distances.sizes()) == "[50, 12]");
  BOOST_TEST(same_bits(select(three, 1, 0), best));
  const Tensor found = gather(distances, 1, three);
  for (std::int64_t i = 0; i < 50; ++i) {
    BOOST_TEST(found[i][0].item<double>() <= found[i][1].item<double>());
    BOOST_TEST(found[i][1].item<double>() <= found[i][2].item<double>());
    const auto row = values(distances[i]);
    BOOST_TEST(
        std::ranges::count_if(row, [&](double d) { return d < found[i][2].item<double>(); }) == 2);
  }
  BOOST_TEST(std::abs(mean(select(found, 1, 0)).item<double>() - map.quantization_error(x)) <
             1e-12);
}

BOOST_AUTO_TEST_CASE(grids) {
  SelfOrganizingMap map(3, 3, 1, {.grid = SomGrid::hexagonal, .dtype = float64});
  const Tensor places = map.positions();
  int near = 0;
  for (std::int64_t u = 0; u < 9; ++u) {
    const double distance = norm(places[u] - places[4]).item<double>();
    if (u != 4 && distance < 1.1) BOOST_TEST(std::abs(distance - 1) < 1e-12);
    near += u != 4 && distance < 1.1;
  }
  BOOST_TEST(near == 6);
  // A bubble of radius 1 takes these along: all of the way at rate 1.
  map.weight.copy_(arange(0, 9, 1, float64).reshape({3, 3, 1}));
  SelfOrganizingMap bubble(
      3, 3, 1,
      {.grid = SomGrid::hexagonal, .neighborhood = SomNeighborhood::bubble, .dtype = float64});
  bubble.weight.copy_(map.weight);
  bubble.fit(full({1, 1}, 4.1, float64),
             {.epochs = 1, .learning_rate = 1, .final_learning_rate = 1, .radius = 1});
  check_values(bubble.weight, {0, 4.1, 4.1, 4.1, 4.1, 4.1, 6, 4.1, 4.1}, 1e-12);
  // Units without neighbours, or with one.
  SelfOrganizingMap one(1, 1, 2), line(1, 3, 1);
  check_values(one.distance_map(), {0});
  line.weight.copy_(tensor({0, 1, 3}).reshape({1, 3, 1}));
  check_values(line.distance_map(), {1, 1.5, 2}, 1e-6);
}

BOOST_AUTO_TEST_CASE(batch_keeps_units_out_of_reach) {
  SelfOrganizingMap map(1, 30, 1, {.neighborhood = SomNeighborhood::bubble, .dtype = float64});
  map.weight.copy_(arange(0, 30, 1, float64).reshape({1, 30, 1}));
  map.fit(tensor({2.1, 2.3}, float64).unsqueeze(1),
          {.epochs = 1, .training = SomTraining::batch, .radius = 1});
  std::vector<double> expected(30);
  for (std::size_t i = 0; i < 30; ++i) expected[i] = static_cast<double>(i);
  expected[1] = expected[2] = expected[3] = 2.2;
  check_values(map.weight, expected, 1e-12);
}

BOOST_AUTO_TEST_CASE(decays) {
  // One unit, rate 1: it is the last sample it saw; at smaller rates what is left of the first.
  for (const auto& [decay, middle] :
       {std::pair{SomDecay::linear, 0.5}, std::pair{SomDecay::exponential, std::sqrt(0.8 * 0.2)},
        std::pair{SomDecay::inverse, 0.8 / 2.5}}) {
    SelfOrganizingMap map(1, 1, 1, {.dtype = float64});
    map.weight.copy_(zeros({1, 1, 1}, float64));
    map.fit(tensor({1, 0}, float64).unsqueeze(1), {.epochs = 1,
                                                   .learning_rate = 0.8,
                                                   .final_learning_rate = 0.2,
                                                   .decay = decay,
                                                   .shuffle = false});
    check_values(map.weight, {0.8 * (1 - middle)}, 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(initialisation) {
  manual_seed(5);
  // An ellipse whose axes are known: deviation 3 along (0.6, 0.8, 0), 1 along (0, 0, 1).
  const Tensor plane = tensor({{1.8, 2.4, 0}, {0, 0, 1}}, float64);
  const Tensor z = randn({200, 2}, float64);
  const Tensor centered = z - mean(z, {0});
  const Tensor x = matmul(centered, plane) + tensor({5, 6, 7}, float64);
  SelfOrganizingMap map(3, 5, 3, {.dtype = float64});
  map.init_pca_(x);
  const Tensor w = map.weight;
  check_values(w[1][2], values(mean(x, {0})), 1e-9);
  const Tensor right = w[1][4] - w[1][2], down = w[2][2] - w[1][2];
  // Its variances along the axes are those of the sample.
  const Tensor covariance = matmul((x - mean(x, {0})).t(), x - mean(x, {0})) / 200.;
  for (const Tensor& axis : {right, down}) {
    const double strength = sum(axis * axis).item<double>();
    check_values(mv(covariance, axis), values(axis * strength), 1e-6);
  }
  BOOST_TEST(norm(right).item<double>() > 2);
  BOOST_TEST(std::abs(sum(right * down).item<double>()) < 1e-6);
  BOOST_TEST(right[1].item<double>() > 0);
  // One dimension, and samples that are all alike.
  SelfOrganizingMap flat(2, 3, 1, {.dtype = float64});
  flat.init_pca_(tensor({1, 3}, float64).unsqueeze(1));
  check_values(flat.weight, {1, 2, 3, 1, 2, 3}, 1e-9);
  flat.init_pca_(full({4, 1}, 2, float64));
  check_values(flat.weight, {2, 2, 2, 2, 2, 2}, 1e-12);

  const Tensor samples = arange(0, 10, 1, float64).reshape({10, 1});
  SelfOrganizingMap drawn(2, 5, 1, {.dtype = float64});
  drawn.init_samples_(samples);
  const auto all = values(drawn.weight);
  BOOST_TEST(std::set<double>(all.begin(), all.end()).size() == 10U);
  SelfOrganizingMap larger(5, 5, 1, {.dtype = float64});
  larger.init_samples_(samples);
  for (const double v : values(larger.weight)) BOOST_TEST((v >= 0 && v < 10 && v == std::floor(v)));
}

BOOST_AUTO_TEST_CASE(same_seed_same_map) {
  manual_seed(6);
  const Tensor x = clouds(300, float32);
  const auto trained = [&](std::uint64_t seed, int threads, SomTraining training) {
    const int before = num_threads();
    set_num_threads(threads);
    manual_seed(seed);
    SelfOrganizingMap map(8, 8, 2);
    map.init_samples_(x);
    map.fit(x, {.epochs = 3, .training = training});
    set_num_threads(before);
    return map;
  };
  for (const auto training : {SomTraining::online, SomTraining::batch}) {
    const SelfOrganizingMap map = trained(1, 1, training);
    BOOST_TEST(same_bits(map.weight, trained(1, 2, training).weight));
    BOOST_TEST(!same_bits(map.weight, trained(2, 1, training).weight));
    SelfOrganizingMap copy = map;
    BOOST_TEST(same_bits(copy.weight, map.weight));
    copy.weight.copy_(zeros({8, 8, 2}));
    BOOST_TEST(!same_bits(copy.weight, map.weight));
    SelfOrganizingMap loaded(8, 8, 2);
    nn::load_state(loaded, nn::state_dict(map));
    BOOST_TEST(same_bits(loaded.best_matching_units(x), map.best_matching_units(x)));
    check_names(map.named_buffers(), {"weight"});
    BOOST_TEST(map.parameters().empty());
  }
}

BOOST_AUTO_TEST_CASE(gradients_go_to_the_samples) {
  manual_seed(7);
  SelfOrganizingMap map(2, 3, 4, {.dtype = float64});
  const auto f = [&](const Tensor& x) { return map(x); };
  gradcheck(f, {randn({2, 5, 4}, float64)});
  Tensor x = randn({3, 4}, float64);
  x.requires_grad_();
  map.init_samples_(x);
  map.fit(x);
  BOOST_TEST(!map.weight.requires_grad());
}

BOOST_AUTO_TEST_CASE(refuses) {
  BOOST_CHECK_EXCEPTION(SelfOrganizingMap(0, 2, 3), ValueError,
                        says("expected at least 1 row, column and feature, got 0, 2 and 3"));
  SelfOrganizingMap map(2, 2, 3);
  const Tensor x = ones({4, 3});
  BOOST_CHECK_EXCEPTION(map.fit(ones({4, 2})), ShapeError,
                        says("fit: expected [samples, 3], got [4, 2]"));
  BOOST_CHECK_THROW(map.fit(ones({0, 3})), ShapeError);
  BOOST_CHECK_THROW(map.fit(Tensor()), ShapeError);
  BOOST_CHECK_THROW(map(ones({2})), ShapeError);
  BOOST_CHECK_EXCEPTION(map.hit_map(ones({4, 3}, float64)), DTypeError,
                        says("hit_map: expected the map's dtype"));
  const Tensor bad = full({4, 3}, std::numeric_limits<double>::quiet_NaN());
  BOOST_CHECK_EXCEPTION(map.init_pca_(bad), ValueError, says("the samples hold Inf or NaN"));
  BOOST_CHECK_THROW(map.quantization_error(bad), ValueError);
  BOOST_CHECK_EXCEPTION(map.fit(x, {.epochs = 0}), ValueError, says("at least 1 epoch"));
  BOOST_CHECK_THROW(map.fit(x, {.learning_rate = 1.5}), ValueError);
  BOOST_CHECK_THROW(map.fit(x, {.final_learning_rate = 0}), ValueError);
  BOOST_CHECK_THROW(map.fit(x, {.radius = -1}), ValueError);
  BOOST_CHECK_THROW(map.fit(x, {.final_radius = 0}), ValueError);
  BOOST_CHECK_EXCEPTION(map.best_matching_units(x, 5), ValueError,
                        says("expected k from 1 to 4, got 5"));
  BOOST_CHECK_THROW(SelfOrganizingMap(1, 1, 3).topographic_error(x), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
