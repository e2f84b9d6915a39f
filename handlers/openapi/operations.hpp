// What a route is called and what it is for, in words: the part of the document that no type can tell.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "handlers/http/error_codes.hpp"

#include <array>
#include <span>
#include <string_view>

namespace handlers {

/** An answer beside the one that the handler's type tells. */
struct further_answer {
    unsigned status = 0; // 0: none
    std::string_view description = {};
    std::string_view media = {}; // empty: no body
};

/** A line for each line of the route table. What follows from the guard and from the input alone, such as 401
   or 422, is not repeated here. */
struct operation {
    http::verb method;
    std::string_view path;
    std::string_view id; // of the operation, as client generators name their functions
    std::string_view tag;
    std::string_view summary;
    std::string_view description = {};
    refusal_list refused = {};
    std::array<further_answer, 2> further = {};
};

struct operation_tag {
    std::string_view name, description;
};

std::span<const operation> all_operations();
std::span<const operation_tag> all_operation_tags();

} // namespace handlers
