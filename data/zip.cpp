// SPDX-License-Identifier: BSD-3-Clause
#include "zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "elements.hpp"

namespace xtape::data::detail {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56, kLocatorBytes = 20;
constexpr std::uint16_t kExtra64 = 1, kMask16 = 0xffff;
constexpr std::uint32_t kMask32 = 0xffffffff;
constexpr std::uint16_t kEncrypted = 1, kDeflate = 8;
constexpr std::uint16_t kUtf8 = 0x800, kNeeds64 = 45, kDate = 0x21;  // 1 January 1980
constexpr std::uint64_t kLargestRatio = 1032;                        // of deflate

// Little-endian numbers out of bytes that were read.
class Bytes {
 public:
  Bytes(const Source& file, const char* from, std::size_t size)
      : file_(file), next_(from), left_(size) {}

  template <class T>
  T number() {
    T x;
    std::memcpy(&x, take(sizeof(T)), sizeof(T));
    return x;
  }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::string text(std::size_t size) { return {take(size), size}; }
  void skip(std::size_t size) { take(size); }
  std::size_t left() const { return left_; }

 private:
  const char* take(std::size_t size) {
    if (size > left_) file_.fail("damaged archive: its directory ends too early");
    const char* at = next_;
    next_ += size;
    left_ -= size;
    return at;
  }

  const Source& file_;
  const char* next_;
  std::size_t left_;
};

std::string read_at(InputFile& file, std::uint64_t position, std::uint64_t size) {
  if (position > file.size() || size > file.size() - position) {
    file.fail("damaged archive: a part of it would lie outside of the file");
  }
  std::string bytes(size, '\0');
  file.seek(position);
  file.read(bytes.data(), bytes.size());
  return bytes;
}

struct Directory {
  std::uint64_t begin, size, members;
};

Directory find_directory(InputFile& file) {
  if (file.size() < kEndBytes) file.fail("not a zip archive");
  const std::uint64_t tail = std::min<std::uint64_t>(file.size(), kEndBytes + kMask16);
  const std::string bytes = read_at(file, file.size() - tail, tail);
  // The record whose comment reaches exactly to the end of the file.
  std::size_t at = bytes.size() - kEndBytes;
  for (;; --at) {
    Bytes b(file, bytes.data() + at, bytes.size() - at);
    if (b.u32() == kEnd) {
      b.skip(16);
      if (b.u16() == b.left()) break;
    }
    if (at == 0) file.fail("not a zip archive");
  }
  Bytes b(file, bytes.data() + at + 4, bytes.size() - at - 4);
  const auto disk = b.u16(), directory_disk = b.u16();
  const std::uint64_t here = b.u16();
  Directory d{};
  d.members = b.u16();
  d.size = b.u32();
  d.begin = b.u32();
  std::uint64_t end = file.size() - tail + at;
  if (disk != 0 || directory_disk != 0 || here != d.members) {
    file.fail("archives of several parts are not supported");
  }
  if (d.members == kMask16 || d.size == kMask32 || d.begin == kMask32) {
    if (end < kLocatorBytes) file.fail("damaged archive: its zip64 record is missing");
    const std::string locator = read_at(file, end - kLocatorBytes, kLocatorBytes);
    Bytes l(file, locator.data(), locator.size());
    if (l.u32() != kLocator64) file.fail("damaged archive: its zip64 record is missing");
    l.skip(4);
    end = l.u64();
    const std::string record = read_at(file, end, kEnd64Bytes);
    Bytes r(file, record.data(), record.size());
    if (r.u32() != kEnd64) file.fail("damaged archive: its zip64 record is missing");
    r.skip(20);
    const std::uint64_t on_disk = r.u64();
    d.members = r.u64();
    d.size = r.u64();
    d.begin = r.u64();
    if (on_disk != d.members) file.fail("archives of several parts are not supported");
  }
  if (d.begin > end || d.size != end - d.begin) {
    file.fail("damaged archive: its directory is not where it should be");
  }
  return d;
}

// Sizes and places that do not fit into 32 bits stand in the extra field.
void read_extra(InputFile& file, const std::string& extra, ZipMember& m) {
  Bytes b(file, extra.data(), extra.size());
  while (b.left() > 0) {
    const auto kind = b.u16();
    const std::string content = b.text(b.u16());
    if (kind != kExtra64) continue;
    Bytes wide(file, content.data(), content.size());
    for (std::uint64_t* x : {&m.size, &m.packed, &m.header}) {
      if (*x == kMask32) *x = wide.u64();
    }
  }
}

ZipMember read_member(InputFile& file, Bytes& b) {
  if (b.u32() != kCentral) file.fail("damaged archive: its directory holds something else");
  b.skip(4);
  const auto flags = b.u16(), method = b.u16();
  b.skip(4);
  ZipMember m;
  m.crc = b.u32();
  m.packed = b.u32();
  m.size = b.u32();
  const auto name_size = b.u16(), extra_size = b.u16(), comment_size = b.u16();
  b.skip(8);
  m.header = b.u32();
  m.name = b.text(name_size);
  const std::string extra = b.text(extra_size);
  b.skip(comment_size);
  read_extra(file, extra, m);
  const std::string who = "member '" + m.name + "': ";
  if (flags & kEncrypted) file.fail(who + "encryption is not supported");
  if (method != 0 && method != kDeflate) {
    file.fail(who + "compression method " + std::to_string(method) + " is not supported");
  }
  m.deflated = method == kDeflate;
  if (!m.deflated && m.size != m.packed) file.fail(who + "two sizes for stored bytes");
  if (m.deflated && m.size / kLargestRatio > m.packed) {
    file.fail(who + std::to_string(m.packed) + " bytes cannot unpack to " + std::to_string(m.size));
  }
  return m;
}

void find_data(InputFile& file, ZipMember& m, std::uint64_t end) {
  const std::string who = "member '" + m.name + "': ";
  const std::string local = read_at(file, m.header, kLocalBytes);
  Bytes b(file, local.data(), local.size());
  if (b.u32() != kLocal) file.fail(who + "it is not where the directory says");
  b.skip(22);
  const std::uint64_t name_size = b.u16(), extra_size = b.u16();
  if (read_at(file, m.header + kLocalBytes, name_size) != m.name) {
    file.fail(who + "it has another name where it is stored");
  }
  m.data = m.header + kLocalBytes + name_size + extra_size;
  if (m.data > end || m.packed > end - m.data) file.fail(who + "it reaches into the directory");
}

}  // namespace

std::vector<ZipMember> read_zip_directory(InputFile& file) {
  const Directory d = find_directory(file);
  if (d.members > d.size / kCentralBytes) file.fail("damaged archive: too many members");
  const std::string bytes = read_at(file, d.begin, d.size);
  Bytes b(file, bytes.data(), bytes.size());
  std::vector<ZipMember> members;
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < d.members; ++i) {
    ZipMember m = read_member(file, b);
    if (!names.insert(m.name).second) file.fail("member '" + m.name + "' comes twice");
    find_data(file, m, d.begin);
    members.push_back(std::move(m));
  }
  if (b.left() > 0) file.fail("damaged archive: more in its directory than its members");
  std::vector<const ZipMember*> sorted;
  for (const ZipMember& m : members) sorted.push_back(&m);
  std::sort(sorted.begin(), sorted.end(),
            [](const ZipMember* x, const ZipMember* y) { return x->header < y->header; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->header >= sorted[i - 1]->data + sorted[i - 1]->packed) continue;
    file.fail("members '" + sorted[i - 1]->name + "' and '" + sorted[i]->name + "' overlap");
  }
  return members;
}

// --- reading -------------------------------------------------------------------------------------

struct ZipReader::State {
  InputFile& file;
  ZipMember member;
  std::uint64_t packed_left, left;
  uLong crc = ::crc32(0, nullptr, 0);
  z_stream stream{};
  Bytef buffer[65536];

  State(InputFile& f, const ZipMember& m)
      : file(f), member(m), packed_left(m.packed), left(m.size) {}

  void refill() {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(packed_left, sizeof buffer));
    file.read(buffer, step);
    packed_left -= step;
    stream.next_in = buffer;
    stream.avail_in = static_cast<uInt>(step);
  }
};

ZipReader::ZipReader(InputFile& file, const ZipMember& member)
    : state_(Owned<State>::make(file, member)) {
  file.seek(member.data);
  if (member.deflated && ::inflateInit2(&state_->stream, -MAX_WBITS) != Z_OK) {
    fail("out of memory");
  }
}

ZipReader::~ZipReader() {
  if (state_->member.deflated) ::inflateEnd(&state_->stream);
}

std::string ZipReader::where() const {
  return state_->file.where() + ": member '" + state_->member.name + "'";
}

void ZipReader::read(void* to, std::size_t bytes) {
  State& s = *state_;
  if (bytes > s.left) {
    fail("expected " + std::to_string(bytes) + " more bytes, found " + std::to_string(s.left));
  }
  if (!s.member.deflated) {
    s.file.read(to, bytes);
  } else {
    auto* next = static_cast<Bytef*>(to);
    for (std::size_t left = bytes; left > 0;) {
      if (s.stream.avail_in == 0 && s.packed_left > 0) s.refill();
      const auto step = static_cast<uInt>(std::min<std::size_t>(left, 1u << 30));
      s.stream.next_out = next;
      s.stream.avail_out = step;
      const int result = ::inflate(&s.stream, Z_NO_FLUSH);
      const std::size_t made = step - s.stream.avail_out;
      next += made;
      left -= made;
      const bool ended = result == Z_STREAM_END || (made == 0 && s.packed_left == 0);
      if ((result != Z_OK && result != Z_STREAM_END) || (ended && left > 0)) {
        fail("its packed bytes are damaged");
      }
    }
  }
  s.left -= bytes;
  // Of no bytes at no address zlib makes a new start.
  if (bytes > 0) s.crc = ::crc32_z(s.crc, static_cast<const Bytef*>(to), bytes);
}

void ZipReader::finish() {
  State& s = *state_;
  if (s.left > 0) fail("expected its end, found " + std::to_string(s.left) + " more bytes");
  if (s.member.deflated) {
    Bytef more;
    int result = Z_OK;
    while (result == Z_OK) {
      if (s.stream.avail_in == 0 && s.packed_left > 0) s.refill();
      s.stream.next_out = &more;
      s.stream.avail_out = 1;
      result = ::inflate(&s.stream, Z_NO_FLUSH);
      if (s.stream.avail_out == 0) fail("it unpacks to more bytes than it says");
    }
    if (result != Z_STREAM_END || s.stream.avail_in > 0 || s.packed_left > 0) {
      fail("its packed bytes are damaged");
    }
  }
  if (s.crc != s.member.crc) fail("its checksum is wrong");
}

// --- writing -------------------------------------------------------------------------------------

namespace {

template <class T>
void put(std::string& to, T number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put16(std::string& to, std::uint64_t number) { put(to, static_cast<std::uint16_t>(number)); }
void put32(std::string& to, std::uint64_t number) { put(to, static_cast<std::uint32_t>(number)); }
void put64(std::string& to, std::uint64_t number) { put(to, number); }

std::uint64_t narrowed(std::uint64_t x) { return std::min<std::uint64_t>(x, kMask32); }

// What the local and the central header have alike, from the version on.
void put_common(std::string& to, const ZipMember& m, bool wide) {
  const bool ascii = std::all_of(m.name.begin(), m.name.end(), [](char c) { return c >= 0; });
  put16(to, wide ? kNeeds64 : 20);
  put16(to, ascii ? 0 : kUtf8);
  put16(to, m.deflated ? kDeflate : 0);
  put16(to, 0);
  put16(to, kDate);
  put32(to, m.crc);
  put32(to, wide ? kMask32 : m.packed);
  put32(to, wide ? kMask32 : m.size);
  put16(to, m.name.size());
}

std::string deflate(const std::string& header, const void* data, std::size_t bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed;
  char buffer[65536];
  const auto feed = [&](const void* from, std::size_t size, bool last) {
    auto* next = static_cast<const Bytef*>(from);
    do {
      const auto step = static_cast<uInt>(std::min<std::size_t>(size, 1u << 30));
      stream.next_in = const_cast<Bytef*>(next);
      stream.avail_in = step;
      next += step;
      size -= step;
      do {
        stream.next_out = reinterpret_cast<Bytef*>(buffer);
        stream.avail_out = sizeof buffer;
        ::deflate(&stream, last && size == 0 ? Z_FINISH : Z_NO_FLUSH);
        packed.append(buffer, sizeof buffer - stream.avail_out);
      } while (stream.avail_out == 0);
    } while (size > 0);
  };
  feed(header.data(), header.size(), false);
  feed(data, bytes, true);
  ::deflateEnd(&stream);
  return packed;
}

}  // namespace

void ZipWriter::write(const void* from, std::size_t bytes) {
  file_.write(from, bytes);
  position_ += bytes;
}

void ZipWriter::add(const std::string& name, const std::string& header, const void* data,
                    std::size_t bytes, bool compressed) {
  ZipMember m;
  m.name = name;
  m.size = header.size() + bytes;
  m.header = position_;
  m.deflated = compressed;
  uLong crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(header.data()), header.size());
  if (bytes > 0) crc = ::crc32_z(crc, static_cast<const Bytef*>(data), bytes);
  m.crc = static_cast<std::uint32_t>(crc);
  const std::string packed = compressed ? deflate(header, data, bytes) : std::string();
  m.packed = compressed ? packed.size() : m.size;

  const bool wide = m.size >= kMask32 || m.packed >= kMask32;
  std::string local;
  put32(local, kLocal);
  put_common(local, m, wide);
  put16(local, wide ? 20 : 0);
  local += name;
  if (wide) {
    put16(local, kExtra64);
    put16(local, 16);
    put64(local, m.size);
    put64(local, m.packed);
  }
  write(local.data(), local.size());
  if (compressed) {
    write(packed.data(), packed.size());
  } else {
    write(header.data(), header.size());
    write(data, bytes);
  }
  members_.push_back(std::move(m));
}

void ZipWriter::finish() {
  const std::uint64_t begin = position_;
  for (const ZipMember& m : members_) {
    const bool wide = m.size >= kMask32 || m.packed >= kMask32;
    std::string extra;
    if (wide) {
      put64(extra, m.size);
      put64(extra, m.packed);
    }
    if (m.header >= kMask32) put64(extra, m.header);
    std::string entry;
    put32(entry, kCentral);
    put16(entry, kNeeds64);
    put_common(entry, m, wide);
    put16(entry, extra.empty() ? 0 : extra.size() + 4);
    put16(entry, 0);
    put16(entry, 0);
    put16(entry, 0);
    put32(entry, 0);
    put32(entry, narrowed(m.header));
    entry += m.name;
    if (!extra.empty()) {
      put16(entry, kExtra64);
      put16(entry, extra.size());
      entry += extra;
    }
    write(entry.data(), entry.size());
  }
  const std::uint64_t end = position_, size = end - begin, count = members_.size();
  std::string tail;
  if (count >= kMask16 || size >= kMask32 || begin >= kMask32) {
    put32(tail, kEnd64);
    put64(tail, kEnd64Bytes - 12);
    put16(tail, kNeeds64);
    put16(tail, kNeeds64);
    put64(tail, 0);  // this disk and the directory's
    put64(tail, count);
    put64(tail, count);
    put64(tail, size);
    put64(tail, begin);
    put32(tail, kLocator64);
    put32(tail, 0);
    put64(tail, end);
    put32(tail, 1);
  }
  put32(tail, kEnd);
  put32(tail, 0);
  put16(tail, std::min<std::uint64_t>(count, kMask16));
  put16(tail, std::min<std::uint64_t>(count, kMask16));
  put32(tail, narrowed(size));
  put32(tail, narrowed(begin));
  put16(tail, 0);
  write(tail.data(), tail.size());
}

}  // namespace xtape::data::detail
