// SPDX-License-Identifier: BSD-3-Clause
// usage: write_digits FOLDER COUNT ENDING
// Writes built-in digits as the four files of MNIST, packed where ENDING is ".gz".
#include <xtape/xtape.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  const std::string folder = argv[1], ending = argv[3];
  const std::int64_t count = std::atoi(argv[2]);
  std::uint64_t seed = 0;
  for (const std::string part : {"train", "t10k"}) {
    const auto digits = xtape::data::generate_digits(count, ++seed);
    const auto images = (digits.images * 255).to(xtape::uint8).reshape({count, 28, 28});
    xtape::data::write_idx(folder + "/" + part + "-images-idx3-ubyte" + ending, images);
    xtape::data::write_idx(folder + "/" + part + "-labels-idx1-ubyte" + ending,
                           digits.labels.to(xtape::uint8));
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "write_digits: %s\n", error.what());
  return 1;
}
