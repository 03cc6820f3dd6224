// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <numeric>
#include <vector>
#include <xtape/autograd/ops/products.hpp>

#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "trace",
     .f = [](const Tensor& x) { return trace(x); },
     .reference =
         [](const Array& x) {
           long double sum = 0;
           for (std::int64_t i = 0; i < std::min(x.shape[0], x.shape[1]); ++i) sum += x(i, i);
           return Array{{}, {sum}};
         },
     .inputs = {{real({3, 4})}, {real({4, 3})}, {real({0, 3})}},
     .errors = {throws<ShapeError>(
         [] {
           return trace(zeros({2, 3, 3}));
         },
         "trace: expected 2 dimensions, got [2, 3, 3]")}},
    {.name = "vecdot",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{vecdot(a, b), vecdot(a, b, 0)};
         },
     .reference =
         [](const Array& a, const Array& b) {
           const Array products = made(a.shape, [&](const Shape& i) {
             return at(a, i) * at(b, b.shape.rank() == 1 ? Shape{i[1]} : i);
           });
           const auto total = [](const std::vector<long double>& x) {
             return std::accumulate(x.begin(), x.end(), 0.0L);
           };
           return Arrays{reduced(products, {1}, false, total),
                         reduced(products, {0}, false, total)};
         },
     .inputs = {{real({3, 4}), real({3, 4})}, {real({2, 3}), real({3})}, {real({2, 0}), real({0})}},
     .errors =
         {throws<ShapeError>([] { return vecdot(zeros({2}), zeros({3})); }, "do not broadcast"),
          throws<IndexError>([] { return vecdot(zeros({2}), zeros({2}), 1); }, "expected dim")}},
    {.name = "baddbmm",
     .f = [](const Tensor& x, const Tensor& a,
             const Tensor& b) { return baddbmm(x, a, b, 0.5, -2); },
     .reference =
         [](const Array& x, const Array& a, const Array& b) {
           return made({a.shape[0], a.shape[1], b.shape[2]}, [&](const Shape& i) {
             long double sum = 0;
             for (std::int64_t k = 0; k < a.shape[2]; ++k) {
               sum += at(a, {i[0], i[1], k}) * at(b, {i[0], k, i[2]});
             }
             return at(x, x.shape.rank() == 1 ? Shape{i[2]} : i) / 2 - 2 * sum;
           });
         },
     .inputs = {{real({2, 3, 2}), real({2, 3, 4}), real({2, 4, 2})},
                {real({2}), real({2, 3, 4}), real({2, 4, 2})},
                {real({2}), real({2, 3, 0}), real({2, 0, 2})},
                {real({2}), real({0, 3, 4}), real({0, 4, 2})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return baddbmm(zeros({2, 3, 3}), zeros({1, 3, 2}), zeros({1, 2, 3}));
                    },
                    "baddbmm: shape [2, 3, 3] does not broadcast to [1, 3, 3]"),
                throws<DTypeError>(
                    [] {
                      return baddbmm(zeros({3}, float64), zeros({1, 3, 2}), zeros({1, 2, 3}));
                    },
                    "baddbmm: expected one floating dtype")}},
    {.name = "kron",
     .f = [](const Tensor& a, const Tensor& b) { return kron(a, b); },
     .reference =
         [](Array a, Array b) {
           while (a.shape.rank() < b.shape.rank()) a.shape.insert(0, 1);
           while (b.shape.rank() < a.shape.rank()) b.shape.insert(0, 1);
           Shape shape = a.shape;
           for (int d = 0; d < shape.rank(); ++d) shape[d] *= b.shape[d];
           return made(shape, [&](const Shape& i) {
             Shape ia = i, ib = i;
             for (int d = 0; d < i.rank(); ++d) {
               ia[d] = i[d] / b.shape[d];
               ib[d] = i[d] % b.shape[d];
             }
             return at(a, ia) * at(b, ib);
           });
         },
     .inputs = {{real({2, 3}), real({3, 2})},
                {real({3}), real({2, 2})},
                {real({2, 1, 2}), real({3})},
                {real({}), real({2})},
                {real({0, 2}), real({2, 2})}},
     .errors = {throws<ShapeError>(
         [] {
           return kron(zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}), zeros({2}));
         },
         "kron: expected at most 8 dimensions")}},
    {.name = "cross",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{cross(a, b), cross(a, b, 0)};
         },
     .reference =
         [](const Array& a, const Array& b) {
           const auto along = [&](int d) {
             Shape shape = a.shape;
             for (int k = 0; k < 2; ++k) shape[k] = std::max(a.shape[k], b.shape[k]);
             return made(shape, [&](const Shape& i) {
               const auto of = [&](const Array& x, std::int64_t by) {
                 Shape index = i;
                 index[d] = (i[d] + by) % 3;
                 if (x.shape[1 - d] == 1) index[1 - d] = 0;
                 return at(x, index);
               };
               return of(a, 1) * of(b, 2) - of(a, 2) * of(b, 1);
             });
           };
           return Arrays{along(1), along(0)};
         },
     .inputs = {{real({3, 3}), real({3, 3})}},
     .errors = {throws<ShapeError>(
         [] {
           return cross(zeros({2, 4}), zeros({2, 4}));
         },
         "cross: expected vectors of three along dimension -1")}},
    {.name = "tensordot",
     .f = [](const Tensor& a, const Tensor& b) { return tensordot(a, b); },
     .reference =
         [](Array a, Array b) {
           a.shape = {a.shape[0], a.shape[1] * a.shape[2]};
           b.shape = {b.shape[0] * b.shape[1], b.shape[2]};
           return product(a, b);
         },
     .inputs = {{real({2, 3, 4}), real({3, 4, 2})}, {real({2, 0, 4}), real({0, 4, 3})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return tensordot(zeros({2, 3}), zeros({3, 4}), {1}, {1});
                    },
                    "tensordot: dimensions [1] of [2, 3] and [1] of [3, 4] differ"),
                throws<ShapeError>([] { return tensordot(zeros({2}), zeros({2}), 2); },
                                   "tensordot: expected at least 2 dimensions, got [2] and [2]"),
                throws<IndexError>(
                    [] {
                      return tensordot(zeros({2, 2}), zeros({2, 2}), {1, -1}, {0, 1});
                    },
                    "tensordot: dimension -1 of shape [2, 2] named twice")}},
    {.name = "tensordot_dimensions",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return tensordot(a, b, {-1, 0}, {0, 2});
         },
     .reference =
         [](const Array& a, const Array& b) {
           return made({a.shape[1], b.shape[1]}, [&](const Shape& at_index) {
             long double sum = 0;
             for (std::int64_t i = 0; i < a.shape[0]; ++i) {
               for (std::int64_t k = 0; k < a.shape[2]; ++k) {
                 sum += a(i, at_index[0], k) * b(k, at_index[1], i);
               }
             }
             return sum;
           });
         },
     .inputs = {{real({2, 3, 4}), real({4, 5, 2})}},
     .tolerance32 = 1e-5},
    {.name = "tensordot_none",
     .f = [](const Tensor& a, const Tensor& b) { return tensordot(a, b, 0); },
     .reference =
         [](const Array& a, const Array& b) {
           return made({a.shape[0], b.shape[0], b.shape[1]},
                       [&](const Shape& i) { return a(i[0]) * b(i[1], i[2]); });
         },
     .inputs = {{real({3}), real({2, 4})}}},
});

}  // namespace
