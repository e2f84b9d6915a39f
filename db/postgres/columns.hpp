// Column lists generated from described structs, so that a row's columns are spelled out once.
#pragma once

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <string>
#include <string_view>

namespace db {

/** The members of a described row, in declaration order, as SELECT and RETURNING take them: `id,
    email`, or with an alias `u.id, u.email`. The statement has to spell out a column that is computed
    or has another name. */
template <class Row>
std::string columns(std::string_view alias = {})
{
    std::string out;
    boost::mp11::mp_for_each<boost::describe::describe_members<Row, boost::describe::mod_public>>(
        [&](auto member) {
            if (!out.empty())
                out += ", ";
            if (!alias.empty())
                out.append(alias).append(".");
            out += member.name;
        });
    return out;
}

} // namespace db
