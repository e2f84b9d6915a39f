// Mails that a server has put down as files.
#pragma once

#include "tests/support/email.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/** The *.eml files of a folder, which need not exist yet. */
class mailbox {
public:
    explicit mailbox(std::string folder) : folder_(std::move(folder)) {}

    /// All letters, the oldest first.
    std::vector<letter> letters() const;

    /** Wait for a letter that was not returned before; the oldest such.
        @param recipient what its To has to hold
        @param subject what its subject has to hold
        @return nothing if none comes in time */
    std::optional<letter> wait_for(std::string_view recipient, std::string_view subject = {},
                                   std::chrono::milliseconds limit = std::chrono::seconds(10));

private:
    std::vector<std::string> files() const;

    std::string folder_;
    std::set<std::string> returned_;
};

} // namespace support
