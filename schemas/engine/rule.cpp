#include "schemas/engine/rule.hpp"

namespace schemas {

namespace json = boost::json;

const json::string* expect_string(const json::value& in, const path& at, validation_errors& errors)
{
    const auto* text = in.if_string();
    if (!text)
        errors.add(at, "string_type", "must be a string");
    return text;
}

const json::object* expect_object(const json::value& in, const path& at, validation_errors& errors)
{
    const auto* object = in.if_object();
    if (!object)
        errors.add(at, "dict_type", "must be an object");
    return object;
}

const json::array* expect_array(const json::value& in, const path& at, validation_errors& errors)
{
    const auto* array = in.if_array();
    if (!array)
        errors.add(at, "list_type", "must be a list");
    return array;
}

void add_not_one_of(const path& at, std::span<const std::string_view> names, validation_errors& errors)
{
    std::string msg = "must be one of:";
    for (const auto name : names) {
        msg += ' ';
        msg += name;
        msg += ',';
    }
    msg.pop_back();
    errors.add(at, "enum", std::move(msg));
}

} // namespace schemas
