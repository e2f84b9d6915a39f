#include "schemas/engine/openapi.hpp"

#include <boost/core/demangle.hpp>

#include <stdexcept>
#include <utility>

namespace schemas {

namespace json = boost::json;

json::object openapi_context::add_component(std::string name, json::object schema)
{
    if (!components_)
        return schema;
    const auto [found, is_new] = components_->emplace(name, schema);
    if (!is_new && found->value() != json::value(schema))
        throw std::logic_error("two different schemas have the name " + name);
    return {{"$ref", "#/components/schemas/" + name}};
}

void object_schema::add(std::string_view name, json::object schema, bool is_required)
{
    properties_[name] = std::move(schema);
    if (is_required)
        required_.emplace_back(name);
}

json::object object_schema::take() &&
{
    json::object out{{"type", "object"}, {"properties", std::move(properties_)}};
    if (!required_.empty())
        out["required"] = std::move(required_);
    out["additionalProperties"] = false;
    return out;
}

json::object string_schema(std::size_t min_length, std::size_t max_length)
{
    json::object out{{"type", "string"}};
    if (min_length > 0)
        out["minLength"] = min_length;
    if (max_length != unlimited)
        out["maxLength"] = max_length;
    return out;
}

json::object format_schema(std::string_view format)
{
    return {{"type", "string"}, {"format", format}};
}

json::object enum_schema(std::span<const std::string_view> names)
{
    return {{"type", "string"}, {"enum", json::array(names.begin(), names.end())}};
}

json::object list_schema(json::object items, std::size_t min_items, std::size_t max_items)
{
    json::object out{{"type", "array"}, {"items", std::move(items)}};
    if (min_items > 0)
        out["minItems"] = min_items;
    if (max_items != unlimited)
        out["maxItems"] = max_items;
    return out;
}

json::object nullable_schema(json::object schema)
{
    if (schema.empty())
        return schema; // allows anything, null included
    auto* type = schema.if_contains("type");
    if (!type)
        return {{"anyOf", {json::value(std::move(schema)), {{"type", "null"}}}}};
    *type = {std::move(*type), "null"};
    if (auto* names = schema.if_contains("enum"))
        names->as_array().emplace_back(nullptr);
    return schema;
}

std::string component_name(std::string demangled)
{
    std::string out;
    std::size_t identifier = 0; // start of the current identifier in `out`
    for (std::size_t i = 0; i < demangled.size(); ++i) {
        const char c = demangled[i];
        if (c == '<' || c == ',') {
            out += '_';
            identifier = out.size();
        } else if (c == ':') {
            out.resize(identifier); // it was a namespace
        } else if (c != '>' && c != ' ') {
            out += c;
        }
    }
    return out;
}

std::string component_name(const std::type_info& type)
{
    return component_name(boost::core::demangle(type.name()));
}

json::array parameters_of(const json::object& schema)
{
    const auto* required = schema.if_contains("required");
    json::array out;
    for (const auto& property : schema.at("properties").as_object()) {
        bool is_required = false;
        if (required) {
            for (const auto& name : required->as_array())
                is_required = is_required || name == property.key();
        }
        out.push_back({{"name", property.key()},
                       {"in", "query"},
                       {"required", is_required},
                       {"schema", property.value()}});
    }
    return out;
}

} // namespace schemas
