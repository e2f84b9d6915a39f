// Reading the emails that a server delivers as files.
#pragma once

#include "tests/support/email.hpp"
#include "tests/support/eventually.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// The *.eml files of a folder, which need not exist yet.
class mailbox {
public:
    explicit mailbox(std::string folder) : folder_(std::move(folder)) {}

    /// All emails, oldest first.
    std::vector<email> emails() const;

    /** Wait for an email that was not returned before; the oldest such. Two in flight at the same time have
        no order: wait for the first before causing the second.
        @param recipient contained in the To header
        @param subject contained in the subject
        @return nothing if none arrives in time */
    std::optional<email> wait_for(std::string_view recipient, std::string_view subject = {},
                                  std::chrono::milliseconds limit = default_deadline);

private:
    std::vector<std::string> files() const;

    std::string folder_;
    std::set<std::string> returned_;
};

} // namespace support
