#include "xml/splitter.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace xml {

namespace {
constexpr std::size_t most_spare = 8;
// expat keeps every name it has seen until its document ends, and the memory for them until it is freed.
// Whoever writes stanzas chooses names, so a parser has to go when it has read so much.
constexpr std::size_t most_read = 64 * 1024;
}  // namespace

Pool::Pool(unsigned long hash_salt, std::size_t warm) : hash_salt_(hash_salt), warm_(warm), tickets_(warm) {
  assert(hash_salt != 0 && warm > 0);
}

std::unique_ptr<Parser> Pool::borrow() {
  if (spare_.empty()) return std::make_unique<Parser>(hash_salt_);
  auto parser = std::move(spare_.back());
  spare_.pop_back();
  return parser;
}

std::unique_ptr<Parser> Pool::take(std::uint64_t ticket) {
  const std::size_t place = ticket % warm_.size();
  return tickets_[place] == ticket ? std::move(warm_[place]) : nullptr;
}

// Each leave goes one place on, so the parser that has to go is the one left longest ago.
std::uint64_t Pool::leave(std::unique_ptr<Parser> parser) {
  const std::uint64_t ticket = next_ticket_++;
  const std::size_t place = ticket % warm_.size();
  if (warm_[place]) give_back(std::move(warm_[place]));
  warm_[place] = std::move(parser);
  tickets_[place] = ticket;
  return ticket;
}

Parser& Pool::documents() {
  drop_worn_documents();
  if (!documents_) documents_ = std::make_unique<Parser>(hash_salt_);
  return *documents_;
}

void Pool::give_back(std::unique_ptr<Parser> parser) {
  if (spare_.size() < most_spare && parser->worn() <= most_read) spare_.push_back(std::move(parser));
}

void Pool::drop_worn_documents() {
  if (documents_ && documents_->worn() > most_read) documents_.reset();
}

bool Pool::cool() {
  drop_worn_documents();
  for (std::size_t place = 0; place < warm_.size(); ++place)
    if (tickets_[place] < cool_before_) warm_[place].reset();
  cool_before_ = next_ticket_;
  return std::ranges::all_of(warm_, [](const auto& parser) { return parser == nullptr; });
}

std::size_t Pool::parsers_kept() const {
  return spare_.size() +
         static_cast<std::size_t>(std::ranges::count_if(warm_, [](auto& p) { return p != nullptr; }));
}

void Batch::clear() {
  root_opened = root_closed = false;
  root = {};
  elements.clear();
  joined.clear();
}

// The parser as the last feed left it: still here, warm in the pool, or made anew from the kept bytes.
std::unique_ptr<Parser> Splitter::resume(Pool& pool, const Options& options) {
  if (parser_) return std::move(parser_);
  if (auto parser = pool.take(std::exchange(ticket_, 0))) return parser;
  auto parser = pool.borrow();
  parser->begin();
  if (!root_tag_.empty())
    parser->feed(options, root_tag_, false);
  else if (begun_)
    parser->feed(options, "<?xml version='1.0'?>", false);  // so that no second declaration passes
  if (!partial_.empty()) parser->feed(options, partial_, false);
  return parser;
}

Error Splitter::feed(Pool& pool, const Options& options, std::string_view bytes, Batch& batch, bool last) {
  batch.clear();
  if (error_ != Error::none) return error_;
  auto parser = resume(pool, options);
  error_ = parser->feed(options, bytes, last);
  collect(*parser, bytes, batch);
  const bool worn = parser->offset() > root_tag_.size() + partial_.size() + most_read;
  if (error_ != Error::none || last || worn)
    pool.give_back(std::move(parser));
  else if (partial_.empty())
    ticket_ = pool.leave(std::move(parser));
  else
    parser_ = std::move(parser);
  return error_;
}

void Splitter::collect(Parser& parser, std::string_view bytes, Batch& batch) {
  const std::uint64_t begin = parser.offset() - bytes.size();  // where `bytes` stand in the parser's document
  const std::uint64_t partial_begin = begin - partial_.size();
  if (parser.root_opened()) {
    batch.root_opened = true;
    batch.root = std::move(parser.root());
    std::string all = partial_;
    all += bytes;
    root_tag_ = all.substr(parser.root_begin() - partial_begin, parser.root_end() - parser.root_begin());
  }
  batch.root_closed = parser.root_closed();
  for (Found& found : parser.found()) {
    Element element = std::move(found.element);
    if (found.begin < begin) {  // only the first can have begun earlier
      const std::size_t skip = found.begin - partial_begin;
      batch.joined = std::exchange(partial_, {});
      batch.joined += bytes.substr(0, found.end - begin);
      element.bytes = std::string_view(batch.joined).substr(skip);
    } else {
      element.bytes = bytes.substr(found.begin - begin, found.end - found.begin);
    }
    batch.elements.push_back(std::move(element));
  }
  const std::uint64_t unfinished = parser.unfinished();
  begun_ = begun_ || unfinished > 0;
  if (error_ != Error::none || unfinished >= parser.offset())
    partial_ = {};
  else if (unfinished >= begin)
    partial_ = bytes.substr(unfinished - begin);
  else {
    partial_.erase(0, unfinished - partial_begin);
    partial_ += bytes;
  }
}

}  // namespace xml
