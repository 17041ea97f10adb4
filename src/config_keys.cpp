#include "src/config_keys.hpp"

#include "src/operate/words.hpp"

namespace boshd {
namespace {

constexpr std::size_t longest_shown = 80;

std::string found(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    const auto& value = text->get();
    return value.size() > longest_shown ? "a text of " + std::to_string(value.size()) + " bytes"
                                        : quoted(value);
  }
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a table";
  return node.is_floating_point() ? "a number with a fraction" : "a date or time";
}

std::string range(const std::string& least, const std::string& most) {
  return " from " + least + " to " + most;
}

}  // namespace

void KeyReader::number(std::string_view key, unsigned& value, unsigned least, unsigned most) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* number = node->as_integer();
  if (number == nullptr || number->get() < least || number->get() > most) {
    refuse(full(key), *node, "a whole number" + range(std::to_string(least), std::to_string(most)));
  }
  value = static_cast<unsigned>(number->get());
}

void KeyReader::truth(std::string_view key, bool& value) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* truth = node->as_boolean();
  if (truth == nullptr) refuse(full(key), *node, "true or false");
  value = truth->get();
}

void KeyReader::seconds(std::string_view key, std::chrono::seconds& value, std::chrono::seconds least,
                        std::chrono::seconds most) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  const auto duration = text == nullptr ? std::nullopt : read_duration(text->get());
  if (!duration || *duration < least || *duration > most || duration->count() % 1000 != 0) {
    refuse(full(key), *node,
           "a time in whole seconds" + range(quoted(write_duration(least)), quoted(write_duration(most))) +
               R"(, with a unit of s, m or h, such as )" + quoted(write_duration(value)));
  }
  value = std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

void KeyReader::bytes(std::string_view key, std::size_t& value, std::size_t least, std::size_t most) {
  const auto* node = find(key);
  if (node == nullptr) return;
  std::optional<std::uint64_t> size;
  if (const auto* text = node->as_string()) size = read_size(text->get());
  if (const auto* number = node->as_integer(); number != nullptr && number->get() >= 0) {
    size = static_cast<std::uint64_t>(number->get());
  }
  if (!size || *size < least || *size > most) {
    refuse(full(key), *node,
           "a size" + range(quoted(write_size(least)), quoted(write_size(most))) +
               ", with a unit of B, KiB, MiB or GiB, such as " + quoted(write_size(value)));
  }
  value = static_cast<std::size_t>(*size);
}

void KeyReader::place(std::string_view key, Written& written) const {
  const auto* node = table_.get(key);
  if (node == nullptr && !written.file.empty()) return;
  written = {file_, (node == nullptr ? table_ : *node).source().begin.line, full(key)};
}

void KeyReader::required(std::string_view key) {
  if (table_.get(key) == nullptr) fail(table_, full(key) + " is missing");
}

void KeyReader::check(std::string_view key, bool right, std::string_view rule) {
  if (right) return;
  const auto* node = table_.get(key);
  fail(node == nullptr ? table_ : *node, full(key) + " " + std::string(rule));
}

void KeyReader::finish() const {
  const toml::key* first = nullptr;
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    if (first == nullptr || key.source().begin.line < first->source().begin.line) first = &key;
  }
  if (first == nullptr) return;
  std::string message = "unknown key '" + full(first->str()) + "'";
  if (const auto meant = nearest(first->str(), known_); !meant.empty()) {
    message += "; did you mean '" + std::string(meant) + "'?";
  } else {
    message += ".";
  }
  message += " Allowed here: ";
  for (const auto key : known_) message += (key == known_.front() ? "" : ", ") + std::string(key);
  fail(first->source().begin.line, message);
}

const toml::node* KeyReader::find(std::string_view key) {
  known_.push_back(key);
  return table_.get(key);
}

std::string KeyReader::full(std::string_view key) const {
  const auto bare =
      key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
      std::string_view::npos;
  return (path_.empty() ? "" : path_ + ".") + (bare && !key.empty() ? std::string(key) : quoted(key));
}

void KeyReader::fail(const toml::node& at, const std::string& message) const {
  fail(at.source().begin.line, message);
}

void KeyReader::fail(unsigned line, const std::string& message) const {
  throw ConfigError(file_ + ":" + std::to_string(line) + ": " + message);
}

void KeyReader::refuse(const std::string& what, const toml::node& node, std::string_view allowed) const {
  fail(node, what + " must be " + std::string(allowed) + "; found " + found(node));
}

}  // namespace boshd
