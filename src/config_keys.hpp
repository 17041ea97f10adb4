// Two visitors of the one list of keys in config.cpp: one reads them out of a TOML table, the other writes
// them. So what is read, what is allowed and what is shown can't differ.
#pragma once

#include <toml++/toml.h>
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/config_text.hpp"

namespace boshd {

/// Reads the keys of one table. Throws ConfigError at the first that is wrong. Remembers what it was asked
/// for; finish() refuses everything else. A key that is not there leaves its value as it is: the default.
class KeyReader {
 public:
  KeyReader(const toml::table& table, std::string path, const std::string& file)
      : table_(table), path_(std::move(path)), file_(file) {}

  void number(std::string_view key, unsigned& value, unsigned least, unsigned most);
  void truth(std::string_view key, bool& value);
  void seconds(std::string_view key, std::chrono::seconds& value, std::chrono::seconds least,
               std::chrono::seconds most);
  void bytes(std::string_view key, std::size_t& value, std::size_t least, std::size_t most);

  template <class Value>
  void text(std::string_view key, Value& value, const Form<Value>& form) {
    if (const auto* node = find(key)) read(full(key), *node, value, form);
  }

  template <class Value>
  void list(std::string_view key, std::vector<Value>& values, const Form<Value>& form) {
    const auto* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array())
      refuse(full(key), *node, "a list in brackets, each entry " + std::string(form.allowed));
    values.clear();
    for (const auto& entry : *node->as_array()) {
      Value value{};
      read("each entry of " + full(key), entry, value, form);
      values.push_back(std::move(value));
    }
  }

  /// One text, or a list of them that is not empty.
  template <class Value>
  void one_or_more(std::string_view key, std::vector<Value>& values, const Form<Value>& form) {
    const auto* node = table_.get(key);
    if (node == nullptr || node->is_array()) {
      list(key, values, form);
      check(key, !values.empty(), "must name one at least");
      return;
    }
    values.resize(1);
    text(key, values.front(), form);
  }

  /// A `[key]` with its own keys.
  template <class Value, class Keys>
  void section(std::string_view key, Value& value, Keys keys) {
    if (const auto* node = find(key)) read_table(full(key), *node, value, keys);
  }

  /// Several `[[key]]`.
  template <class Value, class Keys>
  void sections(std::string_view key, std::vector<Value>& values, Keys keys) {
    const auto* node = find(key);
    if (node == nullptr) return;
    if (!node->is_array_of_tables())
      refuse(full(key), *node, "written as [[" + full(key) + "]], once or more");
    values.clear();
    for (const auto& entry : *node->as_array()) read_table(full(key), entry, values.emplace_back(), keys);
  }

  /// Several `[key.name]`, the names in a form of their own; what they don't say is as in `usual`.
  template <class Value, class Keys>
  void named_sections(std::string_view key, std::map<std::string, Value>& values,
                      const Form<std::string>& form, const Value& usual, Keys keys) {
    const auto* node = find(key);
    if (node == nullptr) return;
    if (!node->is_table())
      refuse(full(key), *node, "a table for each name, written as [" + full(key) + ".name]");
    values.clear();
    for (const auto& [name_key, entry] : *node->as_table()) {
      const auto path = full(key) + "." + quoted(name_key.str());
      std::string name;
      if (!form.read(name_key.str(), name))
        fail(entry, "the name in " + path + " must be " + std::string(form.allowed));
      if (values.contains(name)) fail(entry, path + " is there twice: case makes no difference");
      read_table(path, entry, values.emplace(name, usual).first->second, keys);
    }
  }

  /// Where the key is; where its table begins if it isn't there, unless a place is known.
  void place(std::string_view key, Written& written) const;
  void required(std::string_view key);
  /// A rule that more than one value takes part in; `key` is where it is reported.
  void check(std::string_view key, bool right, std::string_view rule);
  /// Refuses the first key that was not asked for.
  void finish() const;

 private:
  const toml::node* find(std::string_view key);
  std::string full(std::string_view key) const;
  [[noreturn]] void fail(const toml::node& at, const std::string& message) const;
  [[noreturn]] void fail(unsigned line, const std::string& message) const;
  /// `what must be allowed; found …`
  [[noreturn]] void refuse(const std::string& what, const toml::node& node, std::string_view allowed) const;

  template <class Value>
  void read(const std::string& what, const toml::node& node, Value& value, const Form<Value>& form) const {
    const auto* text = node.as_string();
    if (text == nullptr || !form.read(text->get(), value)) refuse(what, node, form.allowed);
  }

  template <class Value, class Keys>
  void read_table(const std::string& path, const toml::node& node, Value& value, Keys keys) const {
    if (!node.is_table()) refuse(path, node, "a table, written as [" + path + "]");
    KeyReader reader(*node.as_table(), path, file_);
    keys(reader, value);
    reader.finish();
  }

  const toml::table& table_;
  std::string path_;
  const std::string& file_;
  std::vector<std::string_view> known_;
};

/// Writes the keys as TOML. The same functions, of which the rules do nothing.
class KeyWriter {
 public:
  explicit KeyWriter(std::string& out, std::string path = {}) : out_(out), path_(std::move(path)) {}

  void number(std::string_view key, unsigned value, unsigned, unsigned) { line(key, std::to_string(value)); }
  void truth(std::string_view key, bool value) { line(key, value ? "true" : "false"); }
  void seconds(std::string_view key, std::chrono::seconds value, std::chrono::seconds, std::chrono::seconds) {
    line(key, quoted(write_duration(value)));
  }
  void bytes(std::string_view key, std::size_t value, std::size_t, std::size_t) {
    line(key, quoted(write_size(value)));
  }

  template <class Value>
  void text(std::string_view key, const Value& value, const Form<Value>& form) {
    line(key, quoted(form.write(value)));
  }

  template <class Value>
  void list(std::string_view key, const std::vector<Value>& values, const Form<Value>& form) {
    std::string entries;
    for (const auto& value : values) entries += (entries.empty() ? "" : ", ") + quoted(form.write(value));
    line(key, "[" + entries + "]");
  }

  template <class Value, class Keys>
  void section(std::string_view key, Value& value, Keys keys) {
    write_table(full(key), "[", "]", value, keys);
  }

  template <class Value, class Keys>
  void sections(std::string_view key, std::vector<Value>& values, Keys keys) {
    for (auto& value : values) write_table(full(key), "[[", "]]", value, keys);
  }

  template <class Value>
  void one_or_more(std::string_view key, const std::vector<Value>& values, const Form<Value>& form) {
    if (values.size() == 1) return text(key, values.front(), form);
    list(key, values, form);
  }

  template <class Value, class Keys>
  void named_sections(std::string_view key, std::map<std::string, Value>& values, const Form<std::string>&,
                      const Value&, Keys keys) {
    for (auto& [name, value] : values) write_table(full(key) + "." + quoted(name), "[", "]", value, keys);
  }

  void place(std::string_view, const Written&) {}
  void required(std::string_view) {}
  void check(std::string_view, bool, std::string_view) {}

 private:
  std::string full(std::string_view key) const {
    return (path_.empty() ? "" : path_ + ".") + std::string(key);
  }

  void line(std::string_view key, std::string_view value) {
    out_ += key;
    out_ += " = ";
    out_ += value;
    out_ += '\n';
  }

  template <class Value, class Keys>
  void write_table(const std::string& path, std::string_view open, std::string_view close, Value& value,
                   Keys keys) {
    out_ += '\n';
    out_ += open;
    out_ += path;
    out_ += close;
    out_ += '\n';
    KeyWriter writer(out_, path);
    keys(writer, value);
  }

  std::string& out_;
  std::string path_;
};

}  // namespace boshd
