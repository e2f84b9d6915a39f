// Free email domains: addresses there do not identify an employer.
#pragma once

#include <string_view>

namespace handlers {

/** Whether addresses of this domain are open to the public, free of charge or for a fee. The list holds the
    most common providers and disposable addresses; it cannot be complete.
    @param domain in lower case */
bool is_free_email_domain(std::string_view domain);

} // namespace handlers
