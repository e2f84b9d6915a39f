#include "schemas/engine/members.hpp"

#include <algorithm>

namespace schemas {

namespace json = boost::json;

namespace {

void add_missing(const path& at, validation_errors& errors)
{
    errors.add(at, "missing", "is required");
}

void add_unknown(const path& at, std::string_view name, validation_errors& errors)
{
    errors.add(path{at, name}, "extra_forbidden", "is not known here");
}

template <class Table>
bool has_name(const Table& table, std::string_view name)
{
    return std::ranges::any_of(table, [&](const auto& member) { return member.name == name; });
}

} // namespace

bool parse_members(const json::value& in, void* const* members, std::span<const member_parser> parsers,
                   const path& at, validation_errors& errors)
{
    const auto* object = expect_object(in, at, errors);
    if (!object)
        return false;
    const std::size_t before = errors.count();
    std::size_t known = 0;
    for (std::size_t i = 0; i < parsers.size(); ++i) {
        const auto& parser = parsers[i];
        const path here{at, parser.name};
        if (const auto* member = object->if_contains(parser.name)) {
            ++known;
            parser.parse(members[i], *member, here, errors);
        } else if (!parser.is_optional) {
            add_missing(here, errors);
        }
    }
    if (known != object->size()) {
        for (const auto& member : *object) {
            if (!has_name(parsers, member.key()))
                add_unknown(at, member.key(), errors);
        }
    }
    return errors.count() == before;
}

bool parse_text_members(text_pairs in, void* const* members, std::span<const member_text_parser> parsers,
                        unknown_fields unknown, const path& at, validation_errors& errors)
{
    const std::size_t before = errors.count();
    for (std::size_t i = 0; i < parsers.size(); ++i) {
        const auto& parser = parsers[i];
        const path here{at, parser.name};
        const auto has_this_name = [&](const auto& pair) { return pair.first == parser.name; };
        const auto found = std::ranges::find_if(in, has_this_name);
        if (found == in.end()) {
            if (!parser.is_optional)
                add_missing(here, errors);
        } else if (std::find_if(found + 1, in.end(), has_this_name) != in.end()) {
            errors.add(here, "repeated", "may be given only once");
        } else {
            parser.parse(members[i], found->second, here, errors);
        }
    }
    if (unknown == unknown_fields::deny) {
        for (const auto& pair : in) {
            if (!has_name(parsers, pair.first))
                add_unknown(at, pair.first, errors);
        }
    }
    return errors.count() == before;
}

void write_members(std::string& out, const void* const* members, std::span<const member_writer> writers)
{
    out += '{';
    for (std::size_t i = 0; i < writers.size(); ++i) {
        const auto& writer = writers[i];
        if (writer.is_omitted && writer.is_omitted(members[i]))
            continue;
        out.append(writer.key);
        writer.write(out, members[i]);
        out += ',';
    }
    // Every member ends with a comma: the last one becomes the closing brace.
    if (out.back() == ',')
        out.back() = '}';
    else
        out += '}';
}

json::object describe_members(openapi_context& cx, const std::type_info& type,
                              std::span<const member_schema> members)
{
    object_schema schema;
    for (const auto& member : members) {
        const bool is_required = cx.is_request() ? !member.is_optional : !member.is_omittable;
        schema.add(member.name, member.openapi(cx), is_required);
    }
    return cx.add_component(component_name(type), std::move(schema).take());
}

} // namespace schemas
