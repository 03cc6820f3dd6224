// SPDX-License-Identifier: BSD-3-Clause
// What the tape of an LSTM looks like, each step being one operation, and each step written out in
// operations, which makes a longer tape and the same gradients. Leaves both as pictures with their
// data, and as text for Graphviz; prints them as tables, and what they keep.
#include <xtape/xtape.hpp>

#include <fstream>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;

constexpr std::int64_t kSteps = 3, kInputs = 4, kHidden = 8;
constexpr double kMostDifference = 1e-5;

struct Net : nn::Module {
  nn::LSTMCell cell{kInputs, kHidden};
  nn::Linear head{kHidden, 1};
  XTAPE_PARTS(cell, head)
  bool written_out = false;

  nn::LSTMState step(const Tensor& x, const nn::LSTMState& s) {
    if (!written_out) return cell(x, s);
    const Tensor sums =
        linear(x, cell.weight_ih, cell.bias_ih) + linear(s.h, cell.weight_hh, cell.bias_hh);
    const auto gates = chunk(sums, 4, 1);
    const Tensor c = sigmoid(gates[1]) * s.c + sigmoid(gates[0]) * tanh(gates[2]);
    return {sigmoid(gates[3]) * tanh(c), c};
  }
  /// From x [steps, batch, kInputs] to a number for each of the batch.
  Tensor forward(const Tensor& x) override {
    const Tensor zeros = xtape::zeros({x.size(1), kHidden});
    nn::LSTMState state{zeros, zeros};
    for (const Tensor& now : unbind(x)) state = step(now, state);
    return head(state.h).squeeze(1);
  }
};

/// `file`.svg, `file`.csv and `file`.dot in --out-dir.
void write(example::Run& run, const std::string& file, const xtape::Tape& tape,
           const std::string& title) {
  const std::string path = run.path(file);
  xtape::data::TapePicture(tape, {.title = title}).save(path + ".svg");
  if (!(std::ofstream(path + ".dot") << tape.dot() << std::flush)) {
    throw std::runtime_error("cannot write " + path + ".dot");
  }
  run.say(title + "\n\n" + tape.table() + "\n" + tape.memory_report());
}

void show(example::Run& run) {
  if (!run.flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const Tensor x = xtape::randn({kSteps, run.flags.batch_size, kInputs});
  const Tensor y = xtape::randn({run.flags.batch_size});
  Net net;
  run.load_weights(net);
  run.begin_epoch(1, 1);
  example::Values values;
  Tensor gradients[2];
  for (const bool written_out : {false, true}) {
    net.written_out = written_out;
    const std::string name = written_out ? "written_out" : "fused";
    const Tensor loss = nn::mse_loss(net(x), y);
    const xtape::Tape tape = xtape::tape(loss);
    write(run, name, tape, written_out ? "An LSTM, written out" : "An LSTM");
    double bytes = 0;
    for (const auto& entry : tape) bytes += static_cast<double>(entry.saved_bytes);
    values.emplace_back(name + "_operations", tape.size());
    values.emplace_back(name + "_bytes", bytes);
    gradients[written_out] = nn::parameters_to_vector(xtape::grad({loss}, net.parameters()));
  }
  const Tensor apart = norm(gradients[true] - gradients[false]) / norm(gradients[true]);
  values.emplace_back("difference", apart.item<double>());
  run.end_epoch(values);
  run.finish(net);
  run.expect_at_most("difference", kMostDifference);
  run.expect(run.figure("fused_operations") < run.figure("written_out_operations"),
             "fewer operations where a step is one");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "draw_tape",
                       .purpose = "Draws what is recorded of an LSTM",
                       .epochs = 1,
                       .batch_size = 2,
                       .lr = 1},
                      show);
}
