// SPDX-License-Identifier: BSD-3-Clause
#include <map>
#include <string>

#include <xtape/autograd/ops/einsum.hpp>

#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// Sums over every value of every letter: terms of letters, all sizes equal or 1.
Array summed_products(const std::vector<std::string>& terms, const std::string& output,
                      const Arrays& x) {
  std::string letters = output;
  std::map<char, std::int64_t> sizes;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    for (std::size_t d = 0; d < terms[t].size(); ++d) {
      const char c = terms[t][d];
      if (letters.find(c) == std::string::npos) letters += c;
      const std::int64_t n = x[t].shape[static_cast<int>(d)];
      if (!sizes.contains(c) || sizes[c] == 1) sizes[c] = n;
    }
  }
  Shape all, shape;
  for (const char c : letters) all.push_back(sizes[c]);
  for (const char c : output) shape.push_back(sizes[c]);
  const auto index_of = [&](const std::string& term, const Shape& i, const Shape& within) {
    Shape index;
    for (std::size_t d = 0; d < term.size(); ++d) {
      const std::int64_t k = i[static_cast<int>(letters.find(term[d]))];
      index.push_back(within[static_cast<int>(d)] == 1 ? 0 : k);
    }
    return index;
  };
  Array y = Array::filled(shape, 0);
  each_index(all, [&](const Shape& i) {
    long double product = 1;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      product *= at(x[t], index_of(terms[t], i, x[t].shape));
    }
    std::int64_t k = 0;
    for (int d = 0; d < shape.rank(); ++d) k = k * shape[d] + i[d];
    y.values[static_cast<std::size_t>(k)] += product;
  });
  return y;
}

const Rows rows({
    {.name = "einsum",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return einsum("bij,bjk->ikb", {a, b});
         },
     .reference =
         [](const Array& a, const Array& b) {
           return summed_products({"bij", "bjk"}, "ikb", {a, b});
         },
     .inputs = {{real({2, 3, 4}), real({2, 4, 5})},
                {real({1, 3, 4}), real({2, 4, 5})},
                {real({2, 3, 1}), real({2, 4, 5})},
                {real({2, 0, 4}), real({2, 4, 5})},
                {real({2, 3, 0}), real({2, 0, 5})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return einsum("ij,jk", {zeros({2, 3}), zeros({4, 5})});
                    },
                    "sizes of one label differ"),
                throws<ShapeError>([] { return einsum("ij", {zeros({2})}); }, "does not fit [2]"),
                throws<ShapeError>(
                    [] {
                      return einsum("ii", {zeros({2, 3})});
                    },
                    "repeated label"),
                throws<ValueError>([] { return einsum("i,j", {zeros({2})}); }, "1 operands for 2"),
                throws<ValueError>([] { return einsum("i1", {zeros({2})}); }, "unexpected '1'"),
                throws<ValueError>([] { return einsum("i->j", {zeros({2})}); }, "no operand"),
                throws<ValueError>([] { return einsum("i->ii", {zeros({2})}); }, "repeats"),
                throws<DTypeError>(
                    [] {
                      return einsum("i,i", {zeros({2}), zeros({2}, float64)});
                    },
                    "one floating dtype")}},
    {.name = "einsum_implicit",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return einsum("kj, ji", {a, b});
         },
     .reference =
         [](const Array& a, const Array& b) {
           return summed_products({"kj", "ji"}, "ik", {a, b});
         },
     .inputs = {{real({3, 4}), real({4, 2})}},
     .tolerance32 = 1e-5},
    {.name = "einsum_ellipsis",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return einsum("...ij,...jk", {a, b});
         },
     .reference =
         [](const Array& a, const Array& b) {
           return summed_products({"xij", "yxjk"}, "yxik", {a, b});
         },
     .inputs = {{real({2, 3, 4}), real({3, 2, 4, 2})}, {real({1, 3, 4}), real({3, 2, 4, 2})}},
     .tolerance32 = 1e-5},
    {.name = "einsum_diagonal",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return einsum("iij,i->ji", {a, b});
         },
     .reference =
         [](const Array& a, const Array& b) {
           return summed_products({"iij", "i"}, "ji", {a, b});
         },
     .inputs = {{real({3, 3, 2}), real({3})}},
     .tolerance32 = 1e-5},
    {.name = "einsum_three",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c) {
           return einsum("ai,bi,ci->abc", {a, b, c});
         },
     .reference =
         [](const Array& a, const Array& b, const Array& c) {
           return summed_products({"ai", "bi", "ci"}, "abc", {a, b, c});
         },
     .inputs = {{real({2, 4}), real({3, 4}), real({2, 4})}},
     .tolerance32 = 1e-5},
});

}  // namespace
