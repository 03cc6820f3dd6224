// SPDX-License-Identifier: BSD-3-Clause
#include "einsum.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "matmul.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

// A label is a letter's code, or of the dimensions of `...` the one j places from the last: -1 - j.
using Labels = std::vector<int>;

// A tensor with one label for each dimension, none twice.
struct Term {
  Tensor x;
  Labels labels;
};

bool has(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

int place(const Labels& labels, int label) {
  return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

std::int64_t size_of(const Term& t, int label) { return t.x.sizes()[place(t.labels, label)]; }

[[noreturn]] void refuse(std::string_view equation, const std::string& what) {
  throw ValueError("einsum: " + what + " in \"" + std::string(equation) + "\"");
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The labels of one operand or of the output, `...` standing for `hidden` dimensions.
Labels labels_of(std::string_view equation, std::string_view text, int hidden) {
  Labels labels;
  bool seen = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (is_letter(text[i])) {
      labels.push_back(text[i]);
    } else if (text.substr(i, 3) == "..." && !seen) {
      for (int j = hidden; j-- > 0;) labels.push_back(-1 - j);
      seen = true;
      i += 2;
    } else {
      refuse(equation, "unexpected '" + std::string(1, text[i]) + "'");
    }
  }
  return labels;
}

Term summed(Term t, const Labels& kept) {
  Shape dims;
  Labels labels;
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    if (has(kept, t.labels[i])) {
      labels.push_back(t.labels[i]);
    } else {
      dims.push_back(static_cast<std::int64_t>(i));
    }
  }
  return dims.empty() ? t : Term{sum(t.x, dims), labels};
}

// Dimensions of one label become their diagonal.
Term with_diagonals(Term t) {
  for (std::size_t i = 0; i < t.labels.size();) {
    const auto later = std::find(t.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 t.labels.end(), t.labels[i]);
    if (later == t.labels.end()) {
      ++i;
      continue;
    }
    const int label = t.labels[i], j = static_cast<int>(later - t.labels.begin());
    if (t.x.sizes()[static_cast<int>(i)] != t.x.sizes()[j]) {
      throw ShapeError("einsum: repeated label '" + std::string(1, static_cast<char>(label)) +
                       "' has different sizes in " + to_string(t.x.sizes()));
    }
    t.x = diagonal(t.x, 0, static_cast<std::int64_t>(i), j);
    t.labels.erase(later);
    t.labels.erase(t.labels.begin() + static_cast<std::ptrdiff_t>(i));
    t.labels.push_back(label);
  }
  return t;
}

// Without the dimensions of size 1 where the other operand's has another size.
Term without_ones(Term t, const Term& other) {
  for (std::size_t i = t.labels.size(); i-- > 0;) {
    const auto dim = static_cast<int>(i);
    if (t.x.sizes()[dim] != 1 || !has(other.labels, t.labels[i])) continue;
    if (size_of(other, t.labels[i]) == 1) continue;
    t.x = squeeze(t.x, dim);
    t.labels.erase(t.labels.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return t;
}

// x as a batch of matrices, whose dimensions are those of the labels in three groups.
Tensor grouped(const Term& t, const Labels& batch, const Labels& rows, const Labels& cols) {
  Shape order, shape;
  for (const Labels* group : {&batch, &rows, &cols}) {
    std::int64_t n = 1;
    for (const int label : *group) {
      order.push_back(place(t.labels, label));
      n *= size_of(t, label);
    }
    shape.push_back(n);
  }
  return reshape(permute(t.x, order), shape);
}

// The product of two terms, summed over what they share and `kept` does not name.
Term contracted(Term a, Term b, const Labels& kept) {
  Term plain = without_ones(a, b);
  b = without_ones(std::move(b), a);
  a = std::move(plain);
  Labels of_both;
  for (const int label : a.labels) {
    if (has(b.labels, label)) of_both.push_back(label);
  }
  Labels wanted = kept;
  wanted.insert(wanted.end(), of_both.begin(), of_both.end());
  a = summed(std::move(a), wanted);
  b = summed(std::move(b), wanted);

  Labels batch, inner, left, right;
  for (const int label : of_both) {
    if (size_of(a, label) != size_of(b, label)) {
      throw ShapeError("einsum: sizes of one label differ, " + to_string(a.x.sizes()) + " and " +
                       to_string(b.x.sizes()));
    }
    (has(kept, label) ? batch : inner).push_back(label);
  }
  for (const int label : a.labels) {
    if (!has(of_both, label)) left.push_back(label);
  }
  for (const int label : b.labels) {
    if (!has(of_both, label)) right.push_back(label);
  }
  const Tensor y = bmm(grouped(a, batch, left, inner), grouped(b, batch, inner, right));
  Term product;
  Shape shape;
  for (const Labels* group : {&batch, &left, &right}) {
    for (const int label : *group) {
      product.labels.push_back(label);
      shape.push_back(size_of(group == &right ? b : a, label));
    }
  }
  product.x = reshape(y, shape);
  return product;
}

// What an equation without `->` gives, where `written` are the letters of all operands.
Labels implicit_output(Labels written, int hidden) {
  Labels output;
  for (int j = hidden; j-- > 0;) output.push_back(-1 - j);
  std::sort(written.begin(), written.end());
  for (const int label : written) {
    if (std::count(written.begin(), written.end(), label) == 1) output.push_back(label);
  }
  return output;
}

std::vector<std::string_view> split(std::string_view inputs) {
  std::vector<std::string_view> texts;
  for (std::size_t from = 0; from <= inputs.size();) {
    const std::size_t to = std::min(inputs.find(',', from), inputs.size());
    texts.push_back(inputs.substr(from, to - from));
    from = to + 1;
  }
  return texts;
}

// The operands with their labels; `hidden` becomes the largest number of dimensions behind `...`.
std::vector<Term> terms_of(std::string_view equation, std::string_view inputs,
                           std::span<const Tensor> operands, int& hidden) {
  const std::vector<std::string_view> texts = split(inputs);
  if (operands.empty() || texts.size() != operands.size()) {
    refuse(equation, std::to_string(operands.size()) + " operands for " +
                         std::to_string(texts.size()) + " terms");
  }
  std::vector<Term> terms;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Tensor& x = operands[i];
    detail::check_defined("einsum", x);
    if (!is_floating(x.dtype()) || x.dtype() != operands[0].dtype()) {
      throw DTypeError("einsum: expected one floating dtype, got " + operands[0].description() +
                       " and " + x.description());
    }
    const int named = static_cast<int>(labels_of(equation, texts[i], 0).size());
    const int rest = x.dim() - named;
    if (rest < 0 || (rest > 0 && texts[i].find("...") == std::string_view::npos)) {
      throw ShapeError("einsum: \"" + std::string(texts[i]) + "\" does not fit " +
                       to_string(x.sizes()));
    }
    hidden = std::max(hidden, rest);
    terms.push_back(with_diagonals({x, labels_of(equation, texts[i], rest)}));
  }
  return terms;
}

void check_output(std::string_view equation, const Labels& output, const std::vector<Term>& terms) {
  for (const int label : output) {
    const auto holds = [&](const Term& t) { return has(t.labels, label); };
    if (std::count(output.begin(), output.end(), label) > 1)
      refuse(equation, "output repeats a label");
    if (std::none_of(terms.begin(), terms.end(), holds)) {
      refuse(equation, "output names a label of no operand");
    }
  }
}

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  const std::size_t arrow = equation.find("->");
  int hidden = 0;
  std::vector<Term> terms = terms_of(equation, equation.substr(0, arrow), operands, hidden);
  Labels output;
  if (arrow == std::string_view::npos) {
    Labels written;
    for (const std::string_view text : split(equation)) {
      const Labels of_term = labels_of(equation, text, 0);
      written.insert(written.end(), of_term.begin(), of_term.end());
    }
    output = implicit_output(std::move(written), hidden);
  } else {
    output = labels_of(equation, equation.substr(arrow + 2), hidden);
  }
  check_output(equation, output, terms);

  Term y = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) {
    Labels kept = output;
    for (std::size_t j = i + 1; j < terms.size(); ++j) {
      kept.insert(kept.end(), terms[j].labels.begin(), terms[j].labels.end());
    }
    y = contracted(std::move(y), terms[i], kept);
  }
  y = summed(std::move(y), output);
  Shape order;
  for (const int label : output) order.push_back(place(y.labels, label));
  return permute(y.x, order);
}

Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span<const Tensor>(operands.begin(), operands.size()));
}

}  // namespace xtape
