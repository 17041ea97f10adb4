#include "src/reload.hpp"

#include <utility>

namespace boshd {

namespace {

template <class Value>
void keep(Value& fresh, const Value& present, const char* key, std::vector<std::string>& differing) {
  if (fresh == present) return;
  differing.emplace_back(key);
  fresh = present;
}

}  // namespace

std::vector<std::string> keep_fixed_keys(Config& fresh, const Config& present) {
  std::vector<std::string> differing;
  keep(fresh.node, present.node, "node", differing);
  keep(fresh.threads, present.threads, "threads", differing);
  keep(fresh.upstream.nameservers, present.upstream.nameservers, "upstream.nameservers", differing);
  keep(fresh.metrics, present.metrics, "metrics.address", differing);
  keep(fresh.control, present.control, "control.socket", differing);
  return differing;
}

}  // namespace boshd
