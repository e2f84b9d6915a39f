// What migrations of normalized text need, and what they report.
#pragma once

#include <string>
#include <string_view>

namespace db {

/** The normalization of text, which a higher folder has to supply: some migrations renew what is stored in a
    normalized form, and SQL cannot compute it. */
struct text_normalizers {
    std::string (*email)(std::string_view) = nullptr;
    std::string (*domain)(std::string_view) = nullptr;
};

/// Two accounts with email addresses that turned out to be the same: one keeps it, one has released it.
struct address_collision {
    std::string kept_by, released_by;
};

} // namespace db
