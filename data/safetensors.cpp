// SPDX-License-Identifier: BSD-3-Clause
// Format: https://huggingface.co/docs/safetensors (section "Format").
#include "safetensors.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string_view>

#include "../autograd/error.hpp"
#include "elements.hpp"
#include "file.hpp"

namespace xtape::data {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kLargestHeader = 100'000'000;  // as the format's own library has it
constexpr std::size_t kLengthBytes = 8;

using detail::Element;

struct Stored {
  std::string_view name;
  std::size_t size;  // of an element in the file
  DType dtype;       // of the tensor that it becomes
  Element element = Element::copied;
};

// The first five are those that are written, in the order of DType.
constexpr Stored kStored[] = {
    {"BOOL", 1, boolean},
    {"U8", 1, uint8},
    {"I64", 8, int64},
    {"F32", 4, float32},
    {"F64", 8, float64},
    {"F16", 2, float32, Element::f16},
    {"BF16", 2, float32, Element::bf16},
    {"I8", 1, int64, Element::i8},
    {"I16", 2, int64, Element::i16},
    {"I32", 4, int64, Element::i32},
    {"U16", 2, int64, Element::u16},
    {"U32", 4, int64, Element::u32},
};

struct Entry {
  std::string name;
  const Stored* stored = nullptr;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

std::string in_quotes(std::string_view name) { return std::string("'").append(name).append("'"); }

// The header's JSON, and its keys in the order of the file, which the JSON itself does not keep.
struct Header {
  Json json;
  std::vector<std::string> names, metadata_keys;
};

// Refuses keys that come twice, which a plain parse would drop in silence.
Header parse_header(const detail::InputFile& file, const std::string& text) {
  Header header;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    // Nothing in the format lies deeper than numbers in a list in a tensor's entry.
    if (depth > 3) file.fail("header: lists or objects nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        file.fail("header: key " + in_quotes(key) + " comes twice");
      }
      if (depth == 1) {
        header.names.push_back(key);
      } else if (header.names.back() == "__metadata__") {
        header.metadata_keys.push_back(key);
      }
    }
    return true;
  };
  try {
    header.json = Json::parse(text, check);
  } catch (const Json::exception& error) {
    file.fail(std::string("header is not valid JSON: ") + error.what());
  }
  return header;
}

// A list of whole numbers from 0 to 2^63 - 1.
std::vector<std::int64_t> numbers(const detail::InputFile& file, const std::string& name,
                                  const Json& entry, const char* key) {
  const auto fail = [&] {
    file.fail("tensor " + in_quotes(name) + ": expected " + in_quotes(key) +
              " to be a list of whole numbers from 0 to 2^63 - 1");
  };
  if (!entry.contains(key) || !entry[key].is_array()) fail();
  std::vector<std::int64_t> result;
  for (const Json& number : entry[key]) {
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kLargest) fail();
    result.push_back(number.get<std::int64_t>());
  }
  return result;
}

Entry read_entry(const detail::InputFile& file, const std::string& name, const Json& json) {
  const std::string tensor = "tensor " + in_quotes(name);
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") ||
      !json["dtype"].is_string()) {
    file.fail(tensor + ": expected an object with 'dtype', 'shape' and 'data_offsets'");
  }
  Entry entry;
  entry.name = name;
  const auto& dtype = json["dtype"].get_ref<const std::string&>();
  entry.stored = std::find_if(std::begin(kStored), std::end(kStored),
                              [&](const Stored& s) { return s.name == dtype; });
  if (entry.stored == std::end(kStored)) {
    file.fail(tensor + ": dtype " + in_quotes(dtype) + " is not supported");
  }
  const auto shape = numbers(file, name, json, "shape");
  if (shape.size() > Shape::kMaxRank) {
    file.fail(tensor + ": expected at most " + std::to_string(Shape::kMaxRank) +
              " dimensions, found " + std::to_string(shape.size()));
  }
  entry.shape = Shape(shape);
  const auto offsets = numbers(file, name, json, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    file.fail(tensor + ": expected 'data_offsets' to be [begin, end]");
  }
  entry.begin = static_cast<std::uint64_t>(offsets[0]);
  entry.end = static_cast<std::uint64_t>(offsets[1]);

  // In memory an element may take 8 bytes for 1 in the file; nothing near overflow may pass.
  std::uint64_t bytes = entry.stored->size;
  const bool nothing = std::find(shape.begin(), shape.end(), 0) != shape.end();
  for (const std::int64_t size : shape) {
    const auto factor = static_cast<std::uint64_t>(nothing ? 0 : size);
    if (factor != 0 && bytes > (std::uint64_t{1} << 59) / factor) {
      file.fail(tensor + ": shape " + to_string(entry.shape) + " is too large");
    }
    bytes *= factor;
  }
  if (bytes != entry.end - entry.begin) {
    file.fail(tensor + ": expected " + std::to_string(bytes) + " bytes for " + dtype + " " +
              to_string(entry.shape) + ", found data_offsets [" + std::to_string(entry.begin) +
              ", " + std::to_string(entry.end) + "]");
  }
  return entry;
}

// The data must be covered exactly once.
void check_coverage(const detail::InputFile& file, const std::vector<Entry>& entries,
                    std::uint64_t data_bytes) {
  std::vector<const Entry*> sorted;
  for (const Entry& e : entries) sorted.push_back(&e);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t covered = 0;
  for (const Entry* e : sorted) {
    if (e->begin != covered) {
      file.fail("tensor " + in_quotes(e->name) + ": data starts at " + std::to_string(e->begin) +
                (e->begin < covered ? ", overlapping" : ", leaving a gap after") +
                " the data before it, which ends at " + std::to_string(covered));
    }
    covered = e->end;
  }
  if (covered != data_bytes) {
    file.fail("expected " + std::to_string(covered) + " bytes of data after the header, found " +
              std::to_string(data_bytes));
  }
}

Header read_header(detail::InputFile& file, std::uint64_t& header_bytes) {
  if (file.size() < kLengthBytes + 2) {
    file.fail("not a safetensors file: found only " + std::to_string(file.size()) + " bytes");
  }
  file.read(&header_bytes, kLengthBytes);
  if (header_bytes > file.size() - kLengthBytes || header_bytes > kLargestHeader) {
    file.fail("expected a header of at most " +
              std::to_string(std::min(file.size() - kLengthBytes, kLargestHeader)) +
              " bytes, its length says " + std::to_string(header_bytes));
  }
  std::string text(header_bytes, '\0');
  file.read(text.data(), text.size());
  if (text.empty() || text[0] != '{') file.fail("header: expected it to begin with '{'");
  return parse_header(file, text);
}

void check_names(const NamedTensors& tensors, const Metadata& metadata) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (name == "__metadata__") {
      throw ValueError("write_safetensors: the name '__metadata__' is reserved");
    }
    if (!names.insert(name).second) {
      throw ValueError("write_safetensors: name " + in_quotes(name) + " comes twice");
    }
    if (!tensor.defined()) {
      throw ValueError("write_safetensors: tensor " + in_quotes(name) + " is undefined");
    }
  }
  names.clear();
  for (const auto& [key, text] : metadata) {
    if (!names.insert(key).second) {
      throw ValueError("write_safetensors: metadata key " + in_quotes(key) + " comes twice");
    }
  }
}

std::uint64_t bytes_of(const Tensor& x) {
  return static_cast<std::uint64_t>(x.numel()) * item_size(x.dtype());
}

// `begin` holds where each tensor's data starts.
std::string header_text(const NamedTensors& tensors, const std::vector<std::uint64_t>& begin,
                        const Metadata& metadata) {
  std::string text = metadata.empty() ? "{" : "{\"__metadata__\":{";
  const auto field = [&](const std::string& key, const Json& value) {
    if (text.back() != '{') text += ",";
    text += Json(key).dump() + ":" + value.dump();
  };
  try {
    for (const auto& [key, value] : metadata) field(key, value);
    if (!metadata.empty()) text += "}";
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto& [name, x] = tensors[i];
      field(name, {{"dtype", kStored[static_cast<int>(x.dtype())].name},
                   {"shape", std::vector<std::int64_t>(x.sizes().begin(), x.sizes().end())},
                   {"data_offsets", {begin[i], begin[i] + bytes_of(x)}}});
    }
  } catch (const Json::exception&) {
    throw ValueError("write_safetensors: names and metadata must be UTF-8");
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kLargestHeader) {
    throw ValueError("write_safetensors: names and metadata take more than 100 MB");
  }
  return text;
}

}  // namespace

Safetensors read_safetensors(const std::string& path, const ReadSafetensorsOptions& options) {
  detail::InputFile file("read_safetensors", path);
  std::uint64_t header_bytes = 0;
  const Header header = read_header(file, header_bytes);
  Safetensors result;
  std::vector<Entry> entries;
  for (const std::string& name : header.names) {
    const Json& value = header.json[name];
    if (name != "__metadata__") {
      entries.push_back(read_entry(file, name, value));
      continue;
    }
    if (!value.is_object()) file.fail("header: expected '__metadata__' to be an object");
    for (const std::string& key : header.metadata_keys) {
      if (!value.contains(key) || !value[key].is_string()) {
        file.fail("metadata " + in_quotes(key) + ": expected a text");
      }
      result.metadata.emplace_back(key, value[key].get<std::string>());
    }
  }
  const std::uint64_t data_start = kLengthBytes + header_bytes;
  check_coverage(file, entries, file.size() - data_start);
  std::shared_ptr<std::byte> mapping;
  if (options.mmap) mapping = file.map();
  for (const Entry& entry : entries) {
    const Stored& stored = *entry.stored;
    const std::string where = "tensor " + in_quotes(entry.name);
    const std::uint64_t begin = data_start + entry.begin;
    if (mapping && detail::is_mappable(stored.element, stored.dtype, begin)) {
      result.tensors.emplace_back(
          entry.name, detail::map_elements(file, mapping, begin, entry.shape, stored.dtype, where));
    } else {
      file.seek(begin);
      result.tensors.emplace_back(entry.name, detail::read_elements(file, entry.shape, stored.dtype,
                                                                    stored.element, where));
    }
  }
  return result;
}

void write_safetensors(const std::string& path, const NamedTensors& tensors,
                       const Metadata& metadata) {
  check_names(tensors, metadata);
  // Large elements first, so that every tensor is aligned for those who map the file to memory.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return item_size(tensors[a].second.dtype()) > item_size(tensors[b].second.dtype());
  });
  std::vector<std::uint64_t> begin(tensors.size());
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    begin[i] = offset;
    offset += bytes_of(tensors[i].second);
  }
  const std::string header = header_text(tensors, begin, metadata);
  const std::uint64_t length = header.size();

  detail::OutputFile file("write_safetensors", path);
  file.write(&length, kLengthBytes);
  file.write(header.data(), header.size());
  for (const std::size_t i : order) {
    const Tensor dense = tensors[i].second.detach().contiguous();
    file.write(dense.value()->data, bytes_of(dense));
  }
  file.commit();
}

}  // namespace xtape::data
