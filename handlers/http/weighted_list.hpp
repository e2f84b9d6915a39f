// Weighted lists: Accept, Accept-Encoding and Accept-Language.
#pragma once

#include "handlers/http/message.hpp"

#include <string_view>
#include <vector>

namespace handlers {

/// An item of such a list, without parameters and the white space around it. Refers to the header.
struct weighted_item {
    std::string_view name;
    /// In thousandths: 1000 without a weight, 0 for what is rejected and for a malformed weight.
    unsigned weight = 1000;
};

/** The items of all header lines with a name, in their order (RFC 9110, section 12.4.2). Items beyond the
   first 64 are ignored. */
std::vector<weighted_item> read_weighted_list(const request& req, http::field name);

} // namespace handlers
