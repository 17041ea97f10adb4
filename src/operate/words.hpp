// Words that somebody has written, and those that he may have meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace boshd {

/// The known word that differs least; empty when none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

/// The parts between blanks.
std::vector<std::string> split_words(std::string_view line);

}  // namespace boshd
