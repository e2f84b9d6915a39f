// Domains whose addresses say nothing of whom their owners work for.
#pragma once

#include <string_view>

namespace handlers {

/** Whether anybody can have an address of this domain, for nothing or for a fee. @param domain in lower case.
   The list holds the providers that most people use, and those of throw-away addresses; it cannot be
   complete. */
bool is_public_mail_provider(std::string_view domain);

} // namespace handlers
