// systemd's journal by its own protocol: a line with its fields, so that `journalctl BOSHD_SID=…` finds them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/log/log.hpp"

namespace boshd {

/// An event that operators search for, and what is the same at all its lines.
struct KnownEvent {
  std::string_view name;
  std::string_view message_id;  // MESSAGE_ID: for good, whatever the name or the text becomes
  bool limited = false;         // others decide how often it comes: its warnings are limited
};

/// All of them, by name.
std::span<const KnownEvent> known_events();
/// nullptr if it is none of them.
const KnownEvent* find_event(std::string_view name);

/// The journal's fields of a line, "NAME=value" each: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID of a
/// known event, BOSHD_EVENT, and BOSHD_KEY of each field.
std::vector<std::string> journal_fields(LogLevel, std::string_view event, std::span<const Field>);

/// Whether this descriptor is the stream that systemd has made of it: `journal_stream` is JOURNAL_STREAM of
/// the environment, "device:inode", or nullptr.
bool is_journal_stream(const char* journal_stream, int descriptor);

/// Whether the journal's socket is there.
bool journal_is_there();
/// False if the journal has not taken it.
bool send_to_journal(std::span<const std::string> fields);

}  // namespace boshd
