// Text and attribute values made safe for XML.
#pragma once

#include <string>
#include <string_view>

namespace xml {

/// Appends `text` so that it can stand between tags and in an attribute value with either quote. White space
/// other than a blank becomes a character reference: a parser would turn it into blanks in an attribute.
void append_escaped(std::string& out, std::string_view text);

/// Appends ` name='value'`, the value escaped.
void append_attribute(std::string& out, std::string_view name, std::string_view value);

}  // namespace xml
