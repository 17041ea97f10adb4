// A session over WebSocket to which happens what the bytes say: those from 0xf0 on are events, what stands
// between two of them is a message.
#include <utility>
#include <variant>

#include "tests/fuzz/check.hpp"
#include "websocket/messages.hpp"
#include "websocket/session.hpp"

namespace {

using fuzz::require;
using namespace std::chrono_literals;

constexpr unsigned char first_mark = 0xf0;  // as in the other targets: no UTF-8 text has these

const websocket::Settings settings = [] {
  websocket::Settings made;
  made.limits.depth = 8;
  made.see_other_uri = "wss://b.example/ws";
  return made;
}();

/// What the client hears, and whether it is in order.
class Client {
 public:
  void hears(const websocket::Effects& effects) {
    for (const websocket::Effect& effect : effects) {
      require(!ended, "an effect after the end");
      if (const auto* send = std::get_if<websocket::Send>(&effect)) hears(send->message);
      if (std::holds_alternative<websocket::Open>(effect))
        require(!std::exchange(opens_, true), "two streams");
      if (std::holds_alternative<websocket::Restart>(effect)) require(opens_, "a restart without a stream");
      if (const auto* forward = std::get_if<websocket::Forward>(&effect)) {
        require(opens_, "an element without a stream");
        xml::Pool pool(1);
        require(websocket::inspect(pool, forward->element, xml::no_limits()).error == xml::Error::none,
                "not one whole element goes to the server", forward->element);
      }
      ended |= std::holds_alternative<websocket::Ended>(effect);
    }
  }
  bool ended = false;

 private:
  void hears(const std::string& message) {
    require(!closed_, "a message behind <close/>", message);
    const bool header = message.starts_with("<open ");
    closed_ = message.starts_with("<close ");
    require(header || closed_ || greeted_, "the first is neither <open/> nor <close/>", message);
    greeted_ |= header;
  }
  bool opens_ = false;
  bool greeted_ = false;
  bool closed_ = false;
};

class World {
 public:
  void message(std::string_view text) {
    step([&](auto& effects) { session_.on_message(now_, pool_, text, effects); });
  }
  void event(unsigned which) {
    switch (which) {
      case 0:
        return step([&](auto& effects) { session_.on_upstream_open({"a", "b", "1.0", "en"}, effects); });
      case 1:
        return speaks("<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
      case 2:
        return speaks("<message xmlns='jabber:client'/>");
      case 3:
        return step([&](auto& effects) { session_.on_upstream_end(now_, {}, effects); });
      case 4:
        return step([&](auto& effects) { session_.on_lost(effects); });
      case 5:
        return step([&](auto& effects) { session_.on_violation(websocket::CloseCode::too_big, effects); });
      case 6:
        return step([&](auto& effects) { session_.end(now_, {}, false, effects); });
      case 7:
        return step([&](auto& effects) { session_.end(now_, {}, true, effects); });
      case 8:
        return rings();
      case 9:
        return message("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a' version='1.0'/>");
      case 10:
        return message("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
      default:
        return;
    }
  }
  bool ended() const { return client_.ended; }

 private:
  template <class Step>
  void step(Step&& take) {
    websocket::Effects effects;
    take(effects);
    client_.hears(effects);
    require(session_.ended() == client_.ended, "an end that is not told");
  }
  void speaks(std::string_view bytes) {
    xml::Element element;
    element.bytes = bytes;
    step([&](auto& effects) { session_.on_upstream({&element, 1}, effects); });
  }
  void rings() {
    if (session_.deadline() == websocket::Time::max()) return;
    now_ = session_.deadline();
    step([&](auto& effects) { session_.on_time(now_, effects); });
    require(client_.ended || session_.deadline() > now_, "a deadline that has passed");
  }

  xml::Pool pool_{1};
  websocket::Time now_{1h};
  websocket::Session session_{settings, "own", now_};
  Client client_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  World world;
  for (const fuzz::Piece& piece : fuzz::pieces(fuzz::text(bytes, size), first_mark)) {
    if (!piece.bytes.empty() && !world.ended()) world.message(piece.bytes);
    if (piece.mark >= first_mark && !world.ended()) world.event(piece.mark - first_mark);
  }
  return 0;
}
