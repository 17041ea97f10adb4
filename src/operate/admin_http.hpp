// The listener for those who look after boshd: metrics, health, status.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "src/http_request.hpp"
#include "src/listener.hpp"
#include "src/loop.hpp"
#include "src/operate/monitor.hpp"

namespace boshd {

/// On the main thread's loop: those who ask here wait for no shard, and no shard for them.
class AdminHttp {
 public:
  /// Throws std::runtime_error that says what to do when the address can't be had.
  AdminHttp(Loop&, const Listen&, const Monitor&);
  ~AdminHttp();

  /// With the real port.
  const std::string& address() const { return address_; }

 private:
  class Visitor;

  void welcome(int descriptor);
  /// The whole answer; what a HEAD gets has no body.
  std::string answer(const HttpRequest&) const;

  Loop& loop_;
  const Listen listen_;
  const Monitor& monitor_;
  std::string address_;
  std::vector<boost::intrusive_ptr<Visitor>> visitors_;  // who came first comes first
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace boshd
