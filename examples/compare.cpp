// SPDX-License-Identifier: BSD-3-Clause
// What to open first: runs the other examples at small size, one after the other, and puts what
// they print and draw on one page, index.html. The programs are those beside this one.
#include <sys/wait.h>

#include <cstdlib>

#include "page.hpp"

namespace fs = std::filesystem;

struct Entry {
  const char* name;
  const char* small;  // flags
  bool reads;         // --data-dir
  const char* about;
};

constexpr Entry kEntries[] = {
    {"threshold_unit", "", false, "One neuron: its activations, its rule, and gradient descent."},
    {"regression", "", true, "Two kinds of output: a figure, and a category by softmax."},
    {"churn_ann", "--limit 1000 --epochs 8", true, "A network on a table, cross-validated."},
    {"mnist_cnn", "--limit 1500 --epochs 2", true, "Digits by convolution and pooling."},
    {"image_cnn", "--limit 400 --epochs 2 --batch-size 8", true,
     "What a convolutional net sees; with so few digits a larger one is no better yet."},
    {"gradient_flow", "", false, "Gradients that vanish and explode through time, and what helps."},
    {"stock_lstm", "--limit 300 --epochs 12", true, "A price by LSTM; yesterday's is as good."},
    {"mackey_glass_esn", "--limit 400 --epochs 1", true, "A chaotic series that goes on unaided."},
    {"char_lstm", "--limit 20000 --epochs 1", true, "Text that is written on letter by letter."},
    {"fraud_som", "", true, "A map of customers: dark units lie far from their neighbours."}};

/// As one word of the shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

struct Options {
  std::string out_dir = "out/gallery", data_dir;
  std::vector<std::string> only;
  bool resume = false;
};

/// Runs an example unless it ended well already, and puts it on the page. False where it fails.
bool add(example::Page& page, const Entry& entry, const Options& options) {
  const fs::path folder = fs::path(options.out_dir) / entry.name;
  example::detail::make_folder(folder);
  std::string flags = " --out-dir " + quoted(folder.string());
  if (*entry.small) flags += std::string(" ") + entry.small;
  if (entry.reads && !options.data_dir.empty()) flags += " --data-dir " + quoted(options.data_dir);
  const std::string command = entry.name + flags, output = (folder / "output.txt").string();
  const fs::path done = folder / "done.txt";  // holds the command that ended well
  bool good = options.resume && fs::exists(done) && example::detail::read_file(done) == command;
  std::printf("%s%s\n", command.c_str(), good ? "  (done)" : "");
  std::fflush(stdout);
  if (!good) {
    fs::remove(done);
    const fs::path program = fs::canonical("/proc/self/exe").parent_path() / entry.name;
    if (options.resume) flags += " --resume";
    const int status =
        std::system((quoted(program.string()) + flags + " > " + quoted(output) + " 2>&1").c_str());
    // The shell hands on what ended the program: 128 and the signal's number.
    if (WIFSIGNALED(status) || WEXITSTATUS(status) > 128) {
      throw std::runtime_error("interrupted, --resume goes on");
    }
    good = status == 0;
    if (good) std::ofstream(done) << command;
  }
  if (!good) std::printf("  failed: see %s\n", output.c_str());
  page.add(entry.name, entry.about, command + "\n\n" + example::detail::read_file(output), !good,
           folder);
  return good;
}

int compare(const Options& options) {
  const std::vector<std::string>& only = options.only;
  for (const std::string& name : only) {
    if (std::ranges::find(kEntries, name, &Entry::name) == std::end(kEntries)) {
      throw std::runtime_error("no example '" + name + "'");
    }
  }
  example::Page page("xtape: what the examples draw",
                     "Each part is one program of examples/, run at small size by the command "
                     "above what it printed: figures are worse than at full size. Beside each "
                     "picture the program leaves its data as CSV.");
  bool good = true;
  for (const Entry& entry : kEntries) {
    if (!only.empty() && std::ranges::find(only, entry.name) == only.end()) continue;
    good = add(page, entry, options) && good;
  }
  const std::string path = (fs::path(options.out_dir) / "index.html").string();
  page.save(path);
  std::printf("done, %s\n", path.c_str());
  return good ? 0 : 1;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs the examples at small size and shows what they draw on one page", "compare");
  app.add_option("--out-dir", options.out_dir, "Folder of the page")->capture_default_str();
  app.add_option("--data-dir", options.data_dir, "Folder of real data (default: built-in data)");
  app.add_option("--only", options.only, "Run these alone");
  app.add_flag("--resume", options.resume, "Go on where the last run of the same flags was left");
  CLI11_PARSE(app, argc, argv);
  try {
    return compare(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare: %s\n", error.what());
    return 1;
  }
}
