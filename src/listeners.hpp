// Which addresses are served, through reloads.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/config.hpp"
#include "src/listener.hpp"
#include "src/loop.hpp"
#include "src/mail.hpp"

namespace boshd {

/// Belongs to the main thread. The threads of the shards do the serving; here it is known what they serve.
class Listeners {
 public:
  explicit Listeners(unsigned threads) : threads_(threads) {}
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// One that is, or is about to be.
  struct Open {
    ListenerId id = 0;
    std::shared_ptr<const Listen> listen;
    std::string address;             // with the real port
    std::vector<int> descriptors{};  // one for each thread, until it has them
    std::optional<Time> retired{};   // since then
  };

  /// What `wanted` means: those that stay, with their new settings, and those that had to be opened. Closes
  /// the latter if it goes unused.
  class Plan {
   public:
    Plan() = default;
    Plan(Plan&&) = default;
    Plan& operator=(Plan&&) = delete;
    ~Plan();

   private:
    friend class Listeners;
    std::vector<Open> all_;
  };
  /// Opens what isn't open; nothing that is there changes. Throws what open_listener throws.
  Plan plan(const std::vector<Listen>& wanted);

  /// What each thread is to serve from now on.
  std::vector<std::vector<Reloaded::Listener>> carry_out(Plan&&, Time now);

  /// Those that were retired long enough, to be closed by all threads; they are forgotten.
  std::vector<ListenerId> finished(Time now);
  bool has_retired() const;

 private:
  const Open* find(const Listen&, const std::vector<Open>& taken) const;
  bool is_our_port(const Listen&) const;

  unsigned threads_;
  ListenerId next_ = 1;
  std::vector<Open> open_;
};

}  // namespace boshd
