// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/module.hpp>

#include <string>
#include <vector>

#include "nn_test.hpp"

// Modules that several tests use.
namespace nn_test {

using namespace xtape;
using nn::Buffer;
using nn::Parameter;

struct Scale : nn::Module {
  Parameter weight{ones({2})};
  XTAPE_PARTS(weight)
  explicit Scale(double value = 1) : weight(full({2}, value)) {}
  Tensor forward(const Tensor& x) override {
    if (x.dim() != 1) throw ShapeError("expected 1 dimension, got " + to_string(x.sizes()));
    return x * weight;
  }
};

struct Block : nn::Module {
  Scale first{2}, second{3};
  Buffer mean{zeros({2})};
  XTAPE_PARTS(first, second, mean)
  Tensor forward(const Tensor& x) override { return second(first(x)); }
};

struct Net : nn::Module {
  Block block;
  Parameter bias{ones({2})};
  Scale last{5};
  XTAPE_PARTS(block, bias, last)
  Tensor forward(const Tensor& x) override { return last(block(x) + bias); }
};

// Two modules with one value between them.
struct Tied : nn::Module {
  Scale encoder, decoder;
  XTAPE_PARTS(encoder, decoder)
  Tied() { decoder.weight.tie(encoder.weight); }
  Tensor forward(const Tensor& x) override { return decoder(encoder(x)); }
};

inline bool is_tied(const Tied& net) {
  return net.encoder.weight.value() == net.decoder.weight.value();
}

// The same with parts on the heap.
struct TiedBlocks : nn::Module {
  std::vector<Scale> blocks = std::vector<Scale>(3);
  Scale last;
  XTAPE_PARTS(blocks, last)
  TiedBlocks() {
    blocks[2].weight.tie(blocks[0].weight);
    last.weight.tie(blocks[0].weight);
  }
};

struct Extended : Block {
  Scale extra{7};
  XTAPE_PARTS_OF(Block, extra)
};

// A part of the base and one of the class itself are one.
struct TiedExtended : Extended {
  Scale last{8};
  XTAPE_PARTS_OF(Extended, last)
  TiedExtended() { last.weight.tie(first.weight); }
};

inline void check_names(const nn::NamedTensors& tensors, const std::vector<std::string>& expected) {
  std::vector<std::string> got;
  for (const auto& [name, t] : tensors) got.push_back(name);
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), expected.begin(), expected.end());
}

}  // namespace nn_test
